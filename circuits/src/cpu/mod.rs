//! Given the program and the registers at a shard's start, this chip proves that the registers at
//! its end follow by executing instructions one after the other: each row fetches its instruction
//! from `program`, takes its operands from memory at the row's clock, does the operation itself or
//! asks a coprocessor, writes the result and steps to the next pc.

mod air;
mod arithmetic;
mod columns;
mod trace;

#[cfg(test)]
mod tests;

use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use self::columns::CpuCols;
use crate::{
    Val,
    counts::Counts,
    table::{Fill, Shard, Table},
};

/// The main table of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

/// Places of the public values.
pub mod public {
    /// `pc, fp, depth, pages` before the first row.
    pub const START: usize = 0;
    /// The same after the last row.
    pub const END: usize = 4;
    /// Static fuel charged by the shard.
    pub const SPENT: usize = 8;
    /// Number of public values.
    pub const COUNT: usize = 9;
}

impl Table for Cpu {
    const NAME: &'static str = "cpu";
    const READS_NEXT: bool = true;

    fn columns(&self) -> Vec<String> {
        columns::names()
    }

    fn public_values(&self) -> usize {
        public::COUNT
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}

impl Fill for Cpu {
    /// One more than instructions: the last row holds the registers at the end.
    fn rows(&self, shard: &Shard<'_>) -> usize {
        shard.record.cpu.len() + 1
    }

    fn fill(&self, shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
        trace::fill(shard, height, counts)
    }

    fn publics(&self, shard: &Shard<'_>) -> Vec<Val> {
        trace::publics(shard)
    }
}
