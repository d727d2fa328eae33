//! Columns of the `bits` table.

crate::columns! {
    /// One operation.
    pub struct BitsCols {
        /// The row is a `Clz`.
        clz,
        /// The row is a `Ctz`.
        ctz,
        /// The row is a `Popcnt`.
        popcnt,
        /// The row is an `Extend8S`.
        extend8_s,
        /// The row is an `Extend16S`.
        extend16_s,
        /// Bits of x, lowest first.
        bits: [32],
        /// Which byte is the first one, from the counted end, that is not zero.
        pick: [4],
        /// Zeros of x = 0 are counted.
        zero,
        /// The picked byte.
        byte,
        /// Place of its highest or lowest one.
        place,
        /// `2^place`.
        power,
        /// Limbs of the result.
        z: [2],
    }
}
