//! Translates the instructions of one basic block into nodes.

use rwasm::{Opcode, TrapCode};

use super::build::{Builder, Cond, Test, jump};
use super::ir::{Block, Dest, Exit, Kind, Row, Target, Val};
use super::{Context, LowerError};
use crate::front::heights::{Function, Place, table_words};
use crate::layout;
use crate::{Op, Trap as Raised};

const ZERO: Val = Val::Const(0);

/// Translates the block that starts at `pc`.
pub(super) fn block(
    context: &Context<'_>,
    function: &Function,
    index: u32,
    deep: bool,
    start: u32,
) -> Result<Block, LowerError> {
    let height = context.height(start)?;
    let mut builder = Builder::new(context, function, deep, start, height);
    let mut pc = start;
    let end = loop {
        let op = context.op(pc)?;
        builder.instruction(pc);
        let next = pc + op_len(&op);
        if builder.translate(op)? {
            break next;
        }
        // The heights of the check and those of the translation are one thing computed twice.
        match context.place(next) {
            Place::Code { function, height } if function == index && height == builder.height => {}
            _ => return Err(LowerError::Heights(next)),
        }
        if context.starts_block(function, next) || builder.split() == Some(next) {
            builder.exit = Exit::Blocks(vec![next]);
            builder.falls = Some(next);
            break next;
        }
        pc = next;
    };
    Ok(Block {
        start,
        end,
        height,
        exit_height: builder.height,
        low: builder.low,
        last_weight: builder.weight,
        nodes: builder.nodes,
        values: builder.values,
        stack: builder.stack,
        last: builder.last,
        exit: builder.exit,
        falls: builder.falls,
    })
}

/// Words of an instruction with a payload of fixed length.
fn op_len(op: &Opcode) -> u32 {
    match op {
        Opcode::CallIndirect(_) | Opcode::ReturnCallIndirect(_) | Opcode::TableInit(_) => 2,
        _ => 1,
    }
}

/// The trap that ends a run with rwasm's code; those that only hosts raise end none.
fn trap(code: TrapCode) -> Option<Raised> {
    Raised::from_code(code as u32)
}

impl Builder<'_> {
    /// The pc at which the deep version of the function starts, if it has one.
    fn split(&self) -> Option<u32> {
        self.context.twin(self.function).map(|twin| twin.start)
    }

    /// Translates one instruction; true if it ends the block.
    fn translate(&mut self, op: Opcode) -> Result<bool, LowerError> {
        use Opcode::*;
        match op {
            Unreachable => self.end_with(Raised::UnreachableCodeReached),
            Trap(code) => match trap(code) {
                Some(Raised::OutOfFuel) => self.raise_out_of_fuel(),
                Some(trap) => self.end_with(trap),
                None => return Err(LowerError::Trap { pc: self.pc, code: code as u32 }),
            },
            Br(offset) => self.go_to(self.pc, offset.to_i32()),
            BrIfEqz(offset) => self.branch_if(true, offset.to_i32())?,
            BrIfNez(offset) => self.branch_if(false, offset.to_i32())?,
            BrTable(targets) => self.branch_table(targets)?,
            Return => {
                self.last = vec![Row::new(Op::Ret, None, None, Dest::None)];
                self.exit = Exit::Frame;
            }
            ReturnCallInternal(target) => self.tail_call(target),
            ReturnCallIndirect(signature) => {
                let table = self.payload()?;
                self.indirect(signature, table, true)?;
            }
            CallInternal(target) => return self.call(target),
            CallIndirect(signature) => {
                let table = self.payload()?;
                return self.indirect(signature, table, false);
            }
            Call(index) | ReturnCall(index) => return self.host_call(index),
            _ => return self.plain(op),
        }
        Ok(true)
    }

    fn payload(&self) -> Result<u32, LowerError> {
        match self.context.op(self.pc + 1)? {
            Opcode::TableGet(table) => Ok(table as u32),
            _ => Err(LowerError::Payload(self.pc)),
        }
    }

    fn target(&self, pc: u32, offset: i32) -> u32 {
        pc.wrapping_add_signed(offset)
    }

    fn go_to(&mut self, pc: u32, offset: i32) {
        let target = self.target(pc, offset);
        self.last = vec![jump(Target::Block(target))];
        self.exit = Exit::Blocks(vec![target]);
    }

    fn branch_if(&mut self, negate: bool, offset: i32) -> Result<(), LowerError> {
        let val = self.pop()?;
        let target = self.target(self.pc, offset);
        let next = self.pc + 1;
        match self.test(val, negate, Target::Block(target)) {
            Test::Known(true) => {
                self.last = vec![jump(Target::Block(target))];
                self.exit = Exit::Blocks(vec![target]);
            }
            Test::Known(false) => {
                self.falls = Some(next);
                self.exit = Exit::Blocks(vec![next]);
            }
            Test::Rows(rows) => {
                self.last = rows;
                self.falls = Some(next);
                self.exit = Exit::Blocks(vec![target, next]);
            }
        }
        Ok(())
    }

    fn branch_table(&mut self, targets: u32) -> Result<(), LowerError> {
        let index = self.pop()?;
        let index = self.in_slot(index);
        let last = Some(Val::Const(targets - 1));
        let mut rows = vec![Row::new(Op::BrTable, Some(index), last, Dest::None)];
        let mut blocks = Vec::new();
        let mut returns = false;
        for word in table_words(self.pc, targets) {
            rows.push(match self.context.op(word)? {
                Opcode::Br(offset) => {
                    let target = self.target(word, offset.to_i32());
                    blocks.push(target);
                    jump(Target::Block(target))
                }
                _ => {
                    returns = true;
                    Row::new(Op::Ret, None, None, Dest::None)
                }
            });
        }
        self.last = rows;
        // A return makes all slots of the frame count.
        self.exit = if returns { Exit::Frame } else { Exit::Blocks(blocks) };
        Ok(())
    }

    fn compare_top(&mut self, cond: Cond, exchange: bool) -> Result<(), LowerError> {
        let (b, a) = (self.pop()?, self.pop()?);
        let (a, b) = if exchange { (b, a) } else { (a, b) };
        let result = self.compare(cond, a, b);
        self.push(result)
    }

    fn binary(&mut self, op: Op) -> Result<(), LowerError> {
        let (b, a) = (self.pop()?, self.pop()?);
        let result = self.op(op, a, b);
        self.push(result)
    }

    fn unary_top(&mut self, op: Op) -> Result<(), LowerError> {
        let a = self.pop()?;
        let result = self.unary(op, a);
        self.push(result)
    }

    fn divide_top(&mut self, op: Op, signed: bool) -> Result<(), LowerError> {
        let (b, a) = (self.pop()?, self.pop()?);
        let result = self.divide(op, signed, a, b);
        self.push(result)
    }

    fn bits_top(&mut self, op: Op) -> Result<(), LowerError> {
        let (b, a) = (self.pop64()?, self.pop64()?);
        let result = self.bits64(op, a, b);
        self.push64(result)
    }

    fn pop128(&mut self) -> Result<[Val; 4], LowerError> {
        let ([c, d], [a, b]) = (self.pop64()?, self.pop64()?);
        Ok([a, b, c, d])
    }

    /// Address operands of an access of `size` bytes: it is named by its last byte.
    fn address(
        &mut self,
        offset: u32,
        size: u32,
    ) -> Result<Option<(Option<Val>, Val)>, LowerError> {
        let address = self.pop()?;
        let Some(last) = offset.checked_add(size - 1) else { return Ok(None) };
        if let Val::Const(address) = address
            && let Some(last) = address.checked_add(last)
        {
            return Ok(Some((None, Val::Const(last))));
        }
        Ok(Some((self.operand_a(address), Val::Const(last))))
    }

    fn load(&mut self, op: Op, offset: u32, size: u32) -> Result<bool, LowerError> {
        let Some((a, b)) = self.address(offset, size)? else {
            self.end_with(Raised::MemoryOutOfBounds);
            return Ok(true);
        };
        let out = self.out();
        self.rows(vec![Row::new(op, a, Some(b), Dest::Out(out))]);
        self.push(Val::Id(out))?;
        Ok(false)
    }

    fn store(&mut self, op: Op, offset: u32, size: u32) -> Result<bool, LowerError> {
        let value = self.pop()?;
        let Some((a, b)) = self.address(offset, size)? else {
            self.end_with(Raised::MemoryOutOfBounds);
            return Ok(true);
        };
        let stored = Dest::Stored(self.in_slot(value));
        self.rows(vec![Row::new(op, a, Some(b), stored)]);
        Ok(false)
    }

    /// Instructions without control flow; true if one of them can only trap.
    fn plain(&mut self, op: Opcode) -> Result<bool, LowerError> {
        use Opcode::*;
        match op {
            SignatureCheck(_) => {} // made by the caller
            ConsumeFuel(0) => {}
            ConsumeFuel(fuel) => self.node(Kind::Fuel(fuel), Vec::new(), false),
            ConsumeFuelStack => match self.pop()? {
                Val::Const(0) => {}
                Val::Const(fuel) => self.node(Kind::Fuel(fuel), Vec::new(), false),
                fuel => self.rows(vec![Row::new(Op::FuelCharge, None, Some(fuel), Dest::None)]),
            },
            StackCheck(height) => self.stack_check(height),
            LocalGet(d) => {
                let val = self.get(self.height - d as i32)?;
                self.push(val)?;
            }
            LocalSet(d) => {
                let val = self.pop()?;
                self.set(self.height - d as i32, val)?;
            }
            LocalTee(d) => {
                let val = self.get(self.height - 1)?;
                self.set(self.height - d as i32, val)?;
            }
            Drop => self.height -= 1,
            BulkDrop(n) => self.height -= n as i32,
            BulkConst(n) => {
                for _ in 0..n {
                    self.push(ZERO)?;
                }
            }
            RefFunc(val) => self.push(Val::Const(val))?,
            I32Const(val) => self.push(Val::Const(val.to_bits()))?,
            I64Const32U(val) => self.push64([Val::Const(val.to_bits()), ZERO])?,
            I64Const32S(val) => {
                let high = ((val.to_bits() as i32) >> 31) as u32;
                self.push64([Val::Const(val.to_bits()), Val::Const(high)])?;
            }
            Select => {
                let (cond, b, a) = (self.pop()?, self.pop()?, self.pop()?);
                let result = self.cmov(cond, a, b);
                self.push(result)?;
            }
            GlobalGet(word) => {
                let val = self.load_word(self.global(word)?, ZERO);
                self.push(val)?;
            }
            GlobalSet(word) => {
                let val = self.pop()?;
                self.store_word(self.global(word)?, ZERO, val);
            }
            I32Load(offset) => return self.load(Op::Load, offset, 4),
            I32Load8S(offset) => return self.load(Op::Load8S, offset, 1),
            I32Load8U(offset) => return self.load(Op::Load8U, offset, 1),
            I32Load16S(offset) => return self.load(Op::Load16S, offset, 2),
            I32Load16U(offset) => return self.load(Op::Load16U, offset, 2),
            I32Store(offset) => return self.store(Op::Store, offset, 4),
            I32Store8(offset) => return self.store(Op::Store8, offset, 1),
            I32Store16(offset) => return self.store(Op::Store16, offset, 2),
            MemorySize => {
                let pages = self.row(Op::Pages, 0, None, None);
                self.push(pages)?;
            }
            DataDrop(segment) => {
                return Ok(self.drop_segment(
                    layout::DATA_DROPPED,
                    segment,
                    Raised::MemoryOutOfBounds,
                ));
            }
            ElemDrop(segment) => {
                return Ok(self.drop_segment(
                    layout::ELEM_DROPPED,
                    segment,
                    Raised::TableOutOfBounds,
                ));
            }
            TableSize(table) => {
                let size = self.table_size(table as u32);
                self.push(size)?;
            }
            TableGet(table) => {
                let index = self.pop()?;
                let element = self.element(table as u32, index);
                self.push(element)?;
            }
            TableSet(table) => {
                let (val, index) = (self.pop()?, self.pop()?);
                self.set_element(table as u32, index, val);
            }
            MemoryGrow | MemoryFill | MemoryCopy | MemoryInit(_) | TableGrow(_) | TableFill(_)
            | TableCopy(..) | TableInit(_) => self.bulk(op)?,
            I32Eqz => {
                let a = self.pop()?;
                let result = self.compare(Cond::Eq, a, ZERO);
                self.push(result)?;
            }
            I32Eq => self.compare_top(Cond::Eq, false)?,
            I32Ne => self.compare_top(Cond::Ne, false)?,
            I32LtS => self.compare_top(Cond::LtS, false)?,
            I32LtU => self.compare_top(Cond::LtU, false)?,
            I32GtS => self.compare_top(Cond::LtS, true)?,
            I32GtU => self.compare_top(Cond::LtU, true)?,
            I32LeS => self.compare_top(Cond::GeS, true)?,
            I32LeU => self.compare_top(Cond::GeU, true)?,
            I32GeS => self.compare_top(Cond::GeS, false)?,
            I32GeU => self.compare_top(Cond::GeU, false)?,
            I32Clz => self.unary_top(Op::Clz)?,
            I32Ctz => self.unary_top(Op::Ctz)?,
            I32Popcnt => self.unary_top(Op::Popcnt)?,
            I32Extend8S => self.unary_top(Op::Extend8S)?,
            I32Extend16S => self.unary_top(Op::Extend16S)?,
            I32WrapI64 => {}
            I32Add => self.binary(Op::Add)?,
            I32Sub => self.binary(Op::Sub)?,
            I32Mul => self.binary(Op::Mul)?,
            I32DivS => self.divide_top(Op::DivU, true)?,
            I32DivU => self.divide_top(Op::DivU, false)?,
            I32RemS => self.divide_top(Op::RemU, true)?,
            I32RemU => self.divide_top(Op::RemU, false)?,
            I32And => self.binary(Op::And)?,
            I32Or => self.binary(Op::Or)?,
            I32Xor => self.binary(Op::Xor)?,
            I32Shl => self.binary(Op::Shl)?,
            I32ShrS => self.binary(Op::ShrS)?,
            I32ShrU => self.binary(Op::ShrU)?,
            I32Rotl => self.binary(Op::Rotl)?,
            I32Rotr => self.binary(Op::Rotr)?,
            I32Mul64 => {
                let (b, a) = (self.pop()?, self.pop()?);
                let result = self.mul_wide(a, b);
                self.push64(result)?;
            }
            I32Add64 => {
                let (b, a) = (self.pop()?, self.pop()?);
                let result = self.add_carry(a, b);
                self.push64(result)?;
            }
            I32Sub64 => {
                let (b, a) = (self.pop()?, self.pop()?);
                let result = self.sub_borrow(a, b);
                self.push64(result)?;
            }
            I32And64 => self.bits_top(Op::And)?,
            I32Or64 => self.bits_top(Op::Or)?,
            I32Xor64 => self.bits_top(Op::Xor)?,
            I64Add128 | I64Sub128 => {
                let (b, a) = (self.pop128()?, self.pop128()?);
                for word in self.add128(op == I64Sub128, a, b) {
                    self.push(word)?;
                }
            }
            I64MulWideS | I64MulWideU => {
                let (b, a) = (self.pop64()?, self.pop64()?);
                for word in self.mul128(op == I64MulWideS, a, b) {
                    self.push(word)?;
                }
            }
            // What is left are opcodes that rwasm does not execute, the float operations.
            _ => {
                self.end_with(Raised::IllegalOpcode);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn global(&self, word: u32) -> Result<u32, LowerError> {
        if word < layout::GLOBAL_WORDS {
            Ok(layout::GLOBAL + word)
        } else {
            Err(LowerError::Global { pc: self.pc, word })
        }
    }

    /// Sets a drop flag; true if the index is one that rwasm traps on.
    fn drop_segment(&mut self, flags: u32, segment: u32, trap: Raised) -> bool {
        if segment > layout::MAX_SEGMENT {
            self.end_with(trap);
            return true;
        }
        self.store_word(flags, Val::Const(segment), Val::Const(1));
        false
    }

    fn stack_check(&mut self, height: u32) {
        let checked = self.height.max(0) as u32 + height.min(u16::MAX as u32);
        match self.context.twin(self.function) {
            Some(twin) if !self.deep && twin.start == self.pc + 1 => {
                let room = checked.max(twin.room);
                self.enter(checked, room, Target::Deep(twin.start));
            }
            // Nothing is pushed beyond what has been checked, so height 0 always fits.
            _ if checked == 0 => {}
            _ => self.enter(checked, checked, Target::Next),
        }
    }

    /// The check of a height; goes to `deep` if there is no room for more.
    pub(super) fn enter(&mut self, height: u32, room: u32, deep: Target) {
        let half = |height: u32| height.min(u16::MAX as u32);
        let b = Val::Const(half(height) | half(room) << 16);
        self.rows(vec![Row::new(Op::Enter, None, Some(b), Dest::Goto(deep))]);
    }

    /// The check of the call depth.
    pub(super) fn limit(&mut self, depth: u32) {
        let b = Val::Const(depth << 16);
        self.rows(vec![Row::new(Op::Limit, None, Some(b), Dest::None)]);
    }
}
