//! A real proof of a small circuit, with BN254's hashes, in the constraints of its verifier.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use ark_ff::Field;
use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;
use rwprove_recursion::{
    backend::{Backend, Rule},
    circuit,
    prove::layout,
    verify::{Stark, verify},
};
use rwprove_verifier::config::Parameters;
use rwprove_wrap::{
    Fr,
    backend::{R1cs, Stream},
    gadget::Int,
    r1cs::{Assignment, Builder, Circuit, Wire},
    stark::{Key, Streams, publics_of},
};

const FAST: Parameters = Parameters {
    log_blowup: 2,
    queries: 3,
    query_bits: 3,
    batch_bits: 2,
    commit_bits: 1,
    ood_bits: 1,
    lookup_bits: 1,
};

/// A circuit that uses all tables, and its stream.
fn small() -> (circuit::Circuit, Vec<Val>) {
    let mut b = circuit::Builder::new();
    let felts: Vec<_> = (0..20).map(|_| b.read_felt().unwrap()).collect();
    let (x, y) = (b.read_ext().unwrap(), b.read_ext().unwrap());
    let product = b.mul(&x, &y);
    let inverse = b.inverse(&product).unwrap();
    let (row, sums) = b.open_rows(&[9, 4], &inverse).unwrap();
    let bits = b.bits(Rule::Path, &felts[0], 3, false).unwrap();
    let (_, folded) = b.fold(&sums[0], &bits, &felts[1], &x).unwrap();
    let leaf = b.hash(&felts);
    let node = b.climb(&leaf, &bits, &[None, Some(row), None]).unwrap();
    let top = b.compress(&node, &folded);
    b.expose(&top);
    let stream = (0..20 + 10 + 13 + 35 + 24).map(|i| Val::from_usize(i * i + 7)).collect();
    (b.finish().unwrap(), stream)
}

/// The verifier in constraints. The key is a constant, the public values are variables.
fn constraints(
    stark: &Stark,
    key: Fr,
    publics: &[Vec<Val>],
    stream: Stream<'_>,
) -> Result<(Circuit, Assignment), Rule> {
    let mut c = R1cs::new(Builder::new(&[]), stream);
    let b = c.builder();
    let publics: Vec<Vec<Int>> =
        publics.iter().map(|of| of.iter().map(|x| b.int(*x)).collect()).collect();
    verify(&mut c, stark, &publics, Some(&Wire::constant(key)))?;
    let (circuit, assignment) = c.finish()?.finish();
    Ok((circuit.unwrap(), assignment))
}

#[test]
fn a_proof_in_constraints() {
    let (circuit, stream) = small();
    let heights = circuit.log_heights();
    let key = Key::new(&circuit, &heights, FAST).unwrap();
    let (proof, digest) = key.prove(&circuit, &stream).unwrap();
    key.verify(&digest, &proof).unwrap();

    let stark = Stark::new(&layout(&heights, FAST)).unwrap();
    let publics = publics_of(&digest);
    let streams = Streams::new(&stark, &proof, &publics, *key.commitment()).unwrap();
    let (system, assignment) =
        constraints(&stark, *key.commitment(), &publics, streams.stream()).unwrap();
    assert_eq!(assignment.broken(), None);
    assert_eq!(system.broken(&assignment.values), None);

    // The constraints do not depend on the proof.
    let zeros = vec![vec![Val::ZERO; 0]; publics.len()];
    let zeros: Vec<Vec<Val>> =
        zeros.iter().zip(&publics).map(|(_, of)| vec![Val::ZERO; of.len()]).collect();
    let (shape, _) = constraints(&stark, *key.commitment(), &zeros, Stream::Zeros).unwrap();
    assert_eq!(shape.digest(), system.digest());

    // Another element, digest, public value or key is refused, by a rule or by a constraint.
    let refused = |result: Result<(Circuit, Assignment), Rule>| match result {
        Err(_) => true,
        Ok((_, assignment)) => assignment.broken().is_some(),
    };
    let step = streams.felts.len() / 12;
    for at in (0..streams.felts.len()).step_by(step) {
        let mut wrong = streams.clone();
        wrong.felts[at] += Val::ONE;
        let result = constraints(&stark, *key.commitment(), &publics, wrong.stream());
        assert!(refused(result), "element {at}");
    }
    let step = streams.digests.len() / 8;
    for at in (0..streams.digests.len()).step_by(step) {
        let mut wrong = streams.clone();
        wrong.digests[at] += Fr::ONE;
        let result = constraints(&stark, *key.commitment(), &publics, wrong.stream());
        assert!(refused(result), "digest {at}");
    }
    let mut wrong = publics.clone();
    let one = wrong.iter_mut().flatten().next().unwrap();
    *one += Val::ONE;
    assert!(refused(constraints(&stark, *key.commitment(), &wrong, streams.stream())));
    assert!(refused(constraints(
        &stark,
        *key.commitment() + Fr::ONE,
        &publics,
        streams.stream()
    )));
}
