//! Integers of 256 bits: exact values and bounds of what is not yet reduced.

use ark_ff::{BigInt, BigInteger};
use rwprove_circuits::Val;

/// KoalaBear's prime.
pub(crate) const P: u32 = <Val as p3_field::PrimeField32>::ORDER_U32;

/// A non-negative integer below 2^256. Sums and products that are larger become the largest one,
/// so that a bound that overflows stays too large for whatever it is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uint(pub(crate) BigInt<4>);

impl Uint {
    /// No value of a circuit may be as large as this, which leaves room below BN254's order for
    /// quotients whose range is rounded up to a power of two.
    pub const LIMIT: Self = Self(BigInt([0, 0, 0, 1 << 60]));
    const MAX: Self = Self(BigInt([u64::MAX; 4]));

    /// From a smaller integer.
    pub const fn new(value: u64) -> Self {
        Self(BigInt([value, 0, 0, 0]))
    }

    /// `self + other`.
    pub fn plus(self, other: Self) -> Self {
        let mut sum = self.0;
        if sum.add_with_carry(&other.0) { Self::MAX } else { Self(sum) }
    }

    /// `self - other`, or zero.
    pub fn minus(self, other: Self) -> Self {
        let mut difference = self.0;
        if difference.sub_with_borrow(&other.0) { Self::default() } else { Self(difference) }
    }

    /// `self other`.
    pub fn times(self, other: Self) -> Self {
        let (low, high) = self.0.mul(&other.0);
        if high.is_zero() { Self(low) } else { Self::MAX }
    }

    /// Quotient and remainder modulo KoalaBear's prime.
    pub fn divide(self) -> (Self, u32) {
        let (p, mut rest) = (u64::from(P), 0);
        let mut quotient = self.0;
        for limb in quotient.0.iter_mut().rev() {
            let high = (rest << 32) | (*limb >> 32);
            let low = ((high % p) << 32) | (*limb & u64::from(u32::MAX));
            *limb = ((high / p) << 32) | (low / p);
            rest = low % p;
        }
        (Self(quotient), rest as u32)
    }

    /// The smallest multiple of KoalaBear's prime that is not less.
    pub fn rounded_up(self) -> Self {
        let (quotient, rest) = self.divide();
        quotient.plus(Self::new(u64::from(rest > 0))).times(Self::new(P.into()))
    }

    /// Bits of its binary form.
    pub fn width(self) -> usize {
        self.0.num_bits() as usize
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// One bit of its binary form.
    pub fn bit(self, i: usize) -> bool {
        self.0.get_bit(i)
    }

    /// `2^n - 1`, the largest integer of n bits.
    pub fn ones(n: usize) -> Self {
        let mut bits = [false; 256];
        bits.iter_mut().take(n).for_each(|bit| *bit = true);
        Self(BigInt::from_bits_le(&bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_is_exact() {
        for (quotient, rest) in [(0, 0), (1, P - 1), (u64::MAX, 5), (1 << 40, 0)] {
            let p = Uint::new(P.into());
            let x = p.times(Uint::new(quotient)).plus(Uint::new(rest.into()));
            assert_eq!(x.divide(), (Uint::new(quotient), rest));
            let up = if rest == 0 { quotient } else { quotient.saturating_add(1) };
            if up < u64::MAX {
                assert_eq!(x.rounded_up(), p.times(Uint::new(up)));
            }
        }
        let (quotient, rest) = Uint::MAX.divide();
        assert_eq!(quotient.times(Uint::new(P.into())).plus(Uint::new(rest.into())), Uint::MAX);
    }

    #[test]
    fn too_large_stays_too_large() {
        assert_eq!(Uint::MAX.plus(Uint::new(1)), Uint::MAX);
        assert_eq!(Uint::LIMIT.times(Uint::new(16)), Uint::MAX);
        assert_eq!(Uint::LIMIT.width(), 253);
        assert_eq!(Uint::ones(252).plus(Uint::new(1)), Uint::LIMIT);
    }
}
