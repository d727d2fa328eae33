//! Given the fuel `start` at the shard's start and the `limit`, this chip proves what the shard's
//! dynamic charges sum up to, and the words of `limit - consumed` wherever the program asks.
//!
//! Rows are in the order of time, so each knows the charges before it: four sums of 16-bit limbs,
//! without carries, below `2^30` for at most `2^14` rows. The last sums are public.
//!
//! A charge may be declared *refused*. Then nothing is added, the charge is written to the two words
//! `REFUSED_FUEL_*`, and the `cpu` row traps. That it really did not fit is for the verifier to
//! compare, once, at the end of the run.
//!
//! Public values: limbs of `start` (four), of `limit` (four), sums charged (four). The verifier
//! computes the former two from 64-bit numbers, so they are below `2^16`.

mod air;
mod columns;
#[cfg(test)]
mod tests;
mod trace;

use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use columns::FuelCols;

use crate::{
    Val,
    counts::Counts,
    table::{Fill, Shard, Table},
};

/// log2 of the most rows: so many limbs below `2^16` sum up to less than `2^30`. The shape must keep
/// to it.
pub const MAX_LOG_HEIGHT: usize = 14;

/// The table of `FuelCharge`, `FuelLeftLo` and `FuelLeftHi`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fuel;

impl Table for Fuel {
    const NAME: &'static str = "fuel";

    const READS_NEXT: bool = true;

    fn columns(&self) -> Vec<String> {
        FuelCols::<Val>::names()
    }

    fn public_values(&self) -> usize {
        12
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}

impl Fill for Fuel {
    fn rows(&self, shard: &Shard<'_>) -> usize {
        shard.record.fuel.len()
    }

    fn fill(&self, shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
        trace::fill(shard, height, counts)
    }

    fn publics(&self, shard: &Shard<'_>) -> Vec<Val> {
        trace::publics(shard)
    }
}
