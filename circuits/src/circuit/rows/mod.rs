//! Given which rows of matrices are in opened leaves as preprocessed columns, this chip proves that
//! every sum which it creates is that of one of these rows over powers of gamma, a wire, and that
//! the elements of these rows are the blocks which it creates.
//!
//! # Rows
//! A row of this table has a block of eight elements. Sums go on from row to row, by Horner's rule;
//! after the last element of a matrix' row the sum is complete, which is a wire, and the next
//! element begins another one. A row completes one sum; if a block has the ends of more, the next
//! row has the elements after the first end once more. All rows of a segment have the same gamma; the
//! last row of the segment, which has no block, reads it.
//!
//! What a block has behind the last element of its leaf is free here: the hash binds it.

mod air;
mod columns;
#[cfg(test)]
pub(super) mod tests;
mod trace;

use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use columns::{FixedCols, RowsCols};
pub use trace::fill;

use crate::{
    Challenge, Val,
    circuit::{BLOCK, Cell, Fixed},
    table::Table,
};

/// Pairs of elements in a block. A pair multiplies its sum by gamma's square, so only each second sum
/// needs columns.
const PAIRS: usize = BLOCK / 2;

/// Leaves whose sums are over powers of the same element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Wire of gamma.
    pub gamma: u32,
    /// The leaves.
    pub leaves: Vec<Leaf>,
}

/// A leaf of opened rows, one behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The block of its first eight elements; the others follow. Each is read once.
    pub block: u32,
    /// Width of each row, at least 1, and its sum `sum_i gamma^(w - 1 - i) p_i`.
    pub sums: Vec<(usize, Cell)>,
}

impl Leaf {
    /// Number of blocks; the last one may be partial, and then has anything behind the elements.
    pub fn blocks(&self) -> usize {
        self.sums.iter().map(|(width, _)| width).sum::<usize>().div_ceil(BLOCK)
    }

    /// The sums of its blocks.
    pub fn values(&self, gamma: Challenge, blocks: &[[Val; BLOCK]]) -> Vec<Challenge> {
        let mut elements = blocks.iter().flatten();
        let mut sum = |width: usize| {
            let row = elements.by_ref().take(width);
            row.fold(Challenge::ZERO, |sum, &element| gamma * sum + element)
        };
        self.sums.iter().map(|(width, _)| sum(*width)).collect()
    }
}

/// What a prover puts into a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Gamma.
    pub gamma: Challenge,
    /// The blocks of all leaves, in order.
    pub blocks: Vec<[Val; BLOCK]>,
}

/// The table of opened rows.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    fixed: Fixed,
}

impl Rows {
    /// The table of these segments, of at least [`Rows::rows`] rows.
    pub fn new(segments: &[Segment], height: usize) -> Self {
        Self { fixed: Some(Arc::new(trace::fixed(segments, height))) }
    }

    /// Rows that these segments need.
    pub fn rows(segments: &[Segment]) -> usize {
        let leaves = |segment: &Segment| segment.leaves.iter().map(trace::rows_of).sum::<usize>();
        segments.iter().map(|segment| leaves(segment) + 1).sum()
    }
}

impl Table for Rows {
    const NAME: &'static str = "rows";
    const READS_NEXT: bool = true;

    fn columns(&self) -> Vec<String> {
        RowsCols::<Val>::names()
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
