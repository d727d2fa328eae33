//! The low-degree test: one query's values, folded down to the last polynomial.

use std::collections::BTreeMap;

use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField};
use rwprove_circuits::{Challenge, Val};

use crate::{
    backend::{Backend, Rule},
    verify::{
        opening::{horner, query_point},
        stark::Stark,
    },
};

/// What is the same for all queries.
pub(super) struct Folding<B: Backend> {
    rounds: Vec<Round<B>>,
    /// The coefficients of the last polynomial.
    last: Vec<B::Ext>,
}

/// One round.
pub(super) struct Round<B: Backend> {
    pub(super) root: B::Digest,
    pub(super) beta: B::Ext,
}

impl<B: Backend> Folding<B> {
    pub(super) fn new(rounds: Vec<Round<B>>, last: Vec<B::Ext>) -> Self {
        Self { rounds, last }
    }

    /// Folds the values of all heights, by log2 of the height, at one index.
    pub(super) fn fold(
        &self,
        b: &mut B,
        stark: &Stark,
        mut values: BTreeMap<usize, B::Ext>,
        index: &[B::Bit],
    ) -> Result<(), Rule> {
        let zero = b.ext(Challenge::ZERO);
        // The columns of tables of one row are constant, so this quotient vanishes everywhere.
        if let Some(value) = values.get(&stark.parameters.log_blowup) {
            b.assert_eq(Rule::Folding, value, &zero)?;
        }
        let mut value = values.remove(&stark.log_height).unwrap_or_else(|| zero.clone());
        let mut index = index;
        for (round, log_arity) in self.rounds.iter().zip(&stark.folds) {
            let (position, rest) = index.split_at(*log_arity);
            // The first point of the row, see `query_point`: the bits of the position are zero.
            let factors: Vec<_> = (1..=rest.len())
                .map(|i| Val::two_adic_generator(log_arity + i).inverse())
                .collect();
            let x_inverse = b.product(Val::ONE, rest, &factors);
            let (folded, leaf) = b.fold(&value, position, &x_inverse, &round.beta)?;
            let reached = b.climb(&leaf, rest, &vec![None; rest.len()])?;
            b.assert_digest_eq(Rule::Path, &reached, &round.root)?;
            value = match values.remove(&rest.len()) {
                Some(rolled_in) => {
                    let mut power = round.beta.clone();
                    for _ in 0..*log_arity {
                        power = b.mul(&power, &power);
                    }
                    b.mul_add(&power, &rolled_in, &folded)
                }
                None => folded,
            };
            index = rest;
        }
        let last: Vec<_> = self.last.iter().collect();
        let expected = match last.as_slice() {
            [constant] => (*constant).clone(),
            _ => {
                let x = query_point(b, Val::ONE, index);
                let x = b.lift(&x);
                horner(b, &x, &last)
            }
        };
        b.assert_eq(Rule::Folding, &value, &expected)
    }
}
