//! Columns of the `fuel` table.

crate::columns! {
    /// One charge or question.
    pub struct FuelCols {
        /// The row is a `FuelCharge`.
        charge,
        /// The row is a `FuelLeftLo`.
        left_low,
        /// The row is a `FuelLeftHi`.
        left_high,
        /// The charge is refused.
        refused,
        /// Clock of the row that asks.
        clk,
        /// Clocks skipped before the next row, as two limbs.
        gap: [2],
        /// Limbs of the charge. Of a question the third is the static fuel spent by the shard.
        amount: [4],
        /// Sums of the limbs charged in the rows before.
        sums: [4],
        /// Limbs of the static fuel spent.
        spent: [2],
        /// Limbs of the fuel left.
        left: [4],
        /// Carries of the sum that is the limit.
        carry: [3],
        /// Limbs of the answer.
        z: [2],
        /// When the two words of the refused charge were last accessed.
        time: [2],
    }
}
