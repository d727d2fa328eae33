//! Tests of circuits.

mod shard;
