//! What test-benches need of the prover: fixtures as programs, and the filled tables of a run.
#![allow(clippy::panic, reason = "a fixture that does not compile is a mistake in this project")]

use rwprove_circuits::{machine::Instance, merkle::MerkleUpdate, shape::Shape};
use rwprove_executor::{Input, instantiate};
use rwprove_isa::{
    Program,
    front::{Preset, load, lower},
    record::Record,
    validate::validate,
};

use crate::{
    Options, ProveError, ProvingKey,
    execution::{Cut, execute},
    prove::fill,
};

/// A module, compiled, lowered, validated and instantiated.
///
/// # Panics
/// If any of these refuses it.
pub fn compile(module: &[u8], preset: &Preset) -> Program {
    let compiled = || -> Result<Program, Box<dyn std::error::Error>> {
        let module = load(module, preset)?;
        let lowered = lower(&module)?;
        validate(&module, &lowered)?;
        Ok(instantiate(&lowered.program, lowered.init)?)
    };
    compiled().unwrap_or_else(|error| panic!("{error}"))
}

/// One shard of a run with its filled tables.
#[derive(Clone, Debug)]
pub struct Filled {
    /// What happened.
    pub record: Record,
    /// What it did to the memory tree.
    pub merkle: MerkleUpdate,
    /// The heights of its tables.
    pub shape: Shape,
    /// The tables.
    pub instances: Vec<Instance>,
}

/// Runs a program and fills the tables of all its shards.
///
/// # Errors
/// [`ProveError`] if the run has no result.
pub fn filled(
    key: &ProvingKey,
    input: &Input,
    options: &Options,
) -> Result<Vec<Filled>, ProveError> {
    let execution = options.execution(&key.key)?;
    let mut shards = Vec::new();
    execute(&key.program, input, execution, |cut| {
        let (shape, instances) = fill(key, &cut)?;
        let Cut { record, merkle } = cut;
        shards.push(Filled { record, merkle, shape, instances });
        Ok(())
    })?;
    Ok(shards)
}
