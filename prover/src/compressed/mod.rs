//! From an input to one proof of a circuit: the last one's, or, for what settles a statement
//! elsewhere, the root's.
//!
//! A leaf is proved as soon as its shard is, and neighbours are joined as soon as both are there;
//! so what is kept of a run of `n` shards is at most `log2 n` proofs, and memory that of one shard
//! or one circuit.

mod circuits;
mod compressor;
mod node;
mod tree;

use p3_field::PrimeField32;
use rwprove_circuits::Val;
use rwprove_executor::{Input, Report};
use rwprove_verifier::{
    codec::Proof,
    compressed::{Compressed, encode},
    head::{Head, Kind, Run},
    step::Claim,
};

use self::{circuits::Circuits, compressor::Compressor, tree::Tree};
use crate::{
    error::ProveError,
    event::Event,
    execution::execute,
    keys::ProvingKey,
    prove::{Options, Proved, manifest, statement},
    resume::Directory,
    shapes::Shapes,
};

/// A run with the proof of the root over all of it.
#[allow(missing_debug_implementations)] // the library's proof has none
pub struct Rooted {
    /// What a compressed proof starts with.
    pub head: Head,
    /// What the root claims.
    pub claim: Claim<Val>,
    /// The root's proof.
    pub proof: Proof,
    /// What the run was and cost.
    pub report: Report,
    /// Shards of the run.
    pub shards: u32,
}

/// Proves a run in one proof.
pub(crate) fn prove(
    key: &ProvingKey,
    input: &Input,
    options: &Options,
    progress: &mut dyn FnMut(&Event),
) -> Result<Proved, ProveError> {
    let (rooted, mut circuits) = root(key, input, options, progress)?;
    let Rooted { head, claim, proof, report, shards } = rooted;
    let proof = circuits.last((0, shards), &claim, &proof, progress)?;
    let statement = head.statement.clone();
    let [_, end_fp, end_depth, end_pages] =
        claim.after.registers.map(|register| register.as_canonical_u32());
    let proof = encode(&head, &Compressed { end: [end_fp, end_depth, end_pages], proof });
    Ok(Proved { proof, statement, report })
}

/// Proves a run up to the root. Like [`crate::prove()`], not for a task of rayon's global pool.
///
/// # Errors
/// [`ProveError`] if the run has no result, or its proof cannot be made.
pub fn prove_root(
    key: &ProvingKey,
    input: &Input,
    options: &Options,
    progress: &mut dyn FnMut(&Event),
) -> Result<Rooted, ProveError> {
    let options = Options { kind: Kind::Compressed, ..options.clone() };
    Ok(root(key, input, &options, progress)?.0)
}

fn root(
    key: &ProvingKey,
    input: &Input,
    options: &Options,
    progress: &mut dyn FnMut(&Event),
) -> Result<(Rooted, Circuits), ProveError> {
    let shapes = Shapes::new(&key.key, options)?;
    let execution = options.execution(&shapes);
    let manifest = manifest(&key.key, input, options, &execution.limits);
    let directory = options.resume.as_ref().map(|path| Directory::open(path, &manifest));
    let fuel_limit = input.fuel_limit.unwrap_or(u64::MAX);
    let mut compressor = Compressor::new(key, &shapes, fuel_limit, directory.transpose()?);
    let mut tree = Tree::default();
    let end = execute(&key.program, input, execution, |cut| {
        let node = compressor.shard(&cut, progress)?;
        tree.push(node, |left, right| compressor.join(left, right, progress))
    })?;
    let whole = tree.finish(|left, right| compressor.join(left, right, progress))?;
    // Every run has a shard.
    let whole = whole.ok_or(ProveError::Executor)?;
    let (claim, proof, circuits) = compressor.root(&whole, progress)?;

    let statement = statement(key, input, options, &end);
    let run = Run { input_bytes: input.bytes.len() as u32, input: end.input, results: end.results };
    let head = Head { kind: Kind::Compressed, key: key.key, statement, run };
    Ok((Rooted { head, claim, proof, report: end.report, shards: whole.shards }, circuits))
}
