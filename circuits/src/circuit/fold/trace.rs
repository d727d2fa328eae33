//! Filling the `fold` table.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;

use super::{FixedCols, FoldCols, LEVELS, Row, Values};
use crate::{
    Challenge, EXTENSION, Val,
    circuit::{BLOCK, extension::coefficients, lay},
};

/// The preprocessed columns.
pub(super) fn fixed(rows: &[Row], height: usize) -> RowMajorMatrix<Val> {
    lay(rows, 1, FixedCols::<Val>::WIDTH, height, |row, cells| {
        let [value, position, x_inverse, beta, block] =
            [row.value, row.position, row.x_inverse, row.beta, row.block].map(Val::from_u32);
        let [result, result_count] = row.result.columns();
        let levels = std::array::from_fn(|level| Val::from_bool(level < row.k));
        let columns =
            FixedCols { levels, value, position, x_inverse, beta, block, result, result_count };
        columns.write_to(cells);
    })
}

/// The main columns of rows, with the values of each.
pub fn fill(rows: &[Row], values: &[Values], height: usize) -> RowMajorMatrix<Val> {
    let rows: Vec<_> = rows.iter().zip(values).collect();
    lay(&rows, 1, FoldCols::<Val>::WIDTH, height, |(row, values), cells| {
        columns(row.k, values).write_to(cells);
    })
}

fn columns(k: usize, step: &Values) -> FoldCols<Val> {
    let bits: [bool; LEVELS] = std::array::from_fn(|i| step.position >> i & 1 == 1);
    let [_, middle, high] = bits;
    FoldCols {
        values: std::array::from_fn(|i| step.blocks[i / BLOCK][i % BLOCK]),
        value: coefficients(&step.value()),
        position: bits.map(Val::from_bool),
        both: Val::from_bool(middle && high),
        x_inverse: step.x_inverse,
        beta: coefficients(&step.beta),
        ratios: flat(step.ratios()),
        folded: flat(step.folded().twice),
        result: coefficients(&step.result(k)),
    }
}

fn flat<const N: usize, const M: usize>(elements: [Challenge; N]) -> [Val; M] {
    let elements = elements.map(|x| coefficients(&x));
    std::array::from_fn(|i| elements[i / EXTENSION][i % EXTENSION])
}
