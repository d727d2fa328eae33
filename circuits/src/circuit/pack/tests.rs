//! Tests of the `pack` table.

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};

use super::*;
use crate::{
    Challenge,
    check::Violation,
    circuit::tester::{Others, elements},
};

/// Rows with every set of names: of a block, a wire and felts each is created, read, or absent.
fn case() -> (Others, Vec<Row>, Vec<[Val; BLOCK]>) {
    let mut random = elements();
    let mut others = Others::default();
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for names in 0..27 {
        let elements: [Val; BLOCK] = std::array::from_fn(|_| random());
        let counts = [names, names / 3, names / 9].map(|n| [0, 2, -1][n % 3]);
        let number = 20 * (names as u32 + 1);
        let block = Cell { index: number, count: counts[0] };
        let wire = Cell { index: number + 8, count: counts[1] };
        let felt = |i: usize| Cell {
            index: number + i as u32,
            // Not all alike.
            count: if i == names % BLOCK { 0 } else { counts[2] },
        };
        let row = Row { block, wire, felts: std::array::from_fn(felt) };
        others.answer_block(row.block, elements);
        let first = Challenge::from_basis_coefficients_fn(|i| elements[i]);
        others.answer_wire(row.wire, first);
        for (felt, element) in row.felts.into_iter().zip(elements) {
            others.answer_wire(felt, element.into());
        }
        rows.push(row);
        values.push(elements);
    }
    (others, rows, values)
}

#[test]
fn all_names_are_accepted() {
    let (others, rows, values) = case();
    others.verdict(&Pack::new(&rows, 32), &fill(&values, 32)).unwrap();
    Others::default().verdict(&Pack::new(&[], 8), &fill(&[], 8)).unwrap();
}

#[test]
fn every_element_with_a_name_is_bound() {
    let (others, rows, values) = case();
    others.binds(&Pack::new(&rows, 32), &fill(&values, 32), |row, column| {
        let Some(row) = rows.get(row) else { return true };
        let place = (0..BLOCK).find(|i| column == format!("elements[{i}]")).unwrap();
        let wire = row.wire.count != 0 && place < EXTENSION;
        row.block.count == 0 && !wire && row.felts[place].count == 0
    });
}

#[test]
fn a_felt_is_no_block() {
    // The message of a block with the numbers of a felt cannot stand for the felt.
    let mut others = Others::default();
    let felts = std::array::from_fn(|i| Cell { index: 1, count: i32::from(i == 0) });
    let row = Row { felts, ..Row::default() };
    let mut elements = [Val::ZERO; BLOCK];
    elements[0] = Val::TWO;
    others.answer_block(Cell { index: 1, count: 1 }, elements);
    let refused = others.verdict(&Pack::new(&[row], 8), &fill(&[elements], 8));
    assert!(matches!(refused, Err(Violation::Bus { .. })));
}
