//! Given a dividend `a` and a divisor `b`, both of 64 bits, this chip proves quotient or remainder:
//! `a = q b + r` as integers and `r < b`, which determines both, and no `q` and `r` exist for `b = 0`.
//!
//! A 32-bit operation has high words of zero. A 64-bit operation is two rows of the `cpu` table,
//! low words first; one row here answers both, at the clocks `clk` and `clk + 4`.
//!
//! `q b` is summed up limb by limb from products of bytes. Products that belong above `2^64` must
//! be zero. Carries are bounded as in the `mul` table. `r < b` is shown at the highest limb in which
//! they differ.

mod air;
mod columns;
#[cfg(test)]
mod tests;
mod trace;

use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use columns::DivCols;

use crate::{
    Val,
    counts::Counts,
    table::{Fill, Shard, Table},
};

/// The table of unsigned division and remainder, of 32 and 64 bits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Div;

impl Table for Div {
    const NAME: &'static str = "div";

    fn columns(&self) -> Vec<String> {
        DivCols::<Val>::names()
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}

impl Fill for Div {
    fn rows(&self, shard: &Shard<'_>) -> usize {
        shard.record.div.len()
    }

    fn fill(&self, shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
        trace::fill(shard, height, counts)
    }
}
