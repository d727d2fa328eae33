//! Tests of the `gate` table.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::{Matrix, dense::RowMajorMatrix};

use super::*;
use crate::{
    EXTENSION,
    check::Violation,
    circuit::tester::{Others, challenge, elements, needs_every_constraint},
};

/// Gates with random constants and operands, and what other tables say.
#[derive(Clone, Default)]
struct Case {
    rows: Vec<Row>,
    values: Vec<Values>,
    others: Others,
    zeros: usize,
}

impl Case {
    /// Adds a gate with these operands, of which some are absent, and a result that is read so often.
    fn push(&mut self, constants: [Val; 5], operands: [Option<Challenge>; 3], count: i32) {
        let [m, p, q, r, k] = constants;
        let number = 10 * (self.rows.len() as u32 + 1);
        let result = Cell { index: number, count };
        let mut row = Row { m, p, q, r, k, operands: [0; 3], result };
        for (i, operand) in operands.into_iter().enumerate() {
            let Some(value) = operand else { continue };
            row.operands[i] = number + 1 + i as u32;
            self.others.create_wire(row.operands[i], value);
        }
        let operands = operands.map(Option::unwrap_or_default);
        let [a, b, c] = operands;
        let result = a * b * m + a * p + b * q + c * r + k;
        self.others.answer_wire(row.result, result);
        self.rows.push(row);
        self.values.push(Values { operands, result });
    }

    /// One that is zero and reads so.
    fn push_zero(&mut self) {
        self.rows.push(Row { result: Cell { index: 0, count: -1 }, ..Row::default() });
        self.values.push(Values::default());
        self.zeros += 1;
    }

    fn height(&self) -> usize {
        Gate::rows(self.rows.len()).next_power_of_two()
    }

    fn table(&self) -> Gate {
        Gate::new(&self.rows, self.zeros, self.height())
    }

    fn trace(&self) -> RowMajorMatrix<Val> {
        fill(&self.values, self.height())
    }

    fn verdict(&self) -> Result<(), Violation> {
        self.others.verdict(&self.table(), &self.trace())
    }
}

fn mixed() -> Case {
    let mut random = elements();
    let mut case = Case::default();
    for i in 0..8 {
        let constants =
            std::array::from_fn(|j| if i >> (j % 3) & 1 == 0 { random() } else { Val::ZERO });
        let operands = std::array::from_fn(|j| (i >> j & 1 == 0).then(|| challenge(&mut random)));
        case.push(constants, operands, if i % 3 == 0 { -1 } else { i });
    }
    case.push_zero();
    case
}

// POSITIVE

#[test]
fn products_and_sums_are_accepted() {
    mixed().verdict().unwrap();
}

#[test]
fn an_empty_table_is_accepted() {
    let case = Case::default();
    case.others.verdict(&Gate::new(&[], 0, 8), &fill(&[], 8)).unwrap();
}

#[test]
fn a_full_table_is_accepted() {
    let mut case = mixed();
    while !(case.rows.len() + 1).is_multiple_of(LANES) {
        case.push([Val::ONE; 5], [Some(Challenge::TWO); 3], 1);
    }
    while !case.rows.len().div_ceil(LANES).is_power_of_two() {
        (0..LANES).for_each(|_| case.push([Val::ONE; 5], [Some(Challenge::TWO); 3], 1));
    }
    assert_eq!(case.rows.len() + 1, LANES * case.height());
    case.verdict().unwrap();
}

#[test]
fn others_may_read_zero() {
    let mut case = mixed();
    case.zeros += 1;
    case.others.answer_wire(Cell { index: 0, count: 1 }, Challenge::ZERO);
    case.verdict().unwrap();
}

// NEGATIVE

#[test]
fn every_cell_is_bound() {
    let case = mixed();
    case.others.binds(&case.table(), &case.trace(), |_, _| false);
}

#[test]
fn zero_cannot_be_another_value() {
    // All that reads wire 0 agrees on one.
    let case = Case::default();
    let mut trace = fill(&[], 8);
    trace.values.fill(Val::ONE);
    let table = Gate::new(&[], 0, 8);
    assert!(matches!(case.others.verdict(&table, &trace), Err(Violation::Constraint { .. })));
}

#[test]
fn a_wrong_count_is_refused() {
    let mut case = mixed();
    case.zeros += 1;
    assert!(matches!(case.verdict(), Err(Violation::Bus { .. })));
}

#[test]
fn each_constraint_is_needed() {
    let _ = constraints();
}

/// All constraints, each of which is shown to be needed.
pub(in crate::circuit) fn constraints() -> usize {
    let case = mixed();
    let trace = case.trace();
    let result = GateCols::<u8>::WIDTH - EXTENSION;
    let forgeries = (0..LANES).flat_map(|lane| (0..EXTENSION).map(move |i| (lane, i)));
    let forgeries = forgeries.map(|(lane, i)| {
        let mut trace = trace.clone();
        let width = trace.width();
        trace.values[width + lane * GateCols::<u8>::WIDTH + result + i] += Val::ONE;
        trace
    });
    needs_every_constraint(&case.table(), forgeries)
}
