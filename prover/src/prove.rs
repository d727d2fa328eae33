//! From an input to a proof.
//!
//! While one shard is proved, the next is executed on its own thread. Shards are proved one at a
//! time, each with all threads of the pool, so memory is that of one proof and two records.

use std::{path::PathBuf, time::Instant};

use rwprove_circuits::{machine as tables, shape::Shape};
use rwprove_executor::{Input, Options as Execution, Report, Rows};
use rwprove_isa::{InputDigest, Statement, keccak256, record::Record};
use rwprove_verifier::{
    VerifyingKey,
    bytes::{Reader, Writer},
    head::Kind,
    shards::{self, Run, Shard, State, VerifyError},
};

use crate::{
    compressed,
    error::ProveError,
    event::Event,
    execution::{Cut, End, execute},
    keys::ProvingKey,
    memory,
    resume::Directory,
    shapes::Shapes,
    shard::{ShardProver, fill, states},
};

/// How a run is proved.
#[derive(Clone, Debug)]
pub struct Options {
    /// The kind of proof. Shards of a compressed one have listed shapes.
    pub kind: Kind,
    /// Bound on memory in bytes; shards are cut so that the estimate stays below it.
    pub max_memory: u64,
    /// Rows of a shard: instead of those that `max_memory` allows, or, with listed shapes, besides.
    pub limits: Option<Rows>,
    /// Rows after which a run that has not ended is given up.
    pub max_rows: u64,
    /// Leave the input's digest out of the statement.
    pub private_input: bool,
    /// Keep finished shards in this directory, and go on from those that are there.
    pub resume: Option<PathBuf>,
}

impl Options {
    pub(crate) fn execution(&self, shapes: &Shapes) -> Execution {
        Execution { limits: shapes.limits(), max_rows: self.max_rows }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kind: Kind::Shards,
            max_memory: memory::DEFAULT,
            limits: None,
            max_rows: 1 << 40,
            private_input: false,
            resume: None,
        }
    }
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
    match options.kind {
        Kind::Shards => chain(key, input, options, progress),
        Kind::Compressed => compressed::prove(key, input, options, progress),
    }
}

/// Proves a run as a chain of shards.
fn chain(
    key: &ProvingKey,
    input: &Input,
    options: &Options,
    progress: &mut dyn FnMut(&Event),
) -> Result<Proved, ProveError> {
    let shapes = Shapes::new(&key.key, options)?;
    let execution = options.execution(&shapes);
    let manifest = manifest(&key.key, input, options, &execution.limits);
    let directory = options.resume.as_ref().map(|path| Directory::open(path, &manifest));
    let mut prover = Prover {
        shards: ShardProver::new(key, &shapes, input.fuel_limit.unwrap_or(u64::MAX)),
        directory: directory.transpose()?,
        bytes: Vec::new(),
    };
    let end = execute(&key.program, input, execution, |cut| prover.shard(&cut, progress))?;
    let statement = statement(key, input, options, &end);
    let run = Run { input_bytes: input.bytes.len() as u32, input: end.input, results: end.results };
    let shards = prover.bytes.iter().map(Vec::as_slice);
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
    let shapes = Shapes::new(&key.key, options)?;
    let end = execute(&key.program, input, options.execution(&shapes), |cut| {
        progress(&started(&cut, shapes.of_cut(key, &cut)?));
        let (_, instances) = fill(key, &shapes, &cut)?;
        let shard = cut.record.index;
        tables::check(&instances).map_err(|violation| ProveError::Violation { shard, violation })
    })?;
    Ok((statement(key, input, options, &end), end.report))
}

/// Proves the shards of a run one after the other, or takes them as they were kept.
struct Prover<'a> {
    shards: ShardProver<'a>,
    directory: Option<Directory>,
    bytes: Vec<Vec<u8>>,
}

impl Prover<'_> {
    /// Proves one shard, unless it is there already.
    fn shard(&mut self, cut: &Cut, progress: &mut dyn FnMut(&Event)) -> Result<(), ProveError> {
        let (number, start) = (cut.record.index, Instant::now());
        let ShardProver { key, shapes, .. } = self.shards;
        progress(&started(cut, shapes.of_cut(key, cut)?));
        let kept = self.kept(cut)?;
        let reused = kept.is_some();
        let (bytes, rows) = match kept {
            Some(kept) => kept,
            None => written(&self.shards.prove(cut)?.shard),
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
        self.bytes.push(bytes);
        Ok(())
    }

    /// A shard of an earlier attempt, if it proves exactly this step of the run.
    fn kept(&self, cut: &Cut) -> Result<Option<(Vec<u8>, u64)>, ProveError> {
        let number = cut.record.index;
        let Some(directory) = &self.directory else { return Ok(None) };
        let Some(bytes) = directory.shard(number)? else { return Ok(None) };
        let (before, after) = states(cut);
        let ShardProver { key, fuel_limit, .. } = self.shards;
        let rows = reusable(key, fuel_limit, number, [&before, &after], &bytes);
        Ok(rows.map(|rows| (bytes, rows)))
    }
}

/// The bytes of a shard's proof, and its rows.
fn written(shard: &Shard) -> (Vec<u8>, u64) {
    let mut out = Writer::default();
    shard.write(&mut out);
    (out.into_bytes(), shard.rows())
}

/// The bytes of a shard's proof, whatever its tables say.
#[cfg(feature = "testing")]
pub(crate) fn prove_shard(
    key: &ProvingKey,
    fuel_limit: u64,
    cut: &Cut,
) -> Result<Vec<u8>, ProveError> {
    let shapes = Shapes::Free(Rows::default());
    let proved = ShardProver::new(key, &shapes, fuel_limit).prove(cut)?;
    Ok(written(&proved.shard).0)
}

pub(crate) fn started(cut: &Cut, shape: Shape) -> Event {
    let Record { index, cpu, last, .. } = &cut.record;
    Event::Started { shard: *index, instructions: cpu.len(), shape, last: *last }
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

/// What a run amounts to.
pub(crate) fn statement(
    key: &ProvingKey,
    input: &Input,
    options: &Options,
    end: &End,
) -> Statement {
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
pub(crate) fn manifest(
    key: &VerifyingKey,
    input: &Input,
    options: &Options,
    limits: &[Rows],
) -> String {
    let (kind, vkey, tape) = (options.kind.name(), key.digest(), keccak256(&input.bytes));
    let Input { state, fuel_limit, .. } = input;
    format!(
        "{kind}\nkey {vkey:02x?}\ninput {tape:02x?}\nstate {state}\nfuel {fuel_limit:?}\n{limits:?}\n"
    )
}
