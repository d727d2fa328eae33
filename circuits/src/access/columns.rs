//! Columns of the `access` table.

crate::columns! {
    /// One access.
    pub struct AccessCols {
        /// The row is a `Load`.
        load,
        /// The row is a `LoadBytes`.
        load_bytes,
        /// The row is a `Load16S`.
        load16_s,
        /// The row is a `Load16U`.
        load16_u,
        /// The row is a `Load8S`.
        load8_s,
        /// The row is a `Load8U`.
        load8_u,
        /// The row is a `LoadByte`.
        load_byte,
        /// The row is a `Store`.
        store,
        /// The row is a `Store16`.
        store16,
        /// The row is a `Store8`.
        store8,
        /// The row is a `StoreByte`.
        store_byte,
        /// Clock of the row that asks.
        clk,
        /// High limb of the address of the last byte.
        address_high,
        /// Its low limb, divided by 4.
        address_low,
        /// Which of 0 to 3 is the address modulo 4.
        at: [4],
        /// Bytes of the word before, before the access; used if the access crosses.
        first: [4],
        /// Bytes of the word with the last byte, before the access.
        last: [4],
        /// Of a load the window; of a store what it puts into the window (`Store8`: the byte, with
        /// the byte above it in the stored value before it).
        window: [4],
        /// Sign bit of the window's last byte.
        sign,
        /// The stored value.
        y: [2],
        /// The loaded value.
        z: [2],
        /// Limbs of the word before, after the access.
        first_after: [2],
        /// Limbs of the word with the last byte, after the access.
        last_after: [2],
        /// When the word before was last accessed.
        first_time,
        /// When the word with the last byte was last accessed.
        last_time,
    }
}
