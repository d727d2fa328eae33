//! `rwprove prove`: a run with its proof.

use std::time::Instant;

use rwprove_prover::{Event, Options, Proved, prove};
use rwprove_verifier::shards;

use crate::{
    args::{ModeArg, ProveArgs},
    commands::{execute::run_report, preset, vkey::proving_key},
    costs,
    error::CliError,
    files, hex,
    program::Loaded,
    progress::Progress,
    report::{self, RunReport},
};

pub(crate) fn run(args: &ProveArgs, quiet: bool) -> Result<(), CliError> {
    let start = Instant::now();
    let progress = Progress::start("setting up", quiet);
    let loaded = Loaded::from_args(&args.run.program, args.run.input.fuel)?;
    let input = loaded.input(&args.run.input)?;
    let key = proving_key(&loaded.program, preset(args.run.preset.preset))?;
    let defaults = Options::default();
    let options = Options {
        max_memory: args.max_memory.unwrap_or(defaults.max_memory),
        private_input: args.private_input,
        resume: args.resume.clone(),
        ..defaults
    };
    let ModeArg::Shards = args.mode;
    let proved = prove(&key, &input, &options, &mut |event| progress.now(said(event)));
    let Proved { proof, statement, report, .. } =
        proved.map_err(|error| CliError::refused("no proof", error))?;
    if args.verify {
        progress.now("verifying".into());
        shards::verify(&key.verifying_key().digest(), &statement, &proof)
            .map_err(|error| CliError::refused("the proof just made does not verify", error))?;
    }
    files::write(&args.out, &proof)?;
    drop(progress);
    let contents = shards::contents(&proof)
        .map_err(|error| CliError::refused("the proof just made cannot be read", error))?;
    let tables = costs::tables(&report.tables, &contents.shapes);
    let report = RunReport {
        proof_bytes: Some(proof.len() as u64),
        vkey: Some(hex::encode(&statement.vkey)),
        padding: Some(costs::padding(&tables)),
        tables,
        ..run_report(&report, &loaded, start)
    };
    report::print(&report, args.run.json)
}

/// What an event means to whoever watches.
pub(crate) fn said(event: &Event) -> String {
    match event {
        Event::Started { shard, instructions, last } => {
            let last = if *last { ", the last" } else { "" };
            format!("proving shard {shard}{last}: {instructions} rows")
        }
        Event::Proved { shard, seconds, .. } => {
            format!("shard {shard} proved in {seconds:.1} s, executing")
        }
        _ => String::new(),
    }
}
