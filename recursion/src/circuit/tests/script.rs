//! Random straight lines over any backend.

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use rwprove_circuits::{Challenge, EXTENSION, Val};

use crate::backend::{Backend, Rule};

/// Numbers that look random and are the same each time.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Small ones more often than others.
    pub(super) fn val(&mut self) -> Val {
        match self.below(4) {
            0 => Val::from_usize(self.below(3)),
            1 => -Val::from_usize(self.below(3)),
            _ => Val::from_u64(self.next()),
        }
    }

    pub(super) fn stream(&mut self, length: usize) -> Vec<Val> {
        (0..length).map(|_| Val::from_u64(self.next())).collect()
    }
}

/// Number of kinds of steps.
pub(super) const KINDS: usize = 31;

/// A straight line that is being run or built. What its steps make is what later steps take.
pub(super) struct Script<'a, B: Backend> {
    b: &'a mut B,
    random: Random,
    felts: Vec<B::Felt>,
    exts: Vec<B::Ext>,
    bits: Vec<B::Bit>,
    digests: Vec<B::Digest>,
    /// Elements of the stream so far.
    read: usize,
}

impl<'a, B: Backend> Script<'a, B> {
    pub(super) fn new(b: &'a mut B, seed: u64) -> Result<Self, Rule> {
        let mut script = Self {
            b,
            random: Random::new(seed),
            felts: Vec::new(),
            exts: Vec::new(),
            bits: Vec::new(),
            digests: Vec::new(),
            read: 0,
        };
        script.b.begin();
        // Something of each type, and something in the transcript.
        for kind in [2, 3, 4, 15, 24, 0, 1] {
            script.step(kind)?;
        }
        Ok(script)
    }

    /// A random line of so many steps. Returns its digest and the length of its stream.
    pub(super) fn run(b: &'a mut B, seed: u64, steps: usize) -> Result<(B::Digest, usize), Rule> {
        let mut script = Self::new(b, seed)?;
        for _ in 0..steps {
            let kind = script.random.below(KINDS);
            script.step(kind)?;
        }
        script.finish()
    }

    /// A line with every kind of step, some more than once.
    pub(super) fn every(b: &'a mut B, seed: u64) -> Result<(B::Digest, usize), Rule> {
        let mut script = Self::new(b, seed)?;
        for kind in (0..KINDS).chain((0..KINDS).rev()) {
            script.step(kind)?;
        }
        script.finish()
    }

    /// The digest of all that was made.
    fn finish(self) -> Result<(B::Digest, usize), Rule> {
        let Self { b, felts, exts, bits, digests, read, .. } = self;
        b.begin();
        exts.iter().for_each(|x| b.observe_ext(x));
        felts.iter().for_each(|x| b.observe(x));
        digests.iter().for_each(|x| b.observe_digest(x));
        for bits in bits.chunks(30) {
            let x = b.compose(bits);
            b.observe(&x);
        }
        let bits = b.sample_bits(30)?;
        let elements: [B::Felt; 8] = std::array::from_fn(|i| b.compose(&bits[..30 - i]));
        let drawn = b.sample_ext();
        b.observe_ext(&drawn);
        let digest = b.digest(&elements);
        b.observe_digest(&digest);
        let last = b.sample_bits(30)?;
        let last = b.compose(&last);
        Ok((b.hash(&[&elements[..], &[last]].concat()), read))
    }

    fn felt(&mut self) -> B::Felt {
        self.felts[self.random.below(self.felts.len())].clone()
    }

    fn ext(&mut self) -> B::Ext {
        self.exts[self.random.below(self.exts.len())].clone()
    }

    fn bit(&mut self) -> B::Bit {
        self.bits[self.random.below(self.bits.len())].clone()
    }

    fn digest(&mut self) -> B::Digest {
        self.digests[self.random.below(self.digests.len())].clone()
    }

    fn some_bits(&mut self, most: usize) -> Vec<B::Bit> {
        let count = self.random.below(most + 1);
        (0..count).map(|_| self.bit()).collect()
    }

    fn step(&mut self, kind: usize) -> Result<(), Rule> {
        let rule = Rule::Between("of the script");
        match kind {
            0 => {
                let value = self.random.val();
                let felt = self.b.felt(value);
                self.felts.push(felt);
            }
            1 => {
                let base = self.random.below(2) == 0;
                let value = |i| if base && i > 0 { Val::ZERO } else { self.random.val() };
                let value = Challenge::from_basis_coefficients_fn(value);
                let ext = self.b.ext(value);
                self.exts.push(ext);
            }
            2 => {
                self.read += 1;
                let felt = self.b.read_felt()?;
                self.felts.push(felt);
            }
            3 => {
                self.read += EXTENSION;
                let ext = self.b.read_ext()?;
                self.exts.push(ext);
            }
            4 => {
                self.read += 8;
                let digest = self.b.read_digest()?;
                self.digests.push(digest);
            }
            5 => {
                let felt = self.felt();
                let ext = self.b.lift(&felt);
                self.exts.push(ext);
            }
            6..=9 => {
                let [x, y, z] = [self.ext(), self.ext(), self.ext()];
                let ext = match kind {
                    6 => self.b.add(&x, &y),
                    7 => self.b.sub(&x, &y),
                    8 => self.b.mul(&x, &y),
                    _ => self.b.mul_add(&x, &y, &z),
                };
                self.exts.push(ext);
            }
            10 => {
                let (k, x) = (self.random.val(), self.ext());
                let ext = self.b.scale(k, &x);
                self.exts.push(ext);
            }
            11 => {
                // Never zero but by accident.
                self.read += EXTENSION;
                let (x, y) = (self.ext(), self.b.read_ext()?);
                let x = self.b.add(&x, &y);
                let ext = self.b.inverse(&x)?;
                self.exts.push(ext);
            }
            12 => {
                let parts = std::array::from_fn(|_| self.ext());
                let ext = self.b.recompose(&parts);
                self.exts.push(ext);
            }
            13 => {
                let [m, p, q, r, k] = std::array::from_fn(|_| self.random.val());
                let [x, y, z] = [self.ext(), self.ext(), self.ext()];
                let ext = self.b.gate([m, p, q, r, k], &x, &y, &z);
                self.exts.push(ext);
            }
            14 => {
                let count = self.random.below(8);
                let terms: Vec<_> = (0..count).map(|_| (self.random.val(), self.felt())).collect();
                let terms: Vec<_> = terms.iter().map(|(k, x)| (*k, x)).collect();
                let constant = self.random.val();
                let felt = self.b.linear(&terms, constant);
                self.felts.push(felt);
            }
            15 => {
                let (x, count) = (self.felt(), self.random.below(32).max(1));
                let bits = self.b.bits(rule, &x, count, false)?;
                self.bits.extend(bits);
            }
            16 => {
                // Exactly the bits of a number that has no more.
                let mut bits = self.some_bits(30);
                let x = self.b.compose(&bits);
                let again = self.b.bits(rule, &x, bits.len(), true)?;
                bits.reverse();
                self.bits.extend(again);
                self.felts.push(x);
            }
            17 => {
                let bits = self.some_bits(30);
                let felt = self.b.compose(&bits);
                self.felts.push(felt);
            }
            18 => {
                let bits = self.some_bits(12);
                let factors: Vec<_> = bits.iter().map(|_| self.random.val()).collect();
                let first = self.random.val();
                let felt = self.b.product(first, &bits, &factors);
                self.felts.push(felt);
            }
            19 => {
                let count = self.random.below(20);
                let elements: Vec<_> = (0..count).map(|_| self.felt()).collect();
                let digest = self.b.hash(&elements);
                self.digests.push(digest);
            }
            20 => {
                let (left, right) = (self.digest(), self.digest());
                let digest = self.b.compress(&left, &right);
                self.digests.push(digest);
            }
            21 => {
                let (leaf, bits) = (self.digest(), self.some_bits(5));
                let inject: Vec<_> = bits
                    .iter()
                    .map(|_| (self.random.below(3) == 0).then(|| self.digest()))
                    .collect();
                self.read += 8 * bits.len();
                let digest = self.b.climb(&leaf, &bits, &inject)?;
                self.digests.push(digest);
            }
            22 => {
                let elements = std::array::from_fn(|_| self.felt());
                let digest = self.b.digest(&elements);
                self.digests.push(digest);
            }
            23 => {
                let digest = self.digest();
                self.felts.extend(self.b.elements(&digest));
            }
            24 => {
                let x = self.felt();
                self.b.observe(&x);
                let x = self.ext();
                self.b.observe_ext(&x);
                let x = self.digest();
                self.b.observe_digest(&x);
            }
            25 => {
                let ext = self.b.sample_ext();
                self.exts.push(ext);
            }
            26 => {
                let count = self.random.below(31);
                let bits = self.b.sample_bits(count)?;
                self.bits.extend(bits);
            }
            27 => {
                let count = self.random.below(5);
                let widths: Vec<_> = (0..count).map(|_| self.random.below(20)).collect();
                let gamma = self.ext();
                self.read += widths.iter().sum::<usize>();
                let (digest, sums) = self.b.open_rows(&widths, &gamma)?;
                self.digests.push(digest);
                self.exts.extend(sums);
            }
            28 => {
                let k = 1 + self.random.below(3);
                let (value, beta) = (self.ext(), self.ext());
                let position: Vec<_> = (0..k).map(|_| self.bit()).collect();
                let x_inverse = self.felt();
                self.read += EXTENSION * ((1 << k) - 1);
                let (value, digest) = self.b.fold(&value, &position, &x_inverse, &beta)?;
                self.exts.push(value);
                self.digests.push(digest);
            }
            29 => self.assertions(rule)?,
            _ => {
                let [x, y] = [self.felt(), self.felt()];
                let felt = self.b.multiply(&x, &y);
                self.felts.push(felt);
            }
        }
        Ok(())
    }

    /// The same in two ways.
    fn assertions(&mut self, rule: Rule) -> Result<(), Rule> {
        let [x, y, z] = [self.ext(), self.ext(), self.ext()];
        let sum = self.b.add(&y, &z);
        let left = self.b.mul(&x, &sum);
        let product = self.b.mul(&x, &y);
        let right = self.b.mul_add(&x, &z, &product);
        self.b.assert_eq(rule, &left, &right)?;

        let x = self.felt();
        let bits = self.b.bits(rule, &x, 31, false)?;
        let powers: Vec<_> = bits[..30].to_vec();
        let low = self.b.compose(&powers);
        let high = self.b.compose(&bits[30..]);
        let again = self.b.linear(&[(Val::ONE, &low), (Val::from_u32(1 << 30), &high)], Val::ZERO);
        self.b.assert_felt_eq(rule, &x, &again)?;

        let [x, y] = [self.digest(), self.digest()];
        let (parent, elements) = (self.b.compress(&x, &y), self.b.elements(&x));
        let again = self.b.digest(&elements);
        let again = self.b.compress(&again, &y);
        self.b.assert_digest_eq(rule, &parent, &again)
    }
}
