//! Bits, and integers made of bits.

use ark_ff::{AdditiveGroup, Field, PrimeField};

use super::uint::Uint;
use crate::{
    Fr,
    r1cs::{Builder, Wire},
};

impl Builder {
    /// A new bit.
    pub fn bit(&mut self, value: bool) -> Wire {
        let bit = self.witness(Fr::from(value));
        self.enforce(&bit, &bit, &bit);
        bit
    }

    /// The low `count` bits of an integer, lowest first, as new variables.
    pub fn bits(&mut self, value: Uint, count: usize) -> Vec<Wire> {
        (0..count).map(|i| self.bit(value.bit(i))).collect()
    }

    /// Constrains the integer of these bits, lowest first, to be at most `max`.
    pub fn assert_at_most(&mut self, bits: &[Wire], max: Uint) {
        // From the top: as long as all bits agree with those of `max`, none may be set where that
        // of `max` is not. `missing` counts the ones of `max` that are zero here.
        let mut missing: Vec<(Fr, &Wire)> = Vec::new();
        let mut ones = 0u64;
        let mut zeros = Vec::new();
        for (i, bit) in bits.iter().enumerate().rev() {
            if max.bit(i) {
                missing.push((-Fr::ONE, bit));
                ones += 1;
            } else {
                zeros.push((Fr::ONE, bit));
            }
            let ends = i == 0 || (!max.bit(i) && max.bit(i - 1));
            if ends && !zeros.is_empty() {
                let count = Wire::constant(ones.into());
                let missing = Wire::sum(missing.iter().copied().chain([(Fr::ONE, &count)]));
                let zeros = Wire::sum(std::mem::take(&mut zeros));
                self.assert_zero_if_zero(&missing, &zeros);
            }
        }
    }

    /// Constrains: if `x = 0` then `y = 0`.
    fn assert_zero_if_zero(&mut self, x: &Wire, y: &Wire) {
        // `1 - inverse x` is one where x is zero, whatever the prover says of the inverse.
        let inverse = self.witness(x.value().inverse().unwrap_or(Fr::ZERO));
        let not_zero = self.product(&inverse, x);
        let zero = Wire::constant(Fr::ONE).minus(&not_zero);
        self.enforce(&zero, y, &Wire::default());
    }
}

/// `sum_i 2^i bits[i]`.
pub(crate) fn pack(bits: &[Wire]) -> Wire {
    let powers = std::iter::successors(Some(Fr::ONE), |power| Some(power.double()));
    Wire::sum(powers.zip(bits))
}

/// The representative of an element below BN254's order.
pub(crate) fn integer(x: Fr) -> Uint {
    Uint(x.into_bigint())
}

/// The element of an integer.
pub(crate) fn element(x: Uint) -> Fr {
    // Integers that are not below the order do not come here: they are values of wires, or below
    // `Uint::LIMIT`.
    Fr::from_bigint(x.0).unwrap_or_default()
}
