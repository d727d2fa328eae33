//! Columns of the `rows` table.

use super::PAIRS;
use crate::{EXTENSION, circuit::BLOCK};

crate::columns! {
    /// Eight elements of opened rows.
    pub struct RowsCols {
        /// The elements.
        values: [BLOCK],
        /// Gamma.
        gamma: [EXTENSION],
        /// Its square.
        gamma_squared: [EXTENSION],
        /// The sum before each pair of elements.
        sums: [EXTENSION * PAIRS],
        /// The sum that is complete in this row, or gamma.
        result: [EXTENSION],
    }
}

crate::columns! {
    /// What a circuit fixes of a row.
    pub struct FixedCols {
        /// Whether a sum is complete after each element. One at most is.
        end: [BLOCK],
        /// Whether the sum before the last pair and its first element, and whether the last element,
        /// go into the sum of the next row.
        carry: [2],
        /// Whether the next row has the elements after the end once more.
        again,
        /// Whether the result is gamma; the last row of its segment.
        last,
        /// The wire of the result.
        wire,
        /// How often it is read, or -1 if it is gamma.
        wire_count,
        /// The block of the elements.
        block,
        /// Whether the row creates it.
        created,
    }
}
