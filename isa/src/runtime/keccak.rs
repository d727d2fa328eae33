//! Keccak-256 of bytes anywhere in the space.
//!
//! Every byte passes through an `Xor` or the `access` table. For the input tape, whose words come
//! from the prover, this is what bounds their limbs; no other shortcut may skip it.

use super::{Builder, Routine, bytes::check_range, host::check_host_pointer};
use crate::Instr;
use crate::Op::*;
use crate::Operand::{Imm, Slot};
use crate::layout::{SPONGE, SPONGE_WORDS};

/// Words absorbed before each permutation.
const RATE_WORDS: u32 = 34;
/// Bytes of the permutation's state.
const STATE_BYTES: u32 = SPONGE_WORDS * 4;
/// Bytes of a digest.
const DIGEST_BYTES: u32 = 32;

// The slots of the sponge. `AT` counts the sponge words absorbed of the last, partial block.
const SRC: i32 = 0;
const N: i32 = 1;
const FROM: i32 = 2;
const T: i32 = 3;
const S: i32 = 4;
const AT: i32 = 5;

pub(super) fn assemble(lib: &mut Builder) {
    sponge(lib);

    {
        let [ptr, n, out, t] = [0, 1, 2, 3];
        lib.start(Routine::Keccak256);
        check_host_pointer(lib, ptr);
        check_host_pointer(lib, n);
        check_host_pointer(lib, out);
        check_range(lib, ptr, n, t);
        lib.asm.mov(t + 1, Imm(DIGEST_BYTES));
        check_range(lib, out, t + 1, t);
        // The sponge's frame starts at this one's and keeps clear of `out`.
        lib.asm.mov(t, Slot(ptr));
        lib.asm.mov(t + 1, Slot(n));
        lib.asm.call(lib.sponge, t);
        lib.asm.mov(0, Slot(out));
        lib.asm.mov(1, Imm(SPONGE * 4));
        lib.asm.mov(2, Imm(DIGEST_BYTES));
        lib.asm.jump(lib.copy_up);
    }
    {
        let [ptr, n, t] = [0, 1, 2];
        lib.start(Routine::KeccakPermute);
        check_host_pointer(lib, ptr);
        lib.asm.mov(n, Imm(STATE_BYTES));
        check_range(lib, ptr, n, t);
        lib.asm.mov(t, Imm(SPONGE * 4));
        lib.asm.mov(t + 1, Slot(ptr));
        lib.asm.mov(t + 2, Slot(n));
        lib.asm.call(lib.copy_up, t);
        lib.asm.emit(Instr::new(KeccakF));
        lib.asm.mov(1, Imm(SPONGE * 4));
        lib.asm.mov(2, Imm(STATE_BYTES));
        lib.asm.jump(lib.copy_up);
    }
}

fn sponge(lib: &mut Builder) {
    let asm = &mut lib.asm;
    asm.bind(lib.sponge);
    asm.mov(T, Imm(0));
    for i in 0..SPONGE_WORDS {
        asm.put(SPONGE + i, T);
    }
    let [aligned, last] = [asm.label(), asm.label()];
    asm.branch(BrLtU, N, Imm(4 * RATE_WORDS), last);
    asm.op(And, T, SRC, Imm(3));
    asm.branch(BrEq, T, Imm(0), aligned);
    blocks(lib, false);
    lib.asm.jump(last);
    lib.asm.bind(aligned);
    blocks(lib, true);
    lib.asm.bind(last);
    last_block(lib);
    lib.asm.ret();
}

/// Absorbs whole blocks while there are any; there is one. Moves `SRC` along.
fn blocks(lib: &mut Builder, aligned: bool) {
    let asm = &mut lib.asm;
    let next = asm.here_label();
    if aligned {
        asm.op(ShrU, FROM, SRC, Imm(2));
    }
    for i in 0..RATE_WORDS {
        if aligned {
            asm.access(LoadWord, T, Some(FROM), i);
        } else {
            asm.access(LoadBytes, T, Some(SRC), 4 * i + 3);
        }
        asm.get(S, SPONGE + i);
        asm.op(Xor, T, T, Slot(S));
        asm.put(SPONGE + i, T);
    }
    asm.emit(Instr::new(KeccakF));
    asm.bump(SRC, 4 * RATE_WORDS as i32);
    asm.bump(N, -4 * (RATE_WORDS as i32));
    asm.branch(BrGeU, N, Imm(4 * RATE_WORDS), next);
}

/// Absorbs the last `N` bytes, less than a block, and the padding.
fn last_block(lib: &mut Builder) {
    let asm = &mut lib.asm;
    let [word, tail, byte, pad] = std::array::from_fn(|_| asm.label());
    let absorb = |asm: &mut super::Asm| {
        asm.access(LoadWord, S, Some(AT), SPONGE);
        asm.op(Xor, T, T, Slot(S));
        asm.access(StoreWord, T, Some(AT), SPONGE);
    };
    asm.mov(AT, Imm(0));
    asm.branch(BrLtU, N, Imm(4), tail);
    asm.bind(word);
    asm.access(LoadBytes, T, Some(SRC), 3);
    absorb(asm);
    asm.bump(AT, 1);
    asm.bump(SRC, 4);
    asm.bump(N, -4);
    asm.branch(BrGeU, N, Imm(4), word);
    // The remaining bytes, the last one first, below the padding's 1.
    asm.bind(tail);
    asm.mov(T, Imm(1));
    asm.branch(BrEq, N, Imm(0), pad);
    asm.op(Add, SRC, SRC, Slot(N));
    asm.bind(byte);
    asm.bump(SRC, -1);
    asm.access(LoadByte, S, Some(SRC), 0);
    asm.op(Shl, T, T, Imm(8));
    asm.op(Or, T, T, Slot(S));
    asm.bump(N, -1);
    asm.branch(BrNe, N, Imm(0), byte);
    asm.bind(pad);
    absorb(asm);
    let end = SPONGE + RATE_WORDS - 1;
    asm.get(T, end);
    asm.op(Xor, T, T, Imm(1 << 31));
    asm.put(end, T);
    asm.emit(Instr::new(KeccakF));
}
