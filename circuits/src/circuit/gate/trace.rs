//! Filling the `gate` table.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;

use super::{FixedCols, GateCols, LANES, Row, Values};
use crate::{
    Val,
    circuit::{Cell, extension::coefficients, lay},
};

/// The preprocessed columns.
pub(super) fn fixed(rows: &[Row], zeros: usize, height: usize) -> RowMajorMatrix<Val> {
    let absent = |row: &Row| row.operands.iter().filter(|wire| **wire == 0).count();
    let padding = LANES * height - rows.len();
    let zeros = zeros + 3 * padding + rows.iter().map(absent).sum::<usize>();
    let zero = Row { result: Cell { index: 0, count: zeros as i32 }, ..Row::default() };
    let rows: Vec<_> = std::iter::once(&zero).chain(rows).collect();
    lay(&rows, LANES, FixedCols::<Val>::WIDTH, height, |row, cells| columns(row).write_to(cells))
}

fn columns(row: &Row) -> FixedCols<Val> {
    let &Row { m, p, q, r, k, operands, result } = row;
    let [a, b, c] = operands.map(Val::from_u32);
    let [d, count] = result.columns();
    FixedCols { m, p, q, r, k, a, b, c, d, count }
}

/// The main columns of gates.
pub fn fill(values: &[Values], height: usize) -> RowMajorMatrix<Val> {
    let zero = Values::default();
    let values: Vec<_> = std::iter::once(&zero).chain(values).collect();
    lay(&values, LANES, GateCols::<Val>::WIDTH, height, |values, cells| {
        let [a, b, c] = values.operands.map(|x| coefficients(&x));
        GateCols { a, b, c, d: coefficients(&values.result) }.write_to(cells);
    })
}
