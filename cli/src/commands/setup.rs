//! `rwprove setup`: everything that is done once for a program, and its key file.

use std::{fmt, time::Instant};

use rwprove_verifier::bytes::Writer;
use serde::Serialize;

use crate::{
    args::SetupArgs,
    commands::{preset, vkey::verifying_key},
    error::CliError,
    files, hex,
    program::Loaded,
    progress::Progress,
    report,
};

/// What setup found.
#[derive(Serialize)]
struct SetupReport {
    vkey: String,
    module_keccak256: String,
    instructions: usize,
    log_height: u32,
    pages: u32,
    image_words: usize,
    fuel: u64,
    seconds: f64,
}

impl fmt::Display for SetupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "vkey          {}", self.vkey)?;
        writeln!(f, "module        keccak256 {}", self.module_keccak256)?;
        let height = 1u64 << self.log_height;
        writeln!(f, "instructions  {} in a table of {height} rows", self.instructions)?;
        writeln!(f, "memory        {} pages, {} words set", self.pages, self.image_words)?;
        writeln!(f, "fuel          {} consumed by instantiation", self.fuel)?;
        writeln!(f, "took          {:.3} s", self.seconds)
    }
}

pub(crate) fn run(args: &SetupArgs, quiet: bool) -> Result<(), CliError> {
    let start = Instant::now();
    let progress = Progress::start("setting up", quiet);
    let program = Loaded::from_args(&args.key.program, args.key.fuel)?.program;
    let key = verifying_key(&program, preset(args.key.preset.preset))?;
    if let Some(path) = &args.out {
        let mut out = Writer::default();
        key.write(&mut out);
        files::write(path, &out.into_bytes())?;
    }
    drop(progress);
    let report = SetupReport {
        vkey: hex::encode(&key.digest()),
        module_keccak256: hex::encode(&key.module),
        instructions: program.code.len(),
        log_height: key.log_height,
        pages: program.pages,
        image_words: program.image.len(),
        fuel: program.fuel,
        seconds: start.elapsed().as_secs_f64(),
    };
    report::print(&report, args.key.json)
}
