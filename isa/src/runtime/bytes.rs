//! Moving bytes: memory.grow, memory.fill, memory.copy, memory.init.
//!
//! The copies here work on byte addresses of the whole space, so one of them serves guest memory,
//! tapes, tables and the data section. Words are moved whenever the destination can be aligned;
//! eight of them a round, so that counting costs little.

use super::{Builder, Routine};
use crate::Op::*;
use crate::Operand::{Imm, Slot};
use crate::layout::{DATA, DATA_DROPPED};
use crate::{Instr, Trap};

/// Words moved in one round.
const ROUND: u32 = 8;
/// Below this number of bytes words are not worth aligning for.
const SHORT: u32 = 8;

pub(super) fn assemble(lib: &mut Builder) {
    grow(lib);
    fill(lib);

    lib.start(Routine::MemoryInit);
    let checked = lib.asm.label();
    check_range(lib, 0, 2, 5);
    // The source is the whole data section, or nothing if the segment was dropped.
    lib.asm.access(LoadWord, 5, Some(3), DATA_DROPPED);
    lib.asm.branch(BrEq, 5, Imm(0), checked);
    lib.asm.mov(4, Imm(0));
    lib.asm.bind(checked);
    check_within(lib, 1, 2, 4, 5, Trap::MemoryOutOfBounds);
    lib.asm.op(Add, 1, 1, Imm(DATA * 4));
    lib.asm.jump(lib.copy_up);

    lib.start(Routine::MemoryCopy);
    check_range(lib, 1, 2, 3);
    check_range(lib, 0, 2, 3);
    copy(lib);
}

/// Traps unless bytes `ptr .. ptr + n` are in linear memory. Uses the slot `t`.
pub(super) fn check_range(lib: &mut Builder, ptr: i32, n: i32, t: i32) {
    // At most 32768 pages: their bytes fit a word.
    lib.asm.emit(Instr { c: t, ..Instr::new(Pages) });
    lib.asm.op(Shl, t, t, Imm(16));
    check_within(lib, ptr, n, t, t, Trap::MemoryOutOfBounds);
}

/// Traps unless `start + n <= size`. Uses the slot `t`, which may be that of `size`.
pub(super) fn check_within(lib: &mut Builder, start: i32, n: i32, size: i32, t: i32, trap: Trap) {
    let trap = lib.trap(trap);
    lib.asm.branch(BrLtU, size, Slot(n), trap);
    lib.asm.op(Sub, t, size, Slot(n));
    lib.asm.branch(BrLtU, t, Slot(start), trap);
}

fn grow(lib: &mut Builder) {
    let [delta, max, old, t] = [0, 1, 2, 3];
    lib.start(Routine::MemoryGrow);
    let fail = lib.asm.label();
    lib.asm.emit(Instr { c: old, ..Instr::new(Pages) });
    lib.asm.op(Sub, t, max, Slot(old));
    lib.asm.branch(BrLtU, t, Slot(delta), fail);
    lib.asm.op(Add, t, old, Slot(delta));
    lib.asm.emit(Instr { b: Slot(t), c: t, ..Instr::new(Pages) });
    lib.asm.mov(0, Slot(old));
    lib.asm.ret();
    lib.asm.bind(fail);
    lib.asm.mov(0, Imm(u32::MAX));
    lib.asm.ret();
}

fn fill(lib: &mut Builder) {
    let [dst, value, n, t] = [0, 1, 2, 3];
    lib.start(Routine::MemoryFill);
    check_range(lib, dst, n, t);
    let asm = &mut lib.asm;
    let [head, aligned, rounds, words, word, tail, byte, end] =
        std::array::from_fn(|_| asm.label());
    asm.op(And, value, value, Imm(0xff));
    asm.op(Mul, value, value, Imm(0x0101_0101));
    asm.branch(BrLtU, n, Imm(SHORT), tail);

    asm.bind(head);
    asm.op(And, t, dst, Imm(3));
    asm.branch(BrEq, t, Imm(0), aligned);
    asm.access(StoreByte, value, Some(dst), 0);
    asm.bump(dst, 1);
    asm.bump(n, -1);
    asm.jump(head);

    asm.bind(aligned);
    asm.op(ShrU, t, dst, Imm(2));
    asm.branch(BrLtU, n, Imm(4 * ROUND), words);
    asm.bind(rounds);
    for i in 0..ROUND {
        asm.access(StoreWord, value, Some(t), i);
    }
    asm.bump(t, ROUND as i32);
    asm.bump(n, -4 * ROUND as i32);
    asm.branch(BrGeU, n, Imm(4 * ROUND), rounds);
    let after = asm.label();
    asm.bind(words);
    asm.branch(BrLtU, n, Imm(4), after);
    asm.bind(word);
    asm.access(StoreWord, value, Some(t), 0);
    asm.bump(t, 1);
    asm.bump(n, -4);
    asm.branch(BrGeU, n, Imm(4), word);
    asm.bind(after);
    asm.op(Shl, dst, t, Imm(2));

    asm.bind(tail);
    asm.branch(BrEq, n, Imm(0), end);
    asm.bind(byte);
    asm.access(StoreByte, value, Some(dst), 0);
    asm.bump(dst, 1);
    asm.bump(n, -1);
    asm.branch(BrNe, n, Imm(0), byte);
    asm.bind(end);
    asm.ret();
}

// The slots of a copy. `DST_WORD` is a word address; `FROM` is a byte address or, if the source
// is aligned too, a word address.
const DST: i32 = 0;
const SRC: i32 = 1;
const N: i32 = 2;
const DST_WORD: i32 = 3;
const FROM: i32 = 4;
const T: i32 = 5;

/// Where a copy starts.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Low,
    High,
}

fn copy(lib: &mut Builder) {
    lib.asm.bind(lib.copy);
    let down = lib.asm.label();
    // The destination starts inside the source: the highest byte must go first.
    lib.asm.op(Sub, T, DST, Slot(SRC));
    lib.asm.branch(BrLtU, T, Slot(N), down);
    lib.asm.bind(lib.copy_up);
    direction(lib, End::Low);
    lib.asm.bind(down);
    lib.asm.op(Add, DST, DST, Slot(N));
    lib.asm.op(Add, SRC, SRC, Slot(N));
    direction(lib, End::High);
}

/// One direction. From the high end, pointers are those of the first byte already copied.
fn direction(lib: &mut Builder, end: End) {
    let asm = &mut lib.asm;
    let [head, aligned, unaligned, tail, byte, done] = std::array::from_fn(|_| asm.label());
    asm.branch(BrLtU, N, Imm(SHORT), tail);
    asm.bind(head);
    asm.op(And, T, DST, Imm(3));
    asm.branch(BrEq, T, Imm(0), aligned);
    one_byte(lib, end);
    lib.asm.jump(head);

    lib.asm.bind(aligned);
    lib.asm.op(ShrU, DST_WORD, DST, Imm(2));
    lib.asm.op(And, T, SRC, Imm(3));
    lib.asm.branch(BrNe, T, Imm(0), unaligned);
    lib.asm.op(ShrU, FROM, SRC, Imm(2));
    words(lib, end, true);
    lib.asm.op(Shl, SRC, FROM, Imm(2));
    lib.asm.op(Shl, DST, DST_WORD, Imm(2));
    lib.asm.jump(tail);

    lib.asm.bind(unaligned);
    lib.asm.mov(FROM, Slot(SRC));
    words(lib, end, false);
    lib.asm.mov(SRC, Slot(FROM));
    lib.asm.op(Shl, DST, DST_WORD, Imm(2));

    lib.asm.bind(tail);
    lib.asm.branch(BrEq, N, Imm(0), done);
    lib.asm.bind(byte);
    one_byte(lib, end);
    lib.asm.branch(BrNe, N, Imm(0), byte);
    lib.asm.bind(done);
    lib.asm.ret();
}

fn one_byte(lib: &mut Builder, end: End) {
    step(lib, end, End::High, [DST, SRC], [1, 1]);
    lib.asm.access(LoadByte, T, Some(SRC), 0);
    lib.asm.access(StoreByte, T, Some(DST), 0);
    step(lib, end, End::Low, [DST, SRC], [1, 1]);
    lib.asm.bump(N, -1);
}

/// Moves two pointers along, if it is their turn: after an access when the low end comes first,
/// before it when the high end does.
fn step(lib: &mut Builder, end: End, turn: End, pointers: [i32; 2], by: [i32; 2]) {
    if end == turn {
        let sign = if end == End::Low { 1 } else { -1 };
        for (pointer, by) in pointers.into_iter().zip(by) {
            lib.asm.bump(pointer, sign * by);
        }
    }
}

/// Moves whole words while four bytes are left.
fn words(lib: &mut Builder, end: End, aligned: bool) {
    let asm = &mut lib.asm;
    let [rounds, single, word, done] = std::array::from_fn(|_| asm.label());
    asm.branch(BrLtU, N, Imm(4 * ROUND), single);
    asm.bind(rounds);
    some_words(lib, end, aligned, ROUND);
    lib.asm.branch(BrGeU, N, Imm(4 * ROUND), rounds);
    lib.asm.bind(single);
    lib.asm.branch(BrLtU, N, Imm(4), done);
    lib.asm.bind(word);
    some_words(lib, end, aligned, 1);
    lib.asm.branch(BrGeU, N, Imm(4), word);
    lib.asm.bind(done);
}

fn some_words(lib: &mut Builder, end: End, aligned: bool, count: u32) {
    let unit = if aligned { 1 } else { 4 };
    let by = [count as i32, (count * unit) as i32];
    step(lib, end, End::High, [DST_WORD, FROM], by);
    for i in 0..count {
        let i = if end == End::Low { i } else { count - 1 - i };
        if aligned {
            lib.asm.access(LoadWord, T, Some(FROM), i);
        } else {
            lib.asm.access(LoadBytes, T, Some(FROM), 4 * i + 3);
        }
        lib.asm.access(StoreWord, T, Some(DST_WORD), i);
    }
    step(lib, end, End::Low, [DST_WORD, FROM], by);
    lib.asm.bump(N, -4 * count as i32);
}
