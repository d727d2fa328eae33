//! Given the byte address of the *last* byte of an access, this chip proves what a load of one, two
//! or four bytes returns, or what a store of them leaves in memory.
//!
//! The access is inside the word with the last byte or begins in the word before it. Of those eight
//! bytes, lowest first, the four up to the last byte are the *window*; an access of `n` bytes means
//! the last `n` bytes of the window.
//!
//! The word before word 0 would be at the address -1 of the field. No other table ever speaks of
//! that address, so an access that would wrap around cannot be proved.

mod air;
mod columns;
#[cfg(test)]
mod tests;
mod trace;

use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use columns::AccessCols;

use crate::{
    Val,
    counts::Counts,
    table::{Fill, Shard, Table},
};

/// The table of loads and stores of bytes, half-words and unaligned words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Access;

impl Table for Access {
    const NAME: &'static str = "access";

    fn columns(&self) -> Vec<String> {
        AccessCols::<Val>::names()
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}

impl Fill for Access {
    fn rows(&self, shard: &Shard<'_>) -> usize {
        shard.record.access.len()
    }

    fn fill(&self, shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
        trace::fill(shard, height, counts)
    }
}
