//! Given two words below `2^32`, this chip proves their conjunction, disjunction or exclusive or.
//!
//! The words are cut into bytes, and the `bytes` table gives the conjunction of each pair. With it,
//! `x | y = x + y - (x & y)` and `x ^ y = x + y - 2 (x & y)`, so neither needs a table of its own.

mod air;
mod columns;
#[cfg(test)]
mod tests;
mod trace;

use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use columns::BitwiseCols;

use crate::{
    Val,
    counts::Counts,
    table::{Fill, Shard, Table},
};

/// The table of `And`, `Or` and `Xor`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bitwise;

impl Table for Bitwise {
    const NAME: &'static str = "bitwise";

    fn columns(&self) -> Vec<String> {
        BitwiseCols::<Val>::names()
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}

impl Fill for Bitwise {
    fn rows(&self, shard: &Shard<'_>) -> usize {
        shard.record.bitwise.len()
    }

    fn fill(&self, shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
        trace::fill(shard, height, counts)
    }
}
