//! Arithmetic of queries: sums over opened rows, points, and folding.

use std::array::from_fn;

use ark_ff::{AdditiveGroup, Field};
use p3_field::{Field as _, PrimeCharacteristicRing, PrimeField32, TwoAdicField};
use rwprove_circuits::{Challenge, Val};

use crate::{
    Fr,
    gadget::{Ext, Int},
    r1cs::{Builder, Wire},
};

/// Bits that choose one of a table of constants.
const WINDOW: usize = 3;

impl Builder {
    /// `sum_i gamma^(w - 1 - i) row[i]`, where `powers` has those of gamma from the first on: five
    /// constraints for each element but the last.
    pub(super) fn row_sum(&mut self, row: &[Int], powers: &[Ext]) -> Ext {
        let Some((last, rest)) = row.split_last() else {
            return Ext::constant(Challenge::ZERO);
        };
        let products: Vec<Ext> = rest
            .iter()
            .rev()
            .zip(powers)
            .map(|(x, power)| self.ext_mul(&Ext::lift(x), power))
            .collect();
        let last = Ext::lift(last);
        Ext(from_fn(|k| {
            let terms: Vec<_> =
                products.iter().chain([&last]).map(|x| (Val::ONE, &x.0[k])).collect();
            self.linear(&terms, Val::ZERO)
        }))
    }

    /// The product of `factors[i]` over all `i` whose bit is set, times `first`.
    ///
    /// Three bits together choose one of eight constants; so every third bit is a factor of 31
    /// bits, and up to eight factors are reduced as one.
    pub(super) fn choice_product(&mut self, first: Val, bits: &[Wire], factors: &[Val]) -> Int {
        let mut product = Int::constant(first);
        for (bits, factors) in bits.chunks(WINDOW).zip(factors.chunks(WINDOW)) {
            // The first window has the constant in its table.
            let scale = product.as_constant().unwrap_or(Val::ONE);
            let choice = self.choice(scale, bits, factors);
            product = match product.as_constant() {
                Some(_) => choice,
                None => self.long_product(&product, &choice),
            };
        }
        // It is a factor of much else.
        self.reduce(&product);
        product
    }

    /// A product of chosen factors, as a table of constants.
    fn choice(&mut self, scale: Val, bits: &[Wire], factors: &[Val]) -> Int {
        let entry = |set: usize| -> Val {
            let chosen = factors.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
            chosen.map(|(_, f)| *f).product::<Val>() * scale
        };
        let table: Vec<Val> = (0..1 << bits.len()).map(entry).collect();
        // Each entry as a sum over subsets: the product of a subset's bits has as coefficient the
        // alternating sum of the entries of its subsets.
        let mut products: Vec<Wire> = vec![Wire::constant(Fr::ONE)];
        for set in 1..table.len() {
            let top = set.ilog2() as usize;
            let rest = products[set ^ 1 << top].clone();
            let product = self.product(&rest, &bits[top]);
            products.push(product);
        }
        let coefficient = |set: usize| -> Fr {
            let subsets = (0..=set).filter(|subset| subset & !set == 0);
            let signed = subsets.map(|subset| {
                let entry = Fr::from(table[subset].as_canonical_u32());
                if (set ^ subset).count_ones().is_multiple_of(2) { entry } else { -entry }
            });
            signed.fold(Fr::ZERO, |sum, x| sum + x)
        };
        let wire = Wire::sum((0..table.len()).map(coefficient).zip(&products));
        Int::one_of(wire, &table)
    }

    /// `row[place]`, for the place that the bits say, lowest first.
    pub(super) fn choose(&mut self, row: &[Ext], place: &[Wire]) -> Ext {
        let mut row = row.to_vec();
        for bit in place {
            row = row
                .chunks_exact(2)
                .map(|pair| Ext(from_fn(|i| self.int_select(bit, &pair[0].0[i], &pair[1].0[i]))))
                .collect();
        }
        row.swap_remove(0)
    }

    /// `x^c` for all c below `count`. Even powers are reduced, so odd ones are products of two short
    /// factors.
    fn short_powers(&mut self, x: &Int, count: usize) -> Vec<Int> {
        let mut powers = vec![Int::constant(Val::ONE), x.clone()];
        for c in 2..count {
            let power = if c.is_multiple_of(2) {
                let square = powers[2.min(c - 1)].clone();
                let power = self.int_mul(&powers[c - 2.min(c - 1)], &square);
                self.reduce(&power);
                power
            } else {
                self.int_mul(&powers[c - 1], x)
            };
            powers.push(power);
        }
        powers
    }

    /// The value at beta of the polynomial that has the row's values at `x w^rev(j)`; `powers` has
    /// those of beta from the first on.
    ///
    /// With the inverse transform `q` of the row, which is linear, that is
    /// `sum_c (beta^c x^-c) q_c`. Nothing of it is reduced but even powers of `1/x`.
    pub(super) fn fold(&mut self, row: &[Ext], x_inverse: &Int, powers: &[Ext]) -> Ext {
        let log_arity = row.len().ilog2() as usize;
        let scale = Val::from_usize(row.len()).inverse();
        let root = Val::two_adic_generator(log_arity).inverse();
        let reversed = |j: usize| j.reverse_bits() >> (usize::BITS as usize - log_arity);
        if row.len() > 2 {
            self.reduce(x_inverse);
        }
        let x_powers = self.short_powers(x_inverse, row.len());
        let mut terms: Vec<Ext> = Vec::with_capacity(row.len());
        for (c, x_power) in x_powers.iter().enumerate() {
            let q = Ext(from_fn(|k| {
                let weight = |j: usize| root.exp_u64((c * reversed(j)) as u64) * scale;
                let terms: Vec<_> =
                    row.iter().enumerate().map(|(j, value)| (weight(j), &value.0[k])).collect();
                self.linear(&terms, Val::ZERO)
            }));
            let Some(power) = c.checked_sub(1).and_then(|c| powers.get(c)) else {
                terms.push(q);
                continue;
            };
            let factor = self.ext_mul(&Ext::lift(x_power), power);
            terms.push(self.ext_mul(&factor, &q));
        }
        Ext(from_fn(|k| {
            let terms: Vec<_> = terms.iter().map(|term| (Val::ONE, &term.0[k])).collect();
            self.linear(&terms, Val::ZERO)
        }))
    }
}
