//! What every table offers, and how those of the machine are filled.

use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{Program, record::Record};

use crate::{Val, counts::Counts, merkle::MerkleUpdate};

/// Everything that the fillers of one shard read.
#[derive(Clone, Copy, Debug)]
pub struct Shard<'a> {
    /// The program.
    pub program: &'a Program,
    /// What the executor wrote down.
    pub record: &'a Record,
    /// What the shard did to the memory tree.
    pub merkle: &'a MerkleUpdate,
}

/// A table: its columns, constraints and messages.
pub trait Table {
    /// Name in messages, reports and shapes.
    const NAME: &'static str;

    /// Names of the main columns; their number is the width.
    fn columns(&self) -> Vec<String>;

    /// Number of public values.
    fn public_values(&self) -> usize {
        0
    }

    /// Preprocessed columns, for a table that has them.
    fn preprocessed(&self) -> Option<RowMajorMatrix<Val>> {
        None
    }

    /// Number of preprocessed columns.
    fn preprocessed_width(&self) -> usize {
        0
    }

    /// Whether a constraint reads the next row of the main columns.
    const READS_NEXT: bool = false;

    /// Emits all constraints (of degree at most 3) and messages.
    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB);
}

/// How a table of the machine is filled from a shard. Its constraints know nothing of records.
pub trait Fill: Table {
    /// Rows that the shard needs, padding not counted.
    fn rows(&self, shard: &Shard<'_>) -> usize;

    /// Fills a trace of `height` rows (a power of two, at least [`Fill::rows`]) and counts its
    /// lookups.
    fn fill(&self, shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val>;

    /// The public values of the shard.
    fn publics(&self, _shard: &Shard<'_>) -> Vec<Val> {
        Vec::new()
    }
}
