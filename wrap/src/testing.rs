//! Attacks on small circuits.

use ark_ff::{AdditiveGroup, Field, UniformRand};
use ark_std::rand::SeedableRng as _;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use rwprove_circuits::{Challenge, Val};

use crate::{
    Fr,
    gadget::{Ext, Int},
    r1cs::{Builder, Wire},
};

pub(crate) fn rng() -> SmallRng {
    SmallRng::seed_from_u64(6)
}

/// A random element of the large field.
pub(crate) fn large(rng: &mut SmallRng) -> Fr {
    Fr::rand(&mut ark_std::rand::rngs::StdRng::seed_from_u64(rng.random()))
}

/// Builds a circuit whose inputs and outputs are all pinned, and attacks its witness. Returns the
/// number of constraints.
pub(crate) fn attack(build: impl Fn(&mut Builder)) -> usize {
    let mut builder = Builder::new(&[]);
    build(&mut builder);
    let (circuit, assignment) = builder.finish();
    let circuit = circuit.expect("recorded");
    assert_eq!(assignment.broken(), None);
    assert_eq!(circuit.broken(&assignment.values), None);

    // Without recording, all values are the same.
    let mut builder = Builder::values_only(&[]);
    build(&mut builder);
    let (none, values) = builder.finish();
    assert!(none.is_none());
    assert_eq!(values.values, assignment.values);
    assert_eq!(values.products, assignment.products);

    let mut values = assignment.values;
    for variable in 1..values.len() {
        let right = values[variable];
        for wrong in [right + Fr::ONE, right - Fr::ONE, right.double() + Fr::from(5)] {
            values[variable] = wrong;
            assert!(circuit.broken(&values).is_some(), "variable {variable} can be {wrong}");
        }
        values[variable] = right;
    }
    circuit.constraints()
}

/// Whether the circuit has the assignment that is built.
pub(crate) fn holds(build: impl Fn(&mut Builder)) -> bool {
    let mut builder = Builder::new(&[]);
    build(&mut builder);
    let (circuit, assignment) = builder.finish();
    let broken = circuit.expect("recorded").broken(&assignment.values);
    assert_eq!(broken.is_some(), assignment.broken().is_some());
    broken.is_none()
}

/// A new element with a known value.
pub(crate) fn pinned(b: &mut Builder, value: Val) -> Int {
    let x = b.int(value);
    b.int_assert_eq(&x, &Int::constant(value));
    x
}

pub(crate) fn pinned_ext(b: &mut Builder, value: Challenge) -> Ext {
    let x = b.ext(value);
    b.ext_assert_eq(&x, &Ext::constant(value));
    x
}

pub(crate) fn pinned_large(b: &mut Builder, value: Fr) -> Wire {
    let x = b.witness(value);
    b.enforce_zero(&x.minus(&Wire::constant(value)));
    x
}

pub(crate) fn assert_is(b: &mut Builder, x: &Wire, value: Fr) {
    b.enforce_zero(&x.minus(&Wire::constant(value)));
}
