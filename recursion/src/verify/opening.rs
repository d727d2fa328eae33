//! Opened rows: one value for each height of codewords, which is low-degree only if every opened
//! row belongs to polynomials with the claimed values.
//!
//! All columns of one height stand on one *ladder* of powers of a challenge `alpha`: a row `p`
//! opened at a point `z` occupies `alpha^start` to `alpha^(start + width - 1)` and adds
//! `sum_i alpha^(start + i) (p_i(z) - p_i(x)) / (z - x)`. There are two points for each height, the
//! out-of-domain point and its successor, so the sums of a height are divided once for each point.

use std::collections::BTreeMap;

use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField};
use rwprove_circuits::{Challenge, Val};

use crate::{
    backend::{Backend, Rule},
    verify::stark::Stark,
};

/// One committed matrix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix {
    /// log2 of its height, which is that of codewords.
    pub(super) log_height: usize,
    pub(super) width: usize,
    /// Whether it is opened at the next point too.
    pub(super) next: bool,
}

impl Matrix {
    /// Points that it is opened at.
    pub(super) fn points(&self) -> usize {
        1 + usize::from(self.next)
    }
}

/// The matrices behind one commitment.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) matrices: Vec<Matrix>,
    /// The same by height, tallest first: what one leaf of the Merkle tree, or one level above,
    /// hashes.
    pub(super) leaves: Vec<Leaf>,
}

/// All matrices of one height behind one commitment.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) log_height: usize,
    pub(super) groups: Vec<Group>,
}

impl Leaf {
    /// Indices of its matrices.
    pub(super) fn matrices(&self) -> impl Iterator<Item = usize> + '_ {
        self.groups.iter().flat_map(|group| group.matrices.iter().copied())
    }
}

/// Neighbours in a leaf whose places on the ladder follow each other: one matrix opened at both
/// points, or any number opened at the first alone.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Indices of the matrices.
    matrices: Vec<usize>,
    width: usize,
    /// Place on the ladder for the first point; that of the second follows.
    start: usize,
    next: bool,
}

impl Batch {
    /// All commitments of a proof.
    pub(super) fn all(commitments: Vec<Vec<Matrix>>) -> Vec<Self> {
        let mut ladders = BTreeMap::new();
        commitments.into_iter().map(|matrices| Self::new(matrices, &mut ladders)).collect()
    }

    /// `ladders` holds how much of the ladder of each height is taken.
    fn new(matrices: Vec<Matrix>, ladders: &mut BTreeMap<usize, usize>) -> Self {
        let mut leaves: BTreeMap<usize, Vec<Group>> = BTreeMap::new();
        for (index, matrix) in matrices.iter().enumerate() {
            let Matrix { log_height, width, next } = *matrix;
            let ladder = ladders.entry(log_height).or_default();
            let start = *ladder;
            *ladder += width * matrix.points();
            let groups = leaves.entry(log_height).or_default();
            match groups.last_mut() {
                Some(last) if !last.next && !next => {
                    last.matrices.push(index);
                    last.width += width;
                }
                _ => groups.push(Group { matrices: vec![index], width, start, next }),
            }
        }
        let leaves = leaves.into_iter().rev();
        let leaves = leaves.map(|(log_height, groups)| Leaf { log_height, groups }).collect();
        Self { matrices, leaves }
    }
}

/// What a matrix claims to be at the points.
#[derive(Clone, Debug)]
pub(super) struct Claim<E> {
    pub(super) local: Vec<E>,
    /// Empty unless it is opened at the next point.
    pub(super) next: Vec<E>,
}

/// What is the same for all queries.
pub(super) struct Openings<B: Backend> {
    /// `1 / alpha`.
    gamma: B::Ext,
    /// By log2 of the height.
    heights: BTreeMap<usize, Height<B::Ext>>,
    /// For each commitment, leaf and group: `-alpha^(start + width - 1)` at each of its points.
    coefficients: Vec<Vec<Vec<Vec<B::Ext>>>>,
}

/// One height: for each of its points, the point and `sum_i alpha^i p_i(z)`.
#[derive(Clone)]
struct Height<E> {
    points: Vec<E>,
    sums: Vec<E>,
}

impl<B: Backend> Openings<B> {
    /// Of the claims of each commitment's matrices.
    pub(super) fn new(
        b: &mut B,
        stark: &Stark,
        claims: &[Vec<Claim<B::Ext>>],
        zeta: &B::Ext,
        alpha: &B::Ext,
    ) -> Result<Self, Rule> {
        let mut powers = Powers(vec![alpha.clone()]);
        let mut heights = BTreeMap::new();
        let mut coefficients = Vec::with_capacity(claims.len());
        for (batch, claims) in stark.batches.iter().zip(claims) {
            let mut of_batch = Vec::with_capacity(batch.leaves.len());
            for leaf in &batch.leaves {
                let height: &mut Height<B::Ext> = heights
                    .entry(leaf.log_height)
                    .or_insert_with(|| Height { points: vec![zeta.clone()], sums: Vec::new() });
                if height.points.len() == 1 && leaf.groups.iter().any(|group| group.next) {
                    let generator =
                        Val::two_adic_generator(leaf.log_height - stark.parameters.log_blowup);
                    height.points.push(b.scale(generator, zeta));
                }
                let mut of_leaf = Vec::with_capacity(leaf.groups.len());
                for group in &leaf.groups {
                    let claims = group.matrices.iter().map(|matrix| &claims[*matrix]);
                    let (local, next) = (claims.clone().map(|c| &c.local), claims.map(|c| &c.next));
                    let mut values = vec![local.flatten().collect::<Vec<_>>()];
                    values.extend(group.next.then(|| next.flatten().collect()));
                    let mut of_group = Vec::with_capacity(values.len());
                    for (point, values) in values.into_iter().enumerate() {
                        let start = group.start + point * group.width;
                        let sum = horner(b, alpha, &values);
                        let sum = match powers.power(b, start) {
                            Some(power) => b.mul(&power, &sum),
                            None => sum,
                        };
                        match height.sums.get_mut(point) {
                            Some(before) => *before = b.add(before, &sum),
                            None => height.sums.push(sum),
                        }
                        let last = powers.power(b, start + group.width - 1);
                        let last = last.unwrap_or_else(|| b.ext(Challenge::ONE));
                        of_group.push(b.scale(Val::NEG_ONE, &last));
                    }
                    of_leaf.push(of_group);
                }
                of_batch.push(of_leaf);
            }
            coefficients.push(of_batch);
        }
        // Zero with the probability of any other value; the library could go on.
        let gamma = b.inverse(alpha)?;
        Ok(Self { gamma, heights, coefficients })
    }

    /// Opens all commitments at one index; the values of all heights, by log2 of the height.
    pub(super) fn open(
        &self,
        b: &mut B,
        stark: &Stark,
        roots: &[B::Digest],
        index: &[B::Bit],
    ) -> Result<BTreeMap<usize, B::Ext>, Rule> {
        let mut heights = self.heights.clone();
        for ((batch, root), coefficients) in stark.batches.iter().zip(roots).zip(&self.coefficients)
        {
            let mut digests = Vec::with_capacity(batch.leaves.len());
            for (leaf, coefficients) in batch.leaves.iter().zip(coefficients) {
                let widths: Vec<_> = leaf.groups.iter().map(|group| group.width).collect();
                let (digest, rows) = b.open_rows(&widths, &self.gamma)?;
                digests.push((leaf.log_height, digest));
                // There is one for each height; rows without one would go unchecked.
                let height = heights.get_mut(&leaf.log_height).ok_or(Rule::Folding)?;
                for (row, coefficients) in rows.iter().zip(coefficients) {
                    for (sum, coefficient) in height.sums.iter_mut().zip(coefficients) {
                        *sum = b.mul_add(coefficient, row, sum);
                    }
                }
            }
            climb(b, stark, digests, root, index)?;
        }
        let mut values = BTreeMap::new();
        let (mut log_point, mut at) = (stark.log_height, point(b, index));
        for (log_height, Height { points, sums }) in heights.into_iter().rev() {
            while log_point > log_height {
                at = b.multiply(&at, &at);
                log_point -= 1;
            }
            let x = b.linear(&[(Val::GENERATOR, &at)], Val::ZERO);
            let x = b.lift(&x);
            let mut value: Option<B::Ext> = None;
            for (point, sum) in points.iter().zip(&sums) {
                let difference = b.sub(point, &x);
                let inverse = b.inverse(&difference)?;
                value = Some(match value {
                    None => b.mul(sum, &inverse),
                    Some(value) => b.mul_add(sum, &inverse, &value),
                });
            }
            values.extend(value.map(|value| (log_height, value)));
        }
        Ok(values)
    }
}

/// Checks that leaves, tallest first, lead to a root.
fn climb<B: Backend>(
    b: &mut B,
    stark: &Stark,
    digests: Vec<(usize, B::Digest)>,
    root: &B::Digest,
    index: &[B::Bit],
) -> Result<(), Rule> {
    let mut digests = digests.into_iter();
    let (tallest, leaf) = digests.next().ok_or(Rule::Path)?;
    let mut inject = vec![None; tallest];
    for (log_height, digest) in digests {
        inject[tallest - log_height - 1] = Some(digest);
    }
    let reached = b.climb(&leaf, &index[stark.log_height - tallest..], &inject)?;
    b.assert_digest_eq(Rule::Path, &reached, root)
}

/// The point of an index: `g^rev(index)`, where `g` generates the group of `2^n` for `n` bits of
/// the index and `rev` reverses them. Its square is the point of the index without its lowest bit.
pub(super) fn point<B: Backend>(b: &mut B, index: &[B::Bit]) -> B::Felt {
    // Reversed, bit i weighs 2^(n - 1 - i), and that power of g generates the group of 2^(i + 1).
    let factors: Vec<_> = (1..=index.len()).map(Val::two_adic_generator).collect();
    b.product(Val::ONE, index, &factors)
}

/// The inverse of the point of an index.
pub(super) fn inverse_point<B: Backend>(b: &mut B, index: &[B::Bit]) -> B::Felt {
    let factors = (1..=index.len()).map(|i| Val::two_adic_generator(i).inverse());
    b.product(Val::ONE, index, &factors.collect::<Vec<_>>())
}

/// `sum_i x^i values[i]`.
pub(super) fn horner<B: Backend>(b: &mut B, x: &B::Ext, values: &[&B::Ext]) -> B::Ext {
    let mut values = values.iter().rev();
    let Some(first) = values.next() else { return b.ext(Challenge::ZERO) };
    let mut sum = (*first).clone();
    for value in values {
        sum = b.mul_add(&sum, x, value);
    }
    sum
}

/// The powers of two of an element, as far as they were needed.
struct Powers<E>(Vec<E>);

impl<E: Clone> Powers<E> {
    /// Any power; none if it is one.
    fn power<B: Backend<Ext = E>>(&mut self, b: &mut B, exponent: usize) -> Option<E> {
        let mut product: Option<E> = None;
        for bit in 0..usize::BITS - exponent.leading_zeros() {
            if self.0.len() <= bit as usize {
                let last = self.0[self.0.len() - 1].clone();
                self.0.push(b.mul(&last, &last));
            }
            if exponent >> bit & 1 == 1 {
                let power = self.0[bit as usize].clone();
                product = Some(match product {
                    None => power,
                    Some(product) => b.mul(&product, &power),
                });
            }
        }
        product
    }
}
