//! Columns of the `gate` table.

use crate::EXTENSION;

crate::columns! {
    /// One gate.
    pub struct GateCols {
        /// First factor.
        a: [EXTENSION],
        /// Second factor.
        b: [EXTENSION],
        /// Addend.
        c: [EXTENSION],
        /// Result.
        d: [EXTENSION],
    }
}

crate::columns! {
    /// What a circuit fixes of a gate.
    pub struct FixedCols {
        /// Factor of the product `a b`.
        m,
        /// Factor of `a`.
        p,
        /// Factor of `b`.
        q,
        /// Factor of `c`.
        r,
        /// Constant.
        k,
        /// Wire of `a`.
        a,
        /// Wire of `b`.
        b,
        /// Wire of `c`.
        c,
        /// Wire of `d`.
        d,
        /// How often `d` is read, or -1 if the gate reads it.
        count,
    }
}
