//! Tests of the `hint` table.

use p3_field::BasedVectorSpace;

use super::*;
use crate::{
    check::Violation,
    circuit::tester::{Others, challenge, elements, needs_every_constraint},
};

fn case() -> (Others, Hint, RowMajorMatrix<Val>) {
    let mut random = elements();
    let mut others = Others::default();
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for (i, count) in [1, 0, 5, -1, 2].into_iter().enumerate() {
        let felt = i % 2 == 0;
        let value = if felt { random().into() } else { challenge(&mut random) };
        let wire = Cell { index: i as u32 + 1, count };
        others.answer_wire(wire, value);
        rows.push(Row { felt, wire });
        values.push(value);
    }
    (others, Hint::new(&rows, 8), fill(&values, 8))
}

#[test]
fn any_value_is_accepted() {
    let (others, table, trace) = case();
    others.verdict(&table, &trace).unwrap();
    Others::default().verdict(&Hint::new(&[], 8), &fill(&[], 8)).unwrap();
}

#[test]
fn every_cell_that_is_read_is_bound() {
    let (others, table, trace) = case();
    others.binds(&table, &trace, |row, _| row == 1 || row >= 5);
}

#[test]
fn a_felt_has_one_coefficient() {
    // Even if nobody reads it.
    let table = Hint::new(&[Row { felt: true, wire: Cell::default() }], 8);
    let value = Challenge::from_basis_coefficients_fn(Val::from_usize);
    let refused = Others::default().verdict(&table, &fill(&[value], 8));
    assert!(matches!(refused, Err(Violation::Constraint { row: 0, .. })));
}

#[test]
fn each_constraint_is_needed() {
    let _ = constraints();
}

/// All constraints, each of which is shown to be needed.
pub(in crate::circuit) fn constraints() -> usize {
    let (_, table, trace) = case();
    let forgeries = (1..EXTENSION).map(|i| {
        let mut trace = trace.clone();
        trace.values[i] = Val::ONE;
        trace
    });
    needs_every_constraint(&table, forgeries)
}
