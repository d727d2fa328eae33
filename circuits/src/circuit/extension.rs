//! The challenge field in constraints: arrays of coefficients.

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, extension::trinomial_quintic_mul};

use crate::{Challenge, EXTENSION, Val};

/// `x y`.
pub(crate) fn mul<E: PrimeCharacteristicRing>(
    x: &[E; EXTENSION],
    y: &[E; EXTENSION],
) -> [E; EXTENSION] {
    let mut product = std::array::from_fn(|_| E::ZERO);
    trinomial_quintic_mul(x, y, &mut product);
    product
}

/// The coefficients of an element.
pub(crate) fn coefficients(x: &Challenge) -> [Val; EXTENSION] {
    let slice: &[Val] = x.as_basis_coefficients_slice();
    std::array::from_fn(|i| slice[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_field() {
        let element = |seed: u32| {
            let coefficient = |i: usize| Val::from_u32(seed.wrapping_mul(0x9e37_79b9) >> (i + 1));
            Challenge::from_basis_coefficients_fn(coefficient)
        };
        for (x, y) in [(0, 1), (1, 2), (3, 3), (u32::MAX, 12345)] {
            let (x, y) = (element(x), element(y));
            assert_eq!(mul(&coefficients(&x), &coefficients(&y)), coefficients(&(x * y)));
        }
    }
}
