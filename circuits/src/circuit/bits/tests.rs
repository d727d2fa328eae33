//! Tests of the `bits` table.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use p3_matrix::{Matrix, dense::RowMajorMatrix};

use super::*;
use crate::{
    Challenge,
    check::Violation,
    circuit::{
        Cell,
        tester::{Others, elements, needs_every_constraint},
    },
};

const COLS: usize = BitsCols::<u8>::WIDTH;

/// Felts, and what other tables say.
#[derive(Clone, Default)]
struct Case {
    rows: Vec<Row>,
    felts: Vec<Val>,
    others: Others,
}

impl Case {
    fn new(felts: impl IntoIterator<Item = Val>) -> Self {
        let mut case = Self::default();
        felts.into_iter().for_each(|felt| case.push(felt));
        case
    }

    fn push(&mut self, felt: Val) {
        let number = 40 * (self.rows.len() as u32 + 1);
        // Some bits are read, others not.
        let counts = std::array::from_fn(|i| (i as i32 + 1) % 3);
        let row = Row { felt: number, bits: number + 1, counts };
        self.others.create_wire(row.felt, felt.into());
        let value = felt.as_canonical_u32();
        for (i, count) in (0..).zip(counts) {
            let cell = Cell { index: row.bits + i, count };
            self.others.answer_wire(cell, Challenge::from_bool(value >> i & 1 == 1));
        }
        self.rows.push(row);
        self.felts.push(felt);
    }

    fn height(&self) -> usize {
        (ROWS * self.rows.len()).next_power_of_two().max(ROWS)
    }

    fn table(&self) -> Bits {
        Bits::new(&self.rows, self.height())
    }

    fn trace(&self) -> RowMajorMatrix<Val> {
        fill(&self.felts, self.height())
    }
}

/// The rows that these bits of one felt make, from the highest four.
fn forge(
    parts: [[u32; PART]; ROWS],
    change: impl Fn(usize, &mut BitsCols<Val>),
) -> RowMajorMatrix<Val> {
    let mut trace = RowMajorMatrix::new(Val::zero_vec(ROWS * COLS), COLS);
    let (mut value, mut ones) = (Val::ZERO, Val::ZERO);
    for (i, (part, cells)) in parts.into_iter().zip(trace.values.chunks_exact_mut(COLS)).enumerate()
    {
        let bits = part.map(Val::from_u32);
        let number: Val = bits.iter().zip(Val::TWO.powers()).map(|(bit, power)| *bit * power).sum();
        let mut row =
            BitsCols { bits, value: value * Val::from_u32(16) + number, ones, inverse: Val::ZERO };
        change(i, &mut row);
        row.inverse = (Val::from_u32(7) - row.ones).try_inverse().unwrap_or_default();
        row.write_to(cells);
        value = row.value;
        ones = row.ones + if i < 2 { bits.into_iter().sum() } else { Val::ZERO };
    }
    trace
}

/// The bits of a number below 2^32.
fn parts(number: u64) -> [[u32; PART]; ROWS] {
    std::array::from_fn(|i| {
        std::array::from_fn(|j| (number >> (4 * (ROWS - 1 - i) + j) & 1) as u32)
    })
}

const ORDER: u64 = Val::ORDER_U32 as u64;

// POSITIVE

#[test]
fn felts_of_all_kinds_are_accepted() {
    let mut random = elements();
    let mut felts: Vec<_> = (0..BITS).map(|i| Val::from_u32(1 << i)).collect();
    felts.extend((0..BITS).map(|i| Val::from_u32(Val::ORDER_U32 - (1 << i))));
    felts.extend((0..60).map(|_| random()));
    felts.extend([Val::ZERO, Val::NEG_ONE, Val::from_u32((1 << 24) - 1)]);
    let case = Case::new(felts);
    case.others.verdict(&case.table(), &case.trace()).unwrap();
}

#[test]
fn forging_right_bits_is_filling() {
    for felt in [0, 5, ORDER - 1, 0x7123_4567] {
        let case = Case::new([Val::from_u64(felt)]);
        assert_eq!(forge(parts(felt), |_, _| ()), case.trace());
    }
}

// NEGATIVE

#[test]
fn every_cell_is_bound() {
    let case = Case::new([0, 0x5a5a_5a5a, ORDER - 1].map(Val::from_u64));
    let trace = case.trace();
    case.others.binds(&case.table(), &trace, |row, column| {
        let cells = BitsCols::from_row(&trace.values[COLS * row..]);
        let ones: Val = cells.bits.into_iter().sum();
        // Rows of no felt, and the inverse that has nothing to show.
        row >= ROWS * case.rows.len() || column == "inverse" && ones == Val::ZERO
    });
}

#[test]
fn only_the_canonical_bits_are_accepted() {
    for felt in [0, 1, 12345, (1 << 24) - 2] {
        // The same element of the field in 31 bits.
        let forged = forge(parts(felt + ORDER), |_, _| ());
        let mut case = Case::default();
        case.push(Val::from_u64(felt));
        let refused = case.others.verdict(&case.table(), &forged);
        assert!(matches!(refused, Err(Violation::Constraint { .. })), "{felt}");
    }
}

#[test]
fn the_largest_felt_is_no_other() {
    let case = Case::new([Val::NEG_ONE]);
    case.others.verdict(&case.table(), &forge(parts(ORDER - 1), |_, _| ())).unwrap();
    let refused = case.others.verdict(&case.table(), &forge(parts(ORDER), |_, _| ()));
    assert!(matches!(refused, Err(Violation::Constraint { .. })));
}

#[test]
fn each_constraint_is_needed() {
    let _ = constraints();
}

/// All constraints, each of which is shown to be needed.
pub(in crate::circuit) fn constraints() -> usize {
    let case = Case::new([Val::from_u32(5)]);
    let mut forgeries = Vec::new();
    // A bit that is none, of the last row.
    for bit in 0..PART {
        let mut two = parts(0);
        two[ROWS - 1][bit] = 2;
        forgeries.push(forge(two, |_, _| ()));
    }
    // Bit 31.
    forgeries.push(forge(parts(1 << 31), |_, _| ()));
    let change = |at: usize, change: fn(&mut BitsCols<Val>)| {
        forge(parts(5), move |i, row| {
            if i == at {
                change(row)
            }
        })
    };
    // The first row begins with another value, or with ones.
    forgeries.push(change(0, |row| row.value += Val::ONE));
    forgeries.push(change(0, |row| row.ones += Val::ONE));
    // A later row has another value, or forgets ones.
    forgeries.push(change(ROWS - 1, |row| row.value += Val::ONE));
    forgeries.push(forge(parts(ORDER), |i, row| {
        if i == 2 {
            row.ones -= Val::ONE
        }
    }));
    // More than the order.
    forgeries.push(forge(parts(ORDER), |_, _| ()));
    needs_every_constraint(&case.table(), forgeries)
}

#[test]
fn groups_of_rows_do_not_touch() {
    // Each felt begins anew, whatever the one before was.
    let mut case = Case::new([Val::NEG_ONE, Val::ONE]);
    let trace = case.trace();
    assert_eq!(trace.height(), 2 * ROWS);
    case.others.verdict(&case.table(), &trace).unwrap();
    case.felts.swap(0, 1);
    assert!(case.others.verdict(&case.table(), &case.trace()).is_err());
}
