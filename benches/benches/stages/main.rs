//! Benches of single stages, and the profile of whole runs.
//!
//! ```text
//! cargo bench -p rwprove-benches                       # all stages of all workloads, by criterion
//! cargo bench -p rwprove-benches -- sha256_8k/fill     # those whose name has this
//! cargo bench -p rwprove-benches -- --profile NAME …   # where the time of runs goes, as JSON
//! ```
//!
//! Everything runs on one thread, so that stages come one after the other. Besides the workloads
//! of `fixtures/`, NAME may be a module that `scripts/npm-modules --keep` left.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench ends where something is wrong, and prints"
)]

mod profile;
mod stages;
mod workload;

use rwprove_benches::Spans;

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let spans = Spans::install().unwrap();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo adds an argument of its own.
    let own: Vec<_> = arguments.iter().filter(|argument| *argument != "--bench").collect();
    match own.split_first() {
        Some((first, names)) if *first == "--profile" => profile::run(names, &spans),
        _ => stages::run(&spans),
    }
}
