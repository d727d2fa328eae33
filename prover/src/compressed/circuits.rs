//! The circuits of a preset, built when they are needed first and kept.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Instant,
};

use rwprove_circuits::Val;
use rwprove_recursion::{
    circuit::Circuit,
    layers::stream::{Told, shrink_stream},
    prove::Key,
    system::{Id, below, build},
    verify::{FlattenError, Stark},
};
use rwprove_verifier::{
    Preset,
    codec::Proof,
    compressed::{Fixed, digest},
    config::Digest,
    step::Claim,
};

use super::node::written;
use crate::{error::RecursionError, event::Event};

/// Shards, as their first one and their number.
pub(super) type Stretch = (u32, u32);

/// A circuit that can be proved.
struct Ready {
    id: Id,
    circuit: Circuit,
    key: Key,
    /// What it must know of the proofs below it.
    below: Stark,
}

impl Ready {
    fn new(id: Id, fixed: &Fixed, preset: Preset) -> Result<Self, RecursionError> {
        let circuit = build(id, fixed, preset)?;
        let heights = id.heights(fixed).map(usize::from);
        let key = Key::new(&circuit, &heights, preset.layer(id.layer()))
            .map_err(|error| RecursionError::Prove { circuit: id, error })?;
        // A proof under another key would be refused far later, by whoever verifies it.
        if id.key(fixed) != Some(*key.commitment()) {
            return Err(RecursionError::Key(id));
        }
        Ok(Self { id, circuit, key, below: below(id, fixed, preset)? })
    }

    /// Proves what the circuit says of a stream: a claim with this digest.
    fn prove(&self, stream: &[Val], claim: &Digest) -> Result<Proof, RecursionError> {
        let circuit = self.id;
        let proved = self.key.prove(&self.circuit, stream);
        let (proof, said) = proved.map_err(|error| RecursionError::Prove { circuit, error })?;
        if said == *claim { Ok(proof) } else { Err(RecursionError::Claim(circuit)) }
    }
}

/// All circuits of a preset. Building one takes seconds, so each is built once.
pub(super) struct Circuits {
    pub(super) preset: Preset,
    pub(super) fixed: &'static Fixed,
    ready: BTreeMap<Id, Ready>,
}

impl Circuits {
    pub(super) fn new(preset: Preset) -> Self {
        Self { preset, fixed: Fixed::of(preset), ready: BTreeMap::new() }
    }

    /// The circuit, built if this is the first time.
    fn get(&mut self, id: Id, progress: &mut dyn FnMut(&Event)) -> Result<&Ready, RecursionError> {
        match self.ready.entry(id) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let start = Instant::now();
                let ready = Ready::new(id, self.fixed, self.preset)?;
                progress(&Event::Built { circuit: id, seconds: start.elapsed().as_secs_f64() });
                Ok(entry.insert(ready))
            }
        }
    }

    /// Proves a circuit on what it reads of the proofs below it; returns what it claims too.
    pub(super) fn recurse(
        &mut self,
        circuit: Id,
        (first, shards): Stretch,
        read: impl FnOnce(&Stark) -> Result<Told, FlattenError>,
        progress: &mut dyn FnMut(&Event),
    ) -> Result<(Claim<Val>, Proof), RecursionError> {
        let ready = self.get(circuit, progress)?;
        let start = Instant::now();
        let Told { stream, claim } =
            read(&ready.below).map_err(|error| RecursionError::Stream { circuit, error })?;
        let proof = ready.prove(&stream, &digest(&claim))?;
        let (bytes, seconds) = (written(&proof).len(), start.elapsed().as_secs_f64());
        progress(&Event::Recursed { circuit, first, shards, bytes, seconds, reused: false });
        Ok((claim, proof))
    }

    /// The last proof over the root's.
    pub(super) fn last(
        &mut self,
        stretch: Stretch,
        claim: &Claim<Val>,
        root: &Proof,
        progress: &mut dyn FnMut(&Event),
    ) -> Result<Proof, RecursionError> {
        let key = Id::Root.key(self.fixed).ok_or(RecursionError::Place(Id::Root))?;
        let read = |below: &Stark| shrink_stream(below, &key, claim, root);
        Ok(self.recurse(Id::Last, stretch, read, progress)?.1)
    }
}
