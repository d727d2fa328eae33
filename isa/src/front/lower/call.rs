//! Calls: of functions, of native operations in place of snippets, through tables, of the host and
//! of library routines; and table accesses.

use rwasm::Opcode;

use super::LowerError;
use super::build::{Builder, Cond};
use super::ir::{Dest, Exit, Kind, Row, Target, Val};
use crate::front::{MAX_PAGES, Snippet, host};
use crate::layout::{self, CALL_LIMIT};
use crate::runtime::{Library, Routine};
use crate::{Op, STUCK_PC, Slot, Trap};

/// Depth limit of calls of library routines: none.
const NO_LIMIT: u32 = 0xffff;

const ZERO: Val = Val::Const(0);

impl Builder<'_> {
    /// Moves the frame base by `by` slots: operand b of a jump.
    fn shift(by: Slot) -> Val {
        if by >= 0 { Val::Const(by as u32) } else { Val::Const(by.unsigned_abs() << 16) }
    }

    /// Emits a row that leaves the frame for code whose parameters are the slots `[base, height)`
    /// and which leaves its results from `base` on.
    fn leave(&mut self, row: Row, base: Slot, args: Vec<(Slot, Val)>, results: u32) -> Vec<Val> {
        let below = (self.low..base).zip(&self.stack);
        let below = below
            .filter_map(|(slot, val)| match val {
                Some(Val::Id(id)) => Some((slot, *id)),
                _ => None,
            })
            .collect();
        let results: Vec<_> = (0..results as Slot).map(|i| (base + i, self.out())).collect();
        let values = results.iter().map(|(_, id)| Val::Id(*id)).collect();
        self.node(Kind::Call { base, args, results, below }, vec![row], false);
        self.call_barrier();
        values
    }

    /// Calls with the arguments where rWasm has them: in the top `params` slots.
    fn call_in_place(
        &mut self,
        row: Row,
        params: u32,
        net: Option<i32>,
    ) -> Result<bool, LowerError> {
        let base = self.height - params as Slot;
        let mut args = Vec::new();
        for slot in base..self.height {
            args.push((slot, self.get(slot)?));
        }
        let Some(net) = net else {
            self.leave(row, base, args, 0);
            self.end_stuck();
            return Ok(true);
        };
        let end = self.height + net;
        let results = u32::try_from(end - base).map_err(|_| LowerError::Heights(self.pc))?;
        let results = self.leave(row, base, args, results);
        self.height = base;
        for result in results {
            self.push(result)?;
        }
        Ok(false)
    }

    /// Operand b of a call: distance of the frame bases, and the depth limit.
    fn frame(&self) -> Result<Val, LowerError> {
        let delta = u16::try_from(self.height).map_err(|_| LowerError::Heights(self.pc))?;
        Ok(Val::Const(delta as u32 | CALL_LIMIT << 16))
    }

    pub(super) fn call(&mut self, target: u32) -> Result<bool, LowerError> {
        if let Some(snippet) = self.context.snippet(target) {
            self.native(snippet)?;
            return Ok(false);
        }
        let callee = self.context.function(target)?;
        let row =
            Row::new(Op::Call, None, Some(self.frame()?), Dest::Goto(Target::Function(target)));
        self.call_in_place(row, callee.params, callee.net)
    }

    pub(super) fn tail_call(&mut self, target: u32) {
        let b = Some(Self::shift(self.height)).filter(|_| self.height != 0);
        self.last = vec![Row::new(Op::Jump, None, b, Dest::Goto(Target::Function(target)))];
        self.exit = Exit::Frame;
    }

    // Native operations.

    fn native(&mut self, snippet: Snippet) -> Result<(), LowerError> {
        if self.deep {
            self.limit(CALL_LIMIT);
            let height = self.height.max(0) as u32 + snippet.height();
            self.enter(height, height, Target::Next);
        }
        self.weight = self.weight.saturating_add(snippet.weight() - 1);
        let (b, a) = (self.pop64()?, self.pop64()?);
        let compare = |builder: &mut Self, cond, a, b| {
            let result = builder.compare64(cond, a, b);
            builder.push(result)
        };
        let result = match snippet {
            Snippet::Eq => return compare(self, Cond::Eq, a, b),
            Snippet::Ne => return compare(self, Cond::Ne, a, b),
            Snippet::LtS => return compare(self, Cond::LtS, a, b),
            Snippet::LtU => return compare(self, Cond::LtU, a, b),
            Snippet::GtS => return compare(self, Cond::LtS, b, a),
            Snippet::GtU => return compare(self, Cond::LtU, b, a),
            Snippet::LeS => return compare(self, Cond::GeS, b, a),
            Snippet::LeU => return compare(self, Cond::GeU, b, a),
            Snippet::GeS => return compare(self, Cond::GeS, a, b),
            Snippet::GeU => return compare(self, Cond::GeU, a, b),
            Snippet::Add => self.add64(a, b),
            Snippet::Sub => self.sub64(a, b),
            Snippet::Mul => self.mul64(a, b),
            Snippet::DivS => self.divide64(Op::DivU, true, a, b),
            Snippet::DivU => self.divide64(Op::DivU, false, a, b),
            Snippet::RemS => self.divide64(Op::RemU, true, a, b),
            Snippet::RemU => self.divide64(Op::RemU, false, a, b),
            Snippet::Shl => self.shl64(a, b[0]),
            Snippet::ShrS => self.shr64(a, b[0], true),
            Snippet::ShrU => self.shr64(a, b[0], false),
            Snippet::RotL => self.rotl64(a, b[0]),
            Snippet::RotR => self.rotr64(a, b[0]),
            // Only the divisions call it; the context never replaces such a call.
            Snippet::DivMod => return Err(LowerError::Heights(self.pc)),
        };
        self.push64(result)
    }

    // Tables.

    pub(super) fn table_size(&mut self, table: u32) -> Val {
        self.load_word(layout::TABLE_SIZE + table, ZERO)
    }

    /// The element's place after the check. No table is longer than the stride, so a constant index
    /// that is no place has trapped, and any place will do.
    fn check_index(&mut self, table: u32, index: Val) -> (u32, Val) {
        let size = self.table_size(table);
        self.trap_if(Cond::GeU, index, size, Trap::TableOutOfBounds);
        let place = match index {
            Val::Const(index) => Val::Const(index.min(layout::TABLE_STRIDE - 1)),
            Val::Id(_) => index,
        };
        (layout::TABLE + table * layout::TABLE_STRIDE, place)
    }

    pub(super) fn element(&mut self, table: u32, index: Val) -> Val {
        let (base, place) = self.check_index(table, index);
        self.load_word(base, place)
    }

    pub(super) fn set_element(&mut self, table: u32, index: Val, val: Val) {
        let (base, place) = self.check_index(table, index);
        self.store_word(base, place, val);
    }

    /// A call through a table, with rWasm's order of traps; true if it ends the block.
    pub(super) fn indirect(
        &mut self,
        signature: u32,
        table: u32,
        tail: bool,
    ) -> Result<bool, LowerError> {
        let index = self.pop()?;
        let element = self.element(table, index);
        self.trap_if(Cond::Eq, element, ZERO, Trap::IndirectCallToNull);
        self.leave_if(Cond::GeU, element, Val::Const(layout::MAX_FUNC_PC + 1), STUCK_PC);
        if !tail {
            self.limit(CALL_LIMIT);
        }
        let words = self.op(Op::Add, element, element);
        let found = self.load_word(layout::FUNC + 1, words);
        let expected = signature.checked_add(1).ok_or(LowerError::Signature(self.pc))?;
        let rows = Row::new(
            Op::BrNe,
            Some(found),
            Some(Val::Const(expected)),
            Dest::Goto(Target::BadSignature),
        );
        self.rows(vec![rows]);
        let Some(callees) = self.context.signature(signature) else {
            self.end_stuck();
            return Ok(true);
        };
        let pc = self.load_word(layout::FUNC, words);
        if tail {
            let b = Some(Self::shift(self.height)).filter(|_| self.height != 0);
            self.last = vec![Row::new(Op::JumpReg, Some(pc), b, Dest::None)];
            self.exit = Exit::Frame;
            return Ok(true);
        }
        let row = Row::new(Op::CallReg, Some(pc), Some(self.frame()?), Dest::None);
        self.call_in_place(row, callees.params, callees.net)
    }

    // The library.

    /// Calls a routine with the top `params` slots and `more` as arguments.
    fn routine(&mut self, routine: Routine, params: u32, more: &[Val]) -> Result<(), LowerError> {
        let first = self.height - params as Slot;
        // Arguments below the frame base are copied above the stack.
        let base = if first >= 0 { first } else { self.height.max(0) };
        let mut args = Vec::new();
        for i in 0..params as Slot {
            args.push((base + i, self.get(first + i)?));
        }
        for (i, &val) in more.iter().enumerate() {
            args.push((base + params as Slot + i as Slot, val));
        }
        let entry = Target::Pc(Library::get().entry(routine));
        if routine.is_exit() {
            let row = Row::new(Op::Jump, None, Some(Self::shift(base)), Dest::Goto(entry));
            self.leave(row, base, args, 0);
            self.end_stuck();
            return Ok(());
        }
        let b = Val::Const(base as u32 | NO_LIMIT << 16);
        let row = Row::new(Op::Call, None, Some(b), Dest::Goto(entry));
        let results = self.leave(row, base, args, routine.slots().1);
        self.height = first;
        for result in results {
            self.push(result)?;
        }
        Ok(())
    }

    pub(super) fn raise_out_of_fuel(&mut self) {
        // Without arguments it cannot fail.
        let _ = self.routine(Routine::RaiseOutOfFuel, 0, &[]);
    }

    pub(super) fn bulk(&mut self, op: Opcode) -> Result<(), LowerError> {
        let data = Val::Const(self.context.data_len);
        let elements = Val::Const(self.context.elem_len);
        match op {
            Opcode::MemoryGrow => self.routine(Routine::MemoryGrow, 1, &[Val::Const(MAX_PAGES)]),
            Opcode::MemoryFill => self.routine(Routine::MemoryFill, 3, &[]),
            Opcode::MemoryCopy => self.routine(Routine::MemoryCopy, 3, &[]),
            Opcode::MemoryInit(segment) => {
                let segment = self.segment(segment);
                self.routine(Routine::MemoryInit, 3, &[segment, data])
            }
            Opcode::TableGrow(t) => self.routine(Routine::TableGrow, 2, &[Val::Const(t as u32)]),
            Opcode::TableFill(t) => self.routine(Routine::TableFill, 3, &[Val::Const(t as u32)]),
            Opcode::TableCopy(dst, src) => {
                let tables = [Val::Const(dst as u32), Val::Const(src as u32)];
                self.routine(Routine::TableCopy, 3, &tables)
            }
            Opcode::TableInit(segment) => {
                let table = match self.context.op(self.pc + 1)? {
                    Opcode::TableGet(table) => Val::Const(table as u32),
                    _ => return Err(LowerError::Payload(self.pc)),
                };
                let segment = self.segment(segment);
                self.routine(Routine::TableInit, 3, &[segment, table, elements])
            }
            _ => Err(LowerError::Payload(self.pc)),
        }
    }

    /// The segment index whose drop flag counts: all beyond the last share one that is never set.
    fn segment(&self, segment: u32) -> Val {
        Val::Const(segment.min(layout::MAX_SEGMENT + 1))
    }

    /// A host call; true if it ends the block.
    pub(super) fn host_call(&mut self, index: u32) -> Result<bool, LowerError> {
        let (Some(call), Some(routine)) = (host::HostCall::find(index), Routine::host_call(index))
        else {
            self.end_with(Trap::UnknownExternalFunction);
            return Ok(true);
        };
        let (params, results) = (host::slots(call.params), host::slots(call.results));
        if results > params {
            // The results need room that no stack check has asked for.
            let height = (self.height - params as Slot + results as Slot).max(0) as u32;
            self.enter(height, height, Target::Next);
        }
        self.routine(routine, params, &[])?;
        Ok(call.ends_run())
    }
}
