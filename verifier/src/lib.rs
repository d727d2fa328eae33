//! Verifies rwprove proofs.
//!
//! Verification is a pure function of key, statement and bytes. It never panics on outside data.

pub mod bytes;
mod challenger;
pub mod claim;
pub mod codec;
pub mod compressed;
pub mod config;
pub mod describe;
pub mod error;
pub mod head;
pub mod layout;
pub mod machine;
pub mod security;
pub mod shards;
pub mod step;
mod vkey;

pub use config::Preset;
pub use vkey::{KeyElements, KeyError, VerifyingKey, halves};

#[cfg(test)]
mod tests;
