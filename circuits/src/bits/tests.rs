//! Tests of the `bits` table.

use p3_field::PrimeCharacteristicRing;
use rwprove_isa::{Instr, Op, Operand, alu};

use super::Bits;
use crate::{
    Val,
    coprocessor::tester::{Case, EDGES, binary, bound, padded, random, with},
};

const OPS: [Op; 5] = [Op::Clz, Op::Ctz, Op::Popcnt, Op::Extend8S, Op::Extend16S];

fn case(operands: impl IntoIterator<Item = u32>) -> Case {
    let mut case = Case::default();
    for x in operands {
        for op in OPS {
            let instr = Instr { b: Operand::None, ..binary(op) };
            let result = alu::coprocessor(&instr, x, 0).unwrap();
            let row = case.operation(instr, x, 0, result);
            case.record.bits.push(row);
        }
    }
    case
}

#[test]
fn accepts_edges_single_bits_and_random_operands() {
    let mut next = random();
    let mut operands = EDGES.to_vec();
    operands.extend((0..32).map(|i| 1 << i));
    operands.extend((0..32).map(|i| u32::MAX << i));
    operands.extend((0..32).map(|i| u32::MAX >> i));
    operands.extend((0..60).map(|i| next() >> (i % 32)));
    case(operands).accepts(&Bits, 1024);
}

#[test]
fn every_column_of_a_real_row_is_bound() {
    let operands = [0x0001_2300, 0, 0x8000_0001, 0x0080_ff00];
    let filled = case(operands).accepts(&Bits, 32);
    bound(&Bits, &filled, 0..OPS.len() * operands.len());
}

#[test]
fn zero_is_not_free() {
    let case = case([0x100]);
    let (trace, _) = case.accepts(&Bits, 8);
    let none = [("pick[1]", Val::ZERO), ("zero", Val::ONE), ("byte", Val::ZERO)];
    let rest = [("place", Val::ZERO), ("power", Val::ZERO), ("z[0]", Val::new(32))];
    for row in 0..2 {
        let forged = with(&Bits, &trace, row, &[none, rest].concat());
        assert!(case.refuses(&Bits, &forged, &[]));
        // Another byte than the first.
        let cells = [("pick[1]", Val::ZERO), ("pick[2]", Val::ONE)];
        assert!(case.refuses(&Bits, &with(&Bits, &trace, row, &cells), &[]));
    }
}

#[test]
fn padding_says_nothing() {
    let case = case([5]);
    let filled = case.accepts(&Bits, 8);
    assert!(padded(&filled.0, 5));
    bound(&Bits, &filled, [7]);
    Case::default().accepts(&Bits, 1);
}

#[test]
fn full_table_is_accepted() {
    let mut full = case([1, 2, 3]);
    full.record.bits.push(15);
    let instr = Instr { b: Operand::None, ..binary(Op::Popcnt) };
    assert_eq!(full.operation(instr, u32::MAX, 0, 32), 15);
    full.accepts(&Bits, 16);
}
