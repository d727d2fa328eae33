//! What happens while a run is proved.

use rwprove_circuits::shape::Shape;
use rwprove_recursion::system::Id;

/// What happens on the way, for whoever shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A shard was executed and its proof begins.
    Started {
        /// Which shard.
        shard: u32,
        /// Lowered instructions of the shard.
        instructions: usize,
        /// Heights of its tables.
        shape: Shape,
        /// Whether the run ends with it.
        last: bool,
    },
    /// A shard is proved.
    Proved {
        /// Which shard.
        shard: u32,
        /// Lowered instructions of the shard.
        instructions: usize,
        /// Rows of all tables.
        rows: u64,
        /// Length of the proof.
        bytes: usize,
        /// Seconds taken.
        seconds: f64,
        /// It was there from an earlier attempt.
        reused: bool,
    },
    /// A circuit was built and its key made.
    Built {
        /// Which circuit.
        circuit: Id,
        /// Seconds taken.
        seconds: f64,
    },
    /// A proof of the recursion is there.
    Recursed {
        /// Of which circuit.
        circuit: Id,
        /// The first shard below it.
        first: u32,
        /// Shards below it.
        shards: u32,
        /// Length of the proof.
        bytes: usize,
        /// Seconds taken.
        seconds: f64,
        /// It was there from an earlier attempt.
        reused: bool,
    },
}
