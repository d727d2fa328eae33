//! The tables of the machine: columns, constraints, messages and trace filling.
//!
//! `docs/spec/machine.md` is the specification. A table is a folder: `mod.rs` says what it proves,
//! `columns.rs` names its columns, `air.rs` has the constraints, `trace.rs` fills the rows and
//! `tests.rs` attacks them. [`table::Table`] is what each offers, [`machine::Machine`] has all of
//! them, and a [`shape::Shape`] says how high they are in a proof.
//!
//! Testing a table:
//! - [`check::Check`] evaluates all constraints on a filled trace and the balance of the bus.
//!   Tables that are not there are played with [`check::Check::send`] and
//!   [`check::Check::receive`]; with [`check::Lookups::Free`] the `bytes` table may be missing.
//! - `testing::mutate` (feature `testing`) changes cells one at a time and returns the changes that nothing refuses.
//! - [`symbolic::degrees`] gives the degrees, to be [`symbolic::Degrees::allowed`].

pub mod access;
pub mod bits;
pub mod bitwise;
pub mod bus;
pub mod bytes;
pub mod check;
mod chips;
pub mod circuit;
mod columns;
mod coprocessor;
pub mod counts;
pub mod cpu;
pub mod div;
mod field;
pub mod fuel;
#[cfg(test)]
mod harness;
pub mod keccak;
pub mod machine;
pub mod merkle;
pub mod mul;
pub mod poseidon2;
pub mod program;
pub mod refresh;
pub mod shape;
pub mod shift;
pub mod symbolic;
pub mod table;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use field::{Challenge, EXTENSION, Val};
