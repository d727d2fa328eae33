//! Proofs of circuits.
//!
//! A circuit with heights for its tables has a [`Key`]: its committed rows. A proof says that there
//! is a stream on which the circuit says its public values.

use std::sync::OnceLock;

use p3_batch_stark::{ProverData, StarkInstance, prove_batch, verify_batch};
use p3_lookup::{LookupError, check_multiplicity_height_bound};
use rwprove_circuits::{
    Val,
    circuit::{BLOCK, Chip, tables},
};
use rwprove_verifier::{
    codec::Proof,
    config::{Config, Digest, Parameters},
    layout::{ProofLayout, TableLayout},
};
use thiserror::Error;

use crate::{
    backend::Rule,
    circuit::{Circuit, CircuitError, LogHeights, publics},
};

/// Why there is no key or proof.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The tables do not fit the circuit.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// Multiplicities may wrap around.
    #[error(transparent)]
    Multiplicities(#[from] LookupError),
    /// The rows of the circuit cannot be committed to.
    #[error("the rows of a circuit have no commitment: {0}")]
    Commitment(String),
    /// The stream breaks a rule.
    #[error(transparent)]
    Rule(#[from] Rule),
    /// The library gave up.
    #[error("{0}")]
    Stark(String),
}

/// The tables of circuits, evaluated once.
fn layouts() -> &'static [(Chip, TableLayout)] {
    static TABLES: OnceLock<Vec<(Chip, TableLayout)>> = OnceLock::new();
    TABLES.get_or_init(|| {
        let layout = |chip: Chip| {
            let layout = TableLayout::new(&chip);
            (chip, layout)
        };
        tables().into_iter().map(layout).collect()
    })
}

/// The layout of proofs of circuits with tables of these heights.
pub fn layout(log_heights: &LogHeights, parameters: Parameters) -> ProofLayout<'static> {
    let tables = layouts().iter().map(|(_, layout)| layout).zip(log_heights.iter().copied());
    ProofLayout { tables: tables.collect(), parameters }
}

/// What proving runs of one circuit needs.
#[allow(missing_debug_implementations)] // the library's data has none
pub struct Key {
    config: Config,
    parameters: Parameters,
    log_heights: LogHeights,
    /// The library asks tables for their rows while it proves.
    tables: Vec<Chip>,
    data: ProverData<Config>,
    commitment: Digest,
}

impl Key {
    /// Commits to the rows of a circuit, in tables of these heights.
    ///
    /// # Errors
    /// [`ProveError`] if the heights do not fit.
    pub fn new(
        circuit: &Circuit,
        log_heights: &LogHeights,
        parameters: Parameters,
    ) -> Result<Self, ProveError> {
        let config = parameters.config();
        let tables = circuit.preprocessed(log_heights)?;
        let layout = layout(log_heights, parameters);
        let lookups: Vec<_> =
            layout.tables.iter().map(|(table, _)| table.lookups.clone()).collect();
        let heights: Vec<_> = log_heights.iter().map(|log_height| 1 << log_height).collect();
        check_multiplicity_height_bound(&lookups, &heights)?;
        let wrong = |error: String| ProveError::Commitment(error);
        let data = ProverData::from_airs_and_degrees(&config, &tables, log_heights)
            .map_err(|error| wrong(error.to_string()))?;
        let root = data.common.preprocessed.as_ref().and_then(|p| p.commitment.roots().first());
        let commitment = *root.ok_or_else(|| wrong("there is no root".into()))?;
        // All tables have rows that circuits fix, so the commitment has them in the order of proofs.
        let data = ProverData {
            common: layout.common(Some(vec![commitment].into())),
            prover_only: data.prover_only,
        };
        Ok(Self { config, parameters, log_heights: *log_heights, tables, data, commitment })
    }

    /// The commitment to the circuit's rows, which names it.
    pub const fn commitment(&self) -> &Digest {
        &self.commitment
    }

    /// log2 of the heights of the tables.
    pub const fn log_heights(&self) -> &LogHeights {
        &self.log_heights
    }

    /// The layout of the circuit's proofs.
    pub fn layout(&self) -> ProofLayout<'static> {
        layout(&self.log_heights, self.parameters)
    }

    /// Proves what the circuit says of a stream; returns the public values too. The key must be the
    /// circuit's.
    ///
    /// # Errors
    /// [`ProveError`] if the stream breaks a rule.
    pub fn prove(
        &self,
        circuit: &Circuit,
        stream: &[Val],
    ) -> Result<(Proof, [Val; BLOCK]), ProveError> {
        let execution = circuit.run(stream)?;
        let traces = circuit.traces(&execution, &self.log_heights);
        let digest = *execution.publics();
        drop(execution);
        let instances = self.tables.iter().zip(&traces).map(|(air, trace)| StarkInstance {
            air,
            trace,
            public_values: publics(air.id(), &digest),
        });
        let instances: Vec<_> = instances.collect();
        let proof = prove_batch(&self.config, &instances, &self.data);
        proof.map(|proof| (proof, digest)).map_err(|error| ProveError::Stark(error.to_string()))
    }
}

/// Verifies a proof of the circuit with this commitment, in tables of these heights.
///
/// # Errors
/// What the library says.
pub fn verify(
    log_heights: &LogHeights,
    parameters: Parameters,
    commitment: &Digest,
    digest: &[Val; BLOCK],
    proof: &Proof,
) -> Result<(), String> {
    let airs: Vec<_> = layouts().iter().map(|(chip, _)| chip.clone()).collect();
    let publics: Vec<_> = airs.iter().map(|chip| publics(chip.id(), digest)).collect();
    let common = layout(log_heights, parameters).common(Some(vec![*commitment].into()));
    verify_batch(&parameters.config(), &airs, proof, &publics, &common)
        .map_err(|error| error.to_string())
}
