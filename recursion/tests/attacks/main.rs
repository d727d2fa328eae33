//! Attacks on the recursion: every one starts from something that is accepted, changes one thing,
//! and must be refused; by the algorithm on plain values and by the circuit alike.
//!
//! Leaves are toys that say any claim without verifying a shard, so a test has a proof of whatever
//! claim it needs. What is above them is real. Tests that are named `past_…` are attacks of the list
//! that `docs/soundness.md`, section 8, is about.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod chain;
mod children;
mod claims;
mod compressed;
mod lies;
mod placeholders;
mod streams;
mod system;
mod toy;
