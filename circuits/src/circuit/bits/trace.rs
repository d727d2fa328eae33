//! Filling the `bits` table.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use p3_matrix::dense::RowMajorMatrix;

use super::{BitsCols, FixedCols, PART, ROWS, Row};
use crate::{Val, circuit::lay};

/// Rows with some of the seven highest bits.
const HIGH: usize = 2;

/// The preprocessed columns.
pub(super) fn fixed(rows: &[Row], height: usize) -> RowMajorMatrix<Val> {
    let width = FixedCols::<Val>::WIDTH;
    let all = lay(rows, 1, ROWS * width, height / ROWS, |row, cells| {
        for (i, cells) in cells.chunks_exact_mut(width).enumerate() {
            columns(row, i).write_to(cells);
        }
    });
    RowMajorMatrix::new(all.values, width)
}

/// Row `i` of those of a felt has the bits from this one on.
const fn lowest(i: usize) -> usize {
    PART * (ROWS - 1 - i)
}

fn columns(row: &Row, i: usize) -> FixedCols<Val> {
    let last = i + 1 == ROWS;
    let count = |j: usize| row.counts.get(lowest(i) + j).copied().unwrap_or(0);
    FixedCols {
        first: Val::from_bool(i == 0),
        high: Val::from_bool(i < HIGH),
        more: Val::from_bool(!last),
        felt: if last { Val::from_u32(row.felt) } else { Val::ZERO },
        read: Val::from_bool(last),
        bits: Val::from_u32(row.bits + lowest(i) as u32),
        counts: std::array::from_fn(|j| Val::from_i32(count(j))),
    }
}

/// The main columns of felts.
pub fn fill(felts: &[Val], height: usize) -> RowMajorMatrix<Val> {
    let width = BitsCols::<Val>::WIDTH;
    let all = lay(felts, 1, ROWS * width, height / ROWS, |felt, cells| {
        let (felt, mut ones) = (felt.as_canonical_u32(), 0);
        for (i, cells) in cells.chunks_exact_mut(width).enumerate() {
            let value = felt >> lowest(i);
            let bits = std::array::from_fn(|j| Val::from_u32(value >> j & 1));
            let inverse = Val::from_u32(7 - ones).try_inverse().unwrap_or_default();
            let (value, count) = (Val::from_u32(value), Val::from_u32(ones));
            BitsCols { bits, value, ones: count, inverse }.write_to(cells);
            if i < HIGH {
                ones += (felt >> lowest(i) & 0xf).count_ones();
            }
        }
    });
    RowMajorMatrix::new(all.values, width)
}
