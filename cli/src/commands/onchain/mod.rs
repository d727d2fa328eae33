//! Proofs for contracts: their keys, the proofs, the contracts, and sending a proof.

pub(crate) mod export;
pub(crate) mod prove;
pub(crate) mod setup;
pub(crate) mod submit;
pub(crate) mod verify;

use std::{
    env,
    path::{Path, PathBuf},
};

use rwprove_wrap::{
    groth16::{Origin, Verifier},
    onchain::OnchainProof,
    settlement::Settlement,
};

use crate::{args::VerifierArgs, error::CliError, files};

/// What is said wherever a key from a public seed is used.
const INSECURE: &str = "the Groth16 key is a development key, from a public seed: anyone can forge \
                        proofs under it";

/// Where the keys are.
struct Keys {
    /// What proves.
    prover: PathBuf,
    /// What verifies.
    verifier: PathBuf,
}

impl Keys {
    /// In this folder, or in the user's cache.
    fn new(folder: Option<&PathBuf>) -> Result<Self, CliError> {
        let cache = || {
            let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
            let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
            cache.map(|cache| cache.join("rwprove"))
        };
        let folder = folder.cloned().or_else(cache);
        let folder =
            folder.ok_or_else(|| CliError::Usage("say --keys: there is no HOME".into()))?;
        Ok(Self { prover: folder.join("onchain.key"), verifier: folder.join("onchain.vkey") })
    }
}

/// The verifier that was asked for: a file's, or the development one that this program knows.
fn verifier(args: &VerifierArgs) -> Result<Verifier, CliError> {
    let read = match &args.verifier {
        Some(path) => Verifier::from_bytes(&files::read(path)?),
        None => Settlement::development(),
    };
    read.map_err(|error| CliError::refused("no verifier", error))
}

/// Reads a proof file.
fn proof(path: &Path) -> Result<OnchainProof, CliError> {
    let proof = OnchainProof::from_bytes(&files::read(path)?);
    proof.map_err(|error| CliError::refused("no proof for contracts", error))
}

/// Whether the key is one from a public seed.
fn insecure(verifier: &Verifier) -> bool {
    verifier.origin == Origin::Development
}
