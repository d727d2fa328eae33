//! Tests of the `mul` table.

use p3_field::{Field, PrimeCharacteristicRing};
use rwprove_isa::{Op, alu};

use super::Mul;
use crate::{
    Val,
    coprocessor::tester::{Case, EDGES, binary, bound, padded, random, with},
};

fn case(operands: impl IntoIterator<Item = (u32, u32)>) -> Case {
    let mut case = Case::default();
    for (a, b) in operands {
        for op in [Op::Mul, Op::MulHi] {
            let result = alu::coprocessor(&binary(op), a, b).unwrap();
            let row = case.operation(binary(op), a, b, result);
            case.record.mul.push(row);
        }
    }
    case
}

#[test]
fn accepts_edges_and_random_operands() {
    let mut next = random();
    let edges = EDGES.into_iter().flat_map(|a| EDGES.map(|b| (a, b)));
    let operands: Vec<_> = edges.chain((0..100).map(|_| (next(), next()))).collect();
    case(operands).accepts(&Mul, 1024);
}

#[test]
fn every_column_of_a_real_row_is_bound() {
    let filled = case([(0x8234_5678, 0x9abc_def0), (3, 5)]).accepts(&Mul, 4);
    bound(&Mul, &filled, 0..4);
}

#[test]
fn padding_says_nothing() {
    let case = case([(5, 6)]);
    let filled = case.accepts(&Mul, 4);
    assert!(padded(&filled.0, 2));
    bound(&Mul, &filled, [2, 3]);
    let (trace, publics) = filled;
    for flag in ["low_word", "high_word"] {
        assert!(case.refuses(&Mul, &with(&Mul, &trace, 3, &[(flag, Val::ONE)]), &publics));
    }
    Case::default().accepts(&Mul, 1);
}

#[test]
fn full_table_is_accepted() {
    case([(u32::MAX, u32::MAX), (0, 7)]).accepts(&Mul, 4);
}

/// A limb one too high with a carry that is a fraction: the carry times `2^16` is right, the carry
/// is not a number below `2^16`.
#[test]
fn past_007_a_scaled_carry_is_refused() {
    let mut case = Case::default();
    let row = case.operation(binary(Op::Mul), 3, 5, 14);
    case.record.mul.push(row);
    let counts = Default::default();
    let trace = crate::table::Fill::fill(&Mul, &case.shard(), 1, &counts);
    // Each carry in turn is divided by 2^16, so that all limbs but the lowest stay zero.
    let fraction = Val::new(1 << 16).inverse();
    let low = Val::new(14);
    let carries = [fraction, fraction.square(), fraction.cube()];
    let cells = [
        ("product[0]", low),
        ("z[0]", low),
        ("carry[0]", carries[0]),
        ("carry[1]", carries[1]),
        ("carry[2]", carries[2]),
    ];
    let forged = with(&Mul, &trace, 0, &cells);
    assert!(case.lookups_refuse(&Mul, &forged, &[]) > 0);
}

/// The same limb sum modulo p: `lo + 2^16 c` one time p higher, where c is still below `2^16`.
#[test]
fn a_carry_around_the_field_is_refused() {
    let mut case = Case::default();
    let row = case.operation(binary(Op::MulHi), 0, 0, 0);
    case.record.mul.push(row);
    let counts = Default::default();
    let trace = crate::table::Fill::fill(&Mul, &case.shard(), 1, &counts);
    // p = 2^16 · 32512 + 1
    let cells = [("product[2]", Val::ONE), ("carry[2]", Val::new(32512))];
    let forged = [("z[0]", Val::ONE), ("z[1]", Val::new(32512))];
    let changed = with(&Mul, &trace, 0, &[cells, forged].concat());
    let mut wrong = Case::default();
    let row = wrong.operation(binary(Op::MulHi), 0, 0, 1 | 32512 << 16);
    wrong.record.mul.push(row);
    assert!(wrong.lookups_refuse(&Mul, &changed, &[]) > 0);
}
