//! Given a word, this chip proves the number of its leading zeros, trailing zeros or ones, or the
//! sign extension of its low byte or half-word.
//!
//! The word is cut into bits. To count zeros at an end, `pick` names the first byte from that end
//! that is not zero; within the byte, the highest one is the power of two `p` with `p <= byte < 2 p`
//! and the lowest one is `byte & (256 - byte)`.

mod air;
mod columns;
#[cfg(test)]
mod tests;
mod trace;

use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use columns::BitsCols;

use crate::{
    Val,
    counts::Counts,
    table::{Fill, Shard, Table},
};

/// The table of `Clz`, `Ctz`, `Popcnt`, `Extend8S` and `Extend16S`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bits;

impl Table for Bits {
    const NAME: &'static str = "bits";

    fn columns(&self) -> Vec<String> {
        BitsCols::<Val>::names()
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}

impl Fill for Bits {
    fn rows(&self, shard: &Shard<'_>) -> usize {
        shard.record.bits.len()
    }

    fn fill(&self, shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
        trace::fill(shard, height, counts)
    }
}
