//! The verifier's algorithm as rank-1 constraints: digests are elements of BN254's scalar field.
//!
//! The hashes are those of [`crate::native`]. A circuit is built with the values of one run: either
//! of a proof, or of a stream of zeros that stands for any proof, which gives the same circuit.

mod fold;
#[cfg(test)]
mod tests;
mod value;

use std::array::from_fn;

use ark_ff::{AdditiveGroup, Field};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use rwprove_circuits::{Challenge, Val};
use rwprove_recursion::{
    backend::{Backend, Rule},
    native::Climb,
};

use self::value::Powers;
pub use self::value::Value;
use crate::{
    Fr,
    gadget::{Ext, Int, Transcript, Uint, integer, pack},
    r1cs::{Builder, Wire},
};

/// What a prover sends: elements and digests, each in the order in which the algorithm wants them.
#[derive(Clone, Debug)]
pub enum Stream<'a> {
    /// Zeros without end: for a circuit without an assignment.
    Zeros,
    /// Of a proof.
    Proof {
        /// Elements of the base field.
        felts: &'a [Val],
        /// Digests.
        digests: &'a [Fr],
    },
}

impl Stream<'_> {
    fn felt(&mut self) -> Result<Val, Rule> {
        match self {
            Self::Zeros => Ok(Val::ZERO),
            Self::Proof { felts, .. } => felts.split_off_first().copied().ok_or(Rule::Stream),
        }
    }

    fn digest(&mut self) -> Result<Fr, Rule> {
        match self {
            Self::Zeros => Ok(Fr::ZERO),
            Self::Proof { digests, .. } => digests.split_off_first().copied().ok_or(Rule::Stream),
        }
    }
}

/// The algorithm's backend.
///
/// Elements that a prover sends are below 2^31, not below p: an element has one or two integers,
/// and all that is done with it is done modulo p. Hashes of rows bind the integers, so they bind
/// the elements. What the transcript absorbs and gives is canonical.
#[derive(Debug)]
pub struct R1cs<'a> {
    builder: Builder,
    stream: Stream<'a>,
    transcript: Transcript,
    /// Elements drawn: sums by powers of them are computed at the end.
    challenges: Vec<Ext>,
    powers: Powers,
    /// Paths are noted instead of climbed.
    climbs: Option<Vec<Climb<Fr>>>,
}

impl<'a> R1cs<'a> {
    /// Goes on with a builder.
    pub fn new(builder: Builder, stream: Stream<'a>) -> Self {
        Self {
            builder,
            stream,
            transcript: Transcript::default(),
            challenges: Vec::new(),
            powers: Powers::default(),
            climbs: None,
        }
    }

    /// Before a stream without the siblings of paths: paths are noted, and lead to whatever they
    /// should. Nothing else is left out, but what is built is no circuit.
    pub(crate) fn noting(builder: Builder, stream: Stream<'a>) -> Self {
        Self { climbs: Some(Vec::new()), ..Self::new(builder, stream) }
    }

    /// Ends a run that noted paths; returns them in order.
    pub(crate) fn finish_noting(mut self) -> Result<Vec<Climb<Fr>>, Rule> {
        let climbs = self.climbs.take().unwrap_or_default();
        self.finish().map(|_| climbs)
    }

    /// What constraints are written with.
    pub fn builder(&mut self) -> &mut Builder {
        &mut self.builder
    }

    /// Ends the algorithm.
    ///
    /// # Errors
    /// [`Rule::Stream`] if something is left of the stream.
    pub fn finish(self) -> Result<Builder, Rule> {
        match self.stream {
            Stream::Proof { felts: &[], digests: &[] } | Stream::Zeros => Ok(self.builder),
            Stream::Proof { .. } => Err(Rule::Stream),
        }
    }

    /// A proof's values must obey the rules; zeros stand for any.
    fn holds(&self, rule: Rule, condition: bool) -> Result<(), Rule> {
        if condition || matches!(self.stream, Stream::Zeros) { Ok(()) } else { Err(rule) }
    }

    /// Does arithmetic.
    fn arithmetic<T>(&mut self, build: impl FnOnce(&mut Builder, &mut Powers) -> T) -> T {
        let powers = &mut self.powers;
        self.builder.part("arithmetic", |b| build(b, powers))
    }

    /// The coefficients of an element.
    fn plain(&mut self, x: &Value) -> Ext {
        self.arithmetic(|b, powers| x.plain(b, powers))
    }

    /// A linear operation on coefficients.
    fn combined(&mut self, terms: &[(Val, &Value)], constant: Val) -> Ext {
        let plain: Vec<_> = terms.iter().map(|(k, x)| (*k, self.plain(x))).collect();
        self.arithmetic(|b, _| {
            Ext(from_fn(|i| {
                let terms: Vec<_> = plain.iter().map(|(k, x)| (*k, &x.0[i])).collect();
                b.linear(&terms, if i == 0 { constant } else { Val::ZERO })
            }))
        })
    }

    /// The challenge that an element is, if it is one.
    fn as_challenge(&self, x: &Value) -> Option<Ext> {
        let plain = x.as_plain()?;
        self.challenges.iter().find(|challenge| challenge.is(&plain)).cloned()
    }

    /// `x y + z`, as a step of Horner's rule if one of the factors is a challenge.
    fn step(&mut self, x: &Value, y: &Value, z: Ext) -> Option<Value> {
        let (sum, base) = match (self.as_challenge(x), self.as_challenge(y)) {
            (None, Some(base)) => (x, base),
            (Some(base), None) => (y, base),
            _ => return None,
        };
        Some(self.arithmetic(|b, powers| sum.step(&base, z, b, powers)))
    }

    /// The power of an element, which is at least one.
    fn power(&mut self, base: &Ext, exponent: usize) -> Ext {
        self.arithmetic(|b, powers| powers.power(b, base, exponent))
    }
}

impl Backend for R1cs<'_> {
    type Felt = Int;
    type Ext = Value;
    type Bit = Wire;
    type Digest = Wire;

    fn felt(&mut self, value: Val) -> Int {
        Int::constant(value)
    }

    fn ext(&mut self, value: Challenge) -> Value {
        Ext::constant(value).into()
    }

    fn read_felt(&mut self) -> Result<Int, Rule> {
        let value = self.stream.felt()?;
        Ok(self.builder.part("elements sent", |b| b.int(value)))
    }

    fn read_ext(&mut self) -> Result<Value, Rule> {
        let mut coefficients = [Val::ZERO; 5];
        for c in &mut coefficients {
            *c = self.stream.felt()?;
        }
        let value = Challenge::from_basis_coefficients_fn(|i| coefficients[i]);
        Ok(self.builder.part("elements sent", |b| b.ext(value)).into())
    }

    fn read_digest(&mut self) -> Result<Wire, Rule> {
        let digest = self.stream.digest()?;
        Ok(self.builder.witness(digest))
    }

    fn lift(&mut self, x: &Int) -> Value {
        // One long coefficient makes all of a product's long.
        self.builder.part("arithmetic", |b| b.reduce(x));
        Ext::lift(x).into()
    }

    fn add(&mut self, x: &Value, y: &Value) -> Value {
        self.combined(&[(Val::ONE, x), (Val::ONE, y)], Val::ZERO).into()
    }

    fn sub(&mut self, x: &Value, y: &Value) -> Value {
        self.combined(&[(Val::ONE, x), (Val::NEG_ONE, y)], Val::ZERO).into()
    }

    fn mul(&mut self, x: &Value, y: &Value) -> Value {
        let (x, y) = (self.plain(x), self.plain(y));
        self.arithmetic(|b, powers| match x.is(&y) {
            true => powers.square(b, &x),
            false => b.ext_mul(&x, &y),
        })
        .into()
    }

    fn mul_add(&mut self, x: &Value, y: &Value, z: &Value) -> Value {
        let z = self.plain(z);
        match self.step(x, y, z.clone()) {
            Some(sum) => sum,
            None => {
                let product = self.mul(x, y);
                self.add(&product, &z.into())
            }
        }
    }

    fn scale(&mut self, k: Val, x: &Value) -> Value {
        self.combined(&[(k, x)], Val::ZERO).into()
    }

    fn gate(&mut self, [m, p, q, r, k]: [Val; 5], x: &Value, y: &Value, z: &Value) -> Value {
        let terms = [(p, x), (q, y), (r, z)];
        let terms: Vec<_> = terms.into_iter().filter(|(k, _)| *k != Val::ZERO).collect();
        let rest = self.combined(&terms, k);
        if m == Val::ZERO {
            return rest.into();
        }
        if m == Val::ONE
            && let Some(sum) = self.step(x, y, rest.clone())
        {
            return sum;
        }
        // Constants scale the product, not a factor, which stays short.
        let product = self.mul(x, y);
        self.combined(&[(m, &product), (Val::ONE, &rest.into())], Val::ZERO).into()
    }

    fn inverse(&mut self, x: &Value) -> Result<Value, Rule> {
        self.holds(Rule::Inverse, x.value() != Challenge::ZERO)?;
        let x = self.plain(x);
        Ok(self.arithmetic(|b, _| b.ext_inverse(&x)).into())
    }

    fn recompose(&mut self, parts: &[Value; 5]) -> Value {
        let parts = from_fn(|i| self.plain(&parts[i]));
        self.arithmetic(|b, _| b.recompose(&parts)).into()
    }

    fn assert_eq(&mut self, rule: Rule, x: &Value, y: &Value) -> Result<(), Rule> {
        self.holds(rule, x.value() == y.value())?;
        let (x, y) = (self.plain(x), self.plain(y));
        self.arithmetic(|b, _| b.ext_assert_eq(&x, &y));
        Ok(())
    }

    fn linear(&mut self, terms: &[(Val, &Int)], constant: Val) -> Int {
        self.builder.part("arithmetic", |b| b.linear(terms, constant))
    }

    fn multiply(&mut self, x: &Int, y: &Int) -> Int {
        self.builder.part("arithmetic", |b| b.int_mul(x, y))
    }

    fn assert_felt_eq(&mut self, rule: Rule, x: &Int, y: &Int) -> Result<(), Rule> {
        self.holds(rule, x.value() == y.value())?;
        self.builder.part("arithmetic", |b| b.int_assert_eq(x, y));
        Ok(())
    }

    fn bits(&mut self, rule: Rule, x: &Int, count: usize, exact: bool) -> Result<Vec<Wire>, Rule> {
        let bits = self.builder.part("bits", |b| b.canonical(x));
        if exact {
            let high = pack(bits.get(count..).unwrap_or(&[]));
            self.holds(rule, high.value() == Fr::ZERO)?;
            self.builder.part("bits", |b| b.enforce_zero(&high));
        }
        Ok(bits.iter().take(count).cloned().collect())
    }

    fn compose(&mut self, bits: &[Wire]) -> Int {
        Int::packed(bits)
    }

    fn product(&mut self, first: Val, bits: &[Wire], factors: &[Val]) -> Int {
        self.builder.part("points", |b| b.choice_product(first, bits, factors))
    }

    fn hash(&mut self, elements: &[Int]) -> Wire {
        self.builder.part("row hashes", |b| b.hash(elements))
    }

    fn compress(&mut self, left: &Wire, right: &Wire) -> Wire {
        self.builder.part("paths", |b| b.compress(left, right))
    }

    fn climb(&mut self, leaf: &Wire, bits: &[Wire], inject: &[Option<Wire>]) -> Result<Wire, Rule> {
        if let Some(climbs) = &mut self.climbs {
            climbs.push(Climb {
                left: 0,
                leaf: leaf.value(),
                bits: bits.iter().map(|bit| bit.value() == Fr::ONE).collect(),
                inject: inject.iter().map(|x| x.as_ref().map(Wire::value)).collect(),
            });
            return Ok(leaf.clone());
        }
        let mut node = leaf.clone();
        for (bit, inject) in bits.iter().zip(inject) {
            let sibling = self.read_digest()?;
            node = self.builder.part("paths", |b| b.climb_step(&node, bit, &sibling));
            if let Some(inject) = inject {
                node = self.compress(&node, inject);
            }
        }
        Ok(node)
    }

    fn assert_digest_eq(&mut self, rule: Rule, x: &Wire, y: &Wire) -> Result<(), Rule> {
        let noted = rule == Rule::Path && self.climbs.is_some();
        self.holds(rule, noted || x.value() == y.value())?;
        self.builder.part("paths", |b| b.enforce_zero(&x.minus(y)));
        Ok(())
    }

    /// The eight elements side by side, in 248 bits: not a digest of [`Backend::hash`].
    fn digest(&mut self, elements: &[Int; 8]) -> Wire {
        let bits: Vec<Wire> = self
            .builder
            .part("bits", |b| elements.iter().flat_map(|x| b.canonical(x).to_vec()).collect());
        pack(&bits)
    }

    /// Undoes [`Backend::digest`]; there is no assignment for any other digest.
    fn elements(&mut self, digest: &Wire) -> [Int; 8] {
        let value = integer(digest.value());
        self.builder.part("bits", |b| {
            let bits: [Vec<bool>; 8] =
                from_fn(|i| (0..31).map(|j| value.bit(31 * i + j)).collect());
            let elements: [Int; 8] = from_fn(|i| b.int_of_bits(&bits[i]));
            let bits: Vec<Wire> = elements.iter().flat_map(|x| b.canonical(x).to_vec()).collect();
            b.enforce_zero(&digest.minus(&pack(&bits)));
            elements
        })
    }

    fn open_rows(&mut self, widths: &[usize], gamma: &Value) -> Result<(Wire, Vec<Value>), Rule> {
        let gamma = &self.plain(gamma);
        let (stream, builder) = (&mut self.stream, &mut self.builder);
        let count = widths.iter().sum();
        let elements: Vec<Int> = builder.part("row elements", |b| {
            (0..count).map(|_| stream.felt().map(|x| b.int(x))).collect::<Result<_, _>>()
        })?;
        let highest = widths.iter().copied().max().unwrap_or(0);
        let powers: Vec<Ext> = (1..highest).map(|i| self.power(gamma, i)).collect();
        let mut rest = elements.as_slice();
        let mut sums = Vec::with_capacity(widths.len());
        for width in widths {
            let (row, after) = rest.split_at(*width);
            sums.push(self.builder.part("row sums", |b| b.row_sum(row, &powers)).into());
            rest = after;
        }
        let digest = self.hash(&elements);
        Ok((digest, sums))
    }

    fn fold(
        &mut self,
        value: &Value,
        position: &[Wire],
        x_inverse: &Int,
        beta: &Value,
    ) -> Result<(Value, Wire), Rule> {
        let (value, beta) = (&self.plain(value), &self.plain(beta));
        let place = integer(pack(position).value());
        let mut row = Vec::with_capacity(1 << position.len());
        for j in 0..1 << position.len() {
            let value = if place == Uint::new(j) {
                value.value()
            } else {
                let mut coefficients = [Val::ZERO; 5];
                for c in &mut coefficients {
                    *c = self.stream.felt()?;
                }
                Challenge::from_basis_coefficients_fn(|i| coefficients[i])
            };
            row.push(self.builder.part("fold elements", |b| b.ext(value)));
        }
        let powers: Vec<Ext> = (1..row.len()).map(|i| self.power(beta, i)).collect();
        let folded = self.builder.part("folds", |b| {
            let chosen = b.choose(&row, position);
            b.ext_assert_eq(value, &chosen);
            b.fold(&row, x_inverse, &powers)
        });
        let elements: Vec<Int> = row.into_iter().flat_map(|value| value.0).collect();
        let digest = self.hash(&elements);
        Ok((folded.into(), digest))
    }

    fn begin(&mut self) {
        self.transcript = Transcript::default();
    }

    fn observe(&mut self, x: &Int) {
        let transcript = &mut self.transcript;
        self.builder.part("transcript", |b| transcript.observe(b, x));
    }

    fn observe_ext(&mut self, x: &Value) {
        self.plain(x).0.iter().for_each(|c| self.observe(c));
    }

    fn observe_digest(&mut self, digest: &Wire) {
        let transcript = &mut self.transcript;
        self.builder.part("transcript", |b| transcript.observe_digest(b, digest));
    }

    fn sample_ext(&mut self) -> Value {
        let transcript = &mut self.transcript;
        let drawn = self.builder.part("transcript", |b| Ext(from_fn(|_| transcript.sample(b))));
        self.challenges.push(drawn.clone());
        drawn.into()
    }

    fn sample_bits(&mut self, count: usize) -> Result<Vec<Wire>, Rule> {
        let transcript = &mut self.transcript;
        let bits = self.builder.part("transcript", |b| {
            let drawn = transcript.sample(b);
            b.canonical(&drawn)
        });
        Ok(bits.iter().take(count).cloned().collect())
    }
}
