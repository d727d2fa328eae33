//! Tests of the `shift` table.

use p3_field::{Field, PrimeCharacteristicRing};
use rwprove_isa::{Instr, Op, alu};

use super::Shift;
use crate::{
    Val,
    coprocessor::tester::{Case, EDGES, binary, bound, padded, random, with},
};

const DYNAMIC: [Op; 5] = [Op::Shl, Op::ShrU, Op::ShrS, Op::Rotl, Op::Rotr];

fn push(case: &mut Case, instr: Instr, a: u32, b: u32) {
    let result = alu::coprocessor(&instr, a, b).unwrap();
    let row = case.operation(instr, a, b, result);
    case.record.shift.push(row);
}

fn fshl(k: u8) -> Instr {
    Instr { k, ..binary(Op::Fshl) }
}

#[test]
fn accepts_all_amounts_and_edges() {
    let mut case = Case::default();
    let mut next = random();
    for value in EDGES.into_iter().chain((0..3).map(|_| next())).collect::<Vec<_>>() {
        for amount in 0..32 {
            // Bits above the fifth are ignored.
            let upper = if amount % 3 == 0 { 0 } else { next() & !31 };
            DYNAMIC.into_iter().for_each(|op| push(&mut case, binary(op), value, amount | upper));
            push(&mut case, fshl(amount as u8), value, next());
            push(&mut case, fshl(amount as u8), next(), value);
        }
    }
    case.accepts(&Shift, 4096);
}

#[test]
fn every_column_of_a_real_row_is_bound() {
    for (a, b) in [(0x9234_5678, 0x0000_0ae3), (0x1234_5678, 0xff), (0x8765_4321, 0x1020)] {
        let mut case = Case::default();
        DYNAMIC.into_iter().for_each(|op| push(&mut case, binary(op), a, b));
        let filled = case.accepts(&Shift, 8);
        bound(&Shift, &filled, 0..8);
    }
}

#[test]
fn every_column_of_a_funnel_shift_is_bound() {
    let mut case = Case::default();
    [0, 5, 8, 31].into_iter().for_each(|k| push(&mut case, fshl(k), 0x9234_5678, 0xabcd_ef01));
    let filled = case.accepts(&Shift, 4);
    bound(&Shift, &filled, 0..4);
}

#[test]
fn padding_says_nothing() {
    let mut case = Case::default();
    push(&mut case, binary(Op::Rotr), 7, 9);
    let (trace, publics) = case.accepts(&Shift, 4);
    assert!(padded(&trace, 1));
    for flag in ["shl", "shr_u", "shr_s", "rotl", "rotr", "fshl"] {
        assert!(case.refuses(&Shift, &with(&Shift, &trace, 2, &[(flag, Val::ONE)]), &publics));
    }
    Case::default().accepts(&Shift, 1);
}

#[test]
fn full_table_is_accepted() {
    let mut case = Case::default();
    (0..8).for_each(|i| push(&mut case, fshl(i), 0xdead_beef, 0x0123_4567));
    case.accepts(&Shift, 8);
}

#[test]
fn the_sign_is_not_free() {
    let mut case = Case::default();
    push(&mut case, binary(Op::ShrS), 0x8000_0000, 31);
    let (mut trace, publics) = case.accepts(&Shift, 1);
    // Everything is consistent with a positive x but x itself.
    let forged = {
        let mut other = Case::default();
        let row = other.push(binary(Op::ShrS), 0, 31, 0, Default::default());
        other.record.shift.push(row);
        crate::table::Fill::fill(&Shift, &other.shard(), 1, &Default::default())
    };
    assert!(case.refuses(&Shift, &forged, &publics));
    trace =
        with(&Shift, &trace, 0, &[("sign", Val::ZERO), ("z[0]", Val::ONE), ("z[1]", Val::ZERO)]);
    assert!(case.refuses(&Shift, &trace, &publics));
}

/// The amount is y mod 32 as integers: in the field, every s is `y - 32 wraps` for some `wraps`.
#[test]
fn past_011_the_amount_is_bound() {
    for op in DYNAMIC {
        let mut other = Case::default();
        push(&mut other, binary(op), 0x89ab_cdef, 4);
        let (trace, publics) = other.accepts(&Shift, 1);
        // A shift by 4 that answers a request for a shift by 3.
        let wraps = -Val::new(32).inverse();
        let forged = with(&Shift, &trace, 0, &[("y[0]", Val::new(3)), ("wraps", wraps)]);
        let mut case = Case::default();
        let result = alu::coprocessor(&binary(op), 0x89ab_cdef, 4).unwrap();
        case.operation(binary(op), 0x89ab_cdef, 3, result);
        assert!(case.lookups_refuse(&Shift, &forged, &publics) > 0, "{op:?}");
    }
}

/// The dropped bits could hide in a carry that is no byte.
#[test]
fn carries_are_bound() {
    let mut case = Case::default();
    push(&mut case, binary(Op::Shl), 0x0123_4567, 4);
    let (trace, publics) = case.accepts(&Shift, 1);
    // The lowest product is 0: dropped = -256 carry. The result would be one too large.
    let cells = [("carry[0]", Val::ONE), ("dropped", -Val::new(256)), ("z[0]", Val::new(0x5671))];
    let mut forged = Case::default();
    forged.operation(binary(Op::Shl), 0x0123_4567, 4, 0x1234_5671);
    assert!(forged.lookups_refuse(&Shift, &with(&Shift, &trace, 0, &cells), &publics) > 0);
}
