//! Elements of KoalaBear as integers, reduced as late as possible.

use std::{cell::RefCell, rc::Rc};

use ark_ff::Field;
use p3_field::PrimeField32;
use rwprove_circuits::Val;

use super::{
    bits::{element, integer, pack},
    uint::{P, Uint},
};
use crate::{
    Fr,
    r1cs::{Builder, Wire},
};

/// Bits of a reduced element. Its integer may be p too large: it is below 2^31, not below p.
pub(crate) const BITS: usize = 31;

/// Factors are reduced before a product if it might have more bits than this. Reducing costs as
/// many constraints as there are bits, so a product of several factors is reduced as one; but what is
/// long makes all its products long.
const PRODUCT_BITS: usize = 160;

/// A factor of this many products is reduced before the next one: that costs once what it would else
/// cost with each.
const MANY_USES: u8 = 2;

/// An element of KoalaBear: a non-negative integer of which only the residue matters.
///
/// The integer is the value of a wire, and it is at most an exact bound, which is below
/// [`Uint::LIMIT`]: so it is never reduced modulo BN254's order. Clones are the same element, and
/// once one is reduced, all are.
#[derive(Clone, Debug)]
pub struct Int(Rc<RefCell<Form>>);

#[derive(Clone, Debug)]
struct Form {
    wire: Wire,
    bound: Uint,
    /// The 31 bits, if it is reduced and no constant.
    bits: Option<Rc<[Wire]>>,
    /// Whether the integer is below p.
    canonical: bool,
    /// Products that it was a factor of, as far as that matters.
    uses: u8,
}

impl Int {
    /// The integer that is this wire's value and at most `bound`.
    pub(super) fn new(wire: Wire, bound: Uint) -> Self {
        Self(Rc::new(RefCell::new(Form { wire, bound, bits: None, canonical: false, uses: 0 })))
    }

    /// A constant.
    pub fn constant(value: Val) -> Self {
        let value = Uint::new(value.as_canonical_u32().into());
        let form = Form {
            wire: Wire::constant(element(value)),
            bound: value,
            bits: None,
            canonical: true,
            uses: 0,
        };
        Self(Rc::new(RefCell::new(form)))
    }

    /// The integer of bits, lowest first, of which there are at most 251.
    pub fn packed(bits: &[Wire]) -> Self {
        Self::new(pack(bits), Uint::ones(bits.len()))
    }

    /// The integer that is this wire's value, which is one of these constants.
    pub(crate) fn one_of(wire: Wire, constants: &[Val]) -> Self {
        let largest = constants.iter().map(|x| x.as_canonical_u32()).max().unwrap_or(0);
        let x = Self::new(wire, Uint::new(largest.into()));
        x.0.borrow_mut().canonical = true;
        x
    }

    /// The wire that has the integer.
    pub fn wire(&self) -> Wire {
        self.0.borrow().wire.clone()
    }

    /// What the integer is at most.
    pub fn bound(&self) -> Uint {
        self.0.borrow().bound
    }

    /// The element.
    pub fn value(&self) -> Val {
        Val::new(integer(self.0.borrow().wire.value()).divide().1)
    }

    /// The constant that it is, if it was made of constants alone.
    pub fn as_constant(&self) -> Option<Val> {
        self.0.borrow().wire.is_constant().then(|| self.value())
    }

    /// Whether both are the same, not just equal.
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// A multiple of an element modulo p: a factor and whether it is subtracted, whichever is shorter.
fn signed(k: Val) -> (u32, bool) {
    let k = k.as_canonical_u32();
    if k <= P / 2 { (k, false) } else { (P - k, true) }
}

impl Builder {
    /// A new element of 31 bits.
    pub fn int(&mut self, value: Val) -> Int {
        let value = Uint::new(value.as_canonical_u32().into());
        self.int_of_bits(&(0..BITS).map(|i| value.bit(i)).collect::<Vec<_>>())
    }

    /// A new element with these 31 bits, lowest first.
    pub(crate) fn int_of_bits(&mut self, bits: &[bool]) -> Int {
        let bits: Rc<[Wire]> = bits.iter().map(|bit| self.bit(*bit)).collect();
        let (wire, bound) = (pack(&bits), Uint::ones(BITS));
        Int(Rc::new(RefCell::new(Form {
            wire,
            bound,
            bits: Some(bits),
            canonical: false,
            uses: 0,
        })))
    }

    /// `sum_i k_i x_i + constant`: free, unless the integer would be too long.
    pub fn linear(&mut self, terms: &[(Val, &Int)], constant: Val) -> Int {
        let constant = Uint::new(constant.as_canonical_u32().into());
        loop {
            // What is subtracted is taken from a multiple of p that is not less.
            let (mut plus, mut minus) = (constant, Uint::default());
            for (k, x) in terms {
                let (factor, negative) = signed(*k);
                let part = if negative { &mut minus } else { &mut plus };
                *part = part.plus(Uint::new(factor.into()).times(x.bound()));
            }
            let offset = minus.rounded_up();
            let bound = plus.plus(offset);
            if bound < Uint::LIMIT {
                let wires: Vec<_> = terms.iter().map(|(k, x)| (signed(*k), x.wire())).collect();
                let shift = Wire::constant(element(constant.plus(offset)));
                let sum = Wire::sum(
                    wires
                        .iter()
                        .map(|((factor, negative), wire)| {
                            let k = Fr::from(*factor);
                            (if *negative { -k } else { k }, wire)
                        })
                        .chain([(Fr::ONE, &shift)]),
                );
                return self.constant_or(Int::new(sum, bound));
            }
            // There are far fewer than 2^190 terms, so this ends.
            for (_, x) in terms {
                self.reduce(x);
            }
        }
    }

    /// What is made of constants alone needs no bound but its value.
    fn constant_or(&mut self, x: Int) -> Int {
        match x.as_constant() {
            Some(value) => Int::constant(value),
            None => x,
        }
    }

    /// `x + y`.
    pub fn int_add(&mut self, x: &Int, y: &Int) -> Int {
        self.linear(&[(Val::new(1), x), (Val::new(1), y)], Val::new(0))
    }

    /// `x - y`.
    pub fn int_sub(&mut self, x: &Int, y: &Int) -> Int {
        self.linear(&[(Val::new(1), x), (Val::new(P - 1), y)], Val::new(0))
    }

    /// `x y`: one constraint, unless factors are too long.
    pub fn int_mul(&mut self, x: &Int, y: &Int) -> Int {
        if x.as_constant().is_none() && y.as_constant().is_none() {
            self.shorten([std::slice::from_ref(x), std::slice::from_ref(y)]);
        }
        self.long_product(x, y)
    }

    /// `x y` without regard to later products: factors are reduced only if they must be.
    pub(crate) fn long_product(&mut self, x: &Int, y: &Int) -> Int {
        for (x, y) in [(x, y), (y, x)] {
            if let Some(k) = x.as_constant() {
                return self.linear(&[(k, y)], Val::new(0));
            }
        }
        if x.bound().times(y.bound()) >= Uint::LIMIT {
            self.reduce(x);
        }
        if x.bound().times(y.bound()) >= Uint::LIMIT {
            self.reduce(y);
        }
        let product = self.product(&x.wire(), &y.wire());
        Int::new(product, x.bound().times(y.bound()))
    }

    /// Reduces factors until their product is not too long, the longer one first; and those that are
    /// factors again and again. A factor is as long as the longest of these integers.
    pub(crate) fn shorten(&mut self, factors: [&[Int]; 2]) {
        for x in factors.into_iter().flatten() {
            let uses = x.0.borrow().uses;
            if uses == MANY_USES {
                self.reduce(x);
            }
            x.0.borrow_mut().uses = uses.saturating_add(1);
        }
        let width = |factor: &[Int]| factor.iter().map(|x| x.bound().width()).max().unwrap_or(0);
        while factors.iter().map(|factor| width(factor)).sum::<usize>() > PRODUCT_BITS {
            let [x, y] = factors;
            let longer = if width(x) > width(y) { x } else { y };
            longer.iter().for_each(|x| self.reduce(x));
        }
    }

    /// Makes the integer at most 31 bits long.
    pub fn reduce(&mut self, x: &Int) {
        if x.bound().width() <= BITS {
            return;
        }
        if let Some(value) = x.as_constant() {
            *x.0.borrow_mut() = Int::constant(value).0.borrow().clone();
            return;
        }
        let Form { wire, bound, .. } = x.0.borrow().clone();
        let (quotient, rest) = integer(wire.value()).divide();
        // At most 2 bound + 2^31, which is below BN254's order: so the equation is one of integers.
        let quotient = pack(&self.bits(quotient, bound.divide().0.width()));
        let rest = self.int(Val::new(rest));
        let sum = Wire::sum([(Fr::from(P), &quotient), (Fr::ONE, &rest.wire())]);
        self.enforce_zero(&wire.minus(&sum));
        *x.0.borrow_mut() = rest.0.borrow().clone();
    }

    /// Makes the integer the canonical representative, and returns its 31 bits.
    pub fn canonical(&mut self, x: &Int) -> Rc<[Wire]> {
        self.reduce(x);
        let known = x.0.borrow().bits.clone();
        let bits = known.unwrap_or_else(|| self.split(x));
        if !x.0.borrow().canonical {
            self.assert_at_most(&bits, Uint::new(u64::from(P - 1)));
            x.0.borrow_mut().canonical = true;
        }
        bits
    }

    /// The bits of an integer that has at most 31, but was not made of them.
    fn split(&mut self, x: &Int) -> Rc<[Wire]> {
        let Form { wire, .. } = x.0.borrow().clone();
        let value = integer(wire.value());
        let bits: Rc<[Wire]> = if wire.is_constant() {
            let bit = |i| Wire::constant(Fr::from(value.bit(i)));
            (0..BITS).map(bit).collect()
        } else {
            let mut bits = self.bits(value, x.bound().width());
            self.enforce_zero(&wire.minus(&pack(&bits)));
            bits.resize(BITS, Wire::default());
            bits.into()
        };
        x.0.borrow_mut().bits = Some(bits.clone());
        bits
    }

    /// Constrains `x = 0` modulo p.
    pub fn int_assert_zero(&mut self, x: &Int) {
        let Form { wire, bound, .. } = x.0.borrow().clone();
        let (quotient, _) = integer(wire.value()).divide();
        let quotient = pack(&self.bits(quotient, bound.divide().0.width()));
        self.enforce_zero(&wire.minus(&quotient.times(Fr::from(P))));
    }

    /// Constrains `x = y` modulo p.
    pub fn int_assert_eq(&mut self, x: &Int, y: &Int) {
        let difference = self.int_sub(x, y);
        self.int_assert_zero(&difference);
    }

    /// `x` if the bit is zero, else `y`.
    pub fn int_select(&mut self, bit: &Wire, x: &Int, y: &Int) -> Int {
        let chosen = self.product(bit, &y.wire().minus(&x.wire()));
        Int::new(chosen.plus(&x.wire()), x.bound().max(y.bound()))
    }
}
