//! Runs a block of rWasm symbolically.
//!
//! This is the meaning of rWasm's instructions as rwasm's VM gives it, written without looking at
//! how they are lowered; an i64 snippet is the operation that its body computes.

mod calls;
pub(super) mod numeric;

use std::collections::BTreeSet;

use rwasm::{Opcode, TrapCode};

use super::ValidateError;
use super::state::{Callee, Effect, Key, Path, Run};
use super::term::{Term, Terms};
use crate::front::Module;
use crate::front::heights::Place;
use crate::layout::*;
use crate::runtime::Routine;
use crate::{Op, Slot, Trap};

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
    let always = terms.constant(1);
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
        guard: always,
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
