//! Columns of the `shift` table.

crate::columns! {
    /// One operation.
    pub struct ShiftCols {
        /// The row is a `Shl`.
        shl,
        /// The row is a `ShrU`.
        shr_u,
        /// The row is a `ShrS`.
        shr_s,
        /// The row is a `Rotl`.
        rotl,
        /// The row is a `Rotr`.
        rotr,
        /// The row is a `Fshl`.
        fshl,
        /// The amount of `Fshl`, which is part of its tag; otherwise 0.
        constant,
        /// Bytes of the first operand.
        x: [4],
        /// Bytes of the second operand: the low word of `Fshl`, otherwise the amount.
        y: [4],
        /// The lowest byte of the amount, divided by 32.
        wraps,
        /// Sign bit of x.
        sign,
        /// The three low bits of n.
        bits: [3],
        /// Which of 0 to 3 is n / 8.
        whole: [4],
        /// `2^(n mod 8) - 1`.
        power_less_one,
        /// The selected bytes: the lowest one, then two limbs.
        selected: [3],
        /// Low byte of the lowest product, which is dropped.
        dropped,
        /// What each product passes to the next limb; the last is dropped.
        carry: [3],
        /// Limbs of the result.
        z: [2],
    }
}
