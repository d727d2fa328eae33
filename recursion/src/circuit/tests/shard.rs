//! The circuit that verifies a shard.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{Val, circuit};
use rwprove_verifier::{Preset, config::Parameters};

use super::builder::FAST;
use crate::{
    backend::Backend,
    circuit::{Builder, Circuit},
    prove::{self, Key},
    testing::{Case, cases, fixture},
    verify::verify,
};

/// The circuit that verifies proofs of the case's shape, whose public values and commitment come
/// first on the stream.
fn build(case: &Case) -> Circuit {
    let mut b = Builder::new();
    let mut publics = Vec::new();
    for table in &case.publics {
        publics.push(table.iter().map(|_| b.read_felt().unwrap()).collect::<Vec<_>>());
    }
    let root = b.read_digest().unwrap();
    verify(&mut b, &case.stark, &publics, Some(&root)).unwrap();
    let digest = b.hash(&publics.concat());
    b.expose(&digest);
    b.finish().unwrap()
}

#[test]
fn a_shards_proof_is_verified_in_a_proof() {
    let case = cases(&fixture("wat/traps: unreachable()"), Preset::P100).remove(0);
    let circuit = build(&case);
    let mut stream = [case.publics.concat(), case.root.to_vec(), case.stream()].concat();
    let log_heights = circuit.log_heights();

    let execution = circuit.run(&stream).unwrap();
    let instances = circuit.instances(&execution, &log_heights).unwrap();
    circuit::check(&instances).unwrap();
    drop((execution, instances));

    let parameters = Parameters { log_blowup: 1, ..FAST };
    let key = Key::new(&circuit, &log_heights, parameters).unwrap();
    let (proof, digest) = key.prove(&circuit, &stream).unwrap();
    prove::verify(&log_heights, parameters, key.commitment(), &digest, &proof).unwrap();

    // No element of the stream is free.
    let length = stream.len();
    for at in (0..length).step_by(length / 40) {
        stream[at] += Val::ONE;
        assert!(circuit.run(&stream).is_err(), "{at} of {length}");
        stream[at] -= Val::ONE;
    }
}
