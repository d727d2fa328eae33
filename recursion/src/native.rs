//! The algorithm on plain values.

use p3_challenger::{CanObserve, CanSample, CanSampleBits, DuplexChallenger};
use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing, PrimeField32, TwoAdicField};
use p3_koala_bear::default_koalabear_poseidon2_16;
use p3_symmetric::{CryptographicHasher, PseudoCompressionFunction};
use rwprove_circuits::{Challenge, Val};
use rwprove_verifier::config::{Compression, DIGEST, Digest, EXTENSION, Permutation, Sponge};

use crate::backend::{Backend, Rule};

/// Runs the algorithm on a stream of elements.
#[derive(Clone, Debug)]
pub struct Native<'a> {
    stream: &'a [Val],
    challenger: DuplexChallenger<Val, Permutation, 16, 8>,
    sponge: Sponge,
    compression: Compression,
    climbs: Option<Vec<Climb<Digest>>>,
}

/// A path that was noted instead of climbed.
#[derive(Clone, Debug)]
pub struct Climb<D> {
    /// Elements of the stream that come after its siblings.
    pub left: usize,
    /// Where it starts.
    pub leaf: D,
    /// The leaf's index, lowest bit first.
    pub bits: Vec<bool>,
    /// What enters above each level.
    pub inject: Vec<Option<D>>,
}

impl<'a> Native<'a> {
    /// Before the stream's first element.
    pub fn new(stream: &'a [Val]) -> Self {
        let permutation = default_koalabear_poseidon2_16();
        Self {
            stream,
            challenger: DuplexChallenger::new(permutation.clone()),
            sponge: Sponge::new(permutation.clone()),
            compression: Compression::new(permutation),
            climbs: None,
        }
    }

    /// Before the first element of a stream that has no siblings of paths: paths are noted, and
    /// lead to whatever they should.
    pub(crate) fn noting(stream: &'a [Val]) -> Self {
        Self { climbs: Some(Vec::new()), ..Self::new(stream) }
    }

    /// Ends a run that noted paths; returns them in order.
    ///
    /// # Errors
    /// [`Rule::Stream`] if something is left of the stream.
    pub(crate) fn finish_noting(mut self) -> Result<Vec<Climb<Digest>>, Rule> {
        let climbs = self.climbs.take().unwrap_or_default();
        self.finish().map(|()| climbs)
    }

    /// Ends the run.
    ///
    /// # Errors
    /// [`Rule::Stream`] if something is left of the stream.
    pub fn finish(self) -> Result<(), Rule> {
        if self.stream.is_empty() { Ok(()) } else { Err(Rule::Stream) }
    }

    fn take(&mut self, count: usize) -> Result<&'a [Val], Rule> {
        let (taken, rest) = self.stream.split_at_checked(count).ok_or(Rule::Stream)?;
        self.stream = rest;
        Ok(taken)
    }
}

fn holds(rule: Rule, condition: bool) -> Result<(), Rule> {
    if condition { Ok(()) } else { Err(rule) }
}

fn coefficients(x: &Challenge) -> &[Val] {
    x.as_basis_coefficients_slice()
}

fn challenge(coefficients: &[Val]) -> Challenge {
    Challenge::from_basis_coefficients_fn(|i| coefficients[i])
}

impl Backend for Native<'_> {
    type Felt = Val;
    type Ext = Challenge;
    type Bit = bool;
    type Digest = Digest;

    fn felt(&mut self, value: Val) -> Val {
        value
    }

    fn ext(&mut self, value: Challenge) -> Challenge {
        value
    }

    fn read_felt(&mut self) -> Result<Val, Rule> {
        Ok(self.take(1)?[0])
    }

    fn read_ext(&mut self) -> Result<Challenge, Rule> {
        Ok(challenge(self.take(EXTENSION)?))
    }

    fn read_digest(&mut self) -> Result<Digest, Rule> {
        self.take(DIGEST)?.try_into().map_err(|_| Rule::Stream)
    }

    fn lift(&mut self, x: &Val) -> Challenge {
        (*x).into()
    }

    fn add(&mut self, x: &Challenge, y: &Challenge) -> Challenge {
        *x + *y
    }

    fn sub(&mut self, x: &Challenge, y: &Challenge) -> Challenge {
        *x - *y
    }

    fn mul(&mut self, x: &Challenge, y: &Challenge) -> Challenge {
        *x * *y
    }

    fn mul_add(&mut self, x: &Challenge, y: &Challenge, z: &Challenge) -> Challenge {
        *x * *y + *z
    }

    fn scale(&mut self, k: Val, x: &Challenge) -> Challenge {
        *x * k
    }

    fn inverse(&mut self, x: &Challenge) -> Result<Challenge, Rule> {
        x.try_inverse().ok_or(Rule::Inverse)
    }

    fn recompose(&mut self, parts: &[Challenge; EXTENSION]) -> Challenge {
        let basis = |i| Challenge::from_basis_coefficients_fn(|j| Val::from_bool(i == j));
        parts.iter().enumerate().map(|(i, part)| basis(i) * *part).sum()
    }

    fn assert_eq(&mut self, rule: Rule, x: &Challenge, y: &Challenge) -> Result<(), Rule> {
        holds(rule, x == y)
    }

    fn linear(&mut self, terms: &[(Val, &Val)], constant: Val) -> Val {
        terms.iter().map(|(k, x)| *k * **x).sum::<Val>() + constant
    }

    fn multiply(&mut self, x: &Val, y: &Val) -> Val {
        *x * *y
    }

    fn assert_felt_eq(&mut self, rule: Rule, x: &Val, y: &Val) -> Result<(), Rule> {
        holds(rule, x == y)
    }

    fn bits(&mut self, rule: Rule, x: &Val, count: usize, exact: bool) -> Result<Vec<bool>, Rule> {
        let x = u64::from(x.as_canonical_u32());
        holds(rule, !exact || x >> count == 0)?;
        Ok((0..count).map(|i| x >> i & 1 == 1).collect())
    }

    fn compose(&mut self, bits: &[bool]) -> Val {
        bits.iter().rev().fold(Val::ZERO, |sum, bit| sum.double() + Val::from_bool(*bit))
    }

    fn product(&mut self, first: Val, bits: &[bool], factors: &[Val]) -> Val {
        let set = bits.iter().zip(factors).filter(|(bit, _)| **bit);
        set.map(|(_, factor)| *factor).product::<Val>() * first
    }

    fn hash(&mut self, elements: &[Val]) -> Digest {
        self.sponge.hash_iter(elements.iter().copied())
    }

    fn compress(&mut self, left: &Digest, right: &Digest) -> Digest {
        self.compression.compress([*left, *right])
    }

    fn climb(
        &mut self,
        leaf: &Digest,
        bits: &[bool],
        inject: &[Option<Digest>],
    ) -> Result<Digest, Rule> {
        if let Some(climbs) = &mut self.climbs {
            let (left, leaf) = (self.stream.len(), *leaf);
            climbs.push(Climb { left, leaf, bits: bits.to_vec(), inject: inject.to_vec() });
            return Ok(leaf);
        }
        let mut node = *leaf;
        for (bit, inject) in bits.iter().zip(inject) {
            let sibling = self.read_digest()?;
            let [left, right] = if *bit { [sibling, node] } else { [node, sibling] };
            node = self.compress(&left, &right);
            if let Some(inject) = inject {
                node = self.compress(&node, inject);
            }
        }
        Ok(node)
    }

    fn assert_digest_eq(&mut self, rule: Rule, x: &Digest, y: &Digest) -> Result<(), Rule> {
        let noted = rule == Rule::Path && self.climbs.is_some();
        holds(rule, noted || x == y)
    }

    fn digest(&mut self, elements: &[Val; DIGEST]) -> Digest {
        *elements
    }

    fn elements(&mut self, digest: &Digest) -> [Val; DIGEST] {
        *digest
    }

    fn open_rows(
        &mut self,
        widths: &[usize],
        gamma: &Challenge,
    ) -> Result<(Digest, Vec<Challenge>), Rule> {
        let elements = self.take(widths.iter().sum())?;
        let mut rest = elements;
        let mut sums = Vec::with_capacity(widths.len());
        for width in widths {
            let (row, after) = rest.split_at(*width);
            sums.push(row.iter().fold(Challenge::ZERO, |sum, x| sum * *gamma + *x));
            rest = after;
        }
        Ok((self.hash(elements), sums))
    }

    fn fold(
        &mut self,
        value: &Challenge,
        position: &[bool],
        x_inverse: &Val,
        beta: &Challenge,
    ) -> Result<(Challenge, Digest), Rule> {
        let (log_arity, place) = (position.len(), self.compose(position).as_canonical_u32());
        let mut row = Vec::with_capacity(1 << log_arity);
        for j in 0..1 << log_arity {
            row.push(if j == place { *value } else { self.read_ext()? });
        }
        // The value at x w^rev(j) is that of sum_c q_c w^(c rev(j)), so q_c x^-c beta^c are the
        // terms at beta.
        let inverse_root = Val::two_adic_generator(log_arity).inverse();
        let scale = Val::from_usize(row.len()).inverse();
        let reversed = |j: usize| j.reverse_bits() >> (usize::BITS as usize - log_arity);
        let coefficient = |c: usize| -> Challenge {
            let terms = row.iter().enumerate();
            let terms = terms.map(|(j, v)| *v * inverse_root.exp_u64((c * reversed(j)) as u64));
            terms.sum::<Challenge>() * scale
        };
        let y = *beta * *x_inverse;
        let folded = (0..row.len()).rev().fold(Challenge::ZERO, |sum, c| sum * y + coefficient(c));
        let elements: Vec<Val> =
            row.iter().flat_map(|value| coefficients(value).to_vec()).collect();
        Ok((folded, self.hash(&elements)))
    }

    fn begin(&mut self) {
        self.challenger = DuplexChallenger::new(self.challenger.permutation.clone());
    }

    fn observe(&mut self, x: &Val) {
        self.challenger.observe(*x);
    }

    fn observe_ext(&mut self, x: &Challenge) {
        coefficients(x).iter().for_each(|x| self.challenger.observe(*x));
    }

    fn observe_digest(&mut self, digest: &Digest) {
        self.challenger.observe(*digest);
    }

    fn sample_ext(&mut self) -> Challenge {
        self.challenger.sample()
    }

    fn sample_bits(&mut self, count: usize) -> Result<Vec<bool>, Rule> {
        let drawn = self.challenger.sample_bits(count);
        Ok((0..count).map(|i| drawn >> i & 1 == 1).collect())
    }
}
