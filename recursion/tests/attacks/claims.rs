//! Claims that are not those of the proofs.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;
use rwprove_recursion::{
    backend::Rule,
    layers::{self, stream},
    verify::Stark,
};
use rwprove_verifier::step::Claim;

use super::toy::{Layer, PARAMETERS, RUN, TOY, built, changed, said};

#[test]
fn past_36_plonky3_every_element_of_a_claim() {
    let [left, right, _] = &*RUN;
    let joined = TOY.join_stream(left, right);
    let passed = TOY.pass_stream(left);
    for element in 0..Claim::<Val>::LEN {
        for start in [0, joined.len() / 2] {
            let mut stream = joined.clone();
            stream[start + element] += Val::ONE;
            assert!(TOY.join(&stream).is_err(), "{start} + {element}");
        }
        let mut stream = passed.clone();
        stream[element] += Val::ONE;
        assert!(TOY.root(&stream).is_err(), "{element}");
    }
}

#[test]
fn past_43_sp1_every_element_is_in_the_digest() {
    let honest = &RUN[0].claim;
    let digest = stream::digest(honest);
    for element in 0..Claim::<Val>::LEN {
        let other = stream::digest(&changed(honest, element));
        assert_ne!(other, digest);
        assert!(TOY.leaves[0].accepts(&RUN[0].proof, &other).is_err());
    }
}

#[test]
fn past_37_jolt_every_element_of_a_digest() {
    let (leaf, proof) = (&TOY.leaves[0], &RUN[0].proof);
    let digest = stream::digest(&RUN[0].claim);
    leaf.accepts(proof, &digest).unwrap();
    for element in 0..8 {
        let mut other = digest;
        other[element] += Val::ONE;
        assert!(leaf.accepts(proof, &other).is_err());
    }
}

#[test]
fn a_shrink_says_what_is_below_it() {
    let leaf = &TOY.leaves[0];
    let key = leaf.digest();
    let circuit = built(|b| layers::shrink(b, &TOY.stark, &key));
    let shrunk = |stream: &[Val]| said(&circuit, stream, |b| layers::shrink(b, &TOY.stark, &key));
    let told = stream::shrink_stream(&TOY.stark, &key, &RUN[0].claim, &RUN[0].proof).unwrap();
    assert_eq!(shrunk(&told.stream), Ok(stream::digest(&RUN[0].claim)));
    for element in 0..8 {
        let mut stream = told.stream.clone();
        stream[element] += Val::ONE;
        assert!(shrunk(&stream).is_err(), "{element}");
    }
    // The digest of another proof of the same key.
    let other = TOY.given(0, RUN[1].claim.clone());
    let others = stream::shrink_stream(&TOY.stark, &key, &other.claim, &other.proof).unwrap();
    let mut stream = told.stream.clone();
    stream[..8].copy_from_slice(&others.stream[..8]);
    assert!(shrunk(&stream).is_err());
}

#[test]
fn a_shrink_has_one_key() {
    // A proof of a key that would be in the set.
    let key = TOY.leaves[0].digest();
    let circuit = built(|b| layers::shrink(b, &TOY.stark, &key));
    let other = &RUN[1];
    let told = stream::shrink_stream(&TOY.stark, &other.key, &other.claim, &other.proof).unwrap();
    let refused =
        said(&circuit, &told.stream, |b| layers::shrink(b, &TOY.stark, &key)).unwrap_err();
    assert!(!matches!(refused, Rule::Stream | Rule::Between(_)), "{refused:?}");
}

#[test]
fn a_key_is_of_one_circuit_in_one_place() {
    // The same circuit in taller tables, or with other queries, is something else.
    let circuit = super::toy::leaf(0);
    let heights = circuit.log_heights();
    let layer = Layer::new(circuit, &heights.map(|height| height + 1));
    assert_ne!(layer.digest(), TOY.leaves[0].digest());
    let layout = rwprove_recursion::prove::layout(
        TOY.leaves[0].key.log_heights(),
        rwprove_verifier::config::Parameters { queries: 3, ..PARAMETERS },
    );
    let stark = Stark::new(&layout).unwrap();
    assert!(stream::pass_stream(&stark, RUN[0].child()).is_err());
}
