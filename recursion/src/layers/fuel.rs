//! Fuel as four limbs of 16 bits, added as integers.
//!
//! Given limbs below 2^16 before a shard, those after it are again below 2^16, and nothing is
//! lost: every sum here is below 2^19, far from the field's characteristic. The limbs before the
//! first shard are the verifier's own, so by induction along the run all are limbs.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;
use rwprove_verifier::step::FUEL_LIMBS;

use crate::backend::{Backend, Rule};

/// Bits of a limb.
const LIMB: usize = 16;
/// Bits of a field element.
const FELT: usize = 31;
/// Bits of a sum of limbs: at most one each of the fuel before, of two charges, and of the static
/// fuel, and a carry.
const SUM: usize = 19;

/// What a sum beyond 64 bits breaks.
pub(super) const RULE: Rule = Rule::Between("fuel fits 64 bits");

/// The low 16 bits of a number of `count` bits, and the others.
fn split<B: Backend>(b: &mut B, x: &B::Felt, count: usize) -> Result<(B::Felt, B::Felt), Rule> {
    let bits = b.bits(RULE, x, count, true)?;
    let (low, high) = bits.split_at(LIMB);
    Ok((b.compose(low), b.compose(high)))
}

/// `before + spent + sum_i charged_i 2^(16 i)`, which must fit 64 bits.
///
/// # Errors
/// [`Rule::Between`] if it does not.
pub(super) fn add<B: Backend>(
    b: &mut B,
    before: &[B::Felt; FUEL_LIMBS],
    spent: &B::Felt,
    charged: Option<&[B::Felt; FUEL_LIMBS]>,
) -> Result<[B::Felt; FUEL_LIMBS], Rule> {
    // What is added at each limb, and above the last.
    let mut terms: [Vec<B::Felt>; FUEL_LIMBS + 1] = Default::default();
    let mut put = |b: &mut B, at: usize, x: &B::Felt| -> Result<(), Rule> {
        let (low, high) = split(b, x, FELT)?;
        terms[at].push(low);
        terms[at + 1].push(high);
        Ok(())
    };
    put(b, 0, spent)?;
    for (at, sum) in charged.into_iter().flatten().enumerate() {
        put(b, at, sum)?;
    }
    let [.., above] = &mut terms;
    let above = std::mem::take(above);

    let mut carry = b.felt(Val::ZERO);
    let mut after = before.clone();
    for (limb, terms) in after.iter_mut().zip(&terms) {
        let all = terms.iter().chain([&*limb, &carry]).map(|x| (Val::ONE, x));
        let sum = b.linear(&all.collect::<Vec<_>>(), Val::ZERO);
        (*limb, carry) = split(b, &sum, SUM)?;
    }
    // All of these are small, so their sum is zero if each is.
    let all = above.iter().chain([&carry]).map(|x| (Val::ONE, x));
    let overflow = b.linear(&all.collect::<Vec<_>>(), Val::ZERO);
    let zero = b.felt(Val::ZERO);
    b.assert_felt_eq(RULE, &overflow, &zero)?;
    Ok(after)
}
