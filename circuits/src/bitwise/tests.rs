//! Tests of the `bitwise` table.

use p3_field::PrimeCharacteristicRing;
use rwprove_isa::Op;

use super::Bitwise;
use crate::{
    Val,
    coprocessor::tester::{Case, EDGES, binary, bound, moved, padded, random, with},
};

fn case(operands: impl IntoIterator<Item = (u32, u32)>) -> Case {
    let mut case = Case::default();
    for (a, b) in operands {
        for (op, c) in [(Op::And, a & b), (Op::Or, a | b), (Op::Xor, a ^ b)] {
            let row = case.operation(binary(op), a, b, c);
            case.record.bitwise.push(row);
        }
    }
    case
}

#[test]
fn accepts_edges_and_random_operands() {
    let mut next = random();
    let edges = EDGES.into_iter().flat_map(|a| EDGES.map(|b| (a, b)));
    let operands: Vec<_> = edges.chain((0..100).map(|_| (next(), next()))).collect();
    case(operands).accepts(&Bitwise, 1024);
}

#[test]
fn every_column_of_a_real_row_is_bound() {
    let filled = case([(0x1234_5678, 0x9abc_def0)]).accepts(&Bitwise, 4);
    bound(&Bitwise, &filled, 0..3);
}

#[test]
fn padding_says_nothing() {
    let case = case([(5, 6)]);
    let filled = case.accepts(&Bitwise, 8);
    assert!(padded(&filled.0, 3));
    bound(&Bitwise, &filled, [7]);
    Case::default().accepts(&Bitwise, 1);
}

#[test]
fn full_table_is_accepted() {
    let mut next = random();
    let mut full = case((0..5).map(|_| (next(), next())));
    full.record.bitwise.push(15);
    let row = full.operation(binary(Op::Xor), 1, 3, 2);
    assert_eq!(row, 15);
    full.accepts(&Bitwise, 16);
}

#[test]
fn two_operations_on_one_row_are_refused() {
    let case = case([(3, 5)]);
    let (trace, publics) = case.accepts(&Bitwise, 4);
    let both = with(&Bitwise, &trace, 0, &[("or", Val::ONE)]);
    assert!(case.refuses(&Bitwise, &both, &publics));
    let negative = with(&Bitwise, &trace, 0, &[("and", Val::TWO), ("or", Val::NEG_ONE)]);
    assert!(case.refuses(&Bitwise, &negative, &publics));
}

/// The same word cut into cells that are no bytes.
#[test]
fn operands_are_cut_into_bytes() {
    let case = case([(0x1234_5678, 0x9abc_def0)]);
    let (trace, publics) = case.accepts(&Bitwise, 4);
    for (low, high) in [("x[0]", "x[1]"), ("x[2]", "x[3]"), ("y[0]", "y[1]"), ("y[2]", "y[3]")] {
        let moved = moved(&Bitwise, &trace, 0, low, high);
        assert!(case.lookups_refuse(&Bitwise, &moved, &publics) > 0, "{low}");
    }
}
