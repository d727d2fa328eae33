//! Proofs of a toy circuit, and everything that must not be one.

use ark_ff::{AdditiveGroup, Field};

use super::*;
use crate::r1cs::{Builder, Wire};

/// A toy: the prover knows a number whose fifth power is the first input, and whose product with
/// it is the second. `extra` more constraints make it longer.
pub(super) fn toy(secret: u64, extra: usize) -> Builder {
    let secret = Fr::from(secret);
    let fifth = secret.square().square() * secret;
    let mut b = Builder::new(&[fifth, fifth * secret]);
    let x = b.witness(secret);
    let square = b.product(&x, &x);
    let fourth = b.product(&square, &square);
    let (first, second) = (b.public(0), b.public(1));
    b.enforce(&fourth, &x, &first);
    b.enforce(&first, &x, &second);
    let mut power = second;
    for i in 0..extra {
        let shifted = power.plus(&Wire::constant(Fr::from(i as u64 + 3)));
        power = b.product(&shifted, &x);
    }
    b
}

fn parts(secret: u64, extra: usize) -> (Circuit, Assignment) {
    let (circuit, assignment) = toy(secret, extra).finish();
    (circuit.unwrap(), assignment)
}

#[test]
fn proofs_are_of_their_inputs() {
    let (circuit, assignment) = parts(3, 20);
    let prover = development(&circuit).unwrap();
    let verifier = prover.verifier();
    let inputs = &assignment.values[1..3];
    assert_eq!(inputs, [Fr::from(243), Fr::from(729)]);
    let proof = prover.prove(&assignment).unwrap();
    assert!(verifier.verify(&proof, inputs));
    // Not of others.
    assert!(!verifier.verify(&proof, &[inputs[0], inputs[1] + Fr::ONE]));
    assert!(!verifier.verify(&proof, &[inputs[1], inputs[0]]));
    assert!(!verifier.verify(&proof, &inputs[..1]));
    assert!(!verifier.verify(&proof, &[inputs, &[Fr::ZERO]].concat()));
    // Proofs are random; both are right.
    let again = prover.prove(&assignment).unwrap();
    assert_ne!(again, proof);
    assert!(verifier.verify(&again, inputs));
    // Other inputs of the same circuit.
    let (same, other) = parts(4, 20);
    assert_eq!(same.digest(), circuit.digest());
    let proof = prover.prove(&other).unwrap();
    assert!(verifier.verify(&proof, &other.values[1..3]));
    assert!(!verifier.verify(&proof, inputs));
}

#[test]
fn every_size_around_a_power_of_two_proves() {
    // 4 + extra constraints and 3 inputs.
    for extra in [0, 1, 8, 9, 10, 25, 26] {
        let (circuit, assignment) = parts(5, extra);
        let prover = development(&circuit).unwrap();
        let proof = prover.prove(&assignment).unwrap();
        assert!(prover.verifier().verify(&proof, &assignment.values[1..3]), "{extra}");
    }
}

#[test]
fn what_does_not_hold_is_not_proved() {
    let (circuit, assignment) = parts(3, 5);
    let prover = development(&circuit).unwrap();
    let mut wrong = assignment.clone();
    wrong.products[2][1] += Fr::ONE;
    assert_eq!(prover.prove(&wrong), Err(ProveError::Constraint(1)));
    let (_, longer) = parts(3, 6);
    assert_eq!(prover.prove(&longer), Err(ProveError::Shape));
    let (_, much_longer) = parts(3, 60);
    assert_eq!(prover.prove(&much_longer), Err(ProveError::Shape));
    // Values that do not belong to the products give no accepted proof.
    let mut wrong = assignment;
    wrong.values[3] += Fr::ONE;
    let proof = prover.prove(&wrong).unwrap();
    assert!(!prover.verifier().verify(&proof, &wrong.values[1..3]));
}

#[test]
fn bytes_of_proofs_are_canonical() {
    let (circuit, assignment) = parts(3, 5);
    let prover = development(&circuit).unwrap();
    let proof = prover.prove(&assignment).unwrap();
    let bytes = proof.to_bytes();
    assert_eq!(Proof::from_bytes(&bytes), Ok(proof.clone()));
    assert_eq!(Proof::from_bytes(&bytes[1..]), Err(ProofError::Length(255)));
    let order = <ark_bn254::Fq as ark_ff::PrimeField>::MODULUS;
    let limbs = |bytes: &[u8]| -> [u64; 4] {
        std::array::from_fn(|i| {
            u64::from_be_bytes(bytes[24 - 8 * i..32 - 8 * i].try_into().unwrap())
        })
    };
    for word in 0..8 {
        // One more than it is: no point, or no proof.
        let mut wrong = bytes;
        wrong[32 * word + 31] ^= 1;
        let accepted = Proof::from_bytes(&wrong)
            .is_ok_and(|proof| prover.verifier().verify(&proof, &assignment.values[1..3]));
        assert!(!accepted);
        // The same coordinate, not reduced.
        let mut sum = ark_ff::BigInt(limbs(&bytes[32 * word..32 * (word + 1)]));
        let _ = ark_ff::BigInteger::add_with_carry(&mut sum, &order);
        let mut wrong = bytes;
        let be: Vec<u8> = ark_ff::BigInteger::to_bytes_be(&sum);
        wrong[32 * word..32 * (word + 1)].copy_from_slice(&be);
        assert_eq!(Proof::from_bytes(&wrong), Err(ProofError::Canonical(word)));
    }
    // A point of the curve over the extension that is not in the group.
    let twist = (1..).map(|i| Fq2::new(Fq::from(i), Fq::ZERO)).find_map(|x| {
        let point = ark_bn254::G2Affine::get_point_from_x_unchecked(x, false)?;
        (!point.is_in_correct_subgroup_assuming_on_curve()).then_some(point)
    });
    let mut wrong = proof;
    wrong.0.b = twist.unwrap();
    assert_eq!(Proof::from_bytes(&wrong.to_bytes()), Err(ProofError::Point("B")));
    // Infinity is a point, but no proof.
    let nothing = Proof::from_bytes(&[0; 256]).unwrap();
    assert!(!prover.verifier().verify(&nothing, &assignment.values[1..3]));
    assert_eq!(nothing.to_bytes(), [0; 256]);
}

use ark_bn254::{Fq, Fq2};

#[test]
fn development_keys_are_the_same_everywhere() {
    let (circuit, _) = parts(3, 5);
    let prover = development(&circuit).unwrap();
    assert_eq!(prover.origin, Origin::Development);
    assert_eq!(development(&circuit).unwrap(), prover);
    let (other, _) = parts(3, 6);
    let other = development(&other).unwrap().verifier();
    assert_ne!(other.key.alpha_g1, prover.verifier().key.alpha_g1);
    // The origin is part of the key's name.
    let mut honest = prover.verifier();
    honest.origin = Origin::Ceremony;
    assert_ne!(honest.digest(), prover.verifier().digest());
}

#[test]
fn keys_in_files() {
    let (circuit, assignment) = parts(3, 5);
    let prover = development(&circuit).unwrap();
    let mut file = Vec::new();
    prover.write(&mut file).unwrap();
    let digest = circuit.digest();
    let read = Prover::read(&mut file.as_slice(), &digest).unwrap();
    assert_eq!(read, prover);
    let proof = read.prove(&assignment).unwrap();
    assert!(prover.verifier().verify(&proof, &assignment.values[1..3]));

    let error = |file: &[u8], circuit: &[u8; 32]| Prover::read(&mut &*file, circuit).unwrap_err();
    assert!(matches!(error(&file, &[0; 32]), FileError::Circuit));
    assert!(matches!(error(&file[..40], &digest), FileError::Io(_)));
    assert!(matches!(error(&file[..file.len() - 1], &digest), FileError::Digest));
    for (at, expected) in [(3, "magic"), (22, "digest"), (60, "digest"), (500, "digest")] {
        let mut wrong = file.clone();
        wrong[at] ^= 1;
        let found = match error(&wrong, &digest) {
            FileError::Magic => "magic",
            FileError::Digest => "digest",
            other => panic!("{other}"),
        };
        assert_eq!(found, expected, "byte {at}");
    }
}

#[test]
fn circuits_in_iden3s_format() {
    let (circuit, _) = parts(3, 1);
    let mut file = Vec::new();
    write_r1cs(&circuit, &mut file).unwrap();
    // Magic, version, three sections; the header's size is fixed.
    assert_eq!(&file[..12], b"r1cs\x01\0\0\0\x03\0\0\0");
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let header = 12 + 12;
    assert_eq!((number(12), number(16)), (1, 64));
    assert_eq!(number(header), 32);
    assert_eq!(
        [36, 40, 44, 48, 60].map(|at| number(header + at)),
        [7, 0, 2, 4, 5],
        "variables, outputs, inputs, private, constraints"
    );
    let constraints = header + 64;
    let length = 3 * 4 * circuit.constraints() + 36 * circuit.non_zero();
    assert_eq!((number(constraints), number(constraints + 4)), (2, length as u32));
    // The first constraint: x x = square.
    let row = constraints + 12;
    assert_eq!((number(row), number(row + 4), number(row + 8)), (1, 3, 1));
    assert_eq!(file.len(), row + length + 12 + 8 * circuit.variables());
}
