//! The `rwprove` command.
//!
//! Every command is one file under `commands/`: it reads files, calls the library crates and prints
//! one answer. Nothing that a proof depends on is decided here.

mod args;
mod error;
mod files;
mod hex;
mod resources;

fn main() {}
