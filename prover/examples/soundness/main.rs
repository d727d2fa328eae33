//! An adversary's test-bench: tries to get false statements through the checks, and keeps score.
//!
//! ```text
//! cargo run -p rwprove-prover --example soundness -- [--quick | --full] [--seed N] [SUITE ...]
//! ```
//!
//! Prints one JSON object with the score of each suite; `scripts/soundness` is the way to run it.
//! Exits with 1 if anything was accepted that must not be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test-bench"
)]

mod bytes;
mod deletions;
mod differential;
mod forgeries;
mod lookups;
mod mutations;
mod programs;
mod score;
mod shards;
mod statements;
mod transcript;

use std::{process::ExitCode, time::Instant};

use score::{Scale, Score};

/// A suite by name.
type Suite = (&'static str, fn(&Scale) -> Score);

const SUITES: &[Suite] = &[
    ("transcript", transcript::run),
    ("statements", statements::run),
    ("shards", shards::run),
    ("forgeries", forgeries::run),
    ("differential", differential::run),
    ("bitflips", bytes::bitflips),
    ("edits", bytes::edits),
    ("mutations", mutations::run),
    ("deletions", deletions::run),
    ("lookups", lookups::run),
];

fn main() -> ExitCode {
    let mut scale = Scale { full: false, seed: 1 };
    let mut wanted = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => scale.full = false,
            "--full" => scale.full = true,
            "--seed" => scale.seed = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1),
            name if SUITES.iter().any(|(suite, _)| *suite == name) => wanted.push(argument),
            other => {
                let names: Vec<_> = SUITES.iter().map(|(name, _)| *name).collect();
                eprintln!("unknown argument {other}; suites are {}", names.join(", "));
                return ExitCode::from(2);
            }
        }
    }
    let mut report = serde_json::Map::new();
    let mut passed = true;
    for (name, suite) in SUITES {
        if !wanted.is_empty() && !wanted.iter().any(|w| w == name) {
            continue;
        }
        let start = Instant::now();
        let score = suite(&scale);
        passed &= score.failures.is_empty();
        eprintln!("{name}: {} ({:.1} s)", score.line(), start.elapsed().as_secs_f64());
        for failure in &score.failures {
            eprintln!("  {failure}");
        }
        report.insert((*name).into(), score.json());
    }
    println!("{}", serde_json::Value::Object(report));
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
