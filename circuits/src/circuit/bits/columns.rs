//! Columns of the `bits` table.

use super::PART;

crate::columns! {
    /// Four bits of a felt.
    pub struct BitsCols {
        /// The bits, lowest first.
        bits: [PART],
        /// What the bits of this row and those before it of the same felt are as a number.
        value,
        /// Ones among the seven highest bits, without those of this row.
        ones,
        /// Inverse of `7 - ones`, or anything if that is zero.
        inverse,
    }
}

crate::columns! {
    /// What a circuit fixes of four bits.
    pub struct FixedCols {
        /// The row has the highest bits of a felt.
        first,
        /// The row has some of the seven highest bits.
        high,
        /// The next row has more bits of the felt.
        more,
        /// The wire of the felt, in its last row.
        felt,
        /// Whether it is read.
        read,
        /// The wire of the lowest bit; the others follow.
        bits,
        /// How often each bit is read.
        counts: [PART],
    }
}
