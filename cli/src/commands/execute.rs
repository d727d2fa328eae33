//! `rwprove execute`: the result of a run, without a proof.

use std::time::Instant;

use rwprove_executor::{Report, execute};

use crate::{
    args::ExecuteArgs,
    error::CliError,
    program::Loaded,
    progress::Progress,
    report::{self, RunReport},
    resources::peak_rss_bytes,
};

pub(crate) fn run(args: &ExecuteArgs, quiet: bool) -> Result<(), CliError> {
    let start = Instant::now();
    let progress = Progress::start("executing", quiet);
    let loaded = Loaded::from_args(&args.run.program, args.run.input.fuel)?;
    let input = loaded.input(&args.run.input)?;
    let executed = execute(&loaded.program, &input, args.max_rows);
    let executed = executed.map_err(|error| CliError::refused("the run has no result", error))?;
    drop(progress);
    report::print(&run_report(&executed, &loaded, start), args.run.json)
}

/// The answer for a run that nothing was proved of.
pub(crate) fn run_report(run: &Report, loaded: &Loaded, start: Instant) -> RunReport {
    let (results, output) = RunReport::split_output(run.exit, &run.output, loaded.results());
    RunReport {
        exit: run.exit.into(),
        results,
        output,
        fuel: run.fuel,
        rwasm_instructions: run.instructions,
        rows: run.rows,
        shards: run.shards,
        seconds: start.elapsed().as_secs_f64(),
        peak_rss_bytes: peak_rss_bytes(),
        proof_bytes: None,
        vkey: None,
        tables: Vec::new(),
        padding: None,
        layers: Vec::new(),
    }
}
