//! Tests of the `access` table.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use rwprove_isa::{
    Instr, Op, Operand,
    record::{AccessEvent, Outcome, clock, limbs},
};

use super::Access;
use crate::{
    Val,
    coprocessor::tester::{Case, bound, moved, padded, random, with},
};

/// Operations with their size in bytes.
const LOADS: [(Op, u32); 7] = [
    (Op::Load, 4),
    (Op::LoadBytes, 4),
    (Op::Load16S, 2),
    (Op::Load16U, 2),
    (Op::Load8S, 1),
    (Op::Load8U, 1),
    (Op::LoadByte, 1),
];
const STORES: [(Op, u32); 4] =
    [(Op::Store, 4), (Op::Store16, 2), (Op::Store8, 1), (Op::StoreByte, 1)];

/// Adds an access whose two words hold `before`. The model here works on a row of eight bytes.
fn push(case: &mut Case, (op, size): (Op, u32), last_byte: u32, before: [u32; 2], stored: u32) {
    let end = 5 + (last_byte % 4) as usize;
    let mut memory = (u64::from(before[1]) << 32 | u64::from(before[0])).to_le_bytes();
    let accessed = &mut memory[end - size as usize..end];
    let store = STORES.iter().any(|s| s.0 == op);
    let mut value = [0; 4];
    if store {
        accessed.copy_from_slice(&stored.to_le_bytes()[..size as usize]);
    } else {
        value[..size as usize].copy_from_slice(accessed);
        if matches!(op, Op::Load8S | Op::Load16S) && accessed[size as usize - 1] >= 128 {
            value[size as usize..].fill(255);
        }
    }
    let loaded = u32::from_le_bytes(value);
    let memory = u64::from_le_bytes(memory);
    let after = [memory as u32, (memory >> 32) as u32];

    let stored = if store { stored } else { 0 };
    let instr = Instr { a: Some(0), b: Operand::Imm(3), c: 2, ..Instr::new(op) };
    let row = case.push(instr, 0, stored, loaded, Outcome::Unaligned);
    let clk = clock(row as usize);
    // Accessed just before, or long ago: gaps are at most 2^16.
    let times = [clk + 1, (clk + 2).saturating_sub(1 << 16)];
    let crosses = last_byte % 4 + 1 < size;
    let word = last_byte / 4;
    if crosses {
        case.memory(word.wrapping_sub(1), (before[0], times[0]), (after[0], clk + 2));
    }
    case.memory(word, (before[1], times[1]), (after[1], clk + 2));
    case.ask(instr.tag(), clk, [limbs(last_byte), limbs(stored), limbs(loaded)]);
    let (before, after) = if crosses { (before, after) } else { ([before[1]; 2], [after[1]; 2]) };
    let times = if crosses { times } else { [times[1]; 2] };
    case.record.access.push(AccessEvent { row, last_byte, before, after, times });
}

#[test]
fn accepts_all_widths_and_offsets() {
    let mut case = Case::default();
    let mut next = random();
    let signs = [[0x8081_8283, 0xf4f5_f6f7], [0x0102_0304, 0x7f06_0708]];
    for before in [signs[0], signs[1], [next(), next()], [0; 2], [u32::MAX; 2]] {
        for base in [4, 0x1_0000, 0x7fff_fffc, u32::MAX - 3] {
            for offset in 0..4 {
                for op in LOADS.into_iter().chain(STORES) {
                    push(&mut case, op, base + offset, before, next());
                }
            }
        }
    }
    case.accepts(&Access, 1024);
}

#[test]
fn first_word_is_accepted() {
    let mut case = Case::default();
    push(&mut case, LOADS[0], 3, [0, 0x8765_4321], 0);
    push(&mut case, LOADS[5], 0, [0, 0x8765_4321], 0);
    push(&mut case, STORES[1], 1, [0, 0x8765_4321], 0xabcd);
    case.accepts(&Access, 4);
}

/// The word before word 0 has the address -1, which no other table ever sends.
#[test]
fn an_access_that_wraps_needs_a_word_that_is_not_there() {
    let mut case = Case::default();
    push(&mut case, LOADS[0], 2, [1, 2], 0);
    let counts = Default::default();
    let trace = crate::table::Fill::fill(&Access, &case.shard(), 1, &counts);
    // u32::MAX, which the case's own model used, is another number than p - 1.
    assert!(case.refuses(&Access, &trace, &[]));
}

#[test]
fn every_column_of_a_real_row_is_bound() {
    for offset in 0..4 {
        let mut case = Case::default();
        for op in LOADS.into_iter().chain(STORES) {
            push(&mut case, op, 0x1234_5678 + offset, [0x8192_a3b4, 0xc5d6_e7f8], 0x9abc_def1);
        }
        let filled = case.accepts(&Access, 16);
        bound(&Access, &filled, 0..11);
    }
}

#[test]
fn padding_says_nothing() {
    let mut case = Case::default();
    push(&mut case, STORES[2], 77, [1, 2], 3);
    let filled = case.accepts(&Access, 4);
    assert!(padded(&filled.0, 1));
    bound(&Access, &filled, [3]);
    Case::default().accepts(&Access, 1);
}

#[test]
fn full_table_is_accepted() {
    let mut case = Case::default();
    (0..8).for_each(|i| push(&mut case, STORES[0], 1000 + i, [i, i], u32::MAX - i));
    case.accepts(&Access, 8);
}

/// A word from the same time or later: the gap would be negative.
#[test]
fn a_later_time_is_refused() {
    let mut case = Case::default();
    push(&mut case, (Op::Load16U, 2), 40, [0x8000_0000, 2], 0);
    let (trace, _) = case.accepts(&Access, 1);
    let now = clock(0) + 2;
    for (first, last) in [(now, 0), (0, now), (0, now + 1)] {
        let times = [("first_time", Val::from_u32(first)), ("last_time", Val::from_u32(last))];
        let forged = with(&Access, &trace, 0, &times);
        let mut later = Case::default();
        later.memory(9, (0x8000_0000, first), (0x8000_0000, now));
        later.memory(10, (2, last), (2, now));
        later.ask(Instr::new(Op::Load16U).tag(), clock(0), [[40, 0], [0; 2], [0x280, 0]]);
        assert_eq!(later.lookups_refuse(&Access, &forged, &[]), 1);
    }
}

/// Sign and zero extension of a sub-word are not the prover's choice.
#[test]
fn past_004_extension_is_bound() {
    let mut case = Case::default();
    push(&mut case, (Op::Load8U, 1), 41, [0, 0x8080_8080], 0);
    push(&mut case, (Op::Load8S, 1), 41, [0, 0x8080_8080], 0);
    let (trace, _) = case.accepts(&Access, 2);
    let extended = [("z[0]", Val::new(0xff80)), ("z[1]", Val::new(0xffff))];
    assert!(case.refuses(&Access, &with(&Access, &trace, 0, &extended), &[]));
    let not = [("z[0]", Val::new(0x80)), ("z[1]", Val::ZERO), ("sign", Val::ZERO)];
    assert!(case.refuses(&Access, &with(&Access, &trace, 1, &not), &[]));
}

/// The request's address and another one that is the same number modulo p.
#[test]
fn an_address_around_the_field_is_refused() {
    let asked = 0x1234;
    let other = asked + Val::ORDER_U32;
    let mut case = Case::default();
    push(&mut case, (Op::Load8U, 1), other, [0, 0x4433_2211], 0);
    let (trace, _) = case.accepts(&Access, 1);
    let low = Val::from_u32(other / 4) - Val::from_u32((asked >> 16) << 14);
    let cells = [("address_low", low), ("address_high", Val::from_u32(asked >> 16))];
    let forged = with(&Access, &trace, 0, &cells);
    // Only the request differs: the memory is that of the other address.
    let mut wrong = Case::default();
    let (clk, value) = (clock(0), 0x4433_2211_u32);
    wrong.memory(other / 4, (value, (clk + 2).saturating_sub(1 << 16)), (value, clk + 2));
    let loaded = value >> (8 * (other % 4)) & 0xff;
    let tag = Instr::new(Op::Load8U).tag();
    wrong.ask(tag, clk, [limbs(asked), [0; 2], [loaded, 0]]);
    assert!(wrong.lookups_refuse(&Access, &forged, &[]) > 0);
}

/// Words are cut into bytes, not into other cells with the same limbs.
#[test]
fn past_008_words_are_cut_into_bytes() {
    // A load of a byte that is none.
    let mut case = Case::default();
    push(&mut case, (Op::Load8U, 1), 40, [0, 0x8899_aabb], 0);
    let (trace, _) = case.accepts(&Access, 1);
    let forged = moved(&Access, &trace, 0, "last[0]", "last[1]");
    let value = Val::new(0x1bb);
    let forged = with(&Access, &forged, 0, &[("window[3]", value), ("z[0]", value)]);
    let now = clock(0) + 2;
    let mut spilled = Case::default();
    spilled.memory(10, (0x8899_aabb, 0), (0x8899_aabb, now));
    spilled.ask(Instr::new(Op::Load8U).tag(), clock(0), [[40, 0], [0; 2], [0x1bb, 0]]);
    assert!(spilled.lookups_refuse(&Access, &forged, &[]) > 0);

    // A store that spills into the next byte.
    let mut case = Case::default();
    push(&mut case, STORES[2], 42, [0, 0], 0x1111);
    let (trace, _) = case.accepts(&Access, 1);
    let forged = moved(&Access, &trace, 0, "window[3]", "window[2]");
    assert!(case.refuses(&Access, &forged, &[]));
    let forged = with(&Access, &forged, 0, &[("last_after[1]", Val::new(0x111))]);
    let stored = limbs(0x1111);
    let mut spilled = Case::default();
    spilled.memory(10, (0, 0), (0x0111_0000, now));
    spilled.ask(Instr::new(Op::Store8).tag(), clock(0), [[42, 0], stored, [0; 2]]);
    assert!(spilled.lookups_refuse(&Access, &forged, &[]) > 0);
}
