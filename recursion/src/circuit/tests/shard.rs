//! The circuit that verifies a shard.

use std::time::Instant;

use rwprove_circuits::circuit::{self, ChipId};
use rwprove_verifier::{Preset, config::Parameters};

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
    let mut felts = Vec::new();
    for table in &case.publics {
        felts.push(table.iter().map(|_| b.read_felt().unwrap()).collect::<Vec<_>>());
    }
    let root = b.read_digest().unwrap();
    verify(&mut b, &case.stark, &felts, Some(&root)).unwrap();
    let digest = b.hash(&felts.concat());
    b.expose(&digest);
    b.finish().unwrap()
}

#[test]
fn shard_is_verified() {
    let case = cases(&fixture("wat/traps: unreachable()"), Preset::P100).remove(0);
    let start = Instant::now();
    let circuit = build(&case);
    eprintln!("built in {:?}", start.elapsed());
    eprintln!("{:?}", ChipId::ALL.iter().zip(circuit.heights()).collect::<Vec<_>>());
    let all = [case.publics.concat(), case.root.to_vec(), case.stream()].concat();
    let start = Instant::now();
    let execution = circuit.run(&all).unwrap();
    eprintln!("run in {:?}", start.elapsed());
    let start = Instant::now();
    let instances = circuit.instances(&execution, &circuit.log_heights()).unwrap();
    eprintln!("filled in {:?}", start.elapsed());
    for instance in &instances {
        eprintln!("{:?} {}", instance.chip.id(), instance.trace.width);
    }
    circuit::check(&instances).unwrap();
    drop(instances);
    let parameters = Parameters {
        log_blowup: 2,
        queries: 90,
        query_bits: 16,
        batch_bits: 8,
        commit_bits: 4,
        ood_bits: 0,
        lookup_bits: 0,
    };
    let start = Instant::now();
    let key = Key::new(&circuit, &circuit.log_heights(), parameters).unwrap();
    eprintln!("key in {:?}", start.elapsed());
    let start = Instant::now();
    let (proof, digest) = key.prove(&circuit, &all).unwrap();
    eprintln!("proved in {:?}", start.elapsed());
    let start = Instant::now();
    prove::verify(&circuit.log_heights(), parameters, key.commitment(), &digest, &proof).unwrap();
    eprintln!("verified in {:?}", start.elapsed());
}
