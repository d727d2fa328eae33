//! `rwprove prove --mode onchain`: what comes after the root's proof.

use std::{fs::File, io::BufReader, path::PathBuf, time::Instant};

use rwprove_prover::Rooted;
use rwprove_verifier::Preset;
use rwprove_wrap::{
    groth16::Prover,
    onchain::OnchainProof,
    settlement::{PRESET, SettleError, Settled, Settlement},
    solidity::{proof_bytes, verify},
};

use super::{INSECURE, Keys, insecure};
use crate::{error::CliError, progress::Progress};

/// What was proved, by its name, bytes and seconds.
pub(crate) type Note<'a> = &'a mut dyn FnMut(&str, usize, f64);

/// What proves for contracts, looked for before anything is proved.
pub(crate) struct Onchain {
    keys: Keys,
}

impl Onchain {
    /// The keys in a folder.
    pub(crate) fn new(folder: Option<&PathBuf>, preset: Preset) -> Result<Self, CliError> {
        if preset != PRESET {
            return Err(CliError::Usage(SettleError::Preset(preset.bits()).to_string()));
        }
        let keys = Keys::new(folder)?;
        if !keys.prover.exists() {
            return Err(CliError::Usage(format!(
                "there is no Groth16 key {}: make one with `rwprove setup-onchain`",
                keys.prover.display()
            )));
        }
        Ok(Self { keys })
    }

    /// Proves to contracts what a root's proof shows. The proof just made is verified.
    pub(crate) fn prove(
        &self,
        rooted: Rooted,
        progress: &Progress,
        note: Note<'_>,
    ) -> Result<Vec<u8>, CliError> {
        let refused = |error: String| CliError::refused("no proof", error);
        progress.now("proving the statement over BN254's hashes".into());
        let start = Instant::now();
        let settlement = Settlement::of_runs().map_err(|error| refused(error.to_string()))?;
        let settled = settlement.settle(&rooted.head, &rooted.claim, &rooted.proof);
        drop(rooted);
        let settled = settled.map_err(|error| refused(error.to_string()))?;
        note("settle", settled.streams.bytes(), start.elapsed().as_secs_f64());

        progress.now("reading the Groth16 key".into());
        let start = Instant::now();
        let prover = self.read()?;
        note("groth16 key", 0, start.elapsed().as_secs_f64());

        progress.now("proving with Groth16".into());
        let start = Instant::now();
        let assignment =
            settlement.assignment(&settled).map_err(|error| refused(error.to_string()))?;
        let proof = prover.prove(&assignment).map_err(|error| refused(error.to_string()))?;
        let (verifier, Settled { statement, .. }) = (prover.verifier(), settled);
        let proof = proof_bytes(&verifier, &proof);
        verify(&verifier, &statement.vkey, &statement.to_bytes(), &proof)
            .map_err(|error| refused(error.to_string()))?;
        if insecure(&verifier) {
            progress.warn(INSECURE);
        }
        note("groth16", proof.len(), start.elapsed().as_secs_f64());
        Ok(OnchainProof { statement, proof }.to_bytes())
    }

    fn read(&self) -> Result<Prover, CliError> {
        let path = &self.keys.prover;
        let file = File::open(path);
        let file = file.map_err(|error| CliError::Read { path: path.clone(), error })?;
        let key = Prover::read(&mut BufReader::new(file), &Settlement::DIGEST);
        key.map_err(|error| {
            CliError::refused("no Groth16 key", format!("{}: {error}", path.display()))
        })
    }
}
