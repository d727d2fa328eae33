//! Why there is no proof.

use std::{io, path::PathBuf};

use rwprove_circuits::{check::Violation, merkle::TreeError, shape::ShapeError};
use rwprove_executor::ExecError;
use rwprove_recursion::{
    prove,
    system::{Id, SystemError},
    verify::FlattenError,
};
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
    /// A proof of the recursion.
    #[error(transparent)]
    Recursion(#[from] RecursionError),
    /// The executing thread stopped without a reason.
    #[error("the executing thread panicked")]
    Executor,
}

/// Why there is no proof of the recursion.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecursionError {
    /// A circuit cannot be built.
    #[error(transparent)]
    Build(#[from] SystemError),
    /// A circuit has another key than verifiers know, so it is of another version.
    #[error("the key of {} is not the one that verifiers know", .0.name())]
    Key(Id),
    /// A circuit is in no set of keys, so no other verifies its proofs.
    #[error("{} is in no set of keys", .0.name())]
    Place(Id),
    /// A proof that is to be verified is not one.
    #[error("{}: {error}", circuit.name())]
    Stream {
        /// The circuit that verifies it.
        circuit: Id,
        /// What is wrong.
        error: FlattenError,
    },
    /// The circuit claims something else than its stream says.
    #[error("{} claims something else", .0.name())]
    Claim(Id),
    /// A circuit cannot be proved.
    #[error("{}: {error}", circuit.name())]
    Prove {
        /// Which circuit.
        circuit: Id,
        /// Why.
        error: prove::ProveError,
    },
}
