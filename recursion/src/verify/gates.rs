//! Expressions as gates: few operations of the form `m x y + p x + q y + r z`.
//!
//! A sum or product is not an operation yet while something can still join it: scaling and adding
//! constants are free, and so is adding a product to something. Equal gates become one.

use std::collections::HashMap;

use p3_field::{Field, PrimeCharacteristicRing};
use rwprove_circuits::Val;

/// `m x y + p x + q y + r z`, where `x`, `y` and `z` are numbers of earlier steps and `x <= y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Gate {
    pub(super) m: Val,
    pub(super) p: Val,
    pub(super) q: Val,
    pub(super) r: Val,
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) z: usize,
}

/// One step: what is there from the beginning, or a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step<L> {
    Leaf(L),
    Gate(Gate),
}

/// The value of an expression.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Constant(Val),
    /// `p x + k` for the step `x`; `p` is not zero.
    Affine {
        p: Val,
        x: usize,
        k: Val,
    },
    /// A gate that is not a step yet, plus `k`. Its `r` is zero.
    Open {
        gate: Gate,
        k: Val,
    },
}

/// Steps while they are found.
#[derive(Debug)]
pub(super) struct Gates<L> {
    steps: Vec<Step<L>>,
    known: HashMap<Step<L>, usize>,
}

impl<L: Copy + Eq + std::hash::Hash> Gates<L> {
    pub(super) fn new() -> Self {
        Self { steps: Vec::new(), known: HashMap::new() }
    }

    /// All steps, in an order in which they can be done.
    pub(super) fn into_steps(self) -> Vec<Step<L>> {
        self.steps
    }

    fn step(&mut self, step: Step<L>) -> usize {
        *self.known.entry(step).or_insert_with(|| {
            self.steps.push(step);
            self.steps.len() - 1
        })
    }

    /// What is there from the beginning.
    pub(super) fn leaf(&mut self, leaf: L) -> Value {
        Value::Affine { p: Val::ONE, x: self.step(Step::Leaf(leaf)), k: Val::ZERO }
    }

    /// `v + w`.
    pub(super) fn add(&mut self, v: Value, w: Value) -> Value {
        match (v, w) {
            (Value::Constant(c), other) | (other, Value::Constant(c)) => shifted(other, c),
            (Value::Affine { p, x, k }, Value::Affine { p: q, x: y, k: l }) => {
                open(Gate { p, q, x, y, ..Gate::ZERO }, k + l)
            }
            (Value::Open { gate, k }, Value::Affine { p, x, k: l })
            | (Value::Affine { p, x, k: l }, Value::Open { gate, k }) => {
                if x == gate.x {
                    open(Gate { p: gate.p + p, ..gate }, k + l)
                } else if x == gate.y {
                    open(Gate { q: gate.q + p, ..gate }, k + l)
                } else {
                    self.close(Gate { r: p, z: x, ..gate }, k + l)
                }
            }
            (Value::Open { gate: g, k }, Value::Open { gate: h, k: l })
                if (g.x, g.y) == (h.x, h.y) =>
            {
                open(Gate { m: g.m + h.m, p: g.p + h.p, q: g.q + h.q, ..g }, k + l)
            }
            (Value::Open { gate: g, .. }, Value::Open { .. }) => {
                // One of the two has to be a step; better one that is there anyway.
                let (step, other) = if self.is_known(g) { (v, w) } else { (w, v) };
                let step = self.close_value(step);
                self.add(other, step)
            }
        }
    }

    /// `v - w`.
    pub(super) fn sub(&mut self, v: Value, w: Value) -> Value {
        self.add(v, scaled(Val::NEG_ONE, w))
    }

    /// `v w`.
    pub(super) fn mul(&mut self, v: Value, w: Value) -> Value {
        match (self.close_value(v), self.close_value(w)) {
            (Value::Affine { p, x, k }, Value::Affine { p: q, x: y, k: l }) => {
                open(Gate { m: p * q, p: p * l, q: q * k, x, y, ..Gate::ZERO }, k * l)
            }
            (Value::Constant(c), other) | (other, Value::Constant(c)) => scaled(c, other),
            // Closed values are not open.
            (v, _) => v,
        }
    }

    /// The same value, not open.
    pub(super) fn close_value(&mut self, v: Value) -> Value {
        match v {
            Value::Open { gate, k } => self.close(gate, k),
            closed => closed,
        }
    }

    /// The gate as a step; its first coefficient stays outside, so that multiples are one step.
    fn close(&mut self, gate: Gate, k: Val) -> Value {
        let (first, unit) = gate.normal();
        Value::Affine { p: first, x: self.step(Step::Gate(unit)), k }
    }

    fn is_known(&self, gate: Gate) -> bool {
        self.known.contains_key(&Step::Gate(gate.normal().1))
    }
}

impl Gate {
    const ZERO: Self =
        Self { m: Val::ZERO, p: Val::ZERO, q: Val::ZERO, r: Val::ZERO, x: 0, y: 0, z: 0 };

    fn map(self, f: impl Fn(Val) -> Val) -> Self {
        Self { m: f(self.m), p: f(self.p), q: f(self.q), r: f(self.r), ..self }
    }

    /// The first coefficient that is not zero, and the gate divided by it.
    fn normal(self) -> (Val, Self) {
        let coefficients = [self.m, self.p, self.q, self.r];
        let first = coefficients.into_iter().find(|c| !c.is_zero()).unwrap_or(Val::ONE);
        let inverse = first.inverse();
        (first, self.map(|c| c * inverse))
    }
}

/// A gate plus `k`, in its only form.
fn open(gate: Gate, k: Val) -> Value {
    let Gate { m, p, q, x, y, .. } = gate;
    match (m.is_zero(), p.is_zero(), q.is_zero()) {
        (true, true, true) => Value::Constant(k),
        (true, false, true) => Value::Affine { p, x, k },
        (true, true, false) => Value::Affine { p: q, x: y, k },
        (true, false, false) if x == y => open(Gate { p: p + q, q: Val::ZERO, ..gate }, k),
        (false, _, false) if x == y => open(Gate { p: p + q, q: Val::ZERO, ..gate }, k),
        _ if x > y => Value::Open { gate: Gate { p: q, q: p, x: y, y: x, ..gate }, k },
        _ => Value::Open { gate, k },
    }
}

/// `v + c`.
fn shifted(v: Value, c: Val) -> Value {
    match v {
        Value::Constant(k) => Value::Constant(k + c),
        Value::Affine { p, x, k } => Value::Affine { p, x, k: k + c },
        Value::Open { gate, k } => Value::Open { gate, k: k + c },
    }
}

/// `c v`.
pub(super) fn scaled(c: Val, v: Value) -> Value {
    match v {
        _ if c.is_zero() => Value::Constant(c),
        Value::Constant(k) => Value::Constant(c * k),
        Value::Affine { p, x, k } => Value::Affine { p: c * p, x, k: c * k },
        Value::Open { gate, k } => Value::Open { gate: gate.map(|x| c * x), k: c * k },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) as usize % bound
        }
    }

    /// What the steps make of leaves.
    fn values(steps: &[Step<usize>], leaves: &[Val]) -> Vec<Val> {
        let mut values: Vec<Val> = Vec::new();
        for step in steps {
            values.push(match step {
                Step::Leaf(leaf) => leaves[*leaf],
                Step::Gate(Gate { m, p, q, r, x, y, z }) => {
                    let (x, y, z) = (values[*x], values[*y], values[*z]);
                    *m * x * y + *p * x + *q * y + *r * z
                }
            });
        }
        values
    }

    #[test]
    fn gates_are_the_expressions() {
        let mut numbers = Numbers(7);
        for _ in 0..300 {
            let leaves: Vec<_> = (0..4).map(|_| Val::from_usize(numbers.below(1 << 30))).collect();
            let mut gates = Gates::new();
            let mut all: Vec<(Value, Val)> =
                (0..4).map(|leaf| (gates.leaf(leaf), leaves[leaf])).collect();
            all.extend([0, 1, 5].map(Val::from_usize).map(|c| (Value::Constant(c), c)));
            for _ in 0..24 {
                let (x, a) = all[numbers.below(all.len())];
                let (y, b) = all[numbers.below(all.len())];
                all.push(match numbers.below(4) {
                    0 => (gates.add(x, y), a + b),
                    1 => (gates.sub(x, y), a - b),
                    2 => (scaled(Val::from_u32(3), x), a * Val::from_u32(3)),
                    _ => (gates.mul(x, y), a * b),
                });
            }
            for (value, expected) in all {
                let value = gates.close_value(value);
                let steps = values(&gates.steps, &leaves);
                let found = match value {
                    Value::Constant(c) => c,
                    Value::Affine { p, x, k } => p * steps[x] + k,
                    Value::Open { .. } => panic!("it was closed"),
                };
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn expressions_of_two_values_take_one_gate() {
        let mut gates = Gates::new();
        let [x, y, z] = [0, 1, 2].map(|leaf| gates.leaf(leaf));
        // x + y - 2 x y + z, twice.
        for factor in [1, 3].map(Val::from_u32) {
            let product = gates.mul(x, y);
            let sum = gates.add(x, y);
            let different = gates.sub(sum, scaled(Val::TWO, product));
            let all = gates.add(scaled(factor, different), scaled(factor, z));
            let _ = gates.close_value(all);
        }
        assert_eq!(gates.steps.len(), 4);
    }
}
