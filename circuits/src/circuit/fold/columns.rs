//! Columns of the `fold` table.

use super::{LEVELS, VALUES};
use crate::EXTENSION;

crate::columns! {
    /// A step of folding.
    pub struct FoldCols {
        /// The values, and behind them what else the last block has.
        values: [EXTENSION * VALUES],
        /// The value at the position.
        value: [EXTENSION],
        /// The position, lowest bit first.
        position: [LEVELS],
        /// The product of its two higher bits.
        both,
        /// `1/x`.
        x_inverse,
        /// Beta.
        beta: [EXTENSION],
        /// `beta/x`, its square, and the square of that.
        ratios: [EXTENSION * LEVELS],
        /// What two levels make of the first four and of the last four values.
        folded: [EXTENSION * 2],
        /// The value at beta.
        result: [EXTENSION],
    }
}

crate::columns! {
    /// What a circuit fixes of a step.
    pub struct FixedCols {
        /// Whether there are so many levels, and one more.
        levels: [LEVELS],
        /// The wire of the value at the position.
        value,
        /// The wire of the position's lowest bit; the others follow.
        position,
        /// The wire of `1/x`.
        x_inverse,
        /// The wire of beta.
        beta,
        /// The first block; the others follow.
        block,
        /// The wire of the result.
        result,
        /// How often it is read, or -1 if the row reads it.
        result_count,
    }
}
