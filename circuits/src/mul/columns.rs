//! Columns of the `mul` table.

crate::columns! {
    /// One multiplication.
    pub struct MulCols {
        /// The row is a `Mul`.
        low_word,
        /// The row is a `MulHi`.
        high_word,
        /// Bytes of the first factor.
        x: [4],
        /// Bytes of the second factor.
        y: [4],
        /// The three low limbs of the product.
        product: [3],
        /// What each of them passes to the next.
        carry: [3],
        /// Limbs of the result.
        z: [2],
    }
}
