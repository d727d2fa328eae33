//! A builder is a backend.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use rwprove_circuits::{Challenge, EXTENSION, Val, circuit::bits::BITS};

use super::{
    builder::Builder,
    form::{Block, Ext, Felt, Form, Kind},
};
use crate::backend::{Backend, Rule};

/// A digest of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub(super) Block);

impl Backend for Builder {
    type Felt = Felt;
    type Ext = Ext;
    type Bit = Felt;
    type Digest = Digest;

    fn felt(&mut self, value: Val) -> Felt {
        Form::constant(value)
    }

    fn ext(&mut self, value: Challenge) -> Ext {
        Form::constant(value)
    }

    fn read_felt(&mut self) -> Result<Felt, Rule> {
        Ok(Form::wire(self.hint(true)))
    }

    fn read_ext(&mut self) -> Result<Ext, Rule> {
        Ok(Form::wire(self.hint(false)))
    }

    fn read_digest(&mut self) -> Result<Digest, Rule> {
        Ok(Digest(self.hint_block()))
    }

    fn lift(&mut self, x: &Felt) -> Ext {
        x.lift()
    }

    fn add(&mut self, x: &Ext, y: &Ext) -> Ext {
        self.combine([(Val::ONE, *x), (Val::ONE, *y)])
    }

    fn sub(&mut self, x: &Ext, y: &Ext) -> Ext {
        self.combine([(Val::ONE, *x), (Val::NEG_ONE, *y)])
    }

    fn mul(&mut self, x: &Ext, y: &Ext) -> Ext {
        self.times(*x, *y, Form::constant(Challenge::ZERO))
    }

    fn mul_add(&mut self, x: &Ext, y: &Ext, z: &Ext) -> Ext {
        self.times(*x, *y, *z)
    }

    fn scale(&mut self, k: Val, x: &Ext) -> Ext {
        self.combine([(k, *x)])
    }

    fn gate(&mut self, [m, p, q, r, k]: [Val; 5], x: &Ext, y: &Ext, z: &Ext) -> Ext {
        let constant = (k, Form::constant(Challenge::ONE));
        self.product(m, *x, *y, [(p, *x), (q, *y), (r, *z), constant])
    }

    fn inverse(&mut self, x: &Ext) -> Result<Ext, Rule> {
        Ok(self.invert(*x))
    }

    fn recompose(&mut self, parts: &[Ext; EXTENSION]) -> Ext {
        let mut basis = [Val::ZERO; EXTENSION];
        basis[1] = Val::ONE;
        let x = Form::constant(super::arithmetic::element(basis));
        let [first @ .., last] = parts;
        first.iter().rev().fold(*last, |sum, part| self.times(sum, x, *part))
    }

    fn assert_eq(&mut self, rule: Rule, x: &Ext, y: &Ext) -> Result<(), Rule> {
        self.assert(rule, *x, *y);
        Ok(())
    }

    fn linear(&mut self, terms: &[(Val, &Felt)], constant: Val) -> Felt {
        let terms = terms.iter().map(|(factor, felt)| (*factor, felt.lift()));
        let constant = (Val::ONE, Felt::constant(constant).lift());
        lowered(self.combine(terms.chain([constant])))
    }

    fn multiply(&mut self, x: &Felt, y: &Felt) -> Felt {
        lowered(self.times(x.lift(), y.lift(), Form::constant(Challenge::ZERO)))
    }

    fn assert_felt_eq(&mut self, rule: Rule, x: &Felt, y: &Felt) -> Result<(), Rule> {
        self.assert(rule, x.lift(), y.lift());
        Ok(())
    }

    fn bits(&mut self, rule: Rule, x: &Felt, count: usize, exact: bool) -> Result<Vec<Felt>, Rule> {
        let count = count.min(BITS);
        let bit = |value: u32, i: usize| Form::constant(Val::from_u32(value >> i & 1));
        let all: Vec<_> = match x.0 {
            Kind::Constant(value) => (0..BITS).map(|i| bit(value.as_canonical_u32(), i)).collect(),
            Kind::Wire { .. } => {
                let felt = self.wire(x.lift());
                let first = self.bits_of(felt, exact.then_some((count, rule)));
                (first..).take(BITS).map(Form::wire).collect()
            }
        };
        let (low, high) = all.split_at(count);
        if exact {
            // Bits are few, so their sum is zero only if they are.
            let ones = self.combine(high.iter().map(|bit| (Val::ONE, bit.lift())));
            self.assert(rule, ones, Form::constant(Challenge::ZERO));
        }
        Ok(low.to_vec())
    }

    fn compose(&mut self, bits: &[Felt]) -> Felt {
        let powers = bits.iter().zip(Val::TWO.powers());
        let sum = self.combine(powers.map(|(bit, power)| (power, bit.lift())));
        lowered(sum)
    }

    fn product(&mut self, first: Val, bits: &[Felt], factors: &[Val]) -> Felt {
        lowered(self.choices(first, bits, factors))
    }

    fn hash(&mut self, elements: &[Felt]) -> Digest {
        Digest(self.sponge_of(elements))
    }

    fn compress(&mut self, left: &Digest, right: &Digest) -> Digest {
        Digest(self.parent(left.0, right.0))
    }

    fn climb(
        &mut self,
        leaf: &Digest,
        bits: &[Felt],
        inject: &[Option<Digest>],
    ) -> Result<Digest, Rule> {
        let inject: Vec<_> = inject.iter().map(|digest| digest.map(|d| d.0)).collect();
        Ok(Digest(self.path(leaf.0, bits, &inject)))
    }

    fn assert_digest_eq(&mut self, rule: Rule, x: &Digest, y: &Digest) -> Result<(), Rule> {
        self.equal_blocks(rule, x.0, y.0);
        Ok(())
    }

    fn digest(&mut self, elements: &[Felt; 8]) -> Digest {
        let items = elements.map(|felt| self.item(&felt));
        Digest(self.gather(&items))
    }

    fn elements(&mut self, digest: &Digest) -> [Felt; 8] {
        self.unpack(digest.0).map(Form::wire)
    }

    fn open_rows(&mut self, widths: &[usize], gamma: &Ext) -> Result<(Digest, Vec<Ext>), Rule> {
        let (digest, sums) = self.opened(widths, gamma);
        Ok((Digest(digest), sums))
    }

    fn fold(
        &mut self,
        value: &Ext,
        position: &[Felt],
        x_inverse: &Felt,
        beta: &Ext,
    ) -> Result<(Ext, Digest), Rule> {
        let (value, digest) = self.folded(value, position, x_inverse, beta);
        Ok((value, Digest(digest)))
    }

    fn begin(&mut self) {
        self.begin_transcript();
    }

    fn observe(&mut self, x: &Felt) {
        let item = self.item(x);
        self.absorb(item);
    }

    fn observe_ext(&mut self, x: &Ext) {
        self.absorb_ext(x);
    }

    fn observe_digest(&mut self, digest: &Digest) {
        let block = digest.0;
        (0..8).for_each(|i| self.absorb(super::builder::Item::Element(block, i)));
    }

    fn sample_ext(&mut self) -> Ext {
        let felts = std::array::from_fn(|_| self.draw());
        Form::wire(self.join(felts))
    }

    fn sample_bits(&mut self, count: usize) -> Result<Vec<Felt>, Rule> {
        let felt = Form::wire(self.draw());
        // No rule is broken: nothing is exact.
        self.bits(Rule::Stream, &felt, count, false)
    }
}

impl Builder {
    /// Makes a digest public: the circuit says nothing else.
    pub fn expose(&mut self, digest: &Digest) {
        self.publish(digest.0);
    }
}

/// A sum of elements of the base field as one.
fn lowered(x: Ext) -> Felt {
    Form(match x.0 {
        Kind::Constant(value) => Kind::Constant(super::arithmetic::coefficients(&value)[0]),
        Kind::Wire { wire, scale, offset } => Kind::Wire { wire, scale, offset },
    })
}
