//! Bulk memory and hashing.

use super::*;
use crate::Operand;
use crate::layout::{DATA, DATA_DROPPED, SPONGE};

const TRAP: End = End::At(1);
const MEMORY: u32 = 2 << 16;

fn check_copy(dst: u32, src: u32, n: u32) {
    let mut m = machine();
    let mut model = m.bytes(0, 700);
    model.copy_within(src as usize..(src + n) as usize, dst as usize);
    assert_eq!(call(&mut m, Routine::MemoryCopy, &[dst, src, n]), End::Returned);
    assert_eq!(m.bytes(0, 700), model, "copy {dst} {src} {n}");
    assert_eq!(m.fp, 40);
}

#[test]
fn copies_of_all_alignments_and_overlaps() {
    for dst in [64, 65, 66, 67, 100] {
        for src in (50..80).chain([200, 201, 202, 203]) {
            for n in (0..24).chain([31, 32, 33, 63, 64, 65, 66, 67, 130]) {
                check_copy(dst, src, n);
                check_copy(src, dst, n);
            }
        }
    }
}

#[test]
fn fills_of_all_alignments() {
    for dst in 60..68 {
        for n in (0..24).chain([31, 32, 33, 63, 64, 65, 66, 67, 130]) {
            let mut m = machine();
            let mut model = m.bytes(0, 700);
            model[dst..dst + n].fill(0xab);
            let args = [dst as u32, 0x1234_56ab, n as u32];
            assert_eq!(call(&mut m, Routine::MemoryFill, &args), End::Returned);
            assert_eq!(m.bytes(0, 700), model, "fill {dst} {n}");
        }
    }
}

#[test]
fn ranges_are_checked_before_anything_is_written() {
    let edge = [(MEMORY, 0), (MEMORY - 1, 1), (0, MEMORY), (MEMORY - 40, 40)];
    let beyond = [
        (MEMORY + 1, 0),
        (MEMORY, 1),
        (MEMORY - 1, 2),
        (0, MEMORY + 1),
        (u32::MAX, 1),
        (u32::MAX, u32::MAX),
        (1, u32::MAX),
        (u32::MAX, 0),
        (1 << 31, 1 << 31),
    ];
    for (at, n) in beyond {
        let mut m = machine();
        let before = m.bytes(0, 700);
        assert_eq!(call(&mut m, Routine::MemoryFill, &[at, 0, n]), TRAP, "{at} {n}");
        assert_eq!(call(&mut m, Routine::MemoryCopy, &[at, 0, n]), TRAP);
        assert_eq!(call(&mut m, Routine::MemoryCopy, &[0, at, n]), TRAP);
        assert_eq!(call(&mut m, Routine::MemoryInit, &[at, 0, n, 0, u32::MAX]), TRAP);
        assert_eq!(call(&mut m, Routine::MemoryInit, &[0, at, n, 0, 600]), TRAP);
        assert_eq!(call(&mut m, Routine::Write, &[at, n]), TRAP);
        assert_eq!(call(&mut m, Routine::DebugLog, &[at, n]), TRAP);
        assert_eq!(call(&mut m, Routine::Keccak256, &[at, n, 0]), TRAP);
        assert_eq!(m.bytes(0, 700), before);
    }
    for (at, n) in edge {
        let mut m = machine();
        assert_eq!(call(&mut m, Routine::MemoryFill, &[at, 9, n]), End::Returned, "{at} {n}");
        assert_eq!(m.byte(MEMORY), 0);
        assert_eq!(call(&mut m, Routine::DebugLog, &[at, n]), End::Returned);
    }
}

#[test]
fn data_segments() {
    let mut m = machine();
    let data = pattern(100);
    m.set_bytes(DATA * 4, &data);
    for (dst, src, n) in [(300, 0, 100), (301, 3, 97), (302, 100, 0), (303, 50, 9)] {
        assert_eq!(call(&mut m, Routine::MemoryInit, &[dst, src, n, 3, 100]), End::Returned);
        assert_eq!(m.bytes(dst, n as usize), data[src as usize..(src + n) as usize]);
    }
    assert_eq!(call(&mut m, Routine::MemoryInit, &[0, 50, 51, 3, 100]), TRAP);
    assert_eq!(call(&mut m, Routine::MemoryInit, &[0, 101, 0, 3, 100]), TRAP);
    m.words.insert(DATA_DROPPED + 3, 1);
    assert_eq!(call(&mut m, Routine::MemoryInit, &[0, 0, 1, 3, 100]), TRAP);
    assert_eq!(call(&mut m, Routine::MemoryInit, &[0, 0, 0, 3, 100]), End::Returned);
    assert_eq!(call(&mut m, Routine::MemoryInit, &[0, 0, 1, 2, 100]), End::Returned);
}

#[test]
fn memory_grows_to_its_limit() {
    let mut m = machine();
    assert_eq!(result(&mut m, Routine::MemoryGrow, &[0, 5]), 2);
    assert_eq!(result(&mut m, Routine::MemoryGrow, &[3, 5]), 2);
    assert_eq!(m.pages, 5);
    for delta in [1, 0xffff, 65536, 65537, u32::MAX, u32::MAX - 4] {
        assert_eq!(result(&mut m, Routine::MemoryGrow, &[delta, 5]), u32::MAX);
        assert_eq!(m.pages, 5);
    }
    assert_eq!(result(&mut m, Routine::MemoryGrow, &[0, 5]), 5);
}

#[test]
fn keccak_of_all_lengths() {
    for n in (0..301).chain([407, 408, 409]) {
        for at in [0, 1 + n % 3, 4] {
            let mut m = machine();
            let expected = crate::keccak256(&m.bytes(at, n as usize));
            let out = 610 + n % 4;
            assert_eq!(call(&mut m, Routine::Keccak256, &[at, n, out]), End::Returned);
            assert_eq!(m.bytes(out, 32), expected, "length {n} at {at}");
            assert_eq!(m.byte(out + 32), 0);
        }
    }
}

#[test]
fn keccak_of_memory_that_it_overwrites_and_at_the_edge() {
    let mut m = machine();
    let expected = crate::keccak256(&m.bytes(10, 200));
    assert_eq!(call(&mut m, Routine::Keccak256, &[10, 200, 50]), End::Returned);
    assert_eq!(m.bytes(50, 32), expected);
    assert_eq!(call(&mut m, Routine::Keccak256, &[0, 1, MEMORY - 31]), TRAP);
    assert_eq!(call(&mut m, Routine::Keccak256, &[0, 1, MEMORY - 32]), End::Returned);
}

#[test]
fn keccak_permutation_of_memory() {
    for at in [8, 9] {
        let mut m = machine();
        let state = m.bytes(at, 200);
        let mut lanes = [0; 25];
        for (lane, bytes) in lanes.iter_mut().zip(state.chunks(8)) {
            *lane = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        }
        tiny_keccak::keccakf(&mut lanes);
        assert_eq!(call(&mut m, Routine::KeccakPermute, &[at]), End::Returned);
        let expected: Vec<u8> = lanes.iter().flat_map(|l| l.to_le_bytes()).collect();
        assert_eq!(m.bytes(at, 200), expected);
    }
    assert_eq!(call(&mut machine(), Routine::KeccakPermute, &[MEMORY - 199]), TRAP);
}

#[test]
fn host_pointers_are_signed() {
    // With 2 GiB of memory the address 2^31 is its end, but Fluent's host reads it as negative.
    let mut m = Machine { pages: 32768, ..machine() };
    assert_eq!(call(&mut m, Routine::MemoryFill, &[1 << 31, 0, 0]), End::Returned);
    assert_eq!(call(&mut m, Routine::Write, &[1 << 31, 0]), TRAP);
    assert_eq!(call(&mut m, Routine::Read, &[1 << 31, 0, 0]), TRAP);
}

#[test]
fn the_sponge_is_only_named_by_constant_addresses_and_its_counter() {
    // Absorbing reads and xors every word: the input's limbs are bounded by this alone.
    let code = &Library::get().code;
    let named = |b: Operand| matches!(b, Operand::Imm(i) if (SPONGE..SPONGE + 34).contains(&i));
    let stores = code.windows(2).filter(|w| w[1].op == crate::Op::StoreWord && named(w[1].b));
    for w in stores {
        let zeroing = matches!(w[0].op, crate::Op::Mov | crate::Op::StoreWord);
        assert!(w[0].op == crate::Op::Xor || zeroing, "{w:?}");
    }
}
