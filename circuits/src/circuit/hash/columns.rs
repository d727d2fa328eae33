//! Columns of the `hash` table.

use crate::{circuit::BLOCK, poseidon2::PERMUTATION};

crate::columns! {
    /// A permutation.
    pub struct HashCols {
        /// The input, the values that its permutation commits, and the 16 outputs.
        permutation: [PERMUTATION],
        /// Of a digest that climbs into the next row: whether it is a right child.
        bit,
    }
}

crate::columns! {
    /// What a circuit fixes of a row, and of the way from its outputs to the inputs of the next: 1
    /// carries an output to the same input, -1 makes the input zero, 0 leaves it free.
    pub struct FixedCols {
        /// The way to each of the next row's inputs 0 to 7.
        rate: [BLOCK],
        /// The way to the next row's inputs 8 to 15.
        capacity,
        /// Whether the digest climbs into the next row.
        climb,
        /// If so, the wire of the bit; else what is added to the next row's input 8, if the way to
        /// the inputs 8 to 15 is not free.
        detail,
        /// The block of the inputs 0 to 7.
        left,
        /// Whether it is read.
        left_read,
        /// The block of the inputs 8 to 15.
        right,
        /// Whether it is read.
        right_read,
        /// The block of the outputs 0 to 7.
        output,
        /// How often it is read, or -1 if the row reads it.
        output_count,
    }
}
