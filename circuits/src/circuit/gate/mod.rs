//! Given constants and wires as preprocessed columns, this chip proves `m a b + p a + q b + r c + k
//! = d` over the challenge field, where `a`, `b` and `c` are read and `d` is created or read.
//!
//! An operand that a gate does not need is wire 0, which is zero: the first gate creates it. So
//! reading needs no flag, and every cell of every row is bound.

mod air;
mod columns;
#[cfg(test)]
pub(super) mod tests;
mod trace;

use std::sync::Arc;

use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use columns::{FixedCols, GateCols};
pub use trace::fill;

use crate::{
    Challenge, Val,
    circuit::{Cell, Fixed},
    table::Table,
};

/// Gates in a row: two share the columns that a table pays once.
pub const LANES: usize = 2;

/// What a circuit fixes of a gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Factor of the product `a b`.
    pub m: Val,
    /// Factor of `a`.
    pub p: Val,
    /// Factor of `b`.
    pub q: Val,
    /// Factor of `c`.
    pub r: Val,
    /// Constant.
    pub k: Val,
    /// Wires of `a`, `b` and `c`; 0 is zero.
    pub operands: [u32; 3],
    /// The wire `d`.
    pub result: Cell,
}

/// What a prover puts into a gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// `a`, `b` and `c`.
    pub operands: [Challenge; 3],
    /// `d`.
    pub result: Challenge,
}

/// The table of arithmetic.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    fixed: Fixed,
}

impl Gate {
    /// The table of these gates, in a table of at least [`Gate::rows`] rows. Wire 0 is read `zeros`
    /// times besides its being an operand.
    pub fn new(rows: &[Row], zeros: usize, height: usize) -> Self {
        Self { fixed: Some(Arc::new(trace::fixed(rows, zeros, height))) }
    }

    /// Rows that so many gates need, the one that creates wire 0 included.
    pub const fn rows(gates: usize) -> usize {
        (gates + 1).div_ceil(LANES)
    }
}

impl Table for Gate {
    const NAME: &'static str = "gate";

    fn columns(&self) -> Vec<String> {
        let lane = |i: usize| GateCols::<Val>::names().into_iter().map(move |n| format!("{i}.{n}"));
        (0..LANES).flat_map(lane).collect()
    }

    fn preprocessed(&self) -> Option<RowMajorMatrix<Val>> {
        self.fixed.as_deref().cloned()
    }

    fn preprocessed_width(&self) -> usize {
        LANES * FixedCols::<Val>::WIDTH
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}
