//! The executor against rwasm's own virtual machine: the same module, the same arguments, the same
//! end: exit, results, output, fuel, memory, globals and tables.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod fixtures;
mod opcodes;
mod ours;
mod random;
mod speed;
mod suite;

/// No run here is longer.
const MAX_ROWS: u64 = 1 << 32;
