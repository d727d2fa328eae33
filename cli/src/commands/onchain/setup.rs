//! `rwprove setup-onchain`: the Groth16 key of the circuit for L1.

use std::{
    fmt,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    time::Instant,
};

use rwprove_wrap::{
    groth16::{Prover, development, read_zkey, write_r1cs},
    r1cs::Circuit,
    settlement::Settlement,
};
use serde::Serialize;

use super::{INSECURE, Keys, insecure};
use crate::{
    args::SetupOnchainArgs, error::CliError, files, hex, progress::Progress, report,
    resources::peak_rss_bytes,
};

/// What was made.
#[derive(Serialize)]
struct SetupReport {
    constraints: usize,
    variables: usize,
    circuit: String,
    /// Files written, with their bytes.
    files: Vec<(String, u64)>,
    /// Digest of the verifier; its first four bytes choose it in a gateway.
    verifier: Option<String>,
    insecure: Option<&'static str>,
    seconds: f64,
    peak_rss_bytes: Option<u64>,
}

impl fmt::Display for SetupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "circuit       {}", self.circuit)?;
        writeln!(f, "constraints   {}", self.constraints)?;
        for (file, bytes) in &self.files {
            writeln!(f, "written       {file}, {bytes} bytes")?;
        }
        if let Some(verifier) = &self.verifier {
            writeln!(f, "verifier      {verifier}")?;
        }
        if let Some(insecure) = self.insecure {
            writeln!(f, "INSECURE      {insecure}")?;
        }
        write!(f, "took          {:.1} s", self.seconds)?;
        if let Some(bytes) = self.peak_rss_bytes {
            write!(f, ", {} MiB at most", bytes >> 20)?;
        }
        writeln!(f)
    }
}

pub(crate) fn run(args: &SetupOnchainArgs, quiet: bool) -> Result<(), CliError> {
    let start = Instant::now();
    let progress = Progress::start("building the circuit", quiet);
    let circuit = circuit()?;
    let mut report = SetupReport {
        constraints: circuit.constraints(),
        variables: circuit.variables(),
        circuit: hex::encode(&circuit.digest()),
        files: Vec::new(),
        verifier: None,
        insecure: None,
        seconds: 0.0,
        peak_rss_bytes: None,
    };
    if let Some(path) = &args.r1cs {
        write_file(path, |out| write_r1cs(&circuit, out).map_err(|error| error.to_string()))?;
        report.files.push(written(path)?);
    }
    let prover = match &args.zkey {
        Some(path) => {
            progress.now("reading the key".into());
            let key = read_zkey(&files::read(path)?, &circuit);
            Some(key.map_err(|error| CliError::refused("no key", error))?)
        }
        None if args.dev => {
            progress.now("making a development key".into());
            let key = development(&circuit);
            Some(key.map_err(|error| CliError::refused("no key", error))?)
        }
        None => None,
    };
    drop(circuit);
    if let Some(prover) = prover {
        progress.now("writing the key".into());
        keep(&prover, &Keys::new(args.keys.keys.as_ref())?, &mut report)?;
    }
    drop(progress);
    report.seconds = start.elapsed().as_secs_f64();
    report.peak_rss_bytes = peak_rss_bytes();
    report::print(&report, args.json)
}

/// The circuit, which must be the one that its digest is known of.
fn circuit() -> Result<Circuit, CliError> {
    let wrong = |error: String| CliError::refused("no circuit", error);
    let settlement = Settlement::of_runs().map_err(|error| wrong(error.to_string()))?;
    let circuit = settlement.circuit().map_err(|error| wrong(error.to_string()))?;
    if circuit.digest() != Settlement::DIGEST {
        return Err(wrong("it is another one than its fixed digest says".into()));
    }
    Ok(circuit)
}

fn keep(prover: &Prover, keys: &Keys, report: &mut SetupReport) -> Result<(), CliError> {
    let verifier = prover.verifier();
    if let Some(folder) = keys.prover.parent() {
        let made = fs::create_dir_all(folder);
        made.map_err(|error| CliError::Write { path: folder.into(), error })?;
    }
    write_file(&keys.prover, |out| prover.write(out).map_err(|error| error.to_string()))?;
    let bytes = verifier.to_bytes().map_err(|error| CliError::refused("no verifier", error))?;
    files::write(&keys.verifier, &bytes)?;
    report.files.extend([written(&keys.prover)?, written(&keys.verifier)?]);
    report.verifier = Some(hex::encode(&verifier.digest()));
    report.insecure = insecure(&verifier).then_some(INSECURE);
    Ok(())
}

/// Writes a file that is too large to be held twice, under another name first.
fn write_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), String>,
) -> Result<(), CliError> {
    let part = path.with_extension("part");
    let wrong = |error| CliError::Write { path: path.into(), error };
    let mut out = BufWriter::new(File::create(&part).map_err(wrong)?);
    write(&mut out).map_err(|error| CliError::refused("cannot write the key", error))?;
    out.flush().and_then(|()| fs::rename(&part, path)).map_err(wrong)
}

fn written(path: &Path) -> Result<(String, u64), CliError> {
    let found = fs::metadata(path).map_err(|error| CliError::Read { path: path.into(), error })?;
    Ok((path.display().to_string(), found.len()))
}
