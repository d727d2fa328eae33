//! Elements of the challenge field, of which sums by powers of a challenge are computed at the end.
//!
//! The algorithm writes such sums after Horner: `s = s alpha + v`, and every step would reduce `s`.
//! Here a step costs nothing: the sum is kept as its terms. When its value is needed, a term costs
//! one product with a power of the challenge, which many sums share, and nothing is reduced.

use std::{array::from_fn, cell::RefCell, rc::Rc};

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{Challenge, Val};

use crate::{
    gadget::{Ext, Int},
    r1cs::Builder,
};

/// Terms that are summed with powers of the challenge itself; these sums are summed with powers of
/// its power to this.
const BLOCK: usize = 32;

/// An element of the challenge field. Clones are the same element: once its value is there, it is
/// there for all.
#[derive(Clone, Debug)]
pub struct Value(Rc<RefCell<Form>>);

#[derive(Clone, Debug)]
enum Form {
    Plain(Ext),
    /// `sum_i base^i terms[i]`; there are at least two terms.
    Sum {
        base: Ext,
        terms: Vec<Ext>,
    },
}

impl From<Ext> for Value {
    fn from(value: Ext) -> Self {
        Self(Rc::new(RefCell::new(Form::Plain(value))))
    }
}

/// Powers of elements, each made once.
#[derive(Debug, Default)]
pub(super) struct Powers {
    /// From the first on, all reduced.
    all: Vec<Vec<Ext>>,
    /// Elements and their squares: every query asks for the same ones.
    squares: Vec<(Ext, Ext)>,
}

impl Powers {
    /// The square of an element.
    pub(super) fn square(&mut self, b: &mut Builder, x: &Ext) -> Ext {
        if let Some((_, square)) = self.squares.iter().find(|(of, _)| of.is(x)) {
            // Whoever asks again will do so often.
            b.ext_reduce(square);
            return square.clone();
        }
        let square = b.ext_mul(x, x);
        self.squares.push((x.clone(), square.clone()));
        square
    }

    /// The power of `base`, which is at least one. All below are made with it.
    pub(super) fn power(&mut self, b: &mut Builder, base: &Ext, exponent: usize) -> Ext {
        let known = self.all.iter().position(|powers| powers[0].is(base));
        let known = known.unwrap_or_else(|| {
            b.ext_reduce(base);
            self.all.push(vec![base.clone()]);
            self.all.len() - 1
        });
        let powers = &mut self.all[known];
        while powers.len() < exponent {
            let next = b.ext_mul(&powers[powers.len() - 1], base);
            b.ext_reduce(&next);
            powers.push(next);
        }
        powers[exponent - 1].clone()
    }
}

impl Value {
    /// One step of Horner's rule: `self base + next`.
    pub(super) fn step(&self, base: &Ext, next: Ext, b: &mut Builder, powers: &mut Powers) -> Self {
        let before = match &*self.0.borrow() {
            Form::Sum { base: same, terms } if same.is(base) => Some(terms.clone()),
            _ => None,
        };
        let before = before.unwrap_or_else(|| vec![self.plain(b, powers)]);
        let terms = [vec![next], before].concat();
        Self(Rc::new(RefCell::new(Form::Sum { base: base.clone(), terms })))
    }

    /// Its value as coefficients.
    pub(super) fn plain(&self, b: &mut Builder, powers: &mut Powers) -> Ext {
        let form = self.0.borrow().clone();
        match form {
            Form::Plain(value) => value,
            Form::Sum { base, terms } => {
                let value = sum(b, powers, &base, &terms);
                // A sum is long, and a part of much else.
                b.ext_reduce(&value);
                *self.0.borrow_mut() = Form::Plain(value.clone());
                value
            }
        }
    }

    /// The coefficients, if they are there.
    pub(super) fn as_plain(&self) -> Option<Ext> {
        match &*self.0.borrow() {
            Form::Plain(value) => Some(value.clone()),
            Form::Sum { .. } => None,
        }
    }

    /// Its value.
    pub fn value(&self) -> Challenge {
        match &*self.0.borrow() {
            Form::Plain(value) => value.value(),
            Form::Sum { base, terms } => {
                let base = base.value();
                terms.iter().rev().fold(Challenge::ZERO, |sum, term| sum * base + term.value())
            }
        }
    }
}

/// `sum_i base^i terms[i]`.
fn sum(b: &mut Builder, powers: &mut Powers, base: &Ext, terms: &[Ext]) -> Ext {
    let blocks = terms.chunks(BLOCK).map(|block| inner(b, powers, base, block)).collect::<Vec<_>>();
    match blocks.as_slice() {
        [one] => one.clone(),
        blocks => {
            let giant = powers.power(b, base, BLOCK);
            inner(b, powers, &giant, blocks)
        }
    }
}

fn inner(b: &mut Builder, powers: &mut Powers, base: &Ext, terms: &[Ext]) -> Ext {
    let zero = Some(Challenge::ZERO);
    let mut products = Vec::with_capacity(terms.len());
    for (i, term) in terms.iter().enumerate() {
        if term.as_constant() == zero {
            continue;
        }
        products.push(match i {
            0 => term.clone(),
            _ => {
                let power = powers.power(b, base, i);
                b.ext_mul_long(&power, term)
            }
        });
    }
    Ext(from_fn(|k| {
        let terms: Vec<(Val, &Int)> = products.iter().map(|x| (Val::ONE, &x.0[k])).collect();
        b.linear(&terms, Val::ZERO)
    }))
}
