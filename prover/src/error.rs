//! Why there is no proof.

use std::{io, path::PathBuf};

use rwprove_circuits::{check::Violation, merkle::TreeError, shape::ShapeError};
use rwprove_executor::ExecError;
use thiserror::Error;

/// Why a program has no keys.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// More code than the machine allows.
    #[error("the program has {found} instructions, at most {max} are possible")]
    CodeLength {
        /// Instructions.
        found: usize,
        /// Most instructions.
        max: usize,
    },
    /// The program's image is not one that lowering makes.
    #[error(transparent)]
    Image(#[from] TreeError),
    /// The commitment failed.
    #[error("commitment: {0}")]
    Commitment(String),
}

/// Why a run has no proof.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The run has no result.
    #[error(transparent)]
    Execution(#[from] ExecError),
    /// The memory tree and the record disagree.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// No shard is small enough.
    #[error("the smallest shard takes about {needed} bytes of memory, allowed are {allowed}")]
    Memory {
        /// Estimate for the smallest shard.
        needed: u64,
        /// The bound.
        allowed: u64,
    },
    /// There are no listed shapes for the program.
    #[error("the program's table has 2^{0} rows, which no listed shape has")]
    ProgramHeight(usize),
    /// A shard that no shape can hold.
    #[error("shard {shard}: {error}")]
    Shape {
        /// Which shard.
        shard: u32,
        /// Which table is too large.
        error: ShapeError,
    },
    /// A constraint does not hold: the record is wrong, or the tables are.
    #[error("shard {shard}: {violation}")]
    Violation {
        /// Which shard.
        shard: u32,
        /// What does not hold.
        violation: Violation,
    },
    /// The library refused to prove.
    #[error("shard {shard}: {error}")]
    Stark {
        /// Which shard.
        shard: u32,
        /// What the library says.
        error: String,
    },
    /// A file of a resumed run.
    #[error("{}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        error: io::Error,
    },
    /// The directory belongs to another run.
    #[error("{} has shards of another run", .0.display())]
    OtherRun(PathBuf),
    /// The executing thread stopped without a reason.
    #[error("the executing thread panicked")]
    Executor,
}
