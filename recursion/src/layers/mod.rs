//! What the layers say: a leaf of a shard, a lift of a wide leaf, a join of two neighbours, the root
//! over the last join, and the shrink that makes it small.
//!
//! Each is a straight line over a [`Backend`] that reads its part of the stream, verifies the
//! proofs below and returns the digest that is its only public value: that of its [`Claim`]. See
//! `docs/spec/recursion.md`, section 1.

mod claim;
mod fuel;
mod join;
mod leaf;
mod settle;
mod shrink;
pub mod stream;
#[cfg(test)]
mod tests;

pub use claim::{read_claim, read_point};
pub use join::{Keys, join, pass};
pub use leaf::leaf;
pub use settle::{Constants, settle};
pub use shrink::shrink;

use rwprove_verifier::step::Claim;

use crate::backend::Backend;

/// The claim as a layer has it.
pub type ClaimOf<B> = Claim<<B as Backend>::Felt>;
