//! Circuits against the native backend.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{
    Val,
    circuit::{self, ChipId, Instance},
};
use rwprove_verifier::config::Parameters;

use super::script::{Random, Script};
use crate::{
    backend::{Backend, Rule},
    circuit::{Builder, Circuit, CircuitError},
    native::Native,
    prove::{self, Key, ProveError},
};

pub(super) const FAST: Parameters = Parameters {
    log_blowup: 2,
    queries: 4,
    query_bits: 1,
    batch_bits: 1,
    commit_bits: 1,
    ood_bits: 1,
    lookup_bits: 1,
};

/// A circuit with a stream that it accepts, and the digest that the native backend gets.
pub(super) struct Case {
    pub(super) circuit: Circuit,
    pub(super) stream: Vec<Val>,
    digest: [Val; 8],
}

/// More than any script reads.
const PLENTY: usize = 1 << 16;

impl Case {
    pub(super) fn random(seed: u64, steps: usize) -> Self {
        let mut stream = Random::new(!seed).stream(PLENTY);
        let mut native = Native::new(&stream);
        let (digest, length) = Script::run(&mut native, seed, steps).unwrap();
        let mut b = Builder::new();
        let (exposed, _) = Script::run(&mut b, seed, steps).unwrap();
        b.expose(&exposed);
        stream.truncate(length);
        Self { circuit: b.finish().unwrap(), stream, digest }
    }

    fn every(seed: u64) -> Self {
        let mut stream = Random::new(!seed).stream(PLENTY);
        let mut native = Native::new(&stream);
        let (digest, length) = Script::every(&mut native, seed).unwrap();
        let mut b = Builder::new();
        let (exposed, _) = Script::every(&mut b, seed).unwrap();
        b.expose(&exposed);
        stream.truncate(length);
        Self { circuit: b.finish().unwrap(), stream, digest }
    }

    fn instances(&self) -> Vec<Instance> {
        let execution = self.circuit.run(&self.stream).unwrap();
        assert_eq!(*execution.publics(), self.digest);
        self.circuit.instances(&execution, &self.circuit.log_heights()).unwrap()
    }
}

// POSITIVE

#[test]
fn random_lines_are_what_they_are_natively() {
    for seed in 0..60 {
        let case = Case::random(seed, 10 + 2 * seed as usize);
        circuit::check(&case.instances()).unwrap_or_else(|error| panic!("{seed}: {error}"));
    }
}

#[test]
fn every_step_is_proved() {
    for seed in 0..2 {
        let case = Case::every(seed);
        circuit::check(&case.instances()).unwrap();
        let log_heights = case.circuit.log_heights();
        let key = Key::new(&case.circuit, &log_heights, FAST).unwrap();
        let (proof, digest) = key.prove(&case.circuit, &case.stream).unwrap();
        assert_eq!(digest, case.digest);
        let verify =
            |commitment, digest| prove::verify(&log_heights, FAST, commitment, digest, &proof);
        verify(key.commitment(), &digest).unwrap();
        let mut other = digest;
        other[7] += Val::ONE;
        assert!(verify(key.commitment(), &other).is_err());
        assert!(verify(&other, &digest).is_err());
    }
}

#[test]
fn tables_may_be_higher_than_they_need() {
    let case = Case::every(7);
    let log_heights = case.circuit.log_heights().map(|log_height| log_height + 1);
    let execution = case.circuit.run(&case.stream).unwrap();
    let instances = case.circuit.instances(&execution, &log_heights).unwrap();
    circuit::check(&instances).unwrap();
}

#[test]
fn a_key_depends_on_the_circuit_alone() {
    let [case, same, other] = [Case::every(1), Case::every(1), Case::every(2)];
    let (ours, others) = (case.circuit.log_heights(), other.circuit.log_heights());
    let log_heights = std::array::from_fn(|i| ours[i].max(others[i]));
    let key = |case: &Case| *Key::new(&case.circuit, &log_heights, FAST).unwrap().commitment();
    assert_eq!(key(&case), key(&same));
    assert_ne!(key(&case), key(&other));
}

// NEGATIVE

#[test]
fn streams_of_another_length_are_refused() {
    let case = Case::every(3);
    let shorter = &case.stream[..case.stream.len() - 1];
    assert_eq!(case.circuit.run(shorter).err(), Some(Rule::Stream));
    let longer = [&case.stream[..], &[Val::ZERO]].concat();
    assert_eq!(case.circuit.run(&longer).err(), Some(Rule::Stream));
}

/// Every rule that a stream can break, by a circuit that asks for it.
#[test]
fn broken_rules_are_named() {
    let rule = Rule::Between("of the test");
    let asserts = |assert: &dyn Fn(&mut Builder)| {
        let mut b = Builder::new();
        assert(&mut b);
        let public = b.hash(&[]);
        b.expose(&public);
        b.finish().unwrap()
    };
    let says = |circuit: &Circuit, stream: &[u32]| {
        let stream: Vec<_> = stream.iter().map(|x| Val::from_u32(*x)).collect();
        let execution = circuit.run(&stream)?;
        let instances = circuit.instances(&execution, &circuit.log_heights()).unwrap();
        circuit::check(&instances).unwrap();
        Ok::<_, Rule>(())
    };

    let equal = asserts(&|b| {
        let (x, y) = (b.read_ext().unwrap(), b.read_ext().unwrap());
        b.assert_eq(rule, &x, &y).unwrap();
    });
    assert_eq!(says(&equal, &[1, 2, 3, 4, 5, 1, 2, 3, 4, 5]), Ok(()));
    assert_eq!(says(&equal, &[1, 2, 3, 4, 5, 1, 2, 3, 4, 6]), Err(rule));

    let constant = asserts(&|b| {
        let x = b.read_felt().unwrap();
        let x = b.linear(&[(Val::TWO, &x)], Val::ONE);
        let seven = b.felt(Val::from_u32(7));
        b.assert_felt_eq(rule, &seven, &x).unwrap();
    });
    assert_eq!(says(&constant, &[3]), Ok(()));
    assert_eq!(says(&constant, &[4]), Err(rule));

    let digests = asserts(&|b| {
        let (x, y) = (b.read_digest().unwrap(), b.read_digest().unwrap());
        b.assert_digest_eq(rule, &x, &y).unwrap();
    });
    assert_eq!(says(&digests, &[1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8]), Ok(()));
    assert_eq!(says(&digests, &[1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 9]), Err(rule));

    let bits = asserts(&|b| {
        let x = b.read_felt().unwrap();
        b.bits(rule, &x, 4, true).unwrap();
    });
    assert_eq!(says(&bits, &[15]), Ok(()));
    assert_eq!(says(&bits, &[16]), Err(rule));

    let inverse = asserts(&|b| {
        let x = b.read_ext().unwrap();
        b.inverse(&x).unwrap();
    });
    assert_eq!(says(&inverse, &[0, 0, 0, 0, 1]), Ok(()));
    assert_eq!(says(&inverse, &[0, 0, 0, 0, 0]), Err(Rule::Inverse));
}

#[test]
fn what_can_never_hold_has_no_run() {
    let rule = Rule::Between("of the test");
    let run = |assert: &dyn Fn(&mut Builder)| {
        let mut b = Builder::new();
        assert(&mut b);
        let public = b.hash(&[]);
        b.expose(&public);
        b.finish().unwrap().run(&[]).err()
    };
    let different = |b: &mut Builder| {
        let (x, y) = (b.felt(Val::ONE), b.felt(Val::TWO));
        b.assert_felt_eq(rule, &x, &y).unwrap();
    };
    assert_eq!(run(&different), Some(rule));
    let inverse = |b: &mut Builder| {
        let zero = b.ext(Default::default());
        b.inverse(&zero).unwrap();
    };
    assert_eq!(run(&inverse), Some(Rule::Inverse));
    let bits = |b: &mut Builder| {
        let x = b.felt(Val::from_u32(16));
        b.bits(rule, &x, 4, true).unwrap();
    };
    assert_eq!(run(&bits), Some(rule));
    let public = |b: &mut Builder| {
        let x = b.felt(Val::ONE);
        let other = b.hash(&[x]);
        b.expose(&other);
    };
    assert_eq!(run(&public), Some(Rule::Between("one public digest")));
}

#[test]
fn what_is_no_circuit_is_refused() {
    assert!(matches!(Builder::new().finish(), Err(CircuitError::NoPublic)));
    let finish = |step: &dyn Fn(&mut Builder)| {
        let mut b = Builder::new();
        step(&mut b);
        let public = b.hash(&[]);
        b.expose(&public);
        b.finish().err()
    };
    let empty = |b: &mut Builder| {
        b.begin();
        b.sample_ext();
    };
    assert_eq!(finish(&empty), Some(CircuitError::EmptyTranscript));
    let fold = |b: &mut Builder| {
        let (one, felt) = (b.ext(Val::ONE.into()), b.felt(Val::ONE));
        b.fold(&one, &[felt; 4], &felt, &one).unwrap();
    };
    assert_eq!(finish(&fold), Some(CircuitError::Arity(4)));
}

#[test]
fn tables_that_are_too_low_are_refused() {
    let case = Case::every(4);
    for (id, i) in ChipId::ALL.iter().zip(0..) {
        let mut log_heights = case.circuit.log_heights();
        let rows = case.circuit.heights()[i];
        for log_height in [2, rows.ilog2() as usize, 25, usize::MAX] {
            if log_height > 2 && log_height < 25 && 1 << log_height >= rows {
                continue;
            }
            log_heights[i] = log_height;
            let refused = case.circuit.preprocessed(&log_heights).err();
            let table = id.name();
            assert_eq!(refused, Some(CircuitError::Height { table, rows, log_height }));
            let key = Key::new(&case.circuit, &log_heights, FAST);
            assert!(matches!(key.err(), Some(ProveError::Circuit(_))));
        }
    }
}
