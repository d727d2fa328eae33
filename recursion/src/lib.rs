//! Recursion: one small proof of a run of any length.
//!
//! `docs/spec/recursion.md` is the specification. The verifier's algorithm stands here once,
//! generic over a [`backend::Backend`]; it runs natively, and as a straight-line circuit.

pub mod backend;
pub mod circuit;
pub mod layers;
pub mod native;
pub mod prove;
pub mod system;
pub mod verify;

#[cfg(test)]
mod testing;
