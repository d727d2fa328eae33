//! Runs lowered programs and cuts the run into shards.
//!
//! `docs/spec/machine.md` is the contract. One interpreter ([`machine`]) is compiled twice: with
//! nothing watching it, it only runs; with a shard recorder it also writes down every access to
//! memory, and stops before a table of the shard would overflow. So recorded and plain runs cannot
//! differ, and memory stays bounded by one record whatever the length of the run.

#[cfg(any(test, feature = "testing"))]
mod audit;
mod bytes;
mod code;
mod error;
#[cfg(any(test, feature = "testing"))]
mod faults;
mod instantiate;
mod machine;
mod memory;
mod recorder;
mod report;
mod run;
#[cfg(feature = "testing")]
mod seen;
mod tables;

#[cfg(test)]
mod tests;

#[cfg(any(test, feature = "testing"))]
pub use audit::{AuditError, audit};
pub use error::{ExecError, Fault};
#[cfg(any(test, feature = "testing"))]
pub use faults::{Adversary, FalseRun, Moment};
pub use instantiate::{cold, instantiate};
pub use memory::Memory;
pub use report::Report;
pub use run::{Input, Options, Run, execute};
#[cfg(feature = "testing")]
pub use seen::seen;
pub use tables::Rows;
