//! The low-degree test: one query's values, folded down to the last polynomial.

use std::collections::BTreeMap;

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Challenge;

use crate::{
    backend::{Backend, Rule},
    verify::{
        opening::{horner, inverse_point, point},
        stark::Stark,
    },
};

/// What is the same for all queries.
pub(super) struct Folding<B: Backend> {
    pub(super) rounds: Vec<Round<B>>,
    /// The coefficients of the last polynomial.
    pub(super) last: Vec<B::Ext>,
}

/// One round.
pub(super) struct Round<B: Backend> {
    pub(super) root: B::Digest,
    pub(super) beta: B::Ext,
    /// `beta` to the power of the arity.
    pub(super) power: B::Ext,
}

impl<B: Backend> Round<B> {
    pub(super) fn new(b: &mut B, root: B::Digest, beta: B::Ext, log_arity: usize) -> Self {
        let power = (0..log_arity).fold(beta.clone(), |power, _| b.mul(&power, &power));
        Self { root, beta, power }
    }
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
        let (mut inverse, mut squarings) = (inverse_point(b, index), 0);
        let mut index = index;
        for (round, log_arity) in self.rounds.iter().zip(&stark.folds) {
            let (position, rest) = index.split_at(*log_arity);
            inverse = (0..squarings).fold(inverse, |x, _| b.multiply(&x, &x));
            // The point of the row's first position is that of the index without its position.
            let of_position = point(b, position);
            let x_inverse = b.multiply(&inverse, &of_position);
            let (folded, leaf) = b.fold(&value, position, &x_inverse, &round.beta)?;
            let reached = b.climb(&leaf, rest, &vec![None; rest.len()])?;
            b.assert_digest_eq(Rule::Path, &reached, &round.root)?;
            value = match values.remove(&rest.len()) {
                Some(rolled_in) => b.mul_add(&round.power, &rolled_in, &folded),
                None => folded,
            };
            (squarings, index) = (*log_arity, rest);
        }
        // Rounds stop at every height; a value that none of them took would go unchecked.
        if !values.is_empty() {
            return Err(Rule::Folding);
        }
        let last: Vec<_> = self.last.iter().collect();
        let expected = match last.as_slice() {
            [constant] => (*constant).clone(),
            _ => {
                let x = point(b, index);
                let x = b.lift(&x);
                horner(b, &x, &last)
            }
        };
        b.assert_eq(Rule::Folding, &value, &expected)
    }
}
