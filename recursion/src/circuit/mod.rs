//! Circuits: the algorithm as a straight line of rows.
//!
//! A [`Builder`] is a backend that writes down what it is asked to do. The [`Circuit`] that comes of
//! it knows its steps, which [`Circuit::run`] evaluates, and its rows of the tables of
//! `circuits::circuit`, which are what a prover commits to once.
//!
//! Elements are *forms*: constants, or wires times a constant plus a constant, which gates take as
//! they are. Equal gates are one. To assert that two wires are the same, they get one number: the
//! step that would create the second one reads it.

mod arithmetic;
mod backend;
mod builder;
mod classes;
mod form;
mod hashing;
mod names;
mod operation;
mod place;
mod run;
#[cfg(test)]
mod tests;
mod traces;
mod transcript;

pub use self::{
    backend::Digest,
    builder::{Builder, CircuitError},
    form::{Ext, Felt, Form},
    run::Execution,
    traces::{LogHeights, publics},
};
use self::{operation::Operation, place::Rows};

/// A circuit.
#[derive(Clone, Debug)]
pub struct Circuit {
    operations: Vec<Operation>,
    /// Number of wires, wire 0 included.
    wires: usize,
    /// Number of blocks and the block 0 that nobody has.
    blocks: usize,
    /// The first row of each group of rows of `hash`.
    groups: Vec<usize>,
    rows: Rows,
}
