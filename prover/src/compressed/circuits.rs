//! The circuits of a preset, built when they are needed first and kept.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Instant,
};

use rwprove_circuits::Val;
use rwprove_recursion::{
    circuit::Circuit,
    prove::Key,
    system::{Id, below, build},
    verify::Stark,
};
use rwprove_verifier::{Preset, codec::Proof, compressed::Fixed, config::Digest};

use crate::{error::RecursionError, event::Event};

/// A circuit that can be proved.
pub(super) struct Ready {
    id: Id,
    circuit: Circuit,
    key: Key,
    /// What it must know of the proofs below it.
    pub(super) below: Stark,
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
    pub(super) fn prove(&self, stream: &[Val], claim: &Digest) -> Result<Proof, RecursionError> {
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
    pub(super) fn get(
        &mut self,
        id: Id,
        progress: &mut dyn FnMut(&Event),
    ) -> Result<&Ready, RecursionError> {
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
}
