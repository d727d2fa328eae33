//! Columns of the `bitwise` table.

crate::columns! {
    /// One operation.
    pub struct BitwiseCols {
        /// The row is an `And`.
        and,
        /// The row is an `Or`.
        or,
        /// The row is a `Xor`.
        xor,
        /// Bytes of the first operand.
        x: [4],
        /// Bytes of the second operand.
        y: [4],
        /// Bytes of the conjunction.
        both: [4],
        /// Limbs of the result.
        z: [2],
    }
}
