//! Columns of the `div` table.

crate::columns! {
    /// One division.
    pub struct DivCols {
        /// The row is a `DivU`.
        div32,
        /// The row is a `RemU`.
        rem32,
        /// The row is the pair `DivU64Lo`, `DivU64Hi`.
        div64,
        /// The row is the pair `RemU64Lo`, `RemU64Hi`.
        rem64,
        /// Clock of the first row of the pair, otherwise 0.
        clk,
        /// Limbs of the dividend.
        a: [4],
        /// Bytes of the divisor.
        b: [8],
        /// Bytes of the quotient.
        q: [8],
        /// Limbs of the remainder.
        r: [4],
        /// Carries out of the limbs of `q b + r`.
        carry: [3],
        /// The highest limb in which r and b differ.
        top: [4],
        /// There, b minus r minus 1.
        rest,
        /// Limbs of the result.
        z: [4],
    }
}
