//! `rwprove verify` of a proof for contracts: what the gateway would say.

use rwprove_wrap::{onchain::OnchainProof, settlement::Settlement, solidity::verify};

use super::{INSECURE, insecure, verifier};
use crate::{args::VerifierArgs, error::CliError};

/// Verifies that the program with this key's digest makes the proof's statement true.
pub(crate) fn verified(
    vkey: &[u8; 32],
    proof: &OnchainProof,
    args: &VerifierArgs,
    allow_dev_setup: bool,
) -> Result<(), CliError> {
    let verifier = verifier(args)?;
    // Of another circuit a proof says nothing about a program.
    if verifier.circuit != Settlement::DIGEST {
        return Err(CliError::Refused("the verifier is one of another circuit".into()));
    }
    if insecure(&verifier) && !allow_dev_setup {
        return Err(CliError::Refused(format!("{INSECURE}; say --allow-dev-setup to accept that")));
    }
    let accepted = verify(&verifier, vkey, &proof.statement.to_bytes(), &proof.proof);
    accepted.map(|_| ()).map_err(|error| CliError::Refused(error.to_string()))
}
