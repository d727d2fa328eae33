//! Real proofs of small circuits, with BN254's hashes, in the constraints of their verifier.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use ark_ff::Field;
use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;
use rwprove_isa::{Exit, InputDigest, STATEMENT_BYTES, Statement, Trap};
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
    groth16::Origin,
    r1cs::{Assignment, Builder, Circuit, Wire},
    settlement::{Settled, Settlement, digest_of, settle_key},
    stark::{Key, Streams, publics_of},
    statement::inputs,
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
    assert!(refused(constraints(&stark, *key.commitment() + Fr::ONE, &publics, streams.stream())));
}

fn statement(exit: Exit) -> Statement {
    Statement {
        vkey: std::array::from_fn(|i| 0xf3 ^ (7 * i) as u8),
        state: 1,
        fuel_limit: 1 << 40,
        input: InputDigest::Public([0x44; 32]),
        host: [0; 32],
        exit,
        fuel: 77,
        output: [0x55; 32],
    }
}

/// The lowest byte of each field of a statement's bytes.
const FIELDS: [(&str, usize); 10] = [
    ("vkey", 35),
    ("state", 39),
    ("fuel limit", 47),
    ("whether the input is public", 48),
    ("input", 80),
    ("host", 112),
    ("kind of exit", 116),
    ("exit code", 120),
    ("fuel", 128),
    ("output", 160),
];

#[test]
fn the_circuit_is_the_fixed_one() {
    let circuit = Settlement::of_runs().unwrap().circuit().unwrap();
    assert_eq!(circuit.digest(), Settlement::DIGEST);
    assert!(circuit.constraints() + circuit.publics() < 1 << 22, "{}", circuit.constraints());
    let verifier = Settlement::development().unwrap();
    assert_eq!((verifier.circuit, verifier.origin), (Settlement::DIGEST, Origin::Development));
}

/// `cargo test --release -p rwprove-wrap --test stark -- --ignored`
#[test]
#[ignore = "a minute"]
fn the_key_of_settle_is_the_fixed_one() {
    let (_, key) = settle_key().unwrap();
    let settlement = Settlement::with_key(*key.commitment()).unwrap();
    assert_eq!(settlement.circuit().unwrap().digest(), Settlement::DIGEST);
}

/// A circuit that says whatever it reads, in the place of `settle`.
fn any() -> circuit::Circuit {
    let mut b = circuit::Builder::new();
    let read: Vec<_> = (0..8).map(|_| b.read_felt().unwrap()).collect();
    let said = b.digest(&std::array::from_fn(|i| read[i]));
    b.expose(&said);
    b.finish().unwrap()
}

/// Whether the constraints for L1 hold with this statement as the public inputs, those bytes in the
/// circuit, and the proof.
fn settles(
    settlement: &Settlement,
    public: &Statement,
    bytes: &[u8; STATEMENT_BYTES],
    streams: &Streams,
) -> bool {
    let builder = Builder::values_only(&inputs(public));
    match settlement.build(builder, bytes, streams.stream()) {
        Err(_) => false,
        Ok(builder) => builder.finish().1.broken().is_none(),
    }
}

#[test]
fn a_statement_is_what_the_proof_says() {
    let circuit = any();
    let heights = circuit.log_heights();
    let key = Key::new(&circuit, &heights, FAST).unwrap();
    let settlement = Settlement::new(&layout(&heights, FAST), *key.commitment()).unwrap();
    let right = statement(Exit::Trap(Trap::OutOfFuel));
    let (proof, digest) = key.prove(&circuit, &digest_of(&right)).unwrap();
    assert_eq!(digest, digest_of(&right));
    let stark = Stark::new(&layout(&heights, FAST)).unwrap();
    let streams = Streams::new(&stark, &proof, &publics_of(&digest), *key.commitment()).unwrap();
    let settled = Settled { statement: right.clone(), streams };
    assert_eq!(settlement.assignment(&settled).unwrap().broken(), None);

    let streams = &settled.streams;
    let bytes = right.to_bytes();
    assert!(settles(&settlement, &right, &bytes, streams));
    // Each field is bound to the proof, by inputs that agree with the bytes.
    let mut tried = 0;
    for (field, at) in FIELDS {
        let mut other = bytes;
        other[at] ^= 1;
        if let Ok(statement) = Statement::from_bytes(&other) {
            assert!(!settles(&settlement, &statement, &other, streams), "{field}");
            tried += 1;
        }
    }
    assert!(tried >= 7, "{tried}");
    // Inputs and bytes that do not agree; and a version that does not exist.
    let other = statement(Exit::Ok);
    assert!(!settles(&settlement, &other, &bytes, streams));
    assert!(!settles(&settlement, &right, &other.to_bytes(), streams));
    let mut version = bytes;
    version[3] ^= 1;
    assert!(!settles(&settlement, &right, &version, streams));
    // Another key.
    let other = Settlement::new(&layout(&heights, FAST), *key.commitment() + Fr::ONE).unwrap();
    assert!(!settles(&other, &right, &bytes, streams));
}
