//! A proof of standard heights: that of a stretch of the run.

use rwprove_circuits::Val;
use rwprove_recursion::{layers::stream::Child, prove, system::Id};
use rwprove_verifier::{
    Preset,
    bytes::{Reader, Writer},
    codec::{Proof, read_proof, write_proof},
    compressed::{self, Fixed},
    config::{Digest, Layer},
    step::Claim,
};

/// A leaf, lift or join with its proof.
pub(super) struct Node {
    /// Its circuit.
    pub(super) id: Id,
    /// The first shard below it.
    pub(super) first: u32,
    /// Shards below it.
    pub(super) shards: u32,
    /// What it claims.
    pub(super) claim: Claim<Val>,
    /// The proof.
    pub(super) proof: Proof,
}

impl Node {
    /// The name of its file.
    pub(super) fn name((first, shards): (u32, u32)) -> String {
        format!("node-{first:08}-{shards:08}")
    }

    /// The proof that these bytes are, if it proves the claim. A broken file is like none.
    pub(super) fn kept(
        id: Id,
        (first, shards): (u32, u32),
        claim: &Claim<Val>,
        preset: Preset,
        bytes: &[u8],
    ) -> Option<Self> {
        let fixed = Fixed::of(preset);
        let layout = compressed::layout(id.heights(fixed), preset, Layer::Inner);
        let mut input = Reader::new(bytes);
        let proof = read_proof(&layout, &mut input).ok()?;
        input.finish().ok()?;
        let heights = id.heights(fixed).map(usize::from);
        let (parameters, digest) = (preset.layer(Layer::Inner), compressed::digest(claim));
        prove::verify(&heights, parameters, &id.key(fixed)?, &digest, &proof).ok()?;
        Some(Self { id, first, shards, claim: claim.clone(), proof })
    }
}

/// The bytes of a proof.
pub(super) fn written(proof: &Proof) -> Vec<u8> {
    let mut out = Writer::default();
    write_proof(proof, &mut out);
    out.into_bytes()
}

/// Where the key of a proof stands in a set.
#[derive(Clone, Debug)]
pub(super) struct Place {
    key: Digest,
    place: usize,
    siblings: Vec<Digest>,
}

impl Place {
    /// The place of a circuit that a circuit of the next layer verifies; `None` for others.
    pub(super) fn of(id: Id, fixed: &Fixed) -> Option<Self> {
        let set = if let Id::WideLeaf(_) = id { fixed.wide_keys() } else { fixed.keys() };
        let place = id.place(fixed)?;
        Some(Self { key: id.key(fixed)?, place, siblings: set.path(place)? })
    }

    /// A proof under this key, as the circuit above reads it.
    pub(super) fn child<'a>(&'a self, claim: &'a Claim<Val>, proof: &'a Proof) -> Child<'a> {
        Child { claim, key: &self.key, place: self.place, siblings: &self.siblings, proof }
    }
}
