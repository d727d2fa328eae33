//! `rwprove export-verifier`: the contracts, and the call that brings a proof.

use std::{fmt, fs};

use rwprove_wrap::solidity::{CONTRACTS, calldata, contract};
use serde::Serialize;
use serde_json::json;

use super::{INSECURE, insecure, proof, verifier};
use crate::{args::ExportArgs, error::CliError, files, hex, report};

/// What was written.
#[derive(Serialize)]
struct ExportReport {
    /// Digest of the verifier; its first four bytes choose it in a gateway.
    verifier: String,
    insecure: Option<&'static str>,
    files: Vec<String>,
}

impl fmt::Display for ExportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "verifier      {}", self.verifier)?;
        if let Some(insecure) = self.insecure {
            writeln!(f, "INSECURE      {insecure}")?;
        }
        self.files.iter().try_for_each(|file| writeln!(f, "written       {file}"))
    }
}

pub(crate) fn run(args: &ExportArgs) -> Result<(), CliError> {
    let proof = args.proof.as_deref().map(proof).transpose()?;
    let verifier = verifier(&args.verifier)?;
    let source = contract(&verifier, "./IGroth16Verifier.sol");
    let source = source.ok_or_else(|| CliError::Refused("the key has not two inputs".into()))?;
    let made = fs::create_dir_all(&args.out);
    made.map_err(|error| CliError::Write { path: args.out.clone(), error })?;
    let mut files: Vec<(&str, String)> = vec![("Groth16Verifier.sol", source)];
    files.extend(CONTRACTS.map(|(name, source)| (name, source.to_owned())));
    if let Some(proof) = &proof {
        let call = json!({
            "programVKey": prefixed(&proof.statement.vkey),
            "publicValues": prefixed(&proof.statement.to_bytes()),
            "proofBytes": prefixed(&proof.proof),
            "calldata": prefixed(&calldata(&proof.statement, &proof.proof)),
        });
        files.push(("proof.json", format!("{call:#}\n")));
    }
    let mut report = ExportReport {
        verifier: hex::encode(&verifier.digest()),
        insecure: insecure(&verifier).then_some(INSECURE),
        files: Vec::new(),
    };
    for (name, text) in files {
        let path = args.out.join(name);
        files::write(&path, text.as_bytes())?;
        report.files.push(path.display().to_string());
    }
    report::print(&report, args.json)
}

/// Hex as Ethereum writes it.
pub(super) fn prefixed(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
