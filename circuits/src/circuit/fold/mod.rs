//! Given steps of folding as preprocessed columns, this chip proves that every wire which it creates
//! is the value at beta of the polynomial through the values of the blocks which it creates, and
//! that one of these values is a wire.

use crate::{Challenge, Val, circuit::Cell};

/// A row: a step of folding of `2^k` values. Value `j` is at the point `x w^rev(j)`, where `w`
/// generates the group of `2^k` and `rev` reverses `k` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// 1, 2 or 3.
    pub k: usize,
    /// Wire of the value that is known.
    pub value: u32,
    /// Wire of the lowest bit of its position; the others follow.
    pub position: u32,
    /// Wire of `1/x`, a felt.
    pub x_inverse: u32,
    /// Wire of beta.
    pub beta: u32,
    /// The block of the first eight coefficients of the values; the others follow. Each is read
    /// once.
    pub block: u32,
    /// The value at beta, which the row creates.
    pub result: Cell,
}

/// What a prover puts into a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Values {
    /// The blocks: the coefficients of the `2^k` values, then anything. Only the first 2, 3 or 5
    /// blocks count.
    pub blocks: [[Val; 8]; 5],
    /// Position of the value that is known, below `2^k`.
    pub position: usize,
    /// `1/x`.
    pub x_inverse: Val,
    /// Beta.
    pub beta: Challenge,
}

impl Row {
    /// Number of blocks; the last one may be partial, and then has anything behind the elements.
    pub fn blocks(&self) -> usize {
        (5_usize << self.k).div_ceil(8)
    }
}
