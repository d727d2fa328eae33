//! Proves runs of lowered programs.
//!
//! [`setup`] makes the keys of a program, [`prove()`] runs it on an input and proves the run,
//! [`check`] evaluates every rule of every table without proving.

mod compressed;
mod error;
mod event;
mod execution;
mod keys;
mod memory;
mod prove;
mod resume;
mod shapes;
mod shard;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use compressed::{Rooted, prove_root};
pub use error::{ProveError, RecursionError, SetupError};
pub use event::Event;
pub use keys::{ProvingKey, setup};
pub use memory::estimate;
pub use prove::{Options, Proved, check, prove};
pub use shard::ProvedShard;

#[cfg(test)]
mod tests;
