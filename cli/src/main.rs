//! The `rwprove` command.
//!
//! Every command is one file under `commands/`: it reads files, calls the library crates and prints
//! one answer. Nothing that a proof depends on is decided here.

mod args;
mod commands;
mod costs;
mod error;
mod files;
mod hex;
mod program;
mod progress;
mod report;
mod resources;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    match commands::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody can be told that stderr is gone.
            let _ = writeln!(io::stderr(), "rwprove: {error}");
            ExitCode::from(error.status())
        }
    }
}
