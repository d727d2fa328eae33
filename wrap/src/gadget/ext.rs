//! The quintic extension: polynomials modulo `X^5 + X^2 - 1`.

use std::{array::from_fn, sync::LazyLock};

use ark_ff::{AdditiveGroup, Field};
use p3_field::{BasedVectorSpace, Field as _, PrimeCharacteristicRing};
use rwprove_circuits::{Challenge, Val};

use super::{bits::element, int::Int, uint::Uint};
use crate::{
    Fr,
    r1cs::{Builder, Wire},
};

/// Coefficients of an element.
const DEGREE: usize = 5;
/// Products of a multiplication: a product of two polynomials has nine coefficients.
const PRODUCTS: usize = 2 * DEGREE - 1;

/// An element of the quintic extension, by coefficients.
#[derive(Clone, Debug)]
pub struct Ext(pub [Int; DEGREE]);

impl Ext {
    /// A constant.
    pub fn constant(value: Challenge) -> Self {
        let coefficients: &[Val] = value.as_basis_coefficients_slice();
        Self(from_fn(|i| Int::constant(coefficients[i])))
    }

    /// An element of the base field.
    pub fn lift(x: &Int) -> Self {
        Self(from_fn(|i| if i == 0 { x.clone() } else { Int::constant(Val::ZERO) }))
    }

    /// Its value.
    pub fn value(&self) -> Challenge {
        Challenge::from_basis_coefficients_fn(|i| self.0[i].value())
    }

    /// The constant that it is, if it was made of constants alone.
    pub fn as_constant(&self) -> Option<Challenge> {
        let all = self.0.iter().all(|c| c.as_constant().is_some());
        all.then(|| self.value())
    }

    /// Whether both are the same, not just equal.
    pub fn is(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(x, y)| x.is(y))
    }

    /// The element of the base field that it is, if it was made as one.
    fn as_base(&self) -> Option<&Int> {
        let [base, rest @ ..] = &self.0;
        rest.iter().all(|c| c.as_constant() == Some(Val::ZERO)).then_some(base)
    }
}

/// `X^n` for n at most 8, as the powers below 5 that are added, and those that are subtracted.
fn power(n: usize) -> (&'static [usize], &'static [usize]) {
    const POWERS: [(&[usize], &[usize]); PRODUCTS] = [
        (&[0], &[]),
        (&[1], &[]),
        (&[2], &[]),
        (&[3], &[]),
        (&[4], &[]),
        (&[0], &[2]),
        (&[1], &[3]),
        (&[2], &[4]),
        (&[2, 3], &[0]),
    ];
    POWERS[n]
}

/// The points at which products are taken; the ninth is infinity.
const POINTS: [i64; PRODUCTS - 1] = [0, 1, -1, 2, -2, 3, -3, 4];

/// A product's coefficients modulo `X^5 + X^2 - 1`, from its values at the points: exact over
/// BN254's field, so the coefficients are the integers that they should be.
static INTERPOLATION: LazyLock<[[Fr; PRODUCTS]; DEGREE]> = LazyLock::new(|| {
    // The polynomial of degree 8 by coefficients, as combinations of its nine values.
    let mut coefficients = [[Fr::ZERO; PRODUCTS]; PRODUCTS];
    coefficients[PRODUCTS - 1][PRODUCTS - 1] = Fr::ONE;
    for (j, &x) in POINTS.iter().enumerate() {
        // The polynomial that is one at this point and zero at the others.
        let mut basis = vec![Fr::ONE];
        let mut scale = Fr::ONE;
        for &y in POINTS.iter().filter(|&&y| y != x) {
            let mut next = vec![Fr::ZERO; basis.len() + 1];
            for (i, c) in basis.iter().enumerate() {
                next[i + 1] += c;
                next[i] -= *c * Fr::from(y);
            }
            basis = next;
            scale *= Fr::from(x - y);
        }
        let scale = scale.inverse().unwrap_or_default();
        let top = Fr::from(x).pow([PRODUCTS as u64 - 1]);
        for (n, c) in basis.into_iter().enumerate() {
            coefficients[n][j] = c * scale;
            // The values without the part of degree 8.
            coefficients[n][PRODUCTS - 1] -= c * scale * top;
        }
    }
    let mut reduced = [[Fr::ZERO; PRODUCTS]; DEGREE];
    for (n, row) in coefficients.iter().enumerate() {
        let (plus, minus) = power(n);
        for (j, c) in row.iter().enumerate() {
            plus.iter().for_each(|&k| reduced[k][j] += c);
            minus.iter().for_each(|&k| reduced[k][j] -= c);
        }
    }
    reduced
});

/// A factor's values at all points.
fn evaluations(x: &Ext) -> [Wire; PRODUCTS] {
    let wires: [Wire; DEGREE] = from_fn(|i| x.0[i].wire());
    from_fn(|j| match POINTS.get(j) {
        Some(&point) => {
            let powers = std::iter::successors(Some(Fr::ONE), |x| Some(*x * Fr::from(point)));
            Wire::sum(powers.zip(&wires))
        }
        None => wires[DEGREE - 1].clone(),
    })
}

/// What a product's coefficients are at most: what is added, and what is subtracted.
fn product_bounds(x: &Ext, y: &Ext) -> [(Uint, Uint); DEGREE] {
    let mut bounds = [(Uint::default(), Uint::default()); DEGREE];
    for (i, x) in x.0.iter().enumerate() {
        for (j, y) in y.0.iter().enumerate() {
            let bound = x.bound().times(y.bound());
            let (plus, minus) = power(i + j);
            plus.iter().for_each(|&k| bounds[k].0 = bounds[k].0.plus(bound));
            minus.iter().for_each(|&k| bounds[k].1 = bounds[k].1.plus(bound));
        }
    }
    bounds
}

impl Builder {
    /// A new element.
    pub fn ext(&mut self, value: Challenge) -> Ext {
        let coefficients: &[Val] = value.as_basis_coefficients_slice();
        Ext(from_fn(|i| self.int(coefficients[i])))
    }

    /// `x + y`.
    pub fn ext_add(&mut self, x: &Ext, y: &Ext) -> Ext {
        Ext(from_fn(|i| self.int_add(&x.0[i], &y.0[i])))
    }

    /// `x - y`.
    pub fn ext_sub(&mut self, x: &Ext, y: &Ext) -> Ext {
        Ext(from_fn(|i| self.int_sub(&x.0[i], &y.0[i])))
    }

    /// `k x`.
    pub fn ext_scale(&mut self, k: Val, x: &Ext) -> Ext {
        Ext(from_fn(|i| self.linear(&[(k, &x.0[i])], Val::ZERO)))
    }

    /// `sum_i parts[i] X^i`.
    pub fn recompose(&mut self, parts: &[Ext; DEGREE]) -> Ext {
        self.combine(parts, |_| Val::ONE)
    }

    /// `sum_i k(i) parts[i] X^i`.
    fn combine(&mut self, parts: &[Ext; DEGREE], k: impl Fn(usize) -> Val) -> Ext {
        let mut terms: [Vec<(Val, &Int)>; DEGREE] = Default::default();
        for (i, part) in parts.iter().enumerate() {
            for (j, c) in part.0.iter().enumerate() {
                let (plus, minus) = power(i + j);
                plus.iter().for_each(|&n| terms[n].push((k(i), c)));
                minus.iter().for_each(|&n| terms[n].push((-k(i), c)));
            }
        }
        terms.map(|terms| self.linear(&terms, Val::ZERO)).into()
    }

    /// `x y`: nine constraints, or five if one is in the base field, unless coefficients are too
    /// long.
    pub fn ext_mul(&mut self, x: &Ext, y: &Ext) -> Ext {
        if x.as_constant().is_none() && y.as_constant().is_none() {
            self.shorten([&x.0, &y.0]);
        }
        self.ext_mul_long(x, y)
    }

    /// `x y` without regard to later products: coefficients are reduced only if they must be.
    pub(crate) fn ext_mul_long(&mut self, x: &Ext, y: &Ext) -> Ext {
        for (x, y) in [(x, y), (y, x)] {
            if let Some(k) = x.as_constant() {
                let k: &[Val] = k.as_basis_coefficients_slice();
                return self.combine(&from_fn(|_| y.clone()), |i| k[i]);
            }
            if let Some(x) = x.as_base() {
                return Ext(from_fn(|i| self.long_product(x, &y.0[i])));
            }
        }
        for factor in [x, y] {
            let fits = |(plus, minus): &(Uint, Uint)| plus.plus(minus.rounded_up()) < Uint::LIMIT;
            if !product_bounds(x, y).iter().all(fits) {
                self.ext_reduce(factor);
            }
        }
        let bounds = product_bounds(x, y);
        let (left, right) = (evaluations(x), evaluations(y));
        let values: [Wire; PRODUCTS] = from_fn(|j| self.product(&left[j], &right[j]));
        Ext(from_fn(|i| {
            // What is subtracted is taken from a multiple of p that is not less.
            let (plus, minus) = bounds[i];
            let offset = minus.rounded_up();
            let shift = Wire::constant(element(offset));
            let parts = INTERPOLATION[i].into_iter().zip(&values);
            Int::new(Wire::sum(parts.chain([(Fr::ONE, &shift)])), plus.plus(offset))
        }))
    }

    /// Makes all coefficients at most 31 bits long.
    pub fn ext_reduce(&mut self, x: &Ext) {
        x.0.iter().for_each(|c| self.reduce(c));
    }

    /// Constrains `x = y`.
    pub fn ext_assert_eq(&mut self, x: &Ext, y: &Ext) {
        x.0.iter().zip(&y.0).for_each(|(x, y)| self.int_assert_eq(x, y));
    }

    /// `1 / x`; there is no assignment if `x` is zero.
    pub fn ext_inverse(&mut self, x: &Ext) -> Ext {
        if let Some(inverse) = x.as_constant().and_then(|x| x.try_inverse()) {
            return Ext::constant(inverse);
        }
        let inverse = self.ext(x.value().try_inverse().unwrap_or_default());
        let one = self.ext_mul(x, &inverse);
        self.ext_assert_eq(&one, &Ext::constant(Challenge::ONE));
        inverse
    }
}

impl From<[Int; DEGREE]> for Ext {
    fn from(coefficients: [Int; DEGREE]) -> Self {
        Self(coefficients)
    }
}
