//! Filling the `hash` table.

use p3_field::{PackedValue, PrimeCharacteristicRing};
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;

use super::{FixedCols, HashCols, Row, Step, Values};
use crate::{
    Val,
    circuit::BLOCK,
    poseidon2::{self, Packed, WIDTH},
};

const COLS: usize = HashCols::<Val>::WIDTH;

/// The preprocessed columns. The way to a row's inputs stands in the row before.
pub(super) fn fixed(rows: &[Row], height: usize) -> RowMajorMatrix<Val> {
    debug_assert!(rows.len() <= height);
    let width = FixedCols::<Val>::WIDTH;
    let mut values = Val::zero_vec(width * height);
    values.par_chunks_exact_mut(width).enumerate().for_each(|(i, cells)| {
        let mut columns = FixedCols::from_row(cells);
        // The row after the last one is the first.
        if let Some(next) = rows.get((i + 1) % height) {
            way(next.step, &mut columns);
        }
        if let Some(row) = rows.get(i) {
            [columns.output, columns.output_count] = row.output.columns();
            let [left, right] = row.step.blocks();
            [columns.left, columns.left_read] = read(left);
            [columns.right, columns.right_read] = read(right);
        }
        columns.write_to(cells);
    });
    RowMajorMatrix::new(values, width)
}

fn read(block: Option<u32>) -> [Val; 2] {
    [Val::from_u32(block.unwrap_or(0)), Val::from_bool(block.is_some())]
}

/// How a step takes the outputs of the row before.
fn way(step: Step, columns: &mut FixedCols<Val>) {
    let (carry, zero) = (Val::ONE, Val::NEG_ONE);
    let state = |first| if first { zero } else { carry };
    // Where the first `len` inputs are free.
    let rate = |len, way| std::array::from_fn(|i| if i < len { Val::ZERO } else { way });
    match step {
        Step::Sponge { first, len, .. } => {
            columns.rate = rate(len, state(first));
            columns.capacity = state(first);
        }
        Step::Absorb { first, len, .. } => {
            columns.rate = rate(len, zero);
            columns.capacity = state(first);
            columns.detail = Val::from_usize(len);
        }
        Step::Squeeze => {
            columns.rate = [carry; BLOCK];
            columns.capacity = carry;
        }
        Step::Compress { .. } => {}
        Step::Inject { .. } => columns.rate = [carry; BLOCK],
        Step::Climb { bit } => {
            columns.climb = Val::ONE;
            columns.detail = Val::from_u32(bit);
        }
    }
}

/// The main columns of rows, with the values of each.
pub fn fill(values: &[Values], height: usize) -> RowMajorMatrix<Val> {
    debug_assert!(values.len() <= height);
    let mut cells = Val::zero_vec(height * COLS);
    // Several rows at a time, so that their permutations share instructions.
    cells.par_chunks_mut(COLS * Packed::WIDTH).enumerate().for_each(|(batch, rows)| {
        let at = |lane: usize| values.get(batch * Packed::WIDTH + lane);
        let input = |lane: usize| at(lane).map_or([Val::ZERO; WIDTH], |values| values.input);
        let packed = poseidon2::fill_permutation(Packed::pack_columns_fn::<WIDTH>(input));
        for (lane, row) in rows.chunks_exact_mut(COLS).enumerate() {
            // A digest has the bit of the row that it climbs into.
            let next = values.get(batch * Packed::WIDTH + lane + 1);
            let bit = Val::from_bool(next.is_some_and(|values| values.bit));
            let permutation = packed.map(|c| c.extract(lane));
            HashCols { permutation, bit }.write_to(row);
        }
    });
    RowMajorMatrix::new(cells, COLS)
}
