//! Columns of the memory tree's table.

use crate::{columns, poseidon2::COLUMNS};

columns! {
    /// A row: one touched node.
    pub struct MerkleCols {
        /// The root, on the first row alone.
        root,
        /// A node between root and chunks.
        branch,
        /// A chunk.
        leaf,
        /// 0 for the root, 27 for chunks.
        level,
        /// Place in its level.
        index,
        /// Of a branch: the inverse of `27 - level`, which shows that it is above the chunks.
        above,
        /// Of root and branches: whether the left and the right child have rows.
        touched: [2],
        /// Of a leaf: when its words were accessed last.
        time: [8],
        /// The compression before the shard.
        before: [COLUMNS],
        /// The compression after the shard.
        after: [COLUMNS],
    }
}
