//! The machine of circuits: tables whose preprocessed columns are a circuit.
//!
//! `docs/spec/recursion.md`, section 3, is the specification.

pub mod fold;
pub mod hash;
pub mod rows;

/// A wire or block where a row names it: nothing at all by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its number, from 1 on.
    pub index: u32,
    /// How often it is read, if the row creates it; -1 if the row reads it; or 0.
    pub count: i32,
}
