//! Given which matrices opened leaves belong to as preprocessed columns, this chip proves that every
//! wire which it creates is the Horner sum of a row of a matrix, whose elements are in the blocks
//! that it creates.

use crate::{Challenge, Val, circuit::Cell};

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
        self.sums.iter().map(|(width, _)| width).sum::<usize>().div_ceil(8)
    }
}

/// What a prover puts into a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Gamma.
    pub gamma: Challenge,
    /// The blocks of all leaves, in order.
    pub blocks: Vec<[Val; 8]>,
}
