//! The tables of the machine: columns, constraints, messages and trace filling.
//!
//! `docs/spec/machine.md` is the specification.

pub mod bus;
mod columns;
pub mod counts;
mod field;
pub mod merkle;
pub mod table;

pub use field::{Challenge, Val};
