//! Given a word (or two) and an amount, this chip proves the shifted or rotated word.
//!
//! All six operations are one: the high word of a 64-bit value, high word `hi` and low word `lo`,
//! shifted left by `k` in `0..=32`.
//!
//! | operation by `s` | `hi` | `lo` | `k` |
//! | --- | --- | --- | --- |
//! | shift left | x | 0 | s |
//! | rotate left | x | x | s |
//! | funnel shift left | x | y | s |
//! | shift right | 0 or the sign, 32 times | x | 32 - s |
//! | rotate right | x | x | 32 - s |
//!
//! With `n = s` to the left and `n = 31 - s` to the right, `k` is `n`, and one more to the right.
//! Whole bytes of `n` select five of the eight bytes of `hi:lo`; the rest of `k`, at most 8, is a
//! multiplication by a power of two in three steps with carries. Each product stays below `2^25`.

mod air;
mod columns;
#[cfg(test)]
mod tests;
mod trace;

use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use columns::ShiftCols;

use crate::{
    Val,
    counts::Counts,
    table::{Fill, Shard, Table},
};

/// The table of `Shl`, `ShrU`, `ShrS`, `Rotl`, `Rotr` and `Fshl`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shift;

impl Table for Shift {
    const NAME: &'static str = "shift";

    fn columns(&self) -> Vec<String> {
        ShiftCols::<Val>::names()
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}

impl Fill for Shift {
    fn rows(&self, shard: &Shard<'_>) -> usize {
        shard.record.shift.len()
    }

    fn fill(&self, shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
        trace::fill(shard, height, counts)
    }
}
