//! All layers, proved and verified: leaf, leaf, join, root, last. Leaves and the join have tables of
//! the same heights, as they have in earnest.

use std::sync::LazyLock;

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;
use rwprove_recursion::{
    backend::Rule,
    circuit::LogHeights,
    layers::{self, Keys, stream},
    prove,
    verify::Stark,
};
use rwprove_verifier::{compressed::KeySet, config::Digest};

use super::toy::{Given, Layer, PARAMETERS, built, claim, highest, leaf, leaf_stream, said};

/// Place of the join's key, behind those of two leaves.
const JOIN: usize = 2;

struct System {
    stark: Stark,
    root_stark: Stark,
    layers: [Layer; 3],
    root: Layer,
    last: Layer,
    set: KeySet,
}

fn stark(heights: &LogHeights) -> Stark {
    Stark::new(&prove::layout(heights, PARAMETERS)).unwrap()
}

static SYSTEM: LazyLock<System> = LazyLock::new(|| {
    let depth = 2;
    let leaves = [leaf(0), leaf(1)];
    let mut heights = leaves.iter().map(|leaf| leaf.log_heights()).reduce(highest).unwrap();
    let join = loop {
        let below = stark(&heights);
        let join = built(|b| layers::join(b, &below, depth));
        let needed = highest(heights, join.log_heights());
        if needed == heights {
            break join;
        }
        heights = needed;
    };
    let [first, second] = leaves;
    let layers = [first, second, join].map(|circuit| Layer::new(circuit, &heights));
    let set = KeySet::new(&layers.each_ref().map(Layer::digest));
    assert_eq!(set.depth(), depth);
    let stark = self::stark(&heights);
    let root = built(|b| layers::pass(b, &stark, Keys { depth, set: None }));
    let heights = root.log_heights();
    let root = Layer::new(root, &heights);
    let root_stark = self::stark(&heights);
    let last = built(|b| layers::shrink(b, &root_stark, &root.digest()));
    let heights = last.log_heights();
    let last = Layer::new(last, &heights);
    System { stark, root_stark, layers, root, last, set }
});

impl System {
    fn proved(&self, place: usize, told: stream::Told) -> Given {
        let layer = &self.layers[place];
        let proof = layer.prove(&told.stream, &stream::digest(&told.claim));
        let (key, siblings) = (layer.digest(), self.set.path(place).unwrap());
        Given { claim: told.claim, key, place, siblings, proof }
    }

    fn leaf(&self, place: usize, from: u32, to: u32) -> Given {
        let claim = claim(self.set.root(), from, to);
        self.proved(place, stream::Told { stream: leaf_stream(place, &claim), claim })
    }

    fn root_says(&self, stream: &[Val]) -> Result<Digest, Rule> {
        let keys = Keys { depth: self.set.depth(), set: None };
        said(&self.root.circuit, stream, |b| layers::pass(b, &self.stark, keys))
    }
}

#[test]
fn all_layers_are_proved_and_nothing_else_is_accepted() {
    let system = &*SYSTEM;
    let [left, right] = [0, 1].map(|i| system.leaf(i as usize, i, i + 1));
    let told = stream::join_stream(&system.stark, left.child(), right.child()).unwrap();
    let joined = system.proved(JOIN, told);
    let told = stream::pass_stream(&system.stark, joined.child()).unwrap();
    let (root, digest) = system.root.key.prove(&system.root.circuit, &told.stream).unwrap();
    let wanted = stream::digest(&claim(system.set.root(), 0, 2));
    assert_eq!(digest, wanted);
    let key = system.root.digest();
    let told = stream::shrink_stream(&system.root_stark, &key, &joined.claim, &root).unwrap();
    let last = system.last.prove(&told.stream, &wanted);

    // The last proof says this digest and no other, and is one of the last circuit.
    for element in 0..8 {
        let mut other = wanted;
        other[element] += Val::ONE;
        assert!(system.last.accepts(&last, &other).is_err());
    }
    assert!(system.root.accepts(&last, &wanted).is_err());
    assert!(system.last.accepts(&root, &wanted).is_err());

    // A join's proof is a child of a join, in its place alone.
    let next = system.leaf(0, 2, 3);
    let join = |left: &Given, right: &Given| {
        let told = stream::join_stream(&system.stark, left.child(), right.child()).unwrap();
        said(&system.layers[JOIN].circuit, &told.stream, |b| {
            layers::join(b, &system.stark, system.set.depth())
        })
    };
    let all = stream::digest(&claim(system.set.root(), 0, 3));
    assert_eq!(join(&joined, &next), Ok(all));
    assert_eq!(join(&next, &joined), Err(Rule::Between("neighbours meet")));
    assert_eq!(join(&joined, &right), Err(Rule::Between("neighbours meet")));

    // The root's proof is no child, of the root or a join; a leaf's is no proof for the last one.
    let given = Given { proof: root, ..joined };
    assert!(stream::pass_stream(&system.stark, given.child()).is_err());
    let refused = stream::shrink_stream(&system.root_stark, &key, &left.claim, &left.proof);
    assert!(refused.is_err());
    // The root over a leaf, which is a whole run of one shard; and over one under the join's key.
    let told = stream::pass_stream(&system.stark, left.child()).unwrap();
    assert_eq!(system.root_says(&told.stream), Ok(stream::digest(&left.claim)));
    let mut stream = told.stream;
    let key = rwprove_verifier::step::Claim::<Val>::LEN;
    stream[key..][..8].copy_from_slice(&system.layers[JOIN].digest());
    assert!(system.root_says(&stream).is_err());
}
