//! Fuel and its end, as `claim::check` has them: consumption is within the limit, and a run that
//! ends out of fuel was refused a charge that did not fit.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;
use rwprove_isa::{Exit, Trap, layout::reg};
use rwprove_verifier::step::FUEL_LIMBS;

use super::number::{Word, checked, is, sub};
use crate::backend::{Backend, Rule};

/// Checks limit, consumption and results, whose words `word` has by their address.
pub(super) fn check<'a, B: Backend>(
    b: &mut B,
    word: impl Fn(u32) -> &'a Word<B>,
    limit: &[B::Felt; FUEL_LIMBS],
    consumed: &[B::Felt; FUEL_LIMBS],
) -> Result<(), Rule>
where
    B::Felt: 'a,
{
    let zero = b.felt(Val::ZERO);
    let (limit, consumed) = (checked(b, limit)?, checked(b, consumed)?);
    let (left, over) = sub(b, &limit, &consumed)?;
    b.assert_felt_eq(Rule::Between("consumption is within the limit"), &over, &zero)?;

    let refused = [word(reg::REFUSED_FUEL_LO).as_slice(), word(reg::REFUSED_FUEL_HI)].concat();
    let refused = checked(b, &refused)?;
    let (_, too_much) = sub(b, &left, &refused)?;
    let end = Exit::Trap(Trap::OutOfFuel);
    let trapped = is_word(b, word(reg::EXIT_KIND), end.kind())?;
    let out_of_fuel = is_word(b, word(reg::EXIT_CODE), end.code())?;
    // Kind and code are said, and checked there; this word is not.
    let raised = word(reg::RAISED_OUT_OF_FUEL);
    let _ = checked(b, raised)?;
    let raised = is_word(b, raised, 1)?;
    let refused = b.multiply(&trapped, &out_of_fuel);
    // Refused, not raised by the module itself, and yet it would fit.
    let not_raised = b.linear(&[(Val::NEG_ONE, &raised)], Val::ONE);
    let fits = b.linear(&[(Val::NEG_ONE, &too_much)], Val::ONE);
    let wrong = b.multiply(&refused, &not_raised);
    let wrong = b.multiply(&wrong, &fits);
    b.assert_felt_eq(Rule::Between("a refused charge does not fit"), &wrong, &zero)
}

/// Whether a word is a constant: 1 or 0.
fn is_word<B: Backend>(b: &mut B, word: &Word<B>, constant: u32) -> Result<B::Felt, Rule> {
    let [low, high] = word;
    let low = is(b, low, constant & 0xffff)?;
    let high = is(b, high, constant >> 16)?;
    Ok(b.multiply(&low, &high))
}
