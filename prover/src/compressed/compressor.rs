//! One proof after the other, each from those below it.

use std::time::Instant;

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{
    Val,
    shape::{Shape, ShapeError},
};
use rwprove_recursion::{
    layers::stream::{Shard, join_stream, leaf_stream, pass_stream},
    system::Id,
    verify::Stark,
};
use rwprove_verifier::{
    codec::Proof,
    config::Digest,
    step::{Claim, Point, fuel_limbs},
};

use super::{
    circuits::{Circuits, Stretch},
    node::{Node, Place, written},
};
use crate::{
    error::{ProveError, RecursionError},
    event::Event,
    execution::Cut,
    keys::ProvingKey,
    prove::started,
    resume::Directory,
    shapes::Shapes,
    shard::{ProvedShard, ShardProver, states},
};

/// Proves shards and circuits of one run, or takes proofs as they were kept.
pub(super) struct Compressor<'a> {
    shards: ShardProver<'a>,
    circuits: Circuits,
    /// The digest of the set of keys.
    keys: Digest,
    directory: Option<Directory>,
}

impl<'a> Compressor<'a> {
    pub(super) fn new(
        key: &'a ProvingKey,
        shapes: &'a Shapes,
        fuel_limit: u64,
        directory: Option<Directory>,
    ) -> Self {
        let circuits = Circuits::new(key.key.preset);
        let keys = circuits.fixed.keys().root();
        Self { shards: ShardProver::new(key, shapes, fuel_limit), circuits, keys, directory }
    }

    /// Proves a shard and its leaf, and lifts a wide leaf, unless that is there already.
    pub(super) fn shard(
        &mut self,
        cut: &Cut,
        progress: &mut dyn FnMut(&Event),
    ) -> Result<Node, ProveError> {
        let ShardProver { key, shapes, .. } = self.shards;
        let (number, shape) = (cut.record.index, shapes.of_cut(key, cut)?);
        progress(&started(cut, shape));
        let unlisted = ProveError::Shape { shard: number, error: ShapeError::Unlisted };
        let leaf = Id::leaf(&shape).ok_or(unlisted)?;
        let wide = matches!(leaf, Id::WideLeaf(_));
        let standard = if wide { Id::Lift } else { leaf };
        let stretch = (number, 1);
        let claim = self.claim(cut);
        if let Some(node) = self.kept(standard, stretch, &claim, progress)? {
            return Ok(node);
        }
        let start = Instant::now();
        let proved = self.shards.prove(cut)?;
        progress(&Event::Proved {
            shard: number,
            instructions: cut.record.cpu.len(),
            rows: proved.shard.rows(),
            bytes: written(&proved.shard.proof).len(),
            seconds: start.elapsed().as_secs_f64(),
            reused: false,
        });
        let (claim, mut proof) = self.leaf(leaf, &shape, &proved, progress)?;
        drop(proved);
        if wide {
            let place = self.place(leaf)?;
            let read = |below: &Stark| pass_stream(below, place.child(&claim, &proof));
            proof = self.circuits.recurse(standard, stretch, read, progress)?.1;
        }
        let (first, shards) = stretch;
        self.keep(Node { id: standard, first, shards, claim, proof })
    }

    /// What the step of a shard claims.
    fn claim(&self, cut: &Cut) -> Claim<Val> {
        let (before, after) = states(cut);
        Claim {
            keys: self.keys,
            program: self.shards.key.key.preprocessed,
            limit: fuel_limbs(self.shards.fuel_limit).map(Val::from_u32),
            before: Point::from(&before),
            after: Point::from(&after),
        }
    }

    fn leaf(
        &mut self,
        id: Id,
        shape: &Shape,
        proved: &ProvedShard,
        progress: &mut dyn FnMut(&Event),
    ) -> Result<(Claim<Val>, Proof), RecursionError> {
        let ProvedShard { number, shard, before, .. } = proved;
        let (keys, program) = (self.keys, self.shards.key.key.preprocessed);
        let shard = Shard {
            shape,
            fuel_limit: self.shards.fuel_limit,
            before,
            boundary: &shard.boundary,
            proof: &shard.proof,
        };
        let read = |below: &Stark| leaf_stream(below, &keys, &program, shard);
        self.circuits.recurse(id, (*number, 1), read, progress)
    }

    /// Joins two neighbours, unless their join is there already.
    pub(super) fn join(
        &mut self,
        left: Node,
        right: Node,
        progress: &mut dyn FnMut(&Event),
    ) -> Result<Node, ProveError> {
        let stretch @ (first, shards) = (left.first, left.shards + right.shards);
        let claim = Claim { after: right.claim.after.clone(), ..left.claim.clone() };
        if let Some(node) = self.kept(Id::Join, stretch, &claim, progress)? {
            return Ok(node);
        }
        let (left_place, right_place) = (self.place(left.id)?, self.place(right.id)?);
        let read = |below: &Stark| {
            let left = left_place.child(&left.claim, &left.proof);
            join_stream(below, left, right_place.child(&right.claim, &right.proof))
        };
        let (claim, proof) = self.circuits.recurse(Id::Join, stretch, read, progress)?;
        self.keep(Node { id: Id::Join, first, shards, claim, proof })
    }

    /// The root's proof over that of the whole run, and what is left to make a last one of it.
    pub(super) fn root(
        mut self,
        whole: &Node,
        progress: &mut dyn FnMut(&Event),
    ) -> Result<(Claim<Val>, Proof, Circuits), RecursionError> {
        let stretch = (whole.first, whole.shards);
        let place = self.place(whole.id)?;
        let read = |below: &Stark| pass_stream(below, place.child(&whole.claim, &whole.proof));
        let (claim, proof) = self.circuits.recurse(Id::Root, stretch, read, progress)?;
        Ok((claim, proof, self.circuits))
    }

    fn place(&self, id: Id) -> Result<Place, RecursionError> {
        Place::of(id, self.circuits.fixed).ok_or(RecursionError::Place(id))
    }

    /// A proof of an earlier attempt, if it proves exactly this claim.
    fn kept(
        &self,
        circuit: Id,
        stretch: Stretch,
        claim: &Claim<Val>,
        progress: &mut dyn FnMut(&Event),
    ) -> Result<Option<Node>, ProveError> {
        let Some(directory) = &self.directory else { return Ok(None) };
        let start = Instant::now();
        let Some(bytes) = directory.read(&Node::name(stretch))? else { return Ok(None) };
        let node = Node::kept(circuit, stretch, claim, self.circuits.preset, &bytes);
        if node.is_some() {
            let (first, shards) = stretch;
            let (bytes, seconds) = (bytes.len(), start.elapsed().as_secs_f64());
            progress(&Event::Recursed { circuit, first, shards, bytes, seconds, reused: true });
        }
        Ok(node)
    }

    /// Keeps a proof for later attempts.
    fn keep(&self, node: Node) -> Result<Node, ProveError> {
        if let Some(directory) = &self.directory {
            directory.write(&Node::name((node.first, node.shards)), &written(&node.proof))?;
        }
        Ok(node)
    }
}
