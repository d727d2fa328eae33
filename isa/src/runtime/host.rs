//! Host calls of Fluent's `fluentbase_v1preview`. Their fuel, except what `_charge_fuel` charges,
//! is charged by the module's own code before the call.

use super::{Builder, Routine, bytes::check_range};
use crate::Op::*;
use crate::Operand::{Imm, Slot};
use crate::layout::{ENTRY_BYTES, INPUT, MAX_TAPE_BYTES, OUTPUT, reg, run};
use crate::{Instr, STUCK_PC, Trap};

/// Fluent's exit code for an access beyond the input.
pub(super) const TAPE_OUT_OF_BOUNDS: i32 = -1007;

pub(super) fn assemble(lib: &mut Builder) {
    read(lib);
    append(lib);

    lib.start(Routine::State);
    lib.asm.get(0, run::STATE);
    lib.asm.ret();

    lib.start(Routine::InputSize);
    guest_input_size(lib, 0, 1);
    lib.asm.ret();

    lib.start(Routine::OutputSize);
    lib.asm.mov(0, Imm(0));
    lib.asm.ret();

    lib.start(Routine::Fuel);
    lib.asm.emit(Instr::new(FuelLeftLo));
    lib.asm.emit(Instr { c: 1, ..Instr::new(FuelLeftHi) });
    lib.asm.ret();

    lib.start(Routine::DebugLog);
    check_host_pointer(lib, 0);
    check_host_pointer(lib, 1);
    check_range(lib, 0, 1, 2);
    lib.asm.ret();

    lib.start(Routine::ChargeFuel);
    lib.asm.emit(Instr { a: Some(1), b: Slot(0), ..Instr::new(FuelCharge) });
    lib.asm.ret();

    lib.start(Routine::Nothing);
    lib.asm.ret();
}

/// Traps if the number is negative: Fluent's host sees pointers and lengths as signed and finds
/// negative ones out of bounds, also for an empty range at the end of 2 GiB.
pub(super) fn check_host_pointer(lib: &mut Builder, pointer: i32) {
    let trap = lib.trap(Trap::MemoryOutOfBounds);
    lib.asm.branch(BrLtS, pointer, Imm(0), trap);
}

/// `size` = length of the input without the arguments of a named entry.
fn guest_input_size(lib: &mut Builder, size: i32, skip: i32) {
    lib.asm.get(size, run::INPUT_LEN);
    lib.asm.get(skip, ENTRY_BYTES);
    lib.asm.op(Sub, size, size, Slot(skip));
}

fn read(lib: &mut Builder) {
    let [dst, offset, n, skip, left] = [0, 1, 2, 3, 4];
    let outside = lib.asm.label();
    lib.start(Routine::Read);
    guest_input_size(lib, left, skip);
    lib.asm.branch(BrLtU, left, Slot(n), outside);
    lib.asm.op(Sub, left, left, Slot(n));
    lib.asm.branch(BrLtU, left, Slot(offset), outside);
    check_host_pointer(lib, dst);
    check_range(lib, dst, n, left);
    lib.asm.op(Add, offset, offset, Slot(skip));
    lib.asm.op(Add, offset, offset, Imm(INPUT * 4));
    lib.asm.jump(lib.copy_up);

    // The return data is empty: only nothing at offset 0 is inside.
    lib.start(Routine::ReadOutput);
    lib.asm.op(Or, left, offset, Slot(n));
    lib.asm.branch(BrNe, left, Imm(0), outside);
    check_host_pointer(lib, dst);
    check_range(lib, dst, n, left);
    lib.asm.ret();

    lib.start(Routine::ForwardOutput);
    lib.asm.op(Or, 2, 0, Slot(1));
    lib.asm.branch(BrNe, 2, Imm(0), outside);
    lib.asm.ret();

    lib.asm.bind(outside);
    lib.asm.mov(0, Imm(TAPE_OUT_OF_BOUNDS as u32));
    lib.asm.jump(lib.routine(Routine::Exit));
}

fn append(lib: &mut Builder) {
    let [src, n, length, t] = [0, 1, 2, 3];
    lib.start(Routine::Write);
    check_host_pointer(lib, src);
    check_host_pointer(lib, n);
    check_range(lib, src, n, t);
    lib.start(Routine::Append);
    let stuck = lib.asm.pc_label(STUCK_PC);
    let asm = &mut lib.asm;
    asm.get(length, reg::OUTPUT_LEN);
    asm.mov(t, Imm(MAX_TAPE_BYTES));
    asm.op(Sub, t, t, Slot(length));
    asm.branch(BrLtU, t, Slot(n), stuck);
    asm.op(Add, t, length, Slot(n));
    asm.put(reg::OUTPUT_LEN, t);
    asm.op(Add, t, length, Imm(OUTPUT * 4));
    asm.mov(2, Slot(n));
    asm.mov(1, Slot(src));
    asm.mov(0, Slot(t));
    asm.jump(lib.copy_up);
}
