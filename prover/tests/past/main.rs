//! One attack for each past vulnerability of a proving system that has an analogue here.
//!
//! A test is named `past_<nn>_<system>_<slug>`; `docs/soundness.md` has the numbers. Each starts
//! from an honest run that is accepted, changes it as the bug would have allowed, and must be
//! refused. The tables' attacks do not need a proof: a proof exists exactly if the check passes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "tests"
)]

mod case;
mod chip;
mod control;
mod memory;
mod operands;
mod proof;
mod protocol;
