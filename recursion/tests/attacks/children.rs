//! Children that are not what they say, or whose keys may not be there.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;
use rwprove_recursion::{
    backend::Rule,
    layers::{self, Keys, stream},
    native::Native,
    prove,
    verify::{FlattenError, Stark},
};
use rwprove_verifier::compressed::KeySet;

use super::toy::{
    Given, KINDS, Layer, PARAMETERS, RUN, TOY, built, claim, leaf, leaf_stream, said,
};

const NOT_IN_SET: Rule = Rule::Between("a key is one of the set");
const PLACE: Rule = Rule::Between("the place of a key");

/// The join's stream of the first two, with something changed.
fn changed(change: impl FnOnce(&mut [Val])) -> Result<[Val; 8], Rule> {
    let [left, right, _] = &*RUN;
    let mut stream = TOY.join_stream(left, right);
    change(&mut stream);
    TOY.join(&stream)
}

#[test]
fn honest_children_are_joined() {
    let [left, right, last] = &*RUN;
    let both = TOY.join_of(left, right);
    assert_eq!(both, Ok(stream::digest(&claim(TOY.set.root(), 0, 2))));
    assert_eq!(TOY.join_of(right, last), Ok(stream::digest(&claim(TOY.set.root(), 1, 3))));
    for child in &*RUN {
        assert_eq!(TOY.root(&TOY.pass_stream(child)), Ok(stream::digest(&child.claim)));
    }
}

#[test]
fn a_proof_under_another_key_of_the_set() {
    let places = TOY.places();
    let other = &RUN[1];
    let refused = changed(|stream| {
        stream[places.key..][..8].copy_from_slice(&other.key);
        stream[places.place] = Val::from_usize(other.place);
        stream[places.siblings..places.proof].copy_from_slice(other.siblings.as_flattened());
    });
    assert!(!matches!(refused, Ok(_) | Err(NOT_IN_SET | PLACE)), "{refused:?}");
}

#[test]
fn every_element_of_a_key() {
    let places = TOY.places();
    for element in 0..8 {
        let refused = changed(|stream| stream[places.key + element] += Val::ONE);
        assert_eq!(refused, Err(NOT_IN_SET));
    }
}

#[test]
fn a_key_that_is_not_in_the_set() {
    let honest = claim(TOY.set.root(), 1, 2);
    for place in 0..KINDS {
        let outside = TOY.outside(place, &TOY.set, honest.clone());
        assert_eq!(TOY.join_of(&RUN[0], &outside), Err(NOT_IN_SET));
        assert_eq!(TOY.root(&TOY.pass_stream(&outside)), Err(NOT_IN_SET));
    }
}

#[test]
fn an_outsiders_proof_under_a_key_of_the_set() {
    let places = TOY.places();
    let outside = TOY.outside(0, &TOY.set, claim(TOY.set.root(), 0, 1));
    let mut stream = TOY.join_stream(&outside, &RUN[1]);
    stream[places.key..][..8].copy_from_slice(&RUN[0].key);
    let refused = TOY.join(&stream);
    assert!(!matches!(refused, Ok(_) | Err(NOT_IN_SET)), "{refused:?}");
}

#[test]
fn a_set_of_the_provers_own() {
    // The set of the claim has the outsider's key: join and root do not know better, but say so.
    let own = KeySet::new(&[TOY.outsider.digest(); KINDS]);
    let ours = TOY.outside(0, &own, claim(own.root(), 0, 1));
    let said = TOY.root(&TOY.pass_stream(&ours)).unwrap();
    assert_ne!(said, stream::digest(&claim(TOY.set.root(), 0, 1)));
    // Beside a child of the real set it has no place.
    assert_eq!(TOY.join_of(&ours, &RUN[1]), Err(Rule::Between("one set of keys")));
    let ours = TOY.outside(1, &own, claim(own.root(), 1, 2));
    assert_eq!(TOY.join_of(&RUN[0], &ours), Err(Rule::Between("one set of keys")));
}

#[test]
fn a_key_of_another_layer() {
    // That of the join's own circuit, and that of a digest of the set.
    let join = Layer::new(TOY.join.clone(), &TOY.join.log_heights());
    let places = TOY.places();
    for key in [join.digest(), TOY.set.root(), RUN[0].siblings[0]] {
        let refused = changed(|stream| stream[places.key..][..8].copy_from_slice(&key));
        assert_eq!(refused, Err(NOT_IN_SET));
    }
}

#[test]
fn an_inner_node_is_no_key() {
    // The node above two leaves' hashes, one level higher, as if it were the hash of a key.
    let [left, right] = [0, 1].map(|i| hash(&RUN[i].key));
    let flat: Vec<Val> = [left, right].concat();
    let places = TOY.places();
    let refused = changed(|stream| stream[places.key..][..8].copy_from_slice(&hash(&flat)));
    assert_eq!(refused, Err(NOT_IN_SET));
}

fn hash(elements: &[Val]) -> [Val; 8] {
    use rwprove_recursion::backend::Backend;
    Native::new(&[]).hash(elements)
}

#[test]
fn a_wrong_place() {
    let places = TOY.places();
    for wrong in [1, 2, 3] {
        let refused = changed(|stream| stream[places.place] = Val::from_usize(wrong));
        assert_eq!(refused, Err(NOT_IN_SET));
    }
}

#[test]
fn past_45_ziren_merkle_witness() {
    let places = TOY.places();
    for at in places.siblings..places.proof {
        assert_eq!(changed(|stream| stream[at] += Val::ONE), Err(NOT_IN_SET));
    }
}

#[test]
fn past_46_openvm_unbounded_index() {
    let places = TOY.places();
    // The same place modulo the number of places, and numbers that wrap around.
    let count = 1 << TOY.set.depth();
    for beyond in [count, 2 * count, 1 << 16, 1 << 30] {
        let refused = changed(|stream| stream[places.place] += Val::from_usize(beyond));
        assert_eq!(refused, Err(PLACE));
    }
    assert_eq!(changed(|stream| stream[places.place] = Val::NEG_ONE), Err(PLACE));
}

#[test]
fn a_proof_in_tables_of_other_heights() {
    // A leaf as the wide ones are: in taller tables, under a key that is even in the set.
    let circuit = leaf(0);
    let heights = circuit.log_heights().map(|height| height + 1);
    let wide = Layer::new(circuit, &heights);
    let set = KeySet::new(&[wide.digest(); KINDS]);
    let claim = claim(set.root(), 0, 1);
    let proof = wide.prove(&leaf_stream(0, &claim), &stream::digest(&claim));
    let siblings = set.path(0).unwrap();
    let mut wide = Given { claim, key: wide.digest(), place: 0, siblings, proof };
    let refused = stream::pass_stream(&TOY.stark, wide.child());
    assert!(matches!(refused, Err(FlattenError::Layout("heights"))));
    // The stream of a taller proof, read as one of these.
    let tall = Stark::new(&prove::layout(&heights, PARAMETERS)).unwrap();
    let told = stream::pass_stream(&tall, wide.child()).unwrap();
    assert!(TOY.root(&told.stream).is_err());
    // Nor does it help to say that the heights are the others.
    wide.proof.degree_bits = RUN[0].proof.degree_bits.clone();
    assert!(stream::pass_stream(&TOY.stark, wide.child()).is_err());
}

#[test]
fn a_lift_has_its_own_set() {
    // A lift holds the set of wide leaves; that of its claim does not count.
    let depth = TOY.set.depth();
    let wide = KeySet::new(&[TOY.outsider.digest(); KINDS]);
    let lift = Keys { depth, set: Some(wide.root()) };
    let circuit = built(|b| layers::pass(b, &TOY.stark, lift));
    let lifted = |child: &Given| {
        said(&circuit, &TOY.pass_stream(child), |b| layers::pass(b, &TOY.stark, lift))
    };
    let honest = TOY.outside(0, &wide, claim(TOY.set.root(), 0, 1));
    assert_eq!(lifted(&honest), Ok(stream::digest(&honest.claim)));
    // A standard leaf is none of these, whatever set it claims.
    assert_eq!(lifted(&RUN[0]), Err(NOT_IN_SET));
    let claims_wide = TOY.given(0, claim(wide.root(), 0, 1));
    assert_eq!(lifted(&claims_wide), Err(NOT_IN_SET));
    // And a wide leaf directly under the root or a join is not in the claim's set.
    assert_eq!(TOY.root(&TOY.pass_stream(&honest)), Err(NOT_IN_SET));
    assert_eq!(TOY.join_of(&honest, &RUN[1]), Err(NOT_IN_SET));
    // Under the wide set the root says another claim than anybody asks for.
    let claims_wide = TOY.outside(0, &wide, claim(wide.root(), 0, 1));
    let said = TOY.root(&TOY.pass_stream(&claims_wide)).unwrap();
    assert_ne!(said, stream::digest(&claim(TOY.set.root(), 0, 1)));
}
