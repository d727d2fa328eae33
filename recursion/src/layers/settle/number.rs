//! Numbers as limbs of 16 bits, lowest first.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;

use crate::backend::{Backend, Rule};

/// Bits of a limb.
pub(super) const LIMB: usize = 16;
/// A word of 32 bits.
pub(super) type Word<B> = [<B as Backend>::Felt; 2];

const RULE: Rule = Rule::Between("a limb has 16 bits");

/// The limbs, all below 2^16.
pub(super) fn checked<B: Backend>(b: &mut B, limbs: &[B::Felt]) -> Result<Vec<B::Felt>, Rule> {
    let mut checked = Vec::with_capacity(limbs.len());
    for limb in limbs {
        let bits = b.bits(RULE, limb, LIMB, true)?;
        checked.push(b.compose(&bits));
    }
    Ok(checked)
}

/// The limb with its two bytes swapped.
pub(super) fn swapped<B: Backend>(b: &mut B, limb: &B::Felt) -> Result<B::Felt, Rule> {
    let bits = b.bits(RULE, limb, LIMB, true)?;
    let (low, high) = bits.split_at(LIMB / 2);
    Ok(b.compose(&[high, low].concat()))
}

/// Elements of four bytes each as numbers of two bytes, the high ones first.
pub(super) fn halves<B: Backend>(b: &mut B, elements: &[B::Felt]) -> Result<Vec<B::Felt>, Rule> {
    let mut halves = Vec::with_capacity(2 * elements.len());
    for element in elements {
        let bits = b.bits(RULE, element, 31, true)?;
        let (low, high) = bits.split_at(LIMB);
        halves.extend([b.compose(high), b.compose(low)]);
    }
    Ok(halves)
}

/// Whether a limb is a constant of 16 bits: 1 or 0.
pub(super) fn is<B: Backend>(b: &mut B, limb: &B::Felt, constant: u32) -> Result<B::Felt, Rule> {
    // 2^16 above the difference, whose low bits are then all zero exactly if there is none.
    let distance = b.linear(&[(Val::ONE, limb)], Val::from_u32((1 << LIMB) - constant));
    let bits = b.bits(RULE, &distance, LIMB + 1, true)?;
    Ok(b.product(Val::ONE, &bits[..LIMB], &[Val::ZERO; LIMB]))
}

/// `x - y` of numbers with as many limbs, all below 2^16: the limbs of the difference modulo
/// 2^16 to their number, and 1 if `y` is larger, else 0.
pub(super) fn sub<B: Backend>(
    b: &mut B,
    x: &[B::Felt],
    y: &[B::Felt],
) -> Result<(Vec<B::Felt>, B::Felt), Rule> {
    let mut borrow = b.felt(Val::ZERO);
    let mut limbs = Vec::with_capacity(x.len());
    for (x, y) in x.iter().zip(y) {
        // Between 0 and 2^17: the high bit says that nothing was borrowed.
        let terms = [(Val::ONE, x), (Val::NEG_ONE, y), (Val::NEG_ONE, &borrow)];
        let difference = b.linear(&terms, Val::from_u32(1 << LIMB));
        let bits = b.bits(RULE, &difference, LIMB + 1, true)?;
        let (low, high) = bits.split_at(LIMB);
        limbs.push(b.compose(low));
        let kept = b.compose(high);
        borrow = b.linear(&[(Val::NEG_ONE, &kept)], Val::ONE);
    }
    Ok((limbs, borrow))
}
