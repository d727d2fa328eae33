//! What test-benches need of the prover: fixtures as programs, and the filled tables of a run.
#![allow(clippy::panic, reason = "a fixture that does not compile is a mistake in this project")]

use rwprove_circuits::{
    machine::{Instance, Machine},
    merkle::{MerkleUpdate, RegOpening},
    program::Code,
    shape::Shape,
    table::Shard,
};
use rwprove_executor::{Input, Options as Execution, Report, Rows, instantiate};
use rwprove_isa::{
    Program, Statement,
    front::{Preset, load, lower},
    record::Record,
    runtime::{Library, asm::Asm},
    validate::validate,
};
use rwprove_verifier::{
    Preset as Security, VerifyingKey,
    config::Digest,
    machine,
    shards::{self, State},
};

use crate::{
    Options, ProveError, ProvingKey,
    execution::{Cut, execute},
    memory,
    prove::{prove_shard, reusable},
    shapes::Shapes,
    shard::fill,
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

/// The runtime library followed by the code that `build` appends, which is where runs start; one
/// page, and `fuel` consumed before.
pub fn assembled(fuel: u64, build: impl FnOnce(&mut Asm)) -> Program {
    let mut code = Library::get().code.clone();
    let start = code.len() as u32;
    let mut asm = Asm::at(start);
    build(&mut asm);
    code.extend(asm.finish());
    let weights = vec![1; code.len()];
    Program { module_hash: [9; 32], code, start, pages: 1, fuel, image: Vec::new(), weights }
}

/// What the executor may put into a shard of a shape.
pub fn rows(shape: &Shape) -> Rows {
    memory::rows(shape)
}

/// Rows of shards of at most 2^12 instructions.
pub const SMALL: Rows = Rows { keccak: 40, ..Rows::each(1 << 12) };

/// How the executor runs what is proved with these options.
///
/// # Errors
/// [`ProveError`] if no shard is small enough.
pub fn execution(key: &ProvingKey, options: &Options) -> Result<Execution, ProveError> {
    Ok(options.execution(&Shapes::new(&key.key, options)?))
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
    let shapes = Shapes::new(&key.key, options)?;
    let mut shards = Vec::new();
    execute(&key.program, input, options.execution(&shapes), |cut| {
        let (shape, instances) = fill(key, &shapes, &cut)?;
        let Cut { record, merkle } = cut;
        shards.push(Filled { record, merkle, shape, instances });
        Ok(())
    })?;
    Ok(shards)
}

/// The shapes of the shards of a run, without filling or proving anything, and what the run was.
///
/// # Errors
/// [`ProveError`] if the run has no result, or a shard no shape.
pub fn shapes(
    program: &Program,
    preset: Security,
    input: &Input,
    options: &Options,
) -> Result<(Vec<Shape>, Report), ProveError> {
    let machine = Machine::new(program);
    let key = VerifyingKey {
        machine: machine::digest(),
        preset,
        module: program.module_hash,
        log_height: Code::log_height(program) as u32,
        // Neither is looked at.
        preprocessed: Digest::default(),
        regions: Default::default(),
        start: program.start,
        pages: program.pages,
        fuel: program.fuel,
    };
    let (shapes, mut found) = (Shapes::new(&key, options)?, Vec::new());
    let end = execute(program, input, options.execution(&shapes), |Cut { record, merkle }| {
        let shard = Shard { program, record: &record, merkle: &merkle };
        let shape = shapes
            .of(&machine, &shard)
            .map_err(|error| ProveError::Shape { shard: record.index, error })?;
        found.push(shape);
        Ok(())
    })?;
    Ok((found, end.report))
}

/// Whether the bytes of a kept shard would be used again in place of proving this one.
pub fn would_reuse(key: &ProvingKey, input: &Input, shard: &Filled, bytes: &[u8]) -> bool {
    let Filled { record, merkle, .. } = shard;
    let before = State { registers: record.start, root: merkle.root_before };
    let after = State { registers: record.end, root: merkle.root_after };
    let fuel_limit = input.fuel_limit.unwrap_or(u64::MAX);
    reusable(key, fuel_limit, record.index, [&before, &after], bytes).is_some()
}

/// A proof of whatever these records say: for adversaries, who have their own.
///
/// # Errors
/// [`ProveError`] if a shard cannot be proved.
pub fn prove_records(
    key: &ProvingKey,
    input: &Input,
    statement: &Statement,
    records: &[(Record, MerkleUpdate)],
    region: Digest,
    results: RegOpening,
) -> Result<Vec<u8>, ProveError> {
    let proved = records
        .iter()
        .cloned()
        .map(|(record, merkle)| prove_shard(key, statement.fuel_limit, &Cut { record, merkle }));
    let proved: Vec<_> = proved.collect::<Result<_, _>>()?;
    let run = shards::Run { input_bytes: input.bytes.len() as u32, input: region, results };
    Ok(shards::encode(&key.key, statement, &run, proved.iter().map(Vec::as_slice)))
}
