//! `rwprove vkey`: the digest that names a program in statements.

use std::fmt;

use rwprove_isa::Program;
use rwprove_prover::{ProvingKey, setup};
use rwprove_verifier::{Preset, VerifyingKey};
use serde::Serialize;

use crate::{args::KeyArgs, commands::preset, error::CliError, hex, program::Loaded, report};

/// The digest and what it covers.
#[derive(Serialize)]
struct VkeyReport {
    vkey: String,
    preset: u32,
    module_keccak256: String,
    machine: String,
}

impl fmt::Display for VkeyReport {
    /// The digest alone, for shell scripts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.vkey)
    }
}

pub(crate) fn run(args: &KeyArgs) -> Result<(), CliError> {
    let program = Loaded::from_args(&args.program, args.fuel)?.program;
    let key = verifying_key(&program, preset(args.preset.preset))?;
    let report = VkeyReport {
        vkey: hex::encode(&key.digest()),
        preset: key.preset.bits(),
        module_keccak256: hex::encode(&key.module),
        machine: hex::encode(&key.machine),
    };
    report::print(&report, args.json)
}

/// The proving key of a program.
pub(crate) fn proving_key(program: &Program, preset: Preset) -> Result<ProvingKey, CliError> {
    let keys = setup(program.clone(), preset);
    keys.map(|(key, _)| key).map_err(|error| CliError::refused("the program has no key", error))
}

/// The verification key of a program.
pub(crate) fn verifying_key(program: &Program, preset: Preset) -> Result<VerifyingKey, CliError> {
    proving_key(program, preset).map(|key| *key.verifying_key())
}
