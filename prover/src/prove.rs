//! From an input to a proof.
//!
//! While one shard is proved, the next is executed on its own thread. Shards are proved one at a
//! time, each with all threads of the pool, so memory is that of one proof and two records.

use std::{path::PathBuf, time::Instant};

use p3_batch_stark::{ProverData, ProverOnlyData, StarkInstance, prove_batch};
use p3_field::PrimeField32;
use rwprove_circuits::{
    Val, cpu,
    machine::{self as tables, ChipId, Instance},
    shape::Shape,
    table,
};
use rwprove_executor::{Input, Options as Execution, Report, Rows};
use rwprove_isa::{InputDigest, Statement, keccak256, record::Record};
use rwprove_verifier::{
    VerifyingKey,
    bytes::{Reader, Writer},
    codec::Proof,
    config::Config,
    machine,
    shards::{self, Boundary, Run, Shard, State, VerifyError},
    step,
};

use crate::{
    error::ProveError,
    execution::{Cut, End, execute},
    keys::ProvingKey,
    memory,
    resume::Directory,
};

/// How a run is proved.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bound on memory in bytes; shards are cut so that the estimate stays below it.
    pub max_memory: u64,
    /// Rows of a shard, instead of those that `max_memory` allows.
    pub limits: Option<Rows>,
    /// Rows after which a run that has not ended is given up.
    pub max_rows: u64,
    /// Leave the input's digest out of the statement.
    pub private_input: bool,
    /// Keep finished shards in this directory, and go on from those that are there.
    pub resume: Option<PathBuf>,
}

impl Options {
    pub(crate) fn execution(&self, key: &VerifyingKey) -> Result<Execution, ProveError> {
        let limits = self.limits.map_or_else(|| memory::limits(key, self.max_memory), Ok)?;
        Ok(Execution { limits: vec![limits], max_rows: self.max_rows })
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_memory: memory::DEFAULT,
            limits: None,
            max_rows: 1 << 40,
            private_input: false,
            resume: None,
        }
    }
}

/// What happens on the way, for whoever shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A shard was executed and its proof begins.
    Started {
        /// Which shard.
        shard: u32,
        /// Lowered instructions of the shard.
        instructions: usize,
        /// Whether the run ends with it.
        last: bool,
    },
    /// A shard is proved.
    Proved {
        /// Which shard.
        shard: u32,
        /// Lowered instructions of the shard.
        instructions: usize,
        /// Rows of all tables.
        rows: u64,
        /// Length of the proof.
        bytes: usize,
        /// Seconds taken.
        seconds: f64,
        /// It was there from an earlier attempt.
        reused: bool,
    },
}

/// A proof with what it says.
#[derive(Clone, Debug)]
pub struct Proved {
    /// The proof.
    pub proof: Vec<u8>,
    /// What it proves.
    pub statement: Statement,
    /// What the run was and cost.
    pub report: Report,
}

/// Proves a run.
///
/// Not for a task of rayon's global pool: the executing thread uses the pool while the caller waits
/// for it, which can block every thread of the pool.
///
/// # Errors
/// [`ProveError`] if the run has no result, or its proof cannot be made.
pub fn prove(
    key: &ProvingKey,
    input: &Input,
    options: &Options,
    progress: &mut dyn FnMut(&Event),
) -> Result<Proved, ProveError> {
    let execution = options.execution(&key.key)?;
    let manifest = manifest(&key.key, input, &execution.limits);
    let directory = options.resume.as_ref().map(|path| Directory::open(path, &manifest));
    let mut prover = Prover {
        key,
        fuel_limit: input.fuel_limit.unwrap_or(u64::MAX),
        preprocessed: key.preprocessed(),
        directory: directory.transpose()?,
        shards: Vec::new(),
    };
    let end = execute(&key.program, input, execution, |cut| prover.shard(&cut, progress))?;
    let statement = statement(key, input, options, &end);
    let run = Run { input_bytes: input.bytes.len() as u32, input: end.input, results: end.results };
    let shards = prover.shards.iter().map(Vec::as_slice);
    let proof = shards::encode(&key.key, &statement, &run, shards);
    Ok(Proved { proof, statement, report: end.report })
}

/// Checks every constraint and message of every shard of a run, without proving anything.
/// Like [`prove`], not for a task of rayon's global pool.
///
/// # Errors
/// [`ProveError`] if the run has no result, or some rule of some table does not hold.
pub fn check(
    key: &ProvingKey,
    input: &Input,
    options: &Options,
    progress: &mut dyn FnMut(&Event),
) -> Result<(Statement, Report), ProveError> {
    let execution = options.execution(&key.key)?;
    let end = execute(&key.program, input, execution, |cut| {
        progress(&started(&cut));
        let (_, instances) = fill(key, &cut)?;
        let shard = cut.record.index;
        tables::check(&instances).map_err(|violation| ProveError::Violation { shard, violation })
    })?;
    Ok((statement(key, input, options, &end), end.report))
}

/// Proves shards one after the other.
struct Prover<'a> {
    key: &'a ProvingKey,
    fuel_limit: u64,
    preprocessed: ProverOnlyData<Config>,
    directory: Option<Directory>,
    shards: Vec<Vec<u8>>,
}

impl Prover<'_> {
    /// Proves one shard, unless it is there already.
    fn shard(&mut self, cut: &Cut, progress: &mut dyn FnMut(&Event)) -> Result<(), ProveError> {
        let (number, start) = (cut.record.index, Instant::now());
        progress(&started(cut));
        let kept = self.kept(cut)?;
        let reused = kept.is_some();
        let (bytes, rows) = match kept {
            Some(kept) => kept,
            None => self.prove(cut)?,
        };
        if let Some(directory) = self.directory.as_ref().filter(|_| !reused) {
            directory.keep(number, &bytes)?;
        }
        progress(&Event::Proved {
            shard: number,
            instructions: cut.record.cpu.len(),
            rows,
            bytes: bytes.len(),
            seconds: start.elapsed().as_secs_f64(),
            reused,
        });
        self.shards.push(bytes);
        Ok(())
    }

    /// A shard of an earlier attempt, if it proves exactly this step of the run.
    fn kept(&self, cut: &Cut) -> Result<Option<(Vec<u8>, u64)>, ProveError> {
        let number = cut.record.index;
        let Some(directory) = &self.directory else { return Ok(None) };
        let Some(bytes) = directory.shard(number)? else { return Ok(None) };
        let (before, after) = states(cut);
        let rows = reusable(self.key, self.fuel_limit, number, [&before, &after], &bytes);
        Ok(rows.map(|rows| (bytes, rows)))
    }

    fn prove(&mut self, cut: &Cut) -> Result<(Vec<u8>, u64), ProveError> {
        let (shape, instances) = fill(self.key, cut)?;
        let boundary = boundary(&instances, cut);
        debug_assert_eq!(
            machine::publics(&shape, &boundary, &states(cut).0, self.fuel_limit),
            instances.iter().map(|i| i.publics.clone()).collect::<Vec<_>>(),
        );
        let proof = self
            .stark(&shape, &instances)
            .map_err(|error| ProveError::Stark { shard: cut.record.index, error })?;
        let shard = Shard { shape, boundary, proof };
        let mut out = Writer::default();
        shard.write(&mut out);
        Ok((out.into_bytes(), shard.rows()))
    }

    fn stark(&mut self, shape: &Shape, instances: &[Instance]) -> Result<Proof, String> {
        let key = &self.key.key;
        let layout = machine::layout(shape, key.preset.parameters());
        let common = layout.common(Some(vec![key.preprocessed].into()));
        let prover_only = std::mem::replace(&mut self.preprocessed, ProverOnlyData::empty());
        let data = ProverData { common, prover_only };
        let stark = instances.iter().map(|Instance { chip, trace, publics }| StarkInstance {
            air: chip,
            trace,
            public_values: publics.clone(),
        });
        let stark: Vec<_> = stark.collect();
        let proof = prove_batch(&self.key.config, &stark, &data);
        self.preprocessed = data.prover_only;
        proof.map_err(|error| error.to_string())
    }
}

/// The bytes of a shard's proof, whatever its tables say.
#[cfg(feature = "testing")]
pub(crate) fn prove_shard(
    key: &ProvingKey,
    fuel_limit: u64,
    cut: &Cut,
) -> Result<Vec<u8>, ProveError> {
    let preprocessed = key.preprocessed();
    let mut prover = Prover { key, fuel_limit, preprocessed, directory: None, shards: Vec::new() };
    prover.prove(cut).map(|(bytes, _)| bytes)
}

fn started(cut: &Cut) -> Event {
    let Record { index, cpu, last, .. } = &cut.record;
    Event::Started { shard: *index, instructions: cpu.len(), last: *last }
}

/// Rows of a finished shard's tables, if its bytes prove the step between these states. A broken
/// file is like none.
pub(crate) fn reusable(
    key: &ProvingKey,
    fuel_limit: u64,
    number: u32,
    [before, after]: [&State; 2],
    bytes: &[u8],
) -> Option<u64> {
    let verified = || {
        let mut input = Reader::new(bytes);
        let shard = Shard::read(&key.key, number, &mut input)?;
        input.finish()?;
        let reached = shard.verify(&key.key, &key.config, number, fuel_limit, before)?;
        Ok::<_, VerifyError>((reached == *after).then(|| shard.rows()))
    };
    verified().ok().flatten()
}

/// The states around a shard.
fn states(cut: &Cut) -> (State, State) {
    let Cut { record, merkle } = cut;
    (
        State { registers: record.start, root: merkle.root_before },
        State { registers: record.end, root: merkle.root_after },
    )
}

/// The tables of a shard.
pub(crate) fn fill(key: &ProvingKey, cut: &Cut) -> Result<(Shape, Vec<Instance>), ProveError> {
    let Cut { record, merkle } = cut;
    let shard = table::Shard { program: &key.program, record, merkle };
    let shape = Shape::for_shard(&key.machine, &shard)
        .map_err(|error| ProveError::Shape { shard: record.index, error })?;
    Ok((shape, key.machine.fill_all(&shard, &shape)))
}

/// What the public values say of a shard.
fn boundary(instances: &[Instance], cut: &Cut) -> Boundary {
    let public = |chip: ChipId, place: usize| {
        let table = instances.iter().find(|instance| instance.chip.id() == chip);
        table.and_then(|t| t.publics.get(place)).map_or(0, Val::as_canonical_u32)
    };
    Boundary {
        end: std::array::from_fn(|i| public(ChipId::Cpu, cpu::public::END + i)),
        spent: public(ChipId::Cpu, cpu::public::SPENT),
        charged: std::array::from_fn(|i| public(ChipId::Fuel, step::FUEL_CHARGED + i)),
        root: cut.merkle.root_after,
    }
}

fn statement(key: &ProvingKey, input: &Input, options: &Options, end: &End) -> Statement {
    Statement {
        vkey: key.key.digest(),
        state: input.state,
        fuel_limit: input.fuel_limit.unwrap_or(u64::MAX),
        input: match options.private_input {
            true => InputDigest::Private,
            false => InputDigest::Public(keccak256(&input.bytes)),
        },
        host: [0; 32],
        exit: end.report.exit,
        fuel: end.report.fuel,
        output: keccak256(&end.report.output),
    }
}

/// Names everything that shards depend on.
fn manifest(key: &VerifyingKey, input: &Input, limits: &[Rows]) -> String {
    let (vkey, tape) = (key.digest(), keccak256(&input.bytes));
    let Input { state, fuel_limit, .. } = input;
    format!("key {vkey:02x?}\ninput {tape:02x?}\nstate {state}\nfuel {fuel_limit:?}\n{limits:?}\n")
}
