//! The interpreter: what each instruction does to registers and memory, once for plain and for
//! recorded runs.

use rwprove_isa::{
    HALT_PC, Op, Pc, Trap, alu,
    layout::{CALL_LIMIT, FRAME, SPONGE, STACK, STACK_LIMIT, STACK_WORDS, reg},
    record::{C_TIME, CpuEvent, Outcome, limbs},
};

use crate::{
    Fault, Memory, bytes,
    code::{Code, Kind, inline, instr},
    recorder::{Recorder, Table},
};

/// Registers and counters of a run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    pub(crate) pc: Pc,
    pub(crate) fp: u32,
    pub(crate) depth: u32,
    /// Fuel that is left.
    pub(crate) left: u64,
    /// Instructions run.
    pub(crate) rows: u64,
    /// rWasm instructions that they stand for.
    pub(crate) weight: u64,
}

/// Why the interpreter stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The run is over.
    Halted,
    /// The shard is full.
    Full,
    /// As many rows were run as are allowed.
    Rows,
}

/// Runs until something stops it. After a fault the state stands at the faulty instruction.
pub(crate) fn run<R: Recorder>(
    code: &Code,
    memory: &mut Memory,
    state: &mut State,
    max_rows: u64,
    recorder: &mut R,
) -> Result<Stop, Fault> {
    let mut local = *state;
    let result = steps(code, memory, &mut local, max_rows, recorder);
    *state = local;
    result
}

#[inline(always)]
fn steps<R: Recorder>(
    code: &Code,
    memory: &mut Memory,
    s: &mut State,
    max_rows: u64,
    recorder: &mut R,
) -> Result<Stop, Fault> {
    let mut link = alu::Link::default();
    // Second half of a 64-bit division: its operands and its result.
    let mut wide = None;
    // Where a linked row can be: after the row before.
    let mut follow = HALT_PC;
    loop {
        let Some(step) = code.steps.get(s.pc as usize) else { return Err(Fault::Pc) };
        if R::ON {
            if step.linked() {
                // Else a loop of linked rows would never be cut.
                if s.pc != follow {
                    return Err(Fault::Link);
                }
            } else if step.kind != Kind::Halt && recorder.full(step.kind == Kind::Op(Op::KeccakF)) {
                return Ok(Stop::Full);
            }
            follow = s.pc.wrapping_add(1);
        }
        let mut event = CpuEvent {
            pc: s.pc,
            fp: s.fp,
            depth: s.depth,
            pages: memory.pages(),
            ..CpuEvent::default()
        };
        let altered = recorder.before(step, memory, s);
        let step = altered.as_ref().unwrap_or(step);

        let mut next = if step.fuel as u64 > s.left {
            let addr = reg::REFUSED_FUEL_LO;
            event.outcome = Outcome::OutOfFuel;
            event.c = limbs(step.fuel as u32);
            event.times[2] = recorder.touch(memory, addr, C_TIME);
            event.c_before = limbs(memory.set_word(addr, step.fuel as u32)?);
            Trap::OutOfFuel as Pc
        } else {
            s.left -= step.fuel as u64;
            let (a_slot, b_slot) = (s.fp.wrapping_add(step.a), s.fp.wrapping_add(step.b));
            let c_slot = s.fp.wrapping_add(step.c);
            let a = memory.slot(a_slot)? & step.a_mask;
            let b = memory.slot(b_slot)? & step.b_mask | step.imm & !step.b_mask;
            if R::ON {
                if step.a_mask != 0 {
                    event.times[0] = recorder.touch(memory, STACK + a_slot, 0);
                }
                if step.b_mask != 0 {
                    event.times[1] = recorder.touch(memory, STACK + b_slot, 1);
                }
                (event.a, event.b) = (limbs(a), limbs(b));
            }
            let follow = s.pc.wrapping_add(1);

            // The result goes to slot c.
            macro_rules! put {
                ($value:expr) => {{
                    let value = $value;
                    event.c = limbs(value);
                    event.times[2] = recorder.touch(memory, STACK.wrapping_add(c_slot), C_TIME);
                    event.c_before = limbs(memory.set_slot(c_slot, value)?);
                    follow
                }};
            }
            macro_rules! trap {
                ($trap:ident) => {{
                    event.outcome = Outcome::Trap;
                    Trap::$trap as Pc
                }};
            }
            // An operation of the cpu table; one arm each, so that the compiler sees which.
            macro_rules! set {
                ($op:ident) => {{
                    let (value, after) = inline(Op::$op, step, a, b, link);
                    link = after;
                    put!(value)
                }};
            }
            macro_rules! branch {
                ($op:ident) => {{
                    let (truth, after) = inline(Op::$op, step, a, b, link);
                    link = after;
                    if truth != 0 { step.c } else { follow }
                }};
            }
            macro_rules! ask {
                ($op:ident, $table:ident) => {{
                    let value = alu::coprocessor(&instr(Op::$op, step), a, b);
                    recorder.ask(Table::$table);
                    put!(value.ok_or(Fault::Division)?)
                }};
            }
            // A load of `size` bytes of linear memory through the access table.
            macro_rules! load {
                ($size:literal, $from:ty) => {{
                    event.b = [0; 2];
                    match linear(memory, a, step.imm) {
                        Some(last) => {
                            let value = access(memory, recorder, last, $size, None)?;
                            put!(value as $from as u32)
                        }
                        None => trap!(MemoryOutOfBounds),
                    }
                }};
            }
            macro_rules! store {
                ($size:literal) => {
                    match linear(memory, a, step.imm) {
                        Some(last) => {
                            access(memory, recorder, last, $size, Some(b))?;
                            follow
                        }
                        None => trap!(MemoryOutOfBounds),
                    }
                };
            }

            let op = match step.kind {
                Kind::Op(op) => op,
                Kind::Halt => return Ok(Stop::Halted),
                Kind::Stuck => return Err(Fault::Stuck),
            };
            match op {
                Op::Mov => set!(Mov),
                Op::Cmov => put!(if a != 0 { b } else { memory.slot(c_slot)? }),
                Op::Add => set!(Add),
                Op::Sub => set!(Sub),
                Op::Cmp => {
                    link = inline(Op::Cmp, step, a, b, link).1;
                    follow
                }
                Op::SetEq => set!(SetEq),
                Op::SetNe => set!(SetNe),
                Op::SetLtU => set!(SetLtU),
                Op::SetGeU => set!(SetGeU),
                Op::SetLtS => set!(SetLtS),
                Op::SetGeS => set!(SetGeS),
                Op::BrEq => branch!(BrEq),
                Op::BrNe => branch!(BrNe),
                Op::BrLtU => branch!(BrLtU),
                Op::BrGeU => branch!(BrGeU),
                Op::BrLtS => branch!(BrLtS),
                Op::BrGeS => branch!(BrGeS),

                Op::Load => match linear(memory, a, step.imm) {
                    None => {
                        event.b = [0; 2];
                        trap!(MemoryOutOfBounds)
                    }
                    Some(last) if last % 4 == 3 => {
                        let value = memory.word(last / 4)?;
                        event.b = limbs(value);
                        event.times[1] = recorder.touch(memory, last / 4, 1);
                        put!(value)
                    }
                    Some(last) => {
                        event.b = [0; 2];
                        event.outcome = Outcome::Unaligned;
                        put!(access(memory, recorder, last, 4, None)?)
                    }
                },
                Op::Store => match linear(memory, a, step.imm) {
                    None => trap!(MemoryOutOfBounds),
                    Some(last) if last % 4 == 3 => {
                        event.c = limbs(b);
                        event.times[2] = recorder.touch(memory, last / 4, C_TIME);
                        event.c_before = limbs(memory.set_word(last / 4, b)?);
                        follow
                    }
                    Some(last) => {
                        event.outcome = Outcome::Unaligned;
                        access(memory, recorder, last, 4, Some(b))?;
                        follow
                    }
                },
                Op::Load8S => load!(1, i8),
                Op::Load8U => load!(1, u32),
                Op::Load16S => load!(2, i16),
                Op::Load16U => load!(2, u32),
                Op::Store8 => store!(1),
                Op::Store16 => store!(2),
                Op::LoadWord => {
                    let addr = sum(a, step.imm)?;
                    let value = memory.word(addr)?;
                    event.b = limbs(value);
                    event.times[1] = recorder.touch(memory, addr, 1);
                    put!(value)
                }
                Op::StoreWord => {
                    let addr = sum(a, step.imm)?;
                    event.c = limbs(b);
                    event.times[2] = recorder.touch(memory, addr, C_TIME);
                    event.c_before = limbs(memory.set_word(addr, b)?);
                    follow
                }
                Op::LoadBytes => {
                    event.b = [0; 2];
                    put!(access(memory, recorder, sum(a, step.imm)?, 4, None)?)
                }
                Op::LoadByte => {
                    event.b = [0; 2];
                    put!(access(memory, recorder, sum(a, step.imm)?, 1, None)?)
                }
                Op::StoreByte => {
                    access(memory, recorder, sum(a, step.imm)?, 1, Some(b))?;
                    follow
                }

                Op::And => ask!(And, Bitwise),
                Op::Or => ask!(Or, Bitwise),
                Op::Xor => ask!(Xor, Bitwise),
                Op::Shl => ask!(Shl, Shift),
                Op::ShrU => ask!(ShrU, Shift),
                Op::ShrS => ask!(ShrS, Shift),
                Op::Rotl => ask!(Rotl, Shift),
                Op::Rotr => ask!(Rotr, Shift),
                Op::Fshl => ask!(Fshl, Shift),
                Op::Mul => ask!(Mul, Mul),
                Op::MulHi => ask!(MulHi, Mul),
                Op::DivU => ask!(DivU, Div),
                Op::RemU => ask!(RemU, Div),
                Op::DivU64Lo | Op::RemU64Lo => {
                    let (high_a, high_b, value) = divide_wide(code, memory, s, op, a, b)?;
                    wide = Some((high_a, high_b, (value >> 32) as u32));
                    recorder.ask(Table::Div);
                    put!(value as u32)
                }
                Op::DivU64Hi | Op::RemU64Hi => match wide.take() {
                    Some((high_a, high_b, value)) if (high_a, high_b) == (a, b) => put!(value),
                    _ => return Err(Fault::Division),
                },
                Op::Clz => ask!(Clz, Bits),
                Op::Ctz => ask!(Ctz, Bits),
                Op::Popcnt => ask!(Popcnt, Bits),
                Op::Extend8S => ask!(Extend8S, Bits),
                Op::Extend16S => ask!(Extend16S, Bits),

                Op::Jump => {
                    s.fp = base(s.fp, b)?;
                    step.c
                }
                Op::JumpReg => {
                    s.fp = base(s.fp, b)?;
                    a
                }
                Op::BrTable => follow.wrapping_add(a.min(b)),
                Op::Call | Op::CallReg => {
                    if s.depth > b >> 16 {
                        trap!(StackOverflow)
                    } else {
                        let addr = FRAME.wrapping_add(s.depth);
                        event.c = [follow, s.fp];
                        event.times[2] = recorder.touch(memory, addr, C_TIME);
                        event.c_before = memory.set_frame(s.depth, event.c)?;
                        s.depth += 1;
                        s.fp = base(s.fp, b & 0xffff)?;
                        if op == Op::Call { step.c } else { a }
                    }
                }
                Op::Limit if s.depth > b >> 16 => trap!(StackOverflow),
                Op::Limit => follow,
                Op::Ret => {
                    let depth = s.depth.checked_sub(1).ok_or(Fault::Depth(0))?;
                    event.b = memory.frame(depth)?;
                    event.times[1] = recorder.touch(memory, FRAME + depth, 1);
                    s.depth = depth;
                    s.fp = event.b[1];
                    event.b[0]
                }
                Op::Enter => {
                    if s.fp + (b & 0xffff) > STACK_LIMIT {
                        trap!(StackOverflow)
                    } else if s.fp + (b >> 16) <= STACK_LIMIT && s.depth < CALL_LIMIT {
                        follow
                    } else {
                        event.outcome = Outcome::Deep;
                        step.c
                    }
                }
                Op::Pages => {
                    let next = put!(memory.pages());
                    if step.b_given {
                        memory.set_pages(b)?;
                    }
                    next
                }
                Op::FuelCharge => {
                    let charge = b as u64 | (a as u64) << 32;
                    let refused = charge > s.left;
                    recorder.fuel(memory, refused);
                    if refused {
                        memory.set_word(reg::REFUSED_FUEL_LO, b)?;
                        memory.set_word(reg::REFUSED_FUEL_HI, a)?;
                        trap!(OutOfFuel)
                    } else {
                        s.left -= charge;
                        follow
                    }
                }
                Op::FuelLeftLo | Op::FuelLeftHi => {
                    memory.run_fact()?;
                    recorder.fuel(memory, false);
                    put!(if op == Op::FuelLeftLo { s.left } else { s.left >> 32 } as u32)
                }
                Op::KeccakF => {
                    permute(memory, recorder)?;
                    follow
                }
            }
        };

        recorder.after(memory, s, &mut event, &mut next);
        recorder.row(event, step.fuel);
        s.pc = next;
        s.weight += step.weight as u64;
        s.rows += 1;
        if s.rows > max_rows {
            return Ok(Stop::Rows);
        }
    }
}

/// Address of the last byte of a checked access, if it is in linear memory.
#[inline(always)]
fn linear(memory: &Memory, a: u32, offset: u32) -> Option<u32> {
    let last = a.checked_add(offset)?;
    ((last as usize / 4) < memory.linear.len()).then_some(last)
}

/// Address of an unchecked access.
#[inline(always)]
fn sum(a: u32, offset: u32) -> Result<u32, Fault> {
    a.checked_add(offset).ok_or(Fault::AddressSum(a, offset))
}

/// The frame base after a move up by the low and down by the high half of `delta`.
#[inline(always)]
fn base(fp: u32, delta: u32) -> Result<u32, Fault> {
    let base = fp as i64 + (delta & 0xffff) as i64 - (delta >> 16) as i64;
    if (0..STACK_WORDS as i64).contains(&base) {
        Ok(base as u32)
    } else {
        Err(Fault::FrameBase(base))
    }
}

/// Reads or, with a value, writes the `size` bytes up to `last` through the access table; returns
/// the bytes, zero-extended.
#[inline(always)]
fn access<R: Recorder>(
    memory: &mut Memory,
    recorder: &mut R,
    last: u32,
    size: u32,
    value: Option<u32>,
) -> Result<u32, Fault> {
    let first = last.checked_sub(size - 1).ok_or(Fault::AddressSum(last, 0))?;
    let addrs = [first / 4, last / 4];
    let low = memory.word(addrs[0])?;
    let two = addrs[0] != addrs[1];
    let before = [low, if two { memory.word(addrs[1])? } else { low }];
    let mut after = before;
    if let Some(value) = value {
        after = bytes::insert(before, first, size, value);
        if !two {
            after[1] = after[0];
        }
    }
    recorder.access(memory, last, addrs, [before, after]);
    if value.is_some() {
        memory.set_word(addrs[0], after[0])?;
        if two {
            memory.set_word(addrs[1], after[1])?;
        }
    }
    Ok(bytes::extract(before, first, size))
}

/// High operands and result of the 64-bit division whose first row has the low operands.
#[cold]
fn divide_wide(
    code: &Code,
    memory: &Memory,
    s: &State,
    op: Op,
    a: u32,
    b: u32,
) -> Result<(u32, u32, u64), Fault> {
    let second = if op == Op::DivU64Lo { Op::DivU64Hi } else { Op::RemU64Hi };
    let high = code.steps.get(s.pc as usize + 1).filter(|step| step.kind == Kind::Op(second));
    let Some(high) = high else { return Err(Fault::Division) };
    let slot = |slot: u32| memory.slot(s.fp.wrapping_add(slot));
    let high_a = slot(high.a)? & high.a_mask;
    let high_b = slot(high.b)? & high.b_mask | high.imm & !high.b_mask;
    let dividend = a as u64 | (high_a as u64) << 32;
    let divisor = b as u64 | (high_b as u64) << 32;
    let value = if op == Op::DivU64Lo {
        dividend.checked_div(divisor)
    } else {
        dividend.checked_rem(divisor)
    };
    Ok((high_a, high_b, value.ok_or(Fault::Division)?))
}

/// Keccak-f of the sponge.
#[cold]
fn permute<R: Recorder>(memory: &mut Memory, recorder: &mut R) -> Result<(), Fault> {
    let mut state = [0; 25];
    for (addr, lane) in (SPONGE..).step_by(2).zip(&mut state) {
        *lane = memory.word(addr)? as u64 | (memory.word(addr + 1)? as u64) << 32;
    }
    recorder.keccak(memory, &state);
    tiny_keccak::keccakf(&mut state);
    for (addr, lane) in (SPONGE..).step_by(2).zip(state) {
        memory.set_word(addr, lane as u32)?;
        memory.set_word(addr + 1, (lane >> 32) as u32)?;
    }
    Ok(())
}
