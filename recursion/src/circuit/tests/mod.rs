//! Tests of circuits.

mod builder;
mod lies;
mod script;
mod shard;
