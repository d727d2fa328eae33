//! Circuits in small: leaves that say any claim, in low tables with few queries.

use std::sync::LazyLock;

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;
use rwprove_recursion::{
    backend::{Backend, Rule},
    circuit::{Builder, Circuit, LogHeights},
    layers::{self, Keys, stream},
    native::Native,
    prove::{self, Key},
    verify::Stark,
};
use rwprove_verifier::{
    codec::Proof,
    compressed::KeySet,
    config::{Digest, Parameters},
    step::{Claim, Point},
};

pub(crate) const PARAMETERS: Parameters = Parameters {
    log_blowup: 2,
    queries: 2,
    query_bits: 3,
    batch_bits: 2,
    commit_bits: 1,
    ood_bits: 2,
    lookup_bits: 2,
};

/// A circuit with its key.
pub(crate) struct Layer {
    pub(crate) circuit: Circuit,
    pub(crate) key: Key,
}

impl Layer {
    pub(crate) fn new(circuit: Circuit, heights: &LogHeights) -> Self {
        let key = Key::new(&circuit, heights, PARAMETERS).unwrap();
        Self { circuit, key }
    }

    pub(crate) fn digest(&self) -> Digest {
        *self.key.commitment()
    }

    /// The proof of what the circuit says of a stream, which the library accepts.
    pub(crate) fn prove(&self, stream: &[Val], says: &Digest) -> Proof {
        let (proof, digest) = self.key.prove(&self.circuit, stream).unwrap();
        assert_eq!(digest, *says);
        self.accepts(&proof, says).unwrap();
        proof
    }

    pub(crate) fn accepts(&self, proof: &Proof, says: &Digest) -> Result<(), String> {
        prove::verify(self.key.log_heights(), PARAMETERS, self.key.commitment(), says, proof)
    }
}

pub(crate) fn built(
    build: impl FnOnce(&mut Builder) -> Result<<Builder as Backend>::Digest, Rule>,
) -> Circuit {
    let mut b = Builder::new();
    let digest = build(&mut b).unwrap();
    b.expose(&digest);
    b.finish().unwrap()
}

/// A leaf that says whatever claim it reads; `kind` is the number of elements that it reads besides,
/// so that each has a key of its own.
pub(crate) fn leaf(kind: usize) -> Circuit {
    built(|b| {
        let claim = layers::read_claim(b)?;
        (0..kind).try_for_each(|_| b.read_felt().map(drop))?;
        Ok(b.hash(&claim.elements()))
    })
}

/// What a leaf of the kind reads.
pub(crate) fn leaf_stream(kind: usize, claim: &Claim<Val>) -> Vec<Val> {
    [claim.elements(), vec![Val::ONE; kind]].concat()
}

/// A point whose elements no other point has.
pub(crate) fn point(number: u32) -> Point<Val> {
    let at = |first: u32| move |i: usize| Val::from_u32(1000 * number + first + i as u32);
    Point {
        registers: std::array::from_fn(at(100)),
        fuel: std::array::from_fn(at(200)),
        root: std::array::from_fn(at(300)),
    }
}

pub(crate) fn claim(keys: Digest, from: u32, to: u32) -> Claim<Val> {
    Claim {
        keys,
        program: std::array::from_fn(|i| Val::from_usize(40 + i)),
        limit: std::array::from_fn(|i| Val::from_usize(60 + i)),
        before: point(from),
        after: point(to),
    }
}

/// A claim with one of its elements changed.
pub(crate) fn changed(claim: &Claim<Val>, element: usize) -> Claim<Val> {
    let mut elements = claim.elements();
    elements[element] += Val::ONE;
    layers::read_claim(&mut Native::new(&elements)).unwrap()
}

/// Some child of a join or root.
pub(crate) struct Given {
    pub(crate) claim: Claim<Val>,
    pub(crate) key: Digest,
    pub(crate) place: usize,
    pub(crate) siblings: Vec<Digest>,
    pub(crate) proof: Proof,
}

impl Given {
    pub(crate) fn child(&self) -> stream::Child<'_> {
        let Self { claim, key, place, siblings, proof } = self;
        stream::Child { claim, key, place: *place, siblings, proof }
    }
}

/// Leaves in tables as low as they can be, and what is above them.
pub(crate) struct Toy {
    pub(crate) stark: Stark,
    /// The kinds in the set, by their places.
    pub(crate) leaves: Vec<Layer>,
    /// A leaf like the others that is not in the set.
    pub(crate) outsider: Layer,
    pub(crate) set: KeySet,
    pub(crate) join: Circuit,
    pub(crate) root: Circuit,
}

/// Leaves in the set.
pub(crate) const KINDS: usize = 3;

pub(crate) static TOY: LazyLock<Toy> = LazyLock::new(|| {
    let circuits: Vec<_> = (0..=KINDS).map(leaf).collect();
    let heights = circuits.iter().map(Circuit::log_heights).reduce(highest).unwrap();
    let mut leaves: Vec<_> =
        circuits.into_iter().map(|circuit| Layer::new(circuit, &heights)).collect();
    let outsider = leaves.pop().unwrap();
    let keys: Vec<_> = leaves.iter().map(Layer::digest).collect();
    let set = KeySet::new(&keys);
    let stark = Stark::new(&prove::layout(&heights, PARAMETERS)).unwrap();
    let depth = set.depth();
    let join = built(|b| layers::join(b, &stark, depth));
    let root = built(|b| layers::pass(b, &stark, Keys { depth, set: None }));
    Toy { stark, leaves, outsider, set, join, root }
});

pub(crate) fn highest(x: LogHeights, y: LogHeights) -> LogHeights {
    std::array::from_fn(|i| x[i].max(y[i]))
}

impl Toy {
    /// A leaf's proof of a claim, with the place of its key.
    pub(crate) fn given(&self, place: usize, claim: Claim<Val>) -> Given {
        let leaf = &self.leaves[place];
        let proof = leaf.prove(&leaf_stream(place, &claim), &stream::digest(&claim));
        let siblings = self.set.path(place).unwrap();
        Given { claim, key: leaf.digest(), place, siblings, proof }
    }

    /// The outsider's proof of a claim, at a place of a set that has its key.
    pub(crate) fn outside(&self, place: usize, set: &KeySet, claim: Claim<Val>) -> Given {
        let proof = self.outsider.prove(&leaf_stream(KINDS, &claim), &stream::digest(&claim));
        let key = self.outsider.digest();
        Given { claim, key, place, siblings: set.path(place).unwrap(), proof }
    }

    /// The proof of the stretch between two points.
    pub(crate) fn stretch(&self, place: usize, from: u32, to: u32) -> Given {
        self.given(place, claim(self.set.root(), from, to))
    }

    /// What a join reads of two children.
    pub(crate) fn join_stream(&self, left: &Given, right: &Given) -> Vec<Val> {
        stream::join_stream(&self.stark, left.child(), right.child()).unwrap().stream
    }

    pub(crate) fn pass_stream(&self, child: &Given) -> Vec<Val> {
        stream::pass_stream(&self.stark, child.child()).unwrap().stream
    }

    /// What a join says of a stream.
    pub(crate) fn join(&self, stream: &[Val]) -> Result<Digest, Rule> {
        said(&self.join, stream, |b| layers::join(b, &self.stark, self.set.depth()))
    }

    /// What a join says of two children.
    pub(crate) fn join_of(&self, left: &Given, right: &Given) -> Result<Digest, Rule> {
        self.join(&self.join_stream(left, right))
    }

    /// What the root says of a stream.
    pub(crate) fn root(&self, stream: &[Val]) -> Result<Digest, Rule> {
        let keys = Keys { depth: self.set.depth(), set: None };
        said(&self.root, stream, |b| layers::pass(b, &self.stark, keys))
    }

    /// Where the parts of a child's stream are.
    pub(crate) fn places(&self) -> Places {
        let key = Claim::<Val>::LEN;
        let (place, siblings) = (key + 8, key + 9);
        Places { key, place, siblings, proof: siblings + 8 * self.set.depth() }
    }
}

/// Where the parts of a child's stream begin. The claim is at 0.
pub(crate) struct Places {
    pub(crate) key: usize,
    pub(crate) place: usize,
    pub(crate) siblings: usize,
    pub(crate) proof: usize,
}

/// What a layer says of a stream: the same natively and as a circuit.
pub(crate) fn said(
    circuit: &Circuit,
    stream: &[Val],
    layer: impl FnOnce(&mut Native<'_>) -> Result<Digest, Rule>,
) -> Result<Digest, Rule> {
    let mut native = Native::new(stream);
    let natively = match layer(&mut native) {
        Ok(digest) => native.finish().map(|()| digest),
        Err(rule) => Err(rule),
    };
    assert_eq!(natively, circuit.run(stream).map(|execution| *execution.publics()));
    natively
}

/// Neighbours: from point 0 to 1, 1 to 2, and 2 to 3, of all kinds.
pub(crate) static RUN: LazyLock<[Given; 3]> =
    LazyLock::new(|| [0, 1, 2].map(|i| TOY.stretch(i as usize, i, i + 1)));
