//! Calls, tables and the operations that rwasm runs as routines.

use rwasm::Opcode;

use super::super::ValidateError;
use super::super::state::{Callee, Effect, Key, PAGES};
use super::super::term::Term;
use super::{Machine, Next, dropped_flag};
use crate::front::{MAX_PAGES, host};
use crate::layout::*;
use crate::runtime::Routine;
use crate::{Op, STUCK_PC, Slot, Trap};

impl Machine<'_> {
    // Calls.

    pub(super) fn payload(&self) -> Result<u32, ValidateError> {
        match self.module.rwasm.code_section.get(self.pc as usize + 1) {
            Some(Opcode::TableGet(table)) => Ok(*table as u32),
            _ => Err(ValidateError::NoCode(self.pc + 1)),
        }
    }

    pub(super) fn call(&mut self, target: u32) -> Next {
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

    pub(super) fn indirect(&mut self, signature: u32, tail: bool) -> Next {
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

    pub(super) fn host_call(&mut self, index: u32) -> Next {
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
    pub(super) fn routine(
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

    /// The element's place after the check. No table is longer than the stride, so a constant index
    /// that is no place has trapped, and the last place stands for it.
    fn check_index(&mut self, table: u32, index: Term) -> (u32, Term) {
        let size = self.word(TABLE_SIZE + table);
        let inside = self.terms.lt_u(index, size);
        let outside = self.terms.not(inside);
        self.trap_if(outside, Trap::TableOutOfBounds);
        let place = match self.terms.value(index) {
            Some(constant) => self.constant(constant.min(TABLE_STRIDE - 1)),
            None => index,
        };
        (TABLE + table * TABLE_STRIDE, place)
    }

    fn element(&mut self, table: u32, index: Term) -> Result<Term, ValidateError> {
        let (base, place) = self.check_index(table, index);
        Ok(self.read(base, place))
    }

    /// Instructions without control flow and traps of their own; false for those that rwasm does
    /// not execute.
    pub(super) fn plain(&mut self, op: Opcode) -> Result<bool, ValidateError> {
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
                let (base, place) = self.check_index(table as u32, index);
                self.write(base, place, value);
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
}
