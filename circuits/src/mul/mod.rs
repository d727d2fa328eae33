//! Given two words, this chip proves the low or the high word of their unsigned product.
//!
//! The product of the bytes is summed up limb by limb, with carries. Each carry is checked as the
//! number it is, and their sum to be below `2^12`: so no equation can wrap around the field.

mod air;
mod columns;
#[cfg(test)]
mod tests;
mod trace;

use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use columns::MulCols;

use crate::{
    Val,
    counts::Counts,
    table::{Fill, Shard, Table},
};

/// The table of `Mul` and `MulHi`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mul;

impl Table for Mul {
    const NAME: &'static str = "mul";

    fn columns(&self) -> Vec<String> {
        MulCols::<Val>::names()
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}

impl Fill for Mul {
    fn rows(&self, shard: &Shard<'_>) -> usize {
        shard.record.mul.len()
    }

    fn fill(&self, shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
        trace::fill(shard, height, counts)
    }
}
