//! Table operations over many elements. Elements are words, so copies are those of bytes.

use super::bytes::check_within;
use super::{Builder, Routine};
use crate::Op::*;
use crate::Operand::{Imm, Slot};
use crate::Trap;
use crate::layout::{ELEM, ELEM_DROPPED, TABLE, TABLE_SIZE, TABLE_STRIDE};

pub(super) fn assemble(lib: &mut Builder) {
    let fill = lib.asm.label();

    {
        let [init, delta, table, old, new] = [0, 1, 2, 3, 4];
        lib.start(Routine::TableGrow);
        let asm = &mut lib.asm;
        let fail = asm.label();
        asm.access(LoadWord, old, Some(table), TABLE_SIZE);
        asm.mov(new, Imm(TABLE_STRIDE));
        asm.op(Sub, new, new, Slot(old));
        asm.branch(BrLtU, new, Slot(delta), fail);
        asm.op(Add, new, old, Slot(delta));
        asm.access(StoreWord, new, Some(table), TABLE_SIZE);
        // Fill from the old size on, as a call so that the result comes after it.
        asm.mov(new, Slot(old));
        asm.mov(new + 1, Slot(init));
        asm.mov(new + 2, Slot(delta));
        asm.mov(new + 3, Slot(table));
        asm.call(fill, new);
        asm.mov(0, Slot(old));
        asm.ret();
        asm.bind(fail);
        asm.mov(0, Imm(u32::MAX));
        asm.ret();
    }
    {
        let [i, value, n, table, t] = [0, 1, 2, 3, 4];
        lib.start(Routine::TableFill);
        check_table(lib, i, n, table, t);
        let asm = &mut lib.asm;
        asm.bind(fill);
        let [next, end] = [asm.label(), asm.label()];
        asm.op(Mul, table, table, Imm(TABLE_STRIDE));
        asm.op(Add, i, i, Slot(table));
        asm.op(Add, n, n, Slot(i));
        asm.bind(next);
        asm.branch(BrEq, i, Slot(n), end);
        asm.access(StoreWord, value, Some(i), TABLE);
        asm.bump(i, 1);
        asm.jump(next);
        asm.bind(end);
        asm.ret();
    }
    {
        let [dst, src, n, dst_table, src_table, t] = [0, 1, 2, 3, 4, 5];
        lib.start(Routine::TableCopy);
        check_table(lib, dst, n, dst_table, t);
        check_table(lib, src, n, src_table, t);
        element_bytes(lib, dst, dst_table);
        element_bytes(lib, src, src_table);
        lib.asm.op(Shl, n, n, Imm(2));
        lib.asm.jump(lib.copy);
    }
    {
        let [dst, src, n, segment, table, length, t] = [0, 1, 2, 3, 4, 5, 6];
        lib.start(Routine::TableInit);
        check_table(lib, dst, n, table, t);
        let kept = lib.asm.label();
        lib.asm.access(LoadWord, t, Some(segment), ELEM_DROPPED);
        lib.asm.branch(BrEq, t, Imm(0), kept);
        lib.asm.mov(length, Imm(0));
        lib.asm.bind(kept);
        check_within(lib, src, n, length, t, Trap::TableOutOfBounds);
        element_bytes(lib, dst, table);
        lib.asm.op(Add, src, src, Imm(ELEM));
        lib.asm.op(Shl, src, src, Imm(2));
        lib.asm.op(Shl, n, n, Imm(2));
        lib.asm.jump(lib.copy_up);
    }
}

/// Traps unless elements `start .. start + n` are in the table. Uses the slot `t`.
fn check_table(lib: &mut Builder, start: i32, n: i32, table: i32, t: i32) {
    lib.asm.access(LoadWord, t, Some(table), TABLE_SIZE);
    check_within(lib, start, n, t, t, Trap::TableOutOfBounds);
}

/// Makes an element index a byte address of the whole space; overwrites the table index.
fn element_bytes(lib: &mut Builder, index: i32, table: i32) {
    lib.asm.op(Mul, table, table, Imm(TABLE_STRIDE));
    lib.asm.op(Add, index, index, Slot(table));
    lib.asm.op(Add, index, index, Imm(TABLE));
    lib.asm.op(Shl, index, index, Imm(2));
}
