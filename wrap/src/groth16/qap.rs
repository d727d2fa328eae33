//! From constraints to polynomials, as snarkjs does it: the quotient is given by its values on a
//! coset, so that keys of a ceremony run with snarkjs and development keys prove alike.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP, evaluate_constraint};
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::gr1cs::{ConstraintSystemRef, Matrix, SynthesisError};
use rayon::prelude::*;

/// Constraints hold on a domain of n points, where `A B - C` vanishes. It has degree below 2n, so
/// it is known by its values on the other half of a domain twice as large; these are what is
/// proved, with one point of the key each.
#[derive(Debug)]
pub(super) struct Coset;

/// Whether there is a domain of this size and one twice as large.
fn domain<F: PrimeField, D: EvaluationDomain<F>>(size: usize) -> Result<(D, D), SynthesisError> {
    let one = D::new(size).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
    let two = D::new(2 * one.size()).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
    Ok((one, two))
}

impl Coset {
    /// Points of the domain for this many constraints and inputs.
    pub(super) fn domain_size(size: usize) -> Option<usize> {
        let domains = domain::<Fr, GeneralEvaluationDomain<Fr>>(size).ok()?;
        Some(domains.0.size())
    }
}

impl R1CSToQAP for Coset {
    fn instance_map_with_evaluation<F: PrimeField, D: EvaluationDomain<F>>(
        system: ConstraintSystemRef<F>,
        point: &F,
    ) -> Result<(Vec<F>, Vec<F>, Vec<F>, F, usize, usize), SynthesisError> {
        LibsnarkReduction::instance_map_with_evaluation::<F, D>(system, point)
    }

    fn witness_map_from_matrices<F: PrimeField, D: EvaluationDomain<F>>(
        matrices: &[Matrix<F>],
        inputs: usize,
        constraints: usize,
        assignment: &[F],
    ) -> Result<Vec<F>, SynthesisError> {
        let (domain, double) = domain::<F, D>(constraints + inputs)?;
        let evaluated = |matrix: Option<&Matrix<F>>| {
            let rows = matrix.map_or(&[][..], Vec::as_slice);
            let mut values = vec![F::zero(); domain.size()];
            values
                .par_iter_mut()
                .zip(rows)
                .for_each(|(value, row)| *value = evaluate_constraint(row, assignment));
            values
        };
        let (mut a, mut b) = (evaluated(matrices.first()), evaluated(matrices.get(1)));
        // One more row for each input, which makes them independent.
        for (value, input) in a[constraints..].iter_mut().zip(&assignment[..inputs]) {
            *value = *input;
        }
        let mut c: Vec<F> = a.par_iter().zip(&b).map(|(a, b)| *a * b).collect();
        let shift = double.element(1);
        for values in [&mut a, &mut b, &mut c] {
            domain.ifft_in_place(values);
            D::distribute_powers(values, shift);
            domain.fft_in_place(values);
        }
        a.par_iter_mut().zip(&b).zip(&c).for_each(|((a, b), c)| *a = *a * b - c);
        Ok(a)
    }

    fn h_query_scalars<F: PrimeField, D: EvaluationDomain<F>>(
        max_power: usize,
        point: F,
        _vanishing: F,
        delta_inverse: F,
    ) -> Result<Vec<F>, SynthesisError> {
        let (_, double) = domain::<F, D>(max_power + 1)?;
        let all = double.evaluate_all_lagrange_coefficients(point);
        Ok(all.into_iter().skip(1).step_by(2).map(|x| x * delta_inverse).collect())
    }
}
