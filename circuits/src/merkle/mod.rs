//! The memory tree, and the table that proves how a shard changed it.
//!
//! The tree has depth 27 over chunks of eight words. [`MemoryTree`] keeps it outside of any proof;
//! [`opening`] is what a verifier computes of it. The table [`Merkle`] proves: *the words whose
//! first messages it sends are those of the tree with the first public root, and after the words
//! whose last messages it receives took their place the tree has the second public root.* Each
//! chunk takes part at most once.
//!
//! # Rows
//! A row is a node that the shard touched, with its compression before and after. It is the
//! `root`, a `branch` or a `leaf`; other rows are padding and say nothing. Root and branches
//! receive digests from their touched children; an untouched child has equal digests before and
//! after. Branches and leaves send their own digests. Leaves send the first message of each of
//! their words and receive the last.
//!
//! # Why it is sound
//! Write `t = 1024 + 2 level` for the tag of a row's digest before; the digest after has `t + 1`.
//! - *There is one root*, the first row, with `t = 1024`.
//! - *Tags do not wrap around.* A message of a branch or leaf at `t` is received by a row at
//!   `t - 3`, `t - 2` or `t - 1`, because nothing else receives messages of this length (were one
//!   of its two tags zero, follow the other). Going on like this ends at the root alone: a cycle
//!   would need `p / 3` rows. So `t` is `1024` plus a small positive number.
//! - *Levels are integers and digests are not swapped*, by induction over `t`. Rows at `t = 1025`
//!   would need a receiver below 1024. Let all rows up to an even `t` be as they should: their two
//!   messages are received by the two slots of one child of one parent. A row at `t + 1` would
//!   send its first message to a slot that those rows fill already, or to a row at odd `t - 1`,
//!   of which there is none. So all first slots of rows at `t` are filled by first messages of
//!   rows at `t + 2`. There are as many second slots as first ones; hence second messages of rows
//!   at `t + 2` fill them.
//! - *Nodes are unique.* A branch has `level != 27`, so no row is below 27, and `index` is below
//!   `2^level` because it starts at 0 and a child has `2 index` or `2 index + 1`: no wrapping, and
//!   two slots never carry one index.
//! - *Leaves are chunks*: a leaf has `level = 27`, and words have the addresses `8 index + i`, below
//!   `2^30`. A digest cannot pose as a chunk or the reverse, since levels are fixed.

mod air;
mod columns;
#[cfg(test)]
mod forgery;
pub mod opening;
#[cfg(test)]
mod tests;
mod trace;
mod tree;

use crate::{
    Val,
    poseidon2::{Digest, WIDTH},
};

pub use columns::MerkleCols;
pub use opening::RegOpening;
pub use tree::{MemoryTree, TreeError, program_regions};

/// The table of touched nodes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Merkle;

/// What a shard did to the memory tree: the content of one [`Merkle`] table.
#[derive(Clone, Debug, Default)]
pub struct MerkleUpdate {
    /// The touched nodes, root first, parents before children.
    pub nodes: Vec<Node>,
    /// Digest of the root before the shard.
    pub root_before: Digest,
    /// Digest of the root after it.
    pub root_after: Digest,
}

/// A touched node.
#[derive(Clone, Debug)]
pub struct Node {
    /// 0 for the root, 27 for chunks.
    pub level: u32,
    /// Place in its level, from the left.
    pub index: u32,
    /// What it compresses before the shard: two digests, or the limbs of a chunk's words.
    pub before: [Val; WIDTH],
    /// The same after the shard.
    pub after: [Val; WIDTH],
    /// What is below it.
    pub below: Below,
}

/// What a touched node stands on.
#[derive(Clone, Debug)]
pub enum Below {
    /// Two nodes, touched or not.
    Nodes([bool; 2]),
    /// Eight words with the times of their last accesses.
    Words([u32; 8]),
}
