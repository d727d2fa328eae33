//! `rwprove check`: every constraint and every message of a run, without a proof.

use std::time::Instant;

use rwprove_prover::{Options, check};

use crate::{
    args::RunArgs,
    commands::{execute::run_report, preset, prove::said, vkey::proving_key},
    error::CliError,
    program::Loaded,
    progress::Progress,
    report,
};

pub(crate) fn run(args: &RunArgs, quiet: bool) -> Result<(), CliError> {
    let start = Instant::now();
    let progress = Progress::start("setting up", quiet);
    let loaded = Loaded::from_args(&args.program, args.input.fuel)?;
    let input = loaded.input(&args.input)?;
    let key = proving_key(&loaded.program, preset(args.preset.preset))?;
    let checked = check(&key, &input, &Options::default(), &mut |event| progress.now(said(event)));
    let (_, report) = checked.map_err(|error| CliError::refused("the check failed", error))?;
    drop(progress);
    report::print(&run_report(&report, &loaded, start), args.json)
}
