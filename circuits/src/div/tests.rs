//! Tests of the `div` table.

use p3_field::PrimeCharacteristicRing;
use rwprove_isa::{
    Op,
    record::{Outcome, clock, limbs},
};

use super::Div;
use crate::{
    Val,
    coprocessor::tester::{Case, EDGES, binary, bound, padded, random, with},
    table::Fill,
};

fn push32(case: &mut Case, op: Op, a: u32, b: u32) {
    let result = if op == Op::DivU { a / b } else { a % b };
    let row = case.operation(binary(op), a, b, result);
    case.record.div.push(row);
}

fn push64(case: &mut Case, [low, high]: [Op; 2], a: u64, b: u64) {
    let result = if low == Op::DivU64Lo { a / b } else { a % b };
    let halves = |shift: u32| [a, b, result].map(|x| (x >> shift) as u32);
    for (op, [a, b, c]) in [(low, halves(0)), (high, halves(32))] {
        let row = case.push(binary(op), a, b, c, Outcome::Plain);
        let clk = clock(row as usize);
        case.ask(binary(op).tag(), clk, [limbs(a), limbs(b), limbs(c)]);
        if op == low {
            case.record.div.push(row);
        }
    }
}

const DIV: [Op; 2] = [Op::DivU64Lo, Op::DivU64Hi];
const REM: [Op; 2] = [Op::RemU64Lo, Op::RemU64Hi];

fn push(case: &mut Case, a: u64, b: u64) {
    if b as u32 != 0 {
        push32(case, Op::DivU, a as u32, b as u32);
        push32(case, Op::RemU, a as u32, b as u32);
    }
    push64(case, DIV, a, b);
    push64(case, REM, a, b);
}

#[test]
fn past_001_accepts_edges_and_random_operands() {
    let mut case = Case::default();
    let mut next = random();
    let mut edges: Vec<u64> = EDGES.map(u64::from).to_vec();
    edges.extend([1 << 32, u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1, 0xffff_ffff_0000_0000]);
    for a in &edges {
        for b in edges.iter().filter(|b| **b != 0) {
            push(&mut case, *a, *b);
        }
    }
    for i in 0..100 {
        let mut wide = || u64::from(next()) << 32 | u64::from(next());
        let (a, b) = (wide(), (wide() >> (i % 64)).max(1));
        push(&mut case, a, b);
    }
    case.accepts(&Div, 2048);
}

#[test]
fn every_column_of_a_real_row_is_bound() {
    let mut case = Case::default();
    push(&mut case, 0xfedc_ba98_7654_3210, 0x1234_5679);
    push(&mut case, 0xfedc_ba98_7654_3210, 0x0001_0203_0405_0607);
    push(&mut case, 7, 9);
    push(&mut case, 0x1_0000_0007, 0x1_0000_0009);
    let filled = case.accepts(&Div, 16);
    bound(&Div, &filled, 0..16);
}

#[test]
fn padding_says_nothing() {
    let mut case = Case::default();
    push32(&mut case, Op::RemU, 100, 7);
    let filled = case.accepts(&Div, 4);
    assert!(padded(&filled.0, 1));
    bound(&Div, &filled, [1, 3]);
    let (trace, _) = filled;
    for flag in ["div32", "rem32", "div64", "rem64"] {
        assert!(case.refuses(&Div, &with(&Div, &trace, 2, &[(flag, Val::ONE)]), &[]));
    }
    Case::default().accepts(&Div, 1);
}

#[test]
fn full_table_is_accepted() {
    let mut case = Case::default();
    (1..9).for_each(|b| push32(&mut case, Op::DivU, u32::MAX, b));
    case.accepts(&Div, 8);
}

/// Every answer to a division by zero is refused, whatever quotient is tried: b - r - 1 is
/// negative.
#[test]
fn past_025_division_by_zero_has_no_row() {
    for (quotient, remainder) in [(0, 10), (u32::MAX, 10), (0, 0)] {
        let mut case = Case::default();
        let row = case.operation(binary(Op::DivU), 10, 0, quotient);
        case.record.div.push(row);
        let empty = Div.fill(&case.shard(), 1, &Default::default());
        assert!(case.refuses(&Div, &empty, &[]), "the filler leaves the request open");
        let byte = Val::from_u32(quotient & 255);
        let limb = Val::from_u32(quotient & 0xffff);
        for top in ["top[0]", "top[3]"] {
            let mut cells = vec![("div32", Val::ONE), ("a[0]", Val::new(10)), (top, Val::ONE)];
            cells.extend([("r[0]", Val::new(remainder)), ("z[0]", limb), ("z[1]", limb)]);
            cells.extend(["q[0]", "q[1]", "q[2]", "q[3]"].map(|q| (q, byte)));
            let at_top = if top == "top[0]" { Val::new(remainder) } else { Val::ZERO };
            cells.push(("rest", -at_top - Val::ONE));
            assert!(case.refuses(&Div, &with(&Div, &empty, 0, &cells), &[]));
        }
    }
}

/// A quotient one too small with a remainder one divisor too large.
#[test]
fn the_remainder_is_less_than_the_divisor() {
    let mut case = Case::default();
    let row = case.operation(binary(Op::DivU), 23, 7, 2);
    case.record.div.push(row);
    let trace = Div.fill(&case.shard(), 1, &Default::default());
    let two = Val::TWO;
    let cells = [("q[0]", two), ("z[0]", two), ("r[0]", Val::new(9)), ("rest", -Val::new(3))];
    let forged = with(&Div, &trace, 0, &cells);
    assert!(case.lookups_refuse(&Div, &forged, &[]) > 0);
}

/// `q b + r = a + 2^64` is no division of a.
#[test]
fn a_product_above_64_bits_is_refused() {
    let mut case = Case::default();
    // 2^33 · 2^31 = 2^64, so a would be 0.
    push64(&mut case, DIV, 0, 1 << 31);
    let (trace, _) = case.accepts(&Div, 1);
    let mut forged = Case::default();
    for (op, [a, b, c]) in [(DIV[0], [0, 1 << 31, 0]), (DIV[1], [0, 0, 2])] {
        let row = forged.push(binary(op), a, b, c, Outcome::Plain);
        forged.ask(binary(op).tag(), clock(row as usize), [limbs(a), limbs(b), limbs(c)]);
    }
    let cells = [("q[4]", Val::TWO), ("z[2]", Val::TWO)];
    let trace = with(&Div, &trace, 0, &cells);
    assert!(forged.refuses(&Div, &trace, &[]));
}

/// The high half of a pair must be the row directly after the low half.
#[test]
fn halves_of_different_divisions_do_not_mix() {
    let mut case = Case::default();
    push64(&mut case, DIV, 5 << 32 | 6, 1);
    push64(&mut case, DIV, 7 << 32 | 8, 1);
    let (trace, _) = case.accepts(&Div, 2);
    let mut mixed = trace;
    for (row, high) in [(0, 7), (1, 5)] {
        let high = Val::new(high);
        mixed = with(&Div, &mixed, row, &[("a[2]", high), ("q[4]", high), ("z[2]", high)]);
    }
    assert!(case.refuses(&Div, &mixed, &[]));
}

#[test]
fn narrow_operands_have_no_high_words() {
    let mut case = Case::default();
    push32(&mut case, Op::DivU, 5, 1);
    let (trace, _) = case.accepts(&Div, 1);
    // 2^32 + 5 divided by 1, of which the request sees the low words.
    let wide = with(&Div, &trace, 0, &[("a[2]", Val::ONE), ("q[4]", Val::ONE), ("z[2]", Val::ONE)]);
    assert!(case.refuses(&Div, &wide, &[]));
}

/// `2^16 · 32512 = p - 1`: such a carry would make the remainder smaller by one and 32512 · 2^16.
#[test]
fn a_carry_around_the_field_is_refused() {
    let (a, b) = (0xfff0_0005_u32, 0xffff_ffff_u32);
    let mut case = Case::default();
    push32(&mut case, Op::RemU, a, b);
    let (trace, _) = case.accepts(&Div, 1);
    let forged = a - 1 - (32512 << 16);
    let [z0, z1] = limbs(forged).map(Val::from_u32);
    let rest = Val::from_u32(0xffff - (forged >> 16) - 1);
    let cells = [
        ("r[0]", z0),
        ("r[1]", z1),
        ("z[0]", z0),
        ("z[1]", z1),
        ("carry[0]", Val::new(32512)),
        ("rest", rest),
    ];
    let trace = with(&Div, &trace, 0, &cells);
    let mut wrong = Case::default();
    wrong.operation(binary(Op::RemU), a, b, forged);
    assert!(wrong.lookups_refuse(&Div, &trace, &[]) > 0);
}

/// The limb shown must be the highest in which divisor and remainder differ.
#[test]
fn a_lower_limb_does_not_decide() {
    let mut case = Case::default();
    // 0x20000 = 0 · 0x10001 + 0x20000, where the lowest limb of the remainder is less.
    let row = case.operation(binary(Op::RemU), 0x2_0000, 0x1_0001, 0x2_0000);
    case.record.div.push(row);
    let trace = Div.fill(&case.shard(), 1, &Default::default());
    let zero = Val::ZERO;
    let cells = [("r[0]", zero), ("r[1]", Val::TWO), ("z[0]", zero), ("z[1]", Val::TWO)];
    let quotient = [("q[0]", zero), ("top[0]", Val::ONE), ("top[1]", zero), ("rest", zero)];
    let forged = with(&Div, &trace, 0, &[cells, quotient].concat());
    assert!(case.refuses(&Div, &forged, &[]));
}
