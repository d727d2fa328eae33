//! Runs a block of rWasm symbolically.
//!
//! This is the meaning of rWasm's instructions as rwasm's VM gives it, written without looking at
//! how they are lowered; an i64 snippet is the operation that its body computes.

use std::collections::BTreeSet;

use rwasm::{Opcode, TrapCode};

use super::ValidateError;
use super::state::{Callee, Effect, Key, PAGES, Path, Run};
use super::term::{Fun, Term, Terms};
use super::wide::Wide;
use crate::front::heights::Place;
use crate::front::{MAX_PAGES, Module, Snippet, host};
use crate::layout::*;
use crate::runtime::Routine;
use crate::{Op, STUCK_PC, Slot, Trap};

/// A block's run with what must hold for it.
pub(super) struct Source {
    pub(super) run: Run,
    /// Most room above the frame base that a snippet would have asked for.
    pub(super) snippet_room: Option<u32>,
    /// Height at the end.
    pub(super) height: Slot,
}

/// Runs the block of `function` that starts at `pc`, to the next of the `starts`. In the `deep`
/// version the checks of the snippet calls are effects; in the other one they were made on entry.
pub(super) fn run(
    module: &Module,
    terms: &mut Terms,
    (function, pc, deep): (u32, u32, bool),
    starts: &BTreeSet<u32>,
) -> Result<Source, ValidateError> {
    let info = module.heights.functions.get(function as usize);
    let info = info.ok_or(ValidateError::NoCode(pc))?;
    let height = module.heights.height(pc).ok_or(ValidateError::NoCode(pc))?;
    let low = -(info.params as Slot);
    let terms_one = terms.constant(1);
    let mut machine = Machine {
        module,
        terms,
        run: Run::default(),
        path: Path::default(),
        height,
        low,
        deep,
        pc,
        entry: info.entry,
        starts,
        guard: terms_one,
        dead: false,
        followed: 0,
        room: None,
    };
    machine.walk(function, pc)?;
    Ok(Source { height: machine.height, snippet_room: machine.room, run: machine.run })
}

/// Most blocks without rows that the exits of one block may lead through.
const MAX_FOLLOWED: u32 = 256;

struct Machine<'a> {
    module: &'a Module,
    terms: &'a mut Terms,
    run: Run,
    path: Path,
    height: Slot,
    low: Slot,
    deep: bool,
    pc: u32,
    entry: u32,
    /// Pcs of the blocks that have rows.
    starts: &'a BTreeSet<u32>,
    /// The condition under which the path is taken.
    guard: Term,
    /// Whether the path has certainly left for a fixed pc.
    dead: bool,
    /// Blocks without rows that were followed.
    followed: u32,
    room: Option<u32>,
}

type Next = Result<Option<u32>, ValidateError>;

impl Machine<'_> {
    /// Runs on from `pc` to the next block.
    fn walk(&mut self, function: u32, pc: u32) -> Result<(), ValidateError> {
        let mut next = Some(pc);
        while let Some(at) = next {
            if at != pc && self.starts.contains(&at) {
                return self.exit(Key::Block(at));
            }
            match self.module.heights.places.get(at as usize) {
                Some(Place::Code { function: f, height })
                    if *f == function && *height == self.height => {}
                _ => return Err(ValidateError::NoCode(at)),
            }
            self.pc = at;
            let op = self.module.rwasm.code_section.get(at as usize).copied();
            next = self.step(op.ok_or(ValidateError::NoCode(at))?)?;
            if self.dead {
                return Ok(());
            }
        }
        Ok(())
    }

    // The stack.

    fn get(&mut self, slot: Slot) -> Result<Term, ValidateError> {
        if slot < self.low {
            return Err(ValidateError::Parameters(self.pc));
        }
        Ok(self.run.slot(self.terms, &self.path, slot))
    }

    fn set(&mut self, slot: Slot, term: Term) -> Result<(), ValidateError> {
        if slot < self.low {
            return Err(ValidateError::Parameters(self.pc));
        }
        self.path.slots.insert(slot, term);
        Ok(())
    }

    fn pop(&mut self) -> Result<Term, ValidateError> {
        self.height -= 1;
        self.get(self.height)
    }

    /// Pops `n` slots, the lowest first.
    fn pops(&mut self, n: u32) -> Result<Vec<Term>, ValidateError> {
        self.height -= n as Slot;
        (0..n as Slot).map(|i| self.get(self.height + i)).collect()
    }

    fn push(&mut self, term: Term) -> Result<(), ValidateError> {
        self.height += 1;
        self.set(self.height - 1, term)
    }

    fn pushes(&mut self, terms: &[Term]) -> Result<(), ValidateError> {
        terms.iter().try_for_each(|&term| self.push(term))
    }

    // Effects.

    fn effect(&mut self, effect: Effect) {
        if !self.dead {
            self.run.effects.push(effect);
        }
    }

    fn leave(&mut self, when: Term, pc: u32) {
        if !self.dead {
            self.run.leave(self.terms, when, pc);
            self.dead = self.terms.value(when) == Some(1);
        }
    }

    fn trap_if(&mut self, when: Term, trap: Trap) {
        self.leave(when, trap.code() as u32);
    }

    /// The path ends with a trap.
    fn trap(&mut self, trap: Trap) -> Next {
        let always = self.terms.constant(1);
        self.trap_if(always, trap);
        Ok(None)
    }

    fn exit(&mut self, key: Key) -> Result<(), ValidateError> {
        let always = self.terms.constant(1);
        self.exit_if(always, key)
    }

    fn exit_if(&mut self, guard: Term, key: Key) -> Result<(), ValidateError> {
        let guard = self.terms.and(self.guard, guard);
        if self.dead || self.terms.value(guard) == Some(0) {
            return Ok(());
        }
        match key {
            // Going back to the function's entry is a tail call of itself.
            Key::Block(pc) if pc == self.entry => {
                self.take(guard, Key::Tail(Callee::Function(pc), 0));
            }
            Key::Block(pc) if !self.starts.contains(&pc) => return self.follow(guard, pc),
            key => self.take(guard, key),
        }
        Ok(())
    }

    fn take(&mut self, guard: Term, key: Key) {
        let path = self.path.clone();
        self.run.exit(self.terms, key, guard, path);
    }

    /// Goes through a block that has no rows, which can only move slots and go on.
    fn follow(&mut self, guard: Term, pc: u32) -> Result<(), ValidateError> {
        let Some(Place::Code { function, .. }) = self.module.heights.places.get(pc as usize) else {
            return Err(ValidateError::NoCode(pc));
        };
        self.followed += 1;
        if self.followed > MAX_FOLLOWED {
            return Err(ValidateError::Map(pc));
        }
        let (path, height, effects) = (self.path.clone(), self.height, self.run.effects.len());
        let (at, outer) = (self.pc, std::mem::replace(&mut self.guard, guard));
        self.walk(*function, pc)?;
        if self.run.effects.len() > effects {
            return Err(ValidateError::Map(pc));
        }
        (self.path, self.height, self.pc, self.guard) = (path, height, at, outer);
        Ok(())
    }

    fn constant(&mut self, value: u32) -> Term {
        self.terms.constant(value)
    }

    fn read(&mut self, base: u32, index: Term) -> Term {
        self.run.word(self.terms, &self.path, base, index)
    }

    fn word(&mut self, word: u32) -> Term {
        let zero = self.constant(0);
        self.read(word, zero)
    }

    fn write(&mut self, base: u32, index: Term, value: Term) {
        self.run.set_word(self.terms, &mut self.path, (base, index), value);
    }

    fn set_word(&mut self, word: u32, value: Term) {
        let zero = self.constant(0);
        self.write(word, zero, value);
    }

    // Instructions.

    fn step(&mut self, op: Opcode) -> Next {
        use Opcode::*;
        let next = Ok(Some(self.pc + 1));
        match op {
            Unreachable => return self.trap(crate::Trap::UnreachableCodeReached),
            Trap(code) => return self.raise(code),
            Br(offset) => {
                let target = self.target(self.pc, offset.to_i32());
                self.exit(Key::Block(target))?;
                return Ok(None);
            }
            BrIfEqz(offset) => return self.branch(offset.to_i32(), false),
            BrIfNez(offset) => return self.branch(offset.to_i32(), true),
            BrTable(targets) => return self.branch_table(targets),
            Return => {
                self.exit(Key::Return)?;
                return Ok(None);
            }
            CallInternal(target) => return self.call(target),
            ReturnCallInternal(target) => {
                self.exit(Key::Tail(Callee::Function(target), self.height))?;
                return Ok(None);
            }
            CallIndirect(signature) => return self.indirect(signature, false),
            ReturnCallIndirect(signature) => return self.indirect(signature, true),
            Call(index) | ReturnCall(index) => return self.host_call(index),
            // Direct calls pass; indirect ones are checked where they are made.
            SignatureCheck(_) => {}
            ConsumeFuel(fuel) => {
                let fuel = self.constant(fuel);
                self.fuel(fuel);
            }
            ConsumeFuelStack => {
                let fuel = self.pop()?;
                self.fuel(fuel);
            }
            StackCheck(height) => self.stack_check(height),
            LocalGet(d) => {
                let term = self.get(self.height - d as Slot)?;
                self.push(term)?;
            }
            LocalSet(d) => {
                let term = self.pop()?;
                self.set(self.height - d as Slot, term)?;
            }
            LocalTee(d) => {
                let term = self.get(self.height - 1)?;
                self.set(self.height - d as Slot, term)?;
            }
            Drop => self.height -= 1,
            BulkDrop(n) => self.height -= n as Slot,
            BulkConst(n) => {
                let zero = self.constant(0);
                for _ in 0..n {
                    self.push(zero)?;
                }
            }
            RefFunc(pc) => self.push_constant(pc)?,
            I32Const(value) => self.push_constant(value.to_bits())?,
            I64Const32U(value) => {
                self.push_constant(value.to_bits())?;
                self.push_constant(0)?;
            }
            I64Const32S(value) => {
                self.push_constant(value.to_bits())?;
                self.push_constant(((value.to_bits() as i32) >> 31) as u32)?;
            }
            Select => {
                let v = self.pops(3)?;
                let when = self.terms.truth(v[2]);
                let term = self.terms.ite(when, v[0], v[1]);
                self.push(term)?;
            }
            GlobalGet(word) => {
                let term = self.word(GLOBAL + word);
                self.push(term)?;
            }
            GlobalSet(word) => {
                let term = self.pop()?;
                self.set_word(GLOBAL + word, term);
            }
            I32Load(offset) => return self.load(crate::Op::Load, offset, 4),
            I32Load8S(offset) => return self.load(crate::Op::Load8S, offset, 1),
            I32Load8U(offset) => return self.load(crate::Op::Load8U, offset, 1),
            I32Load16S(offset) => return self.load(crate::Op::Load16S, offset, 2),
            I32Load16U(offset) => return self.load(crate::Op::Load16U, offset, 2),
            I32Store(offset) => return self.store(crate::Op::Store, offset, 4),
            I32Store8(offset) => return self.store(crate::Op::Store8, offset, 1),
            I32Store16(offset) => return self.store(crate::Op::Store16, offset, 2),
            DataDrop(segment) if segment > MAX_SEGMENT => {
                return self.trap(crate::Trap::MemoryOutOfBounds);
            }
            ElemDrop(segment) if segment > MAX_SEGMENT => {
                return self.trap(crate::Trap::TableOutOfBounds);
            }
            TableInit(segment) => {
                let table = self.payload()?;
                let more =
                    [dropped_flag(segment), table, self.module.rwasm.elem_section.len() as u32];
                self.routine(Routine::TableInit, 3, &more)?;
                return Ok(Some(self.pc + 2));
            }
            _ => return self.plain(op).and_then(|done| if done { next } else { self.illegal() }),
        }
        next
    }

    fn illegal(&mut self) -> Next {
        self.trap(Trap::IllegalOpcode)
    }

    fn raise(&mut self, code: TrapCode) -> Next {
        match Trap::from_code(code as u32) {
            Some(Trap::OutOfFuel) => {
                self.routine(Routine::RaiseOutOfFuel, 0, &[])?;
                Ok(None)
            }
            Some(trap) => self.trap(trap),
            None => Err(ValidateError::NoCode(self.pc)),
        }
    }

    fn push_constant(&mut self, value: u32) -> Result<(), ValidateError> {
        let term = self.constant(value);
        self.push(term)
    }

    fn fuel(&mut self, low: Term) {
        if self.terms.value(low) != Some(0) {
            let high = self.constant(0);
            self.effect(Effect::Fuel { low, high });
        }
    }

    fn stack_check(&mut self, height: u32) {
        let checked = self.height.max(0) as u32 + height.min(u16::MAX as u32);
        if checked > 0 {
            self.effect(Effect::Stack(checked.min(u16::MAX as u32)));
        }
    }

    fn target(&self, pc: u32, offset: i32) -> u32 {
        pc.wrapping_add_signed(offset)
    }

    fn branch(&mut self, offset: i32, if_true: bool) -> Next {
        let condition = self.pop()?;
        let mut taken = self.terms.truth(condition);
        if !if_true {
            taken = self.terms.not(taken);
        }
        let otherwise = self.terms.not(taken);
        let target = self.target(self.pc, offset);
        self.exit_if(taken, Key::Block(target))?;
        self.exit_if(otherwise, Key::Block(self.pc + 1))?;
        Ok(None)
    }

    fn branch_table(&mut self, targets: u32) -> Next {
        let index = self.pop()?;
        for i in 0..targets {
            let word = self.pc + 1 + 2 * i;
            let guard = table_case(self.terms, index, i, targets - 1);
            match self.module.rwasm.code_section.get(word as usize) {
                Some(Opcode::Br(offset)) => {
                    let target = self.target(word, offset.to_i32());
                    self.exit_if(guard, Key::Block(target))?;
                }
                Some(Opcode::Return) => self.exit_if(guard, Key::Return)?,
                _ => return Err(ValidateError::NoCode(word)),
            }
        }
        Ok(None)
    }

    // Memory.

    /// Address of an access; `None` if it lies beyond every memory whatever the base is.
    fn load(&mut self, op: Op, offset: u32, size: u32) -> Next {
        let address = self.pop()?;
        let Some(last) = offset.checked_add(size - 1) else {
            return self.trap(Trap::MemoryOutOfBounds);
        };
        let result = self.run.result(self.terms, 0);
        let (address, offset) = constant_address(self.terms, address, last);
        self.effect(Effect::Load { op, address, offset });
        self.push(result)?;
        Ok(Some(self.pc + 1))
    }

    fn store(&mut self, op: Op, offset: u32, size: u32) -> Next {
        let value = self.pop()?;
        let address = self.pop()?;
        let Some(last) = offset.checked_add(size - 1) else {
            return self.trap(Trap::MemoryOutOfBounds);
        };
        let (address, offset) = constant_address(self.terms, address, last);
        self.effect(Effect::Store { op, address, offset, value });
        Ok(Some(self.pc + 1))
    }

    // Calls.

    fn payload(&self) -> Result<u32, ValidateError> {
        match self.module.rwasm.code_section.get(self.pc as usize + 1) {
            Some(Opcode::TableGet(table)) => Ok(*table as u32),
            _ => Err(ValidateError::NoCode(self.pc + 1)),
        }
    }

    fn call(&mut self, target: u32) -> Next {
        if let Some(snippet) = self.snippet(target) {
            self.native(snippet)?;
            return Ok(Some(self.pc + 1));
        }
        let callee = self.module.heights.function(target);
        let callee = callee.ok_or(ValidateError::NoCode(target))?;
        let next = self.pc + 1;
        self.transfer(Callee::Function(target), callee.params, callee.net, next)
    }

    /// A call of an rWasm function: its parameters are the top slots.
    fn transfer(&mut self, callee: Callee, params: u32, net: Option<i32>, next: u32) -> Next {
        if self.dead {
            return Ok(None);
        }
        let base = self.height;
        self.effect(Effect::Depth(CALL_LIMIT));
        let args = self.pops(params)?;
        let first = self.height;
        let Some(net) = net else {
            self.run.call(&mut self.path, (callee, base), args, None);
            return Ok(None);
        };
        let results = u32::try_from(params as i32 + net);
        let results = results.map_err(|_| ValidateError::Parameters(self.pc))?;
        let leaves: Vec<Term> = (0..results).map(|k| self.run.result(self.terms, k)).collect();
        self.run.call(&mut self.path, (callee, base), args, Some(results));
        self.height = first;
        self.pushes(&leaves)?;
        Ok(Some(next))
    }

    fn indirect(&mut self, signature: u32, tail: bool) -> Next {
        let table = self.payload()?;
        let index = self.pop()?;
        let element = self.element(table, index)?;
        let zero = self.constant(0);
        let null = self.terms.eq(element, zero);
        self.trap_if(null, Trap::IndirectCallToNull);
        let limit = self.constant(MAX_FUNC_PC);
        let far = self.terms.lt_u(limit, element);
        self.leave(far, STUCK_PC);
        if !tail {
            self.effect(Effect::Depth(CALL_LIMIT));
        }
        let words = self.terms.op(Op::Add, element, element);
        let found = self.read(FUNC + 1, words);
        let expected = self.constant(signature.wrapping_add(1));
        let same = self.terms.eq(found, expected);
        let other = self.terms.not(same);
        let none = self.terms.eq(found, zero);
        let stuck = self.terms.and(other, none);
        self.leave(stuck, STUCK_PC);
        self.trap_if(other, Trap::BadSignature);
        let Some(callees) = self.module.heights.signature(signature) else {
            // No function has this signature: the trap was certain.
            let always = self.constant(1);
            self.leave(always, STUCK_PC);
            return Ok(None);
        };
        let callee = Callee::Indirect(self.read(FUNC, words));
        if tail {
            self.exit(Key::Tail(callee, self.height))?;
            return Ok(None);
        }
        self.transfer(callee, callees.params, callees.net, self.pc + 2)
    }

    fn host_call(&mut self, index: u32) -> Next {
        let (Some(call), Some(routine)) = (host::HostCall::find(index), Routine::host_call(index))
        else {
            return self.trap(Trap::UnknownExternalFunction);
        };
        let (params, results) = (host::slots(call.params), host::slots(call.results));
        if results > params {
            let height = self.height - params as Slot + results as Slot;
            self.effect(Effect::Stack(height.max(0) as u32));
        }
        self.routine(routine, params, &[])?;
        Ok((!routine.is_exit()).then_some(self.pc + 1))
    }

    /// A routine with the top slots and more as arguments.
    fn routine(
        &mut self,
        routine: Routine,
        params: u32,
        more: &[u32],
    ) -> Result<(), ValidateError> {
        let mut args = self.pops(params)?;
        for &value in more {
            args.push(self.constant(value));
        }
        let results = routine.slots().1;
        let leaves: Vec<Term> = (0..results).map(|k| self.run.result(self.terms, k)).collect();
        let callee = (Callee::Routine(routine), 0);
        self.run.call(&mut self.path, callee, args, Some(results));
        self.pushes(&leaves)
    }

    // Tables.

    fn check_index(&mut self, table: u32, index: Term) -> u32 {
        let size = self.word(TABLE_SIZE + table);
        let inside = self.terms.lt_u(index, size);
        let outside = self.terms.not(inside);
        self.trap_if(outside, Trap::TableOutOfBounds);
        TABLE + table * TABLE_STRIDE
    }

    fn element(&mut self, table: u32, index: Term) -> Result<Term, ValidateError> {
        let base = self.check_index(table, index);
        Ok(self.read(base, index))
    }

    /// Instructions without control flow and traps of their own; false for those that rwasm does
    /// not execute.
    fn plain(&mut self, op: Opcode) -> Result<bool, ValidateError> {
        use Opcode::*;
        match op {
            MemorySize => {
                let pages = self.word(PAGES);
                self.push(pages)?;
            }
            DataDrop(segment) => {
                let one = self.constant(1);
                self.set_word(DATA_DROPPED + segment, one);
            }
            ElemDrop(segment) => {
                let one = self.constant(1);
                self.set_word(ELEM_DROPPED + segment, one);
            }
            TableSize(table) => {
                let size = self.word(TABLE_SIZE + table as u32);
                self.push(size)?;
            }
            TableGet(table) => {
                let index = self.pop()?;
                let element = self.element(table as u32, index)?;
                self.push(element)?;
            }
            TableSet(table) => {
                let (value, index) = (self.pop()?, self.pop()?);
                let base = self.check_index(table as u32, index);
                self.write(base, index, value);
            }
            MemoryGrow => self.routine(Routine::MemoryGrow, 1, &[MAX_PAGES])?,
            MemoryFill => self.routine(Routine::MemoryFill, 3, &[])?,
            MemoryCopy => self.routine(Routine::MemoryCopy, 3, &[])?,
            MemoryInit(segment) => {
                let length = self.module.rwasm.data_section.len() as u32;
                self.routine(Routine::MemoryInit, 3, &[dropped_flag(segment), length])?;
            }
            TableGrow(table) => self.routine(Routine::TableGrow, 2, &[table as u32])?,
            TableFill(table) => self.routine(Routine::TableFill, 3, &[table as u32])?,
            TableCopy(dst, src) => {
                self.routine(Routine::TableCopy, 3, &[dst as u32, src as u32])?;
            }
            _ => return self.numeric(op),
        }
        Ok(true)
    }

    fn numeric(&mut self, op: Opcode) -> Result<bool, ValidateError> {
        use Opcode::*;
        let (a, b) = match op {
            I32Eqz | I32Clz | I32Ctz | I32Popcnt | I32Extend8S | I32Extend16S | I32WrapI64 => {
                let a = self.pop()?;
                (a, self.constant(0))
            }
            I32And64 | I32Or64 | I32Xor64 | I64Add128 | I64Sub128 | I64MulWideS | I64MulWideU => {
                return self.several(op);
            }
            I32Eq | I32Ne | I32LtS | I32LtU | I32GtS | I32GtU | I32LeS | I32LeU | I32GeS
            | I32GeU | I32Add | I32Sub | I32Mul | I32DivS | I32DivU | I32RemS | I32RemU
            | I32And | I32Or | I32Xor | I32Shl | I32ShrS | I32ShrU | I32Rotl | I32Rotr
            | I32Mul64 | I32Add64 | I32Sub64 => {
                let v = self.pops(2)?;
                (v[0], v[1])
            }
            _ => return Ok(false),
        };
        let t = &mut *self.terms;
        let result = match op {
            I32Eqz | I32Eq => t.eq(a, b),
            I32Ne => {
                let eq = t.eq(a, b);
                t.not(eq)
            }
            I32LtS => t.lt_s(a, b),
            I32LtU => t.lt_u(a, b),
            I32GtS => t.lt_s(b, a),
            I32GtU => t.lt_u(b, a),
            I32LeS => {
                let more = t.lt_s(b, a);
                t.not(more)
            }
            I32LeU => {
                let more = t.lt_u(b, a);
                t.not(more)
            }
            I32GeS => {
                let less = t.lt_s(a, b);
                t.not(less)
            }
            I32GeU => {
                let less = t.lt_u(a, b);
                t.not(less)
            }
            I32Clz => t.op(Op::Clz, a, b),
            I32Ctz => t.op(Op::Ctz, a, b),
            I32Popcnt => t.op(Op::Popcnt, a, b),
            I32Extend8S => t.op(Op::Extend8S, a, b),
            I32Extend16S => t.op(Op::Extend16S, a, b),
            I32WrapI64 => a,
            I32Add => t.op(Op::Add, a, b),
            I32Sub => t.op(Op::Sub, a, b),
            I32Mul => t.op(Op::Mul, a, b),
            I32And => t.op(Op::And, a, b),
            I32Or => t.op(Op::Or, a, b),
            I32Xor => t.op(Op::Xor, a, b),
            I32Shl => t.op(Op::Shl, a, b),
            I32ShrS => t.op(Op::ShrS, a, b),
            I32ShrU => t.op(Op::ShrU, a, b),
            I32Rotl => t.op(Op::Rotl, a, b),
            I32Rotr => t.op(Op::Rotr, a, b),
            I32Mul64 => {
                let (low, high) = (t.op(Op::Mul, a, b), t.op(Op::MulHi, a, b));
                self.pushes(&[low, high])?;
                return Ok(true);
            }
            I32Add64 => {
                let low = t.op(Op::Add, a, b);
                let carry = t.lt_u(low, a);
                self.pushes(&[low, carry])?;
                return Ok(true);
            }
            I32Sub64 => {
                let low = t.op(Op::Sub, a, b);
                let borrow = t.lt_u(a, b);
                let zero = t.constant(0);
                let high = t.op(Op::Sub, zero, borrow);
                self.pushes(&[low, high])?;
                return Ok(true);
            }
            _ => self.divide(op, a, b),
        };
        self.push(result)?;
        Ok(true)
    }

    fn divide(&mut self, op: Opcode, a: Term, b: Term) -> Term {
        let zero = self.constant(0);
        let by_zero = self.terms.eq(b, zero);
        self.trap_if(by_zero, Trap::IntegerDivisionByZero);
        if let Opcode::I32DivS = op {
            let (min, minus_one) = (self.constant(1 << 31), self.constant(u32::MAX));
            let (x, y) = (self.terms.eq(a, min), self.terms.eq(b, minus_one));
            let overflow = self.terms.and(x, y);
            self.trap_if(overflow, Trap::IntegerOverflow);
        }
        let fun = match op {
            Opcode::I32DivS => Fun::DivS,
            Opcode::I32RemS => Fun::RemS,
            Opcode::I32DivU => Fun::Alu(Op::DivU, 0),
            _ => Fun::Alu(Op::RemU, 0),
        };
        self.terms.app(fun, &[a, b])
    }

    /// Operations on several words that are instructions of rWasm.
    fn several(&mut self, op: Opcode) -> Result<bool, ValidateError> {
        use Opcode::*;
        let (words, result) = match op {
            I64Add128 | I64Sub128 => (8, 4),
            I64MulWideS | I64MulWideU => (4, 4),
            _ => (4, 2),
        };
        let v = self.pops(words)?;
        let wide = match op {
            I64Add128 => Wide::Add128,
            I64Sub128 => Wide::Sub128,
            I64MulWideS => Wide::MulS,
            I64MulWideU => Wide::MulU,
            _ => {
                let op = match op {
                    I32And64 => Op::And,
                    I32Or64 => Op::Or,
                    _ => Op::Xor,
                };
                let low = self.terms.op(op, v[0], v[2]);
                let high = self.terms.op(op, v[1], v[3]);
                self.pushes(&[low, high])?;
                return Ok(true);
            }
        };
        for part in 0..result {
            let word = self.terms.app(Fun::Wide(wide, part), &v);
            self.push(word)?;
        }
        Ok(true)
    }

    // Snippets.

    /// The snippet at a call target; the division's core is called by nobody but the divisions,
    /// and is an ordinary function if a module calls it otherwise.
    fn snippet(&self, target: u32) -> Option<Snippet> {
        Snippet::at(&self.module.rwasm.code_section, target).filter(|s| *s != Snippet::DivMod)
    }

    fn native(&mut self, snippet: Snippet) -> Result<(), ValidateError> {
        let room = self.height.max(0) as u32 + snippet.height();
        if self.deep {
            self.effect(Effect::Depth(CALL_LIMIT));
            self.effect(Effect::Stack(room));
        } else {
            self.room = self.room.max(Some(room));
        }
        let v = self.pops(4)?;
        let (a, b) = ([v[0], v[1]], [v[2], v[3]]);
        use Snippet::*;
        let truth = |machine: &mut Self, a: [Term; 2], b: [Term; 2], fun: Fun, negate: bool| {
            let less = machine.less64(a, b, fun);
            let less = if negate { machine.terms.not(less) } else { less };
            machine.push(less)
        };
        let shift = |machine: &mut Self, wide| machine.wide(wide, v[0], v[1], v[2], v[2]);
        match snippet {
            Eq | Ne => {
                let t = &mut *self.terms;
                let (low, high) = (t.eq(a[0], b[0]), t.eq(a[1], b[1]));
                let mut both = t.and(low, high);
                if snippet == Ne {
                    both = t.not(both);
                }
                self.push(both)
            }
            LtS => truth(self, a, b, Fun::LtS, false),
            LtU => truth(self, a, b, Fun::LtU, false),
            GtS => truth(self, b, a, Fun::LtS, false),
            GtU => truth(self, b, a, Fun::LtU, false),
            LeS => truth(self, b, a, Fun::LtS, true),
            LeU => truth(self, b, a, Fun::LtU, true),
            GeS => truth(self, a, b, Fun::LtS, true),
            GeU => truth(self, a, b, Fun::LtU, true),
            Add => {
                let t = &mut *self.terms;
                let low = t.op(Op::Add, a[0], b[0]);
                let carry = t.lt_u(low, a[0]);
                let high = t.op(Op::Add, a[1], b[1]);
                let high = t.op(Op::Add, high, carry);
                self.pushes(&[low, high])
            }
            Sub => {
                let t = &mut *self.terms;
                let low = t.op(Op::Sub, a[0], b[0]);
                let borrow = t.lt_u(a[0], b[0]);
                let high = t.op(Op::Sub, a[1], b[1]);
                let high = t.op(Op::Sub, high, borrow);
                self.pushes(&[low, high])
            }
            Mul => {
                let t = &mut *self.terms;
                let (low, high) = (t.op(Op::Mul, a[0], b[0]), t.op(Op::MulHi, a[0], b[0]));
                let cross = t.op(Op::Mul, a[0], b[1]);
                let high = t.op(Op::Add, high, cross);
                let cross = t.op(Op::Mul, a[1], b[0]);
                let high = t.op(Op::Add, high, cross);
                self.pushes(&[low, high])
            }
            DivS | DivU | RemS | RemU => self.divide64(snippet, &v),
            Shl => shift(self, Wide::Shl),
            ShrS => shift(self, Wide::ShrS),
            ShrU => shift(self, Wide::ShrU),
            RotL => shift(self, Wide::Rotl),
            RotR => shift(self, Wide::Rotr),
            DivMod => Err(ValidateError::NoCode(self.pc)),
        }
    }

    fn less64(&mut self, a: [Term; 2], b: [Term; 2], fun: Fun) -> Term {
        let borrow = self.terms.lt_u(a[0], b[0]);
        self.terms.app(fun, &[a[1], b[1], borrow])
    }

    /// A shift or rotation: the high word of the amount does not matter.
    fn wide(
        &mut self,
        wide: Wide,
        low: Term,
        high: Term,
        by: Term,
        top: Term,
    ) -> Result<(), ValidateError> {
        let words = [0, 1].map(|part| self.terms.app(Fun::Wide(wide, part), &[low, high, by, top]));
        self.pushes(&words)
    }

    /// rWasm's order: overflow, the nested call of the core, zero.
    fn divide64(&mut self, snippet: Snippet, v: &[Term]) -> Result<(), ValidateError> {
        let wide = match snippet {
            Snippet::DivS => Wide::DivS,
            Snippet::DivU => Wide::DivU,
            Snippet::RemS => Wide::RemS,
            _ => Wide::RemU,
        };
        if wide == Wide::DivS {
            let constants = [0, 1 << 31, u32::MAX, u32::MAX].map(|c| self.terms.constant(c));
            let mut overflow = self.terms.constant(1);
            for (&word, constant) in v.iter().zip(constants) {
                let same = self.terms.eq(word, constant);
                overflow = self.terms.and(overflow, same);
            }
            self.trap_if(overflow, Trap::IntegerOverflow);
        }
        if self.deep {
            self.effect(Effect::Depth(CALL_LIMIT - 1));
        }
        let any = self.terms.op(Op::Or, v[2], v[3]);
        let some = self.terms.truth(any);
        let zero = self.terms.not(some);
        self.trap_if(zero, Trap::IntegerDivisionByZero);
        let words = [0, 1].map(|part| self.terms.app(Fun::Wide(wide, part), v));
        self.pushes(&words)
    }
}

/// When a branch table with `last` as its last index takes entry `i`.
pub(super) fn table_case(terms: &mut Terms, index: Term, i: u32, last: u32) -> Term {
    let constant = terms.constant(i);
    if i < last {
        return terms.eq(index, constant);
    }
    let less = terms.lt_u(index, constant);
    terms.not(less)
}

/// A constant address is one number.
pub(super) fn constant_address(terms: &mut Terms, address: Term, offset: u32) -> (Term, u32) {
    match terms.value(address).and_then(|a| a.checked_add(offset)) {
        Some(sum) => (terms.constant(0), sum),
        None => (address, offset),
    }
}

/// The drop flag of a segment; a segment that cannot be dropped has one that nobody sets.
fn dropped_flag(segment: u32) -> u32 {
    segment.min(MAX_SEGMENT + 1)
}
