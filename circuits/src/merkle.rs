//! The memory tree.

/// What a shard did to the memory tree.
#[derive(Clone, Debug, Default)]
pub struct MerkleUpdate;
