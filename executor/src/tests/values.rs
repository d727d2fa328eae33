//! Operations on values and memory.

use rwprove_isa::{
    Exit, Trap,
    layout::{GLOBAL, REG},
};

use super::*;

const WORDS: [u32; 8] = [0, 1, 2, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x0001_ffff, 0xdead_beef];

/// Runs `op` on words from slots and constants.
fn binary(op: Op, a: u32, b: u32) -> u32 {
    let found = run(|asm| {
        asm.mov(0, imm(a));
        asm.mov(1, imm(b));
        asm.op(op, 2, 0, slot(1));
        asm.op(op, 3, 0, imm(b));
        note(asm, 0, 2);
        note(asm, 1, 3);
        done(asm);
    });
    assert_eq!(found.results[0], found.results[1], "{op:?} with slot and constant");
    found.results[0]
}

#[test]
fn every_value_operation() {
    type Meaning = fn(u32, u32) -> u32;
    let list: &[(Op, Meaning)] = &[
        (Op::Add, u32::wrapping_add),
        (Op::Sub, u32::wrapping_sub),
        (Op::SetEq, |a, b| (a == b) as u32),
        (Op::SetNe, |a, b| (a != b) as u32),
        (Op::SetLtU, |a, b| (a < b) as u32),
        (Op::SetGeU, |a, b| (a >= b) as u32),
        (Op::SetLtS, |a, b| ((a as i32) < b as i32) as u32),
        (Op::SetGeS, |a, b| (a as i32 >= b as i32) as u32),
        (Op::And, |a, b| a & b),
        (Op::Or, |a, b| a | b),
        (Op::Xor, |a, b| a ^ b),
        (Op::Shl, u32::wrapping_shl),
        (Op::ShrU, u32::wrapping_shr),
        (Op::ShrS, |a, b| (a as i32).wrapping_shr(b) as u32),
        (Op::Rotl, |a, b| a.rotate_left(b % 32)),
        (Op::Rotr, |a, b| a.rotate_right(b % 32)),
        (Op::Mul, u32::wrapping_mul),
        (Op::MulHi, |a, b| ((a as u64 * b as u64) >> 32) as u32),
        (Op::Clz, |a, _| a.leading_zeros()),
        (Op::Ctz, |a, _| a.trailing_zeros()),
        (Op::Popcnt, |a, _| a.count_ones()),
        (Op::Extend8S, |a, _| a as i8 as u32),
        (Op::Extend16S, |a, _| a as i16 as u32),
    ];
    for (i, &(op, meaning)) in list.iter().enumerate() {
        for (a, b) in WORDS.into_iter().zip(WORDS.into_iter().cycle().skip(i)).take(5) {
            assert_eq!(binary(op, a, b), meaning(a, b), "{op:?} {a:#x} {b:#x}");
        }
    }
    assert_eq!(binary(Op::DivU, 100, 7), 14);
    assert_eq!(binary(Op::RemU, 100, 7), 2);
    assert_eq!(binary(Op::Mov, 100, 7), 7);
}

#[test]
fn funnel_shift_and_conditional_move() {
    let found = run(|asm| {
        asm.mov(0, imm(0x1234_5678));
        asm.mov(1, imm(0x9abc_def0));
        asm.emit(Instr { k: 8, ..instr(Op::Fshl, Some(0), slot(1), 2) });
        note(asm, 0, 2);
        asm.emit(instr(Op::Cmov, Some(0), imm(5), 2));
        note(asm, 1, 2);
        asm.emit(instr(Op::Cmov, Some(40), imm(6), 2));
        note(asm, 2, 2);
        done(asm);
    });
    assert_eq!(found.results[..3], [0x3456_789a, 5, 5]);
}

/// Puts two 64-bit numbers into slots 0 to 3.
fn wide(asm: &mut Asm, a: u64, b: u64) {
    for (i, word) in [a, a >> 32, b, b >> 32].into_iter().enumerate() {
        asm.mov(i as i32, imm(word as u32));
    }
}

fn chained(op: Op, a: Slot, b: Slot, c: Slot) -> Instr {
    Instr { chain: true, ..instr(op, Some(a), slot(b), c) }
}

#[test]
fn chained_rows() {
    let numbers = [0, 1, u32::MAX as u64, 1 << 32, u64::MAX, 1 << 63, 0x1234_5678_9abc_def0];
    for a in numbers {
        for b in numbers {
            let found = run(|asm| {
                wide(asm, a, b);
                for (i, op) in [Op::Add, Op::Sub].into_iter().enumerate() {
                    asm.op(op, 4, 0, slot(2));
                    asm.emit(chained(op, 1, 3, 5));
                    note(asm, 2 * i as u32, 4);
                    note(asm, 2 * i as u32 + 1, 5);
                }
                for (i, op) in
                    [Op::SetLtU, Op::SetGeU, Op::SetLtS, Op::SetGeS, Op::SetEq, Op::SetNe]
                        .into_iter()
                        .enumerate()
                {
                    asm.emit(instr(Op::Cmp, Some(0), slot(2), 0));
                    asm.emit(chained(op, 1, 3, 4));
                    note(asm, 4 + i as u32, 4);
                }
                done(asm);
            });
            let r = &found.results;
            let pair = |i: usize| r[i] as u64 | (r[i + 1] as u64) << 32;
            assert_eq!(pair(0), a.wrapping_add(b));
            assert_eq!(pair(2), a.wrapping_sub(b));
            let (x, y) = (a as i64, b as i64);
            let truths = [a < b, a >= b, x < y, x >= y, a == b, a != b];
            assert_eq!(r[4..10], truths.map(u32::from), "{a:#x} {b:#x}");
        }
    }
}

#[test]
fn wide_division() {
    for (a, b) in [(u64::MAX, 10), (1 << 40, 1 << 33), (7, u64::MAX), (u64::MAX, 1)] {
        let found = run(|asm| {
            wide(asm, a, b);
            asm.op(Op::DivU64Lo, 4, 0, slot(2));
            asm.op(Op::DivU64Hi, 5, 1, slot(3));
            // In place: each half overwrites its own operand.
            asm.op(Op::RemU64Lo, 0, 0, slot(2));
            asm.op(Op::RemU64Hi, 1, 1, slot(3));
            for (i, slot) in [4, 5, 0, 1].into_iter().enumerate() {
                note(asm, i as u32, slot);
            }
            done(asm);
        });
        let r = &found.results;
        assert_eq!(r[0] as u64 | (r[1] as u64) << 32, a / b);
        assert_eq!(r[2] as u64 | (r[3] as u64) << 32, a % b);
    }
}

#[test]
fn loads_and_stores_of_all_alignments() {
    let sizes =
        [(Op::Store, Op::Load, 4), (Op::Store16, Op::Load16U, 2), (Op::Store8, Op::Load8U, 1)];
    for (store, load, size) in sizes {
        for at in 0..5u32 {
            let found = run(|asm| {
                asm.mov(0, imm(at));
                asm.mov(1, imm(0x8182_8384));
                asm.access(store, 1, Some(0), 64 + size - 1);
                asm.access(load, 2, Some(0), 64 + size - 1);
                asm.access(Op::Load, 3, None, 64 + 3);
                asm.access(Op::Load, 4, None, 68 + 3);
                // The same bytes by an unchecked access.
                asm.access(Op::LoadBytes, 5, Some(0), 64 + 3);
                asm.access(Op::LoadByte, 6, Some(0), 64);
                for i in 0..5 {
                    note(asm, i, i as i32 + 2);
                }
                done(asm);
            });
            let mut bytes = [0; 12];
            let (from, n) = (at as usize, size as usize);
            let value = &0x8182_8384u32.to_le_bytes()[..n];
            bytes[from..from + n].copy_from_slice(value);
            let word = |i: usize| u32::from_le_bytes(bytes[i..i + 4].try_into().unwrap());
            let mut loaded = [0; 4];
            loaded[..n].copy_from_slice(value);
            let expected =
                [u32::from_le_bytes(loaded), word(0), word(4), word(from), bytes[from] as u32];
            assert_eq!(found.results[..5], expected, "{store:?} at {at}");
        }
    }
}

#[test]
fn sign_extending_loads() {
    let found = run(|asm| {
        asm.mov(0, imm(0x80f1_7fff));
        asm.access(Op::Store, 0, None, 11);
        for (i, (op, last)) in [
            (Op::Load8S, 8),
            (Op::Load8S, 9),
            (Op::Load16S, 9),
            (Op::Load16S, 11),
            (Op::Load16S, 10),
        ]
        .into_iter()
        .enumerate()
        {
            asm.access(op, 1, None, last);
            note(asm, i as u32, 1);
        }
        done(asm);
    });
    let expected = [u32::MAX, 0x7f, 0x7fff, 0xffff_80f1, 0xffff_f17f];
    assert_eq!(found.results[..5], expected);
}

#[test]
fn bounds_of_linear_memory() {
    let page = 1 << 16;
    let trap = Exit::Trap(Trap::MemoryOutOfBounds);
    for (a, offset, exit) in [
        (page - 1, 0, Exit::Ok),
        (page, 0, trap),
        (0, page, trap),
        (u32::MAX, 1, trap),
        (u32::MAX, u32::MAX, trap),
    ] {
        for op in [Op::Load, Op::Load8U, Op::Load8S, Op::Load16S, Op::Load16U] {
            let found = run(|asm| {
                asm.mov(0, imm(a));
                asm.access(op, 1, Some(0), offset);
                done(asm);
            });
            assert_eq!(found.report.exit, exit, "{op:?} {a:#x} {offset:#x}");
        }
        for op in [Op::Store, Op::Store8, Op::Store16] {
            let found = run(|asm| {
                asm.mov(0, imm(a));
                asm.access(op, 0, Some(0), offset);
                done(asm);
            });
            assert_eq!(found.report.exit, exit, "{op:?} {a:#x} {offset:#x}");
        }
    }
}

#[test]
fn unchecked_accesses() {
    let found = run(|asm| {
        asm.mov(0, imm(77));
        asm.mov(1, imm(GLOBAL + 100));
        asm.access(Op::StoreWord, 0, Some(1), 3);
        asm.get(2, GLOBAL + 103);
        asm.mov(1, imm((GLOBAL + 103) * 4 + 1));
        asm.access(Op::StoreByte, 0, Some(1), 0);
        asm.get(3, GLOBAL + 103);
        asm.get(4, rwprove_isa::layout::STACK + 2);
        for i in 0..3 {
            note(asm, i, i as i32 + 2);
        }
        done(asm);
    });
    assert_eq!(found.results[..3], [77, 77 | 77 << 8, 77]);
}

#[test]
fn pages() {
    let found = run(|asm| {
        asm.emit(instr(Op::Pages, None, Operand::None, 0));
        asm.emit(instr(Op::Pages, None, imm(3), 1));
        asm.emit(instr(Op::Pages, None, Operand::None, 2));
        asm.access(Op::Store, 2, None, 3 * 65536 - 1);
        asm.access(Op::Load, 3, None, 3 * 65536 - 1);
        for i in 0..4 {
            note(asm, i, i as i32);
        }
        done(asm);
    });
    assert_eq!(found.results[..4], [1, 1, 3, 3]);
    assert_eq!(found.report.pages, 3);
}

#[test]
fn keccak_of_the_tapes() {
    let bytes: Vec<u8> = (0..300).map(|i| i as u8).collect();
    let program = program(done);
    let input = Input { bytes: bytes.clone(), ..Input::default() };
    let found = check(&program, &input);
    assert!(found.records.iter().any(|record| !record.keccak.is_empty()));
    let mut run = Run::new(&program, &input, Options::plain(MAX_ROWS)).unwrap();
    run.run_to_end().unwrap();
    let digest = |at: u32| -> Vec<u8> {
        (at..at + 8).flat_map(|i| run.memory().word(i).unwrap().to_le_bytes()).collect()
    };
    assert_eq!(digest(REG + 8), rwprove_isa::keccak256(&bytes));
    assert_eq!(digest(REG + 16), rwprove_isa::keccak256(&[]));
}
