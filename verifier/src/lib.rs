//! Verifies rwprove proofs.
//!
//! Verification is a pure function of key, statement and bytes. It never panics on outside data.

pub mod bytes;
mod challenger;
pub mod codec;
pub mod config;
pub mod layout;
pub mod security;

#[cfg(test)]
mod tests;
