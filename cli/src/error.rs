//! What ends a command early, and the exit status it gives.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Exit status of a command whose answer is no.
pub(crate) const REFUSED: u8 = 1;
/// Exit status of wrong usage (clap's own).
pub(crate) const USAGE: u8 = 2;
/// Exit status of failed input or output.
pub(crate) const INPUT_OUTPUT: u8 = 3;

/// Why a command has no result, in one line.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    /// The options do not fit the program or each other.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    /// A file cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write { path: PathBuf, error: io::Error },
    /// A node does not answer.
    #[error("no answer from {url}: {error}")]
    Node { url: String, error: String },
    /// The answer cannot be printed.
    #[error("cannot print the result: {0}")]
    Print(io::Error),
    /// The program, run or proof is not acceptable.
    #[error("{0}")]
    Refused(String),
}

impl CliError {
    /// A refusal that says what was done and what came of it.
    pub(crate) fn refused(doing: &str, error: impl std::fmt::Display) -> Self {
        CliError::Refused(format!("{doing}: {error}"))
    }

    /// The process's exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            CliError::Usage(_) => USAGE,
            CliError::Refused(_) => REFUSED,
            CliError::Read { .. }
            | CliError::Write { .. }
            | CliError::Node { .. }
            | CliError::Print(_) => INPUT_OUTPUT,
        }
    }
}
