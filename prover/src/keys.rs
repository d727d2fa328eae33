//! Keys: what is computed once for a program.
//!
//! The machine's tables need no setup of their own: the verifier's crate evaluates them once a
//! process. A program adds its preprocessed columns, committed here; every shape reuses that one
//! commitment, because the tables that have preprocessed columns are in every shape.

use p3_air::BaseAir;
use p3_batch_stark::{ProverData, ProverOnlyData};
use p3_matrix::Matrix;
use rwprove_circuits::{
    machine::{Chip, ChipId, Machine},
    merkle::program_regions,
};
use rwprove_isa::{MAX_CODE, Program};
use rwprove_verifier::{Preset, VerifyingKey, config::Config, machine};

use crate::error::SetupError;

/// What proving runs of one program needs.
#[allow(missing_debug_implementations)] // the library's data has none
pub struct ProvingKey {
    pub(crate) program: Program,
    pub(crate) key: VerifyingKey,
    pub(crate) machine: Machine,
    pub(crate) config: Config,
    preprocessed: ProverOnlyData<Config>,
}

impl ProvingKey {
    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The key that proofs verify under.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The committed columns, for a prover of its own.
    pub(crate) fn preprocessed(&self) -> ProverOnlyData<Config> {
        let preprocessed_prover_data = self.preprocessed.preprocessed_prover_data.clone();
        ProverOnlyData { preprocessed_prover_data }
    }
}

/// The keys of a program.
///
/// # Errors
/// [`SetupError`] if the program is not one that the machine can run.
pub fn setup(program: Program, preset: Preset) -> Result<(ProvingKey, VerifyingKey), SetupError> {
    if program.code.len() > MAX_CODE {
        return Err(SetupError::CodeLength { found: program.code.len(), max: MAX_CODE });
    }
    let regions = program_regions(&program)?;
    let machine = Machine::new(&program);
    let config = preset.parameters().config();

    // The matrices and their order are those of every shape: see `ProofLayout::common`.
    let mut fixed: Vec<Chip> = Vec::new();
    let mut log_heights = Vec::new();
    let mut log_program = 0;
    for chip in machine.chips() {
        let Some(columns) = chip.preprocessed_trace() else { continue };
        let log_height = columns.height().ilog2();
        if chip.id() == ChipId::Program {
            log_program = log_height;
        }
        log_heights.push(log_height as usize);
        fixed.push(chip.clone());
    }
    let data = ProverData::from_airs_and_degrees(&config, &fixed, &log_heights)
        .map_err(|error| SetupError::Commitment(error.to_string()))?;
    let root = data.common.preprocessed.and_then(|p| p.commitment.roots().first().copied());
    let preprocessed = root.ok_or_else(|| SetupError::Commitment("there is no root".into()))?;

    let key = VerifyingKey {
        machine: machine::digest(),
        preset,
        module: program.module_hash,
        log_height: log_program,
        preprocessed,
        regions,
        start: program.start,
        pages: program.pages,
        fuel: program.fuel,
    };
    Ok((ProvingKey { program, key, machine, config, preprocessed: data.prover_only }, key))
}
