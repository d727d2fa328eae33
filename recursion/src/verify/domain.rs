//! Where tables live: selectors of rows, and quotients put together from their chunks.

use p3_commit::PolynomialSpace;
use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField, coset::TwoAdicMultiplicativeCoset};
use rwprove_circuits::{Challenge, Val};
use rwprove_verifier::config::EXTENSION;

use crate::{
    backend::{Backend, Rule},
    verify::{constraints::Selectors, opening::Claim, stark::StarkError},
};

/// The rows of tables of one height, seen from the out-of-domain point `zeta`.
pub(super) struct Domain<E> {
    /// `zeta^n` for `n` rows.
    power: E,
    /// `1 / (zeta^n - 1)`.
    pub(super) inverse_vanishing: E,
    pub(super) selectors: Selectors<E>,
}

impl<E: Clone> Domain<E> {
    /// Of `2^log_height` rows; `power` is `zeta^(2^log_height)`.
    pub(super) fn new<B: Backend<Ext = E>>(
        b: &mut B,
        log_height: usize,
        zeta: &E,
        power: E,
    ) -> Result<Self, Rule> {
        let one = b.ext(Challenge::ONE);
        let last_row = Val::two_adic_generator(log_height).inverse();
        let last_row = b.ext(last_row.into());
        let vanishing = b.sub(&power, &one);
        let inverse_vanishing = b.inverse(&vanishing)?;
        let transition = b.sub(zeta, &last_row);
        let from_first = b.sub(zeta, &one);
        let inverse = b.inverse(&from_first)?;
        let first = b.mul(&vanishing, &inverse);
        let inverse = b.inverse(&transition)?;
        let last = b.mul(&vanishing, &inverse);
        let selectors = Selectors { first, last, transition };
        Ok(Self { power, inverse_vanishing, selectors })
    }
}

/// The cosets that a quotient is cut into.
#[derive(Clone, Debug)]
pub(super) struct Chunks {
    /// For each coset `s H`, `s^-n`: its vanishing polynomial is `s^-n X^n - 1`.
    shifts: Vec<Val>,
    /// For each coset, what makes the product of the others' vanishing polynomials one on it.
    scales: Vec<Val>,
}

impl Chunks {
    /// Of a table with `2^log_height` rows.
    pub(super) fn new(log_height: usize, log_chunks: usize) -> Result<Self, StarkError> {
        let too_high = || StarkError::Height(log_height + log_chunks);
        let cosets = TwoAdicMultiplicativeCoset::new(Val::ONE, log_height)
            .and_then(|rows| rows.try_create_disjoint_domain(1 << (log_height + log_chunks)))
            .ok_or_else(too_high)?
            .split_domains(1 << log_chunks);
        let shift = |coset: &TwoAdicMultiplicativeCoset<Val>| {
            coset.shift_inverse().exp_power_of_2(log_height)
        };
        let scale = |i: usize| -> Val {
            let others = cosets.iter().enumerate().filter(|(j, _)| *j != i);
            let first: Val = cosets[i].first_point();
            others.map(|(_, other)| other.vanishing_poly_at_point(first)).product::<Val>().inverse()
        };
        Ok(Self {
            shifts: cosets.iter().map(shift).collect(),
            scales: (0..cosets.len()).map(scale).collect(),
        })
    }

    /// Number of chunks.
    pub(super) fn count(&self) -> usize {
        self.shifts.len()
    }

    /// The quotient at the out-of-domain point, of what its chunks claim there.
    pub(super) fn quotient<B: Backend>(
        &self,
        b: &mut B,
        domain: &Domain<B::Ext>,
        claims: &[Claim<B::Ext>],
    ) -> B::Ext {
        let one = b.ext(Challenge::ONE);
        let mut vanishing = Vec::with_capacity(self.shifts.len());
        for shift in &self.shifts {
            let power = b.scale(*shift, &domain.power);
            vanishing.push(b.sub(&power, &one));
        }
        let mut sum: Option<B::Ext> = None;
        for (i, (claim, scale)) in claims.iter().zip(&self.scales).enumerate() {
            let mut term = recompose(b, &claim.local);
            for (j, vanishing) in vanishing.iter().enumerate() {
                if j != i {
                    term = b.mul(&term, vanishing);
                }
            }
            let term = b.scale(*scale, &term);
            sum = Some(match sum {
                None => term,
                Some(sum) => b.add(&sum, &term),
            });
        }
        sum.unwrap_or_else(|| b.ext(Challenge::ZERO))
    }
}

/// The element of the challenge field whose coefficients were opened one by one.
fn recompose<B: Backend>(b: &mut B, parts: &[B::Ext]) -> B::Ext {
    match <&[B::Ext; EXTENSION]>::try_from(parts) {
        Ok(parts) => b.recompose(parts),
        // Layouts give all of these five columns.
        Err(_) => b.ext(Challenge::ZERO),
    }
}

/// The elements of the challenge field whose coefficients are in columns side by side.
pub(super) fn recompose_all<B: Backend>(b: &mut B, columns: &[B::Ext]) -> Vec<B::Ext> {
    columns.chunks_exact(EXTENSION).map(|parts| recompose(b, parts)).collect()
}
