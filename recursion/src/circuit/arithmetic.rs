//! Sums and products as gates.

use p3_field::{ExtensionField, Field, PrimeCharacteristicRing};
use rwprove_circuits::{Challenge, EXTENSION, Val};

use super::{
    builder::Builder,
    form::{Ext, Felt, Form, Kind, Wire},
    operation::{Gate, Operation},
};
use crate::backend::Rule;

/// A sum: a product of two wires, wires with their factors, and a constant.
#[derive(Clone, Debug, Default)]
struct Sum {
    product: Option<(Val, [Wire; 2])>,
    terms: Vec<(Val, Wire)>,
    constant: Challenge,
}

impl Sum {
    fn of(forms: impl IntoIterator<Item = (Val, Ext)>) -> Self {
        let mut sum = Self::default();
        forms.into_iter().for_each(|(factor, form)| sum.add(factor, form));
        sum
    }

    fn add(&mut self, factor: Val, form: Ext) {
        match form.0 {
            Kind::Constant(value) => self.constant += value * factor,
            Kind::Wire { wire, scale, offset } => {
                self.term(factor * scale, wire);
                self.constant += Challenge::from(factor * offset);
            }
        }
    }

    fn term(&mut self, factor: Val, wire: Wire) {
        match self.terms.iter_mut().find(|(_, known)| *known == wire) {
            Some((sum, _)) => *sum += factor,
            None => self.terms.push((factor, wire)),
        }
    }

    /// Takes the factor of a wire out of the sum.
    fn take(&mut self, wire: Wire) -> Val {
        let place = self.terms.iter().position(|(_, known)| *known == wire);
        place.map_or(Val::ZERO, |place| self.terms.swap_remove(place).0)
    }
}

/// A product of factors whose bits are set.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    first: Val,
    bits: Vec<Felt>,
    factors: Vec<Val>,
    product: Ext,
}

impl Choices {
    /// The product, if it is the inverse of this one. It is not zero then.
    fn inverse(&self, first: Val, bits: &[Felt], factors: &[Val]) -> Option<Ext> {
        let inverse = |(x, y): (&Val, &Val)| *x * *y == Val::ONE;
        let same = self.bits == bits && self.factors.len() == factors.len();
        let all = inverse((&self.first, &first)) && self.factors.iter().zip(factors).all(inverse);
        (same && all).then_some(self.product)
    }
}

impl Builder {
    /// The wire of an element.
    pub(super) fn wire(&mut self, x: Ext) -> Wire {
        match x.0 {
            Kind::Wire { wire, scale: Val::ONE, offset: Val::ZERO } => wire,
            Kind::Wire { wire, scale, offset } => self.linear_gate(&[(scale, wire)], offset),
            Kind::Constant(Challenge::ZERO) => 0,
            Kind::Constant(value) => match value.as_base() {
                Some(value) => self.linear_gate(&[], value),
                None => self.constant(value),
            },
        }
    }

    /// The wire of a constant that is not in the base field.
    fn constant(&mut self, value: Challenge) -> Wire {
        if let Some(wire) = self.constants.get(&value) {
            return *wire;
        }
        let coefficients = coefficients(&value);
        let felts = coefficients.map(|value| self.wire(Felt::constant(value).lift()));
        let wire = self.join(felts);
        self.constants.insert(value, wire);
        wire
    }

    /// A gate without product, of at most three terms.
    fn linear_gate(&mut self, terms: &[(Val, Wire)], k: Val) -> Wire {
        let term = |i: usize| terms.get(i).copied().unwrap_or_default();
        let [(p, a), (q, b), (r, c)] = [term(0), term(1), term(2)];
        self.result_of(Gate { m: Val::ZERO, p, q, r, k, operands: [a, b, c] })
    }

    fn sum(&mut self, mut sum: Sum) -> Ext {
        sum.terms.retain(|(factor, wire)| *factor != Val::ZERO && *wire != 0);
        sum.product = sum.product.filter(|(factor, _)| *factor != Val::ZERO);
        if sum.product.is_none() {
            match sum.terms[..] {
                [] => return Form::constant(sum.constant),
                [(scale, wire)] => {
                    if let Some(offset) = sum.constant.as_base() {
                        return Form(Kind::Wire { wire, scale, offset });
                    }
                }
                _ => {}
            }
        }
        let mut k = sum.constant.as_base().unwrap_or_else(|| {
            let constant = self.constant(sum.constant);
            sum.term(Val::ONE, constant);
            Val::ZERO
        });
        // The order must not depend on how the sum came about, so that equal gates are shared.
        sum.terms.sort_unstable_by_key(|(_, wire)| *wire);
        let mut result = sum.product.map(|(m, [a, b])| {
            let (a, b) = (a.min(b), a.max(b));
            let p = sum.take(a);
            let q = sum.take(b);
            let (r, c) = sum.terms.pop().unwrap_or_default();
            let k = std::mem::take(&mut k);
            self.result_of(Gate { m, p, q, r, k, operands: [a, b, c] })
        });
        while result.is_none() || !sum.terms.is_empty() {
            let room = sum.terms.len().saturating_sub(if result.is_some() { 2 } else { 3 });
            let mut terms = sum.terms.split_off(room);
            terms.extend(result.map(|wire| (Val::ONE, wire)));
            result = Some(self.linear_gate(&terms, std::mem::take(&mut k)));
        }
        Form::wire(result.unwrap_or_default())
    }

    /// The sum of elements with their factors.
    pub(super) fn combine(&mut self, terms: impl IntoIterator<Item = (Val, Ext)>) -> Ext {
        self.sum(Sum::of(terms))
    }

    /// `x y + z`.
    pub(super) fn times(&mut self, x: Ext, y: Ext, z: Ext) -> Ext {
        self.product(Val::ONE, x, y, [(Val::ONE, z)])
    }

    /// `m x y` and more.
    pub(super) fn product(
        &mut self,
        m: Val,
        x: Ext,
        y: Ext,
        more: impl IntoIterator<Item = (Val, Ext)>,
    ) -> Ext {
        let mut sum = Sum::of(more);
        let base = |x: Ext| -> Option<Val> {
            match x.0 {
                Kind::Constant(value) => value.as_base(),
                Kind::Wire { .. } => None,
            }
        };
        match (base(x), base(y), x.0, y.0) {
            (Some(k), _, _, _) => sum.add(m * k, y),
            (_, Some(k), _, _) => sum.add(m * k, x),
            (_, _, Kind::Constant(x), Kind::Constant(y)) => sum.constant += x * y * m,
            _ => {
                let parts = |b: &mut Self, x: Ext| match x.0 {
                    Kind::Constant(_) => (b.wire(x), Val::ONE, Val::ZERO),
                    Kind::Wire { wire, scale, offset } => (wire, scale, offset),
                };
                let (a, s, t) = parts(self, x);
                let (b, u, v) = parts(self, y);
                sum.product = Some((m * s * u, [a, b]));
                sum.term(m * s * v, a);
                sum.term(m * t * u, b);
                sum.constant += Challenge::from(m * t * v);
            }
        }
        self.sum(sum)
    }

    /// `1 / x`.
    pub(super) fn invert(&mut self, x: Ext) -> Ext {
        let (of, scale, offset) = match x.0 {
            Kind::Constant(value) if value != Challenge::ZERO => {
                return Form::constant(value.inverse());
            }
            Kind::Constant(_) => (0, Val::ONE, Val::ZERO),
            Kind::Wire { wire, scale, offset } => (wire, scale, offset),
        };
        let wire = self.wires.more(1);
        self.push(Operation::Inverse { wire, of, scale, offset });
        // Not a product of forms: of zero there is one, which is zero.
        let operands = [of, wire, 0];
        let (p, r, k) = Default::default();
        let product = self.result_of(Gate { m: scale, p, q: offset, r, k, operands });
        let one = self.linear_gate(&[], Val::ONE);
        self.equal(Rule::Inverse, product, one);
        Form::wire(wire)
    }

    /// `first` times the factors whose bits are set.
    pub(super) fn choices(&mut self, first: Val, bits: &[Felt], factors: &[Val]) -> Ext {
        // Points and their inverses are made one after the other: an inverse is one gate.
        if let Some(known) =
            self.choices.as_ref().and_then(|known| known.inverse(first, bits, factors))
        {
            return self.invert(known);
        }
        let mut product = Felt::constant(first).lift();
        let zero = Form::constant(Challenge::ZERO);
        for (bit, factor) in bits.iter().zip(factors) {
            // 1 without the bit, the factor with it.
            let choice =
                [(*factor - Val::ONE, bit.lift()), (Val::ONE, Form::constant(Challenge::ONE))];
            let choice = self.combine(choice);
            product = self.times(product, choice, zero);
        }
        let (bits, factors) = (bits.to_vec(), factors.to_vec());
        self.choices = Some(Choices { first, bits, factors, product });
        product
    }

    /// `x = y`, or the rule is broken.
    pub(super) fn assert(&mut self, rule: Rule, x: Ext, y: Ext) {
        let (x, y) = match (x.0, y.0) {
            (Kind::Constant(_), Kind::Wire { .. }) => (y, x),
            _ => (x, y),
        };
        if x == y {
            return;
        }
        // A wire that is a constant needs no gate of its own.
        let (x, y) = match (x.0, y.0) {
            (Kind::Wire { wire, scale, offset }, Kind::Constant(value)) if scale != Val::ZERO => {
                let value = (value - Challenge::from(offset)) * scale.inverse();
                (wire, self.wire(Form::constant(value)))
            }
            _ => (self.wire(x), self.wire(y)),
        };
        self.equal(rule, x, y);
    }
}

/// The coefficients of an element.
pub(super) fn coefficients(value: &Challenge) -> [Val; EXTENSION] {
    let coefficients: &[Val] =
        p3_field::BasedVectorSpace::<Val>::as_basis_coefficients_slice(value);
    std::array::from_fn(|i| coefficients[i])
}

/// The element with these coefficients.
pub(super) fn element(coefficients: [Val; EXTENSION]) -> Challenge {
    p3_field::BasedVectorSpace::<Val>::from_basis_coefficients_fn(|i| coefficients[i])
}
