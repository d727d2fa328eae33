//! From an input to one proof of a circuit.
//!
//! A leaf is proved as soon as its shard is, and neighbours are joined as soon as both are there;
//! so what is kept of a run of `n` shards is at most `log2 n` proofs, and memory that of one shard
//! or one circuit.

mod circuits;
mod compressor;
mod node;
mod tree;

use p3_field::PrimeField32;
use rwprove_executor::Input;
use rwprove_verifier::{
    compressed::{Compressed, encode},
    head::{Head, Kind, Run},
};

use self::{compressor::Compressor, tree::Tree};
use crate::{
    error::ProveError,
    event::Event,
    execution::execute,
    keys::ProvingKey,
    prove::{Options, Proved, manifest, statement},
    resume::Directory,
    shapes::Shapes,
};

/// Proves a run in one proof.
pub(crate) fn prove(
    key: &ProvingKey,
    input: &Input,
    options: &Options,
    progress: &mut dyn FnMut(&Event),
) -> Result<Proved, ProveError> {
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
    let proof = compressor.last(&whole, progress)?;

    let statement = statement(key, input, options, &end);
    let run = Run { input_bytes: input.bytes.len() as u32, input: end.input, results: end.results };
    let head = Head { kind: Kind::Compressed, key: key.key, statement: statement.clone(), run };
    let [_, end_fp, end_depth, end_pages] =
        whole.claim.after.registers.map(|register| register.as_canonical_u32());
    let proof = encode(&head, &Compressed { end: [end_fp, end_depth, end_pages], proof });
    Ok(Proved { proof, statement, report: end.report })
}
