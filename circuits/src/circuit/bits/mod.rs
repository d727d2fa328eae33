//! Given wires as preprocessed columns, this chip proves that 31 wires are the bits of the canonical
//! representative of a felt.
//!
//! A felt takes eight rows of four bits, from the highest, which is bit 31 and zero. `value` is what
//! the bits so far are as a number; the last row has the felt. The order of the field is
//! `2^31 - 2^24 + 1`: a number of 31 bits is below it unless its seven highest bits are ones and
//! another one follows. `ones` counts those seven before the row, and where it is seven a row has
//! no ones.

mod air;
mod columns;
#[cfg(test)]
pub(super) mod tests;
mod trace;

use std::sync::Arc;

use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use columns::{BitsCols, FixedCols};
pub use trace::fill;

use crate::{Val, circuit::Fixed, table::Table};

/// Bits of a felt.
pub const BITS: usize = 31;
/// Bits of a row.
const PART: usize = 4;
/// Rows of a felt.
pub const ROWS: usize = BITS.div_ceil(PART);

/// What a circuit fixes of the bits of a felt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The wire of the felt, which is read.
    pub felt: u32,
    /// The wire of the lowest bit; the others follow.
    pub bits: u32,
    /// How often each bit is read.
    pub counts: [i32; BITS],
}

/// The table of bits.
#[derive(Clone, Debug, Default)]
pub struct Bits {
    fixed: Fixed,
}

impl Bits {
    /// The table of these felts, in a table of at least [`ROWS`] rows for each.
    pub fn new(rows: &[Row], height: usize) -> Self {
        Self { fixed: Some(Arc::new(trace::fixed(rows, height))) }
    }
}

impl Table for Bits {
    const NAME: &'static str = "circuit bits";

    const READS_NEXT: bool = true;

    fn columns(&self) -> Vec<String> {
        BitsCols::<Val>::names()
    }

    fn preprocessed(&self) -> Option<RowMajorMatrix<Val>> {
        self.fixed.as_deref().cloned()
    }

    fn preprocessed_width(&self) -> usize {
        FixedCols::<Val>::WIDTH
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}
