//! Linear combinations of variables, together with the values that they have.

use std::collections::BTreeMap;

use ark_ff::{AdditiveGroup, Field, Zero};

use crate::Fr;

/// A variable: 0 is the constant one, then the public inputs, then the witness.
pub(super) type Variable = u32;

/// A linear combination of variables and its value.
///
/// Additions and multiplications by constants are free: they make no constraint. While a builder
/// records no constraints the combination stays empty and only the value is there.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Sorted by variable, without zero coefficients.
    pub(super) terms: Vec<(Variable, Fr)>,
    pub(super) value: Fr,
    pub(super) constant: bool,
}

impl Default for Wire {
    fn default() -> Self {
        Self { terms: Vec::new(), value: Fr::ZERO, constant: true }
    }
}

impl Wire {
    /// A constant.
    pub fn constant(value: Fr) -> Self {
        let terms = if value.is_zero() { Vec::new() } else { vec![(0, value)] };
        Self { terms, value, constant: true }
    }

    /// Its value.
    pub fn value(&self) -> Fr {
        self.value
    }

    /// Whether it was made of constants alone.
    pub fn is_constant(&self) -> bool {
        self.constant
    }

    /// `self + other`.
    pub fn plus(&self, other: &Self) -> Self {
        Self::sum([(Fr::ONE, self), (Fr::ONE, other)])
    }

    /// `self - other`.
    pub fn minus(&self, other: &Self) -> Self {
        Self::sum([(Fr::ONE, self), (-Fr::ONE, other)])
    }

    /// `k self`.
    pub fn times(&self, k: Fr) -> Self {
        Self::sum([(k, self)])
    }

    /// `sum_i k_i x_i`.
    pub fn sum<'a>(parts: impl IntoIterator<Item = (Fr, &'a Self)>) -> Self {
        let (mut value, mut constant) = (Fr::ZERO, true);
        let mut terms: Vec<(Variable, Fr)> = Vec::new();
        for (k, part) in parts {
            value += k * part.value;
            constant &= part.constant;
            if k == Fr::ONE {
                terms.extend_from_slice(&part.terms);
            } else {
                terms.extend(part.terms.iter().map(|(variable, c)| (*variable, *c * k)));
            }
        }
        // Stable, so that runs that are sorted already are merged.
        terms.sort_by_key(|(variable, _)| *variable);
        terms.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        terms.retain(|(_, c)| !c.is_zero());
        Self { terms, value, constant }
    }

    /// The coefficients by variable.
    pub fn coefficients(&self) -> BTreeMap<usize, Fr> {
        self.terms.iter().map(|(variable, c)| (*variable as usize, *c)).collect()
    }
}
