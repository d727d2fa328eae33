//! Builds a constraint system and its assignment in one go.

use std::collections::BTreeMap;

use ark_ff::{AdditiveGroup, Field};

use super::{
    circuit::{Circuit, holds},
    wire::Wire,
};
use crate::Fr;

/// Values of all variables, and what both sides of all constraints evaluate to.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// By variable; the first is one, then the public inputs.
    pub values: Vec<Fr>,
    /// `A z`, `B z` and `C z`.
    pub products: [Vec<Fr>; 3],
}

impl Assignment {
    /// The first constraint that does not hold.
    pub fn broken(&self) -> Option<usize> {
        let [a, b, c] = &self.products;
        (0..a.len()).find(|&i| !holds([a[i], b[i], c[i]]))
    }
}

/// Builds a constraint system with the values of one assignment. What is built must not depend on
/// the values; so the system of any run of the same code is the same.
#[derive(Debug)]
pub struct Builder {
    circuit: Option<Circuit>,
    assignment: Assignment,
    /// Constraints by the part of the circuit that made them.
    parts: BTreeMap<&'static str, usize>,
    part: &'static str,
}

impl Builder {
    /// Records constraints and values.
    pub fn new(publics: &[Fr]) -> Self {
        let circuit = Some(Circuit::new(publics.len()));
        Self { circuit, ..Self::values_only(publics) }
    }

    /// Records values alone, which is all that a proof needs once there is a key.
    pub fn values_only(publics: &[Fr]) -> Self {
        let values = [&[Fr::ONE], publics].concat();
        Self {
            circuit: None,
            assignment: Assignment { values, products: Default::default() },
            parts: BTreeMap::new(),
            part: "other",
        }
    }

    /// A public input; zero if there are not as many.
    pub fn public(&self, i: usize) -> Wire {
        self.wire(1 + i)
    }

    /// A new variable.
    pub fn witness(&mut self, value: Fr) -> Wire {
        self.assignment.values.push(value);
        self.wire(self.assignment.values.len() - 1)
    }

    fn wire(&self, variable: usize) -> Wire {
        let value = self.assignment.values.get(variable).copied().unwrap_or(Fr::ZERO);
        let terms = match self.circuit {
            Some(_) => vec![(variable as u32, Fr::ONE)],
            None => Vec::new(),
        };
        Wire { terms, value, constant: false }
    }

    /// Constrains `a b = c`.
    pub fn enforce(&mut self, a: &Wire, b: &Wire, c: &Wire) {
        *self.parts.entry(self.part).or_default() += 1;
        for (products, wire) in self.assignment.products.iter_mut().zip([a, b, c]) {
            products.push(wire.value);
        }
        if let Some(circuit) = &mut self.circuit {
            circuit.push([a, b, c]);
        }
    }

    /// Constrains `x = 0`.
    pub fn enforce_zero(&mut self, x: &Wire) {
        self.enforce(x, &Wire::constant(Fr::ONE), &Wire::default());
    }

    /// `a b`: a new variable, unless one of them is a constant.
    pub fn product(&mut self, a: &Wire, b: &Wire) -> Wire {
        if a.constant || b.constant {
            let (k, x) = if a.constant { (a, b) } else { (b, a) };
            return x.times(k.value);
        }
        let c = self.witness(a.value * b.value);
        self.enforce(a, b, &c);
        c
    }

    /// Counts the constraints that `build` makes as this part's, but for those of parts within.
    pub fn part<T>(&mut self, name: &'static str, build: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.part, name);
        let built = build(self);
        self.part = outer;
        built
    }

    /// Constraints by part.
    pub fn parts(&self) -> &BTreeMap<&'static str, usize> {
        &self.parts
    }

    /// Number of constraints until now.
    pub fn constraints(&self) -> usize {
        self.assignment.products[0].len()
    }

    /// The system, if it was recorded, and the assignment.
    pub fn finish(self) -> (Option<Circuit>, Assignment) {
        let Self { mut circuit, assignment, .. } = self;
        if let Some(circuit) = &mut circuit {
            circuit.set_variables(assignment.values.len());
        }
        (circuit, assignment)
    }
}
