//! Given a proof of the layer below, whose key is a constant, a shrink proves the same claim.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;
use rwprove_verifier::config::DIGEST;

use crate::{
    backend::{Backend, Rule},
    verify::{Stark, verify},
};

/// The public values of each table of a recursion proof with this claim's digest.
pub(super) fn publics<T: Clone>(stark: &Stark, claim: &[T; DIGEST]) -> Vec<Vec<T>> {
    let counts = stark.publics();
    counts.map(|count| claim.iter().take(count).cloned().collect()).collect()
}

/// A digest that a circuit holds.
///
/// # Errors
/// [`Rule::Between`] for all zeros, which stand where a key is not known yet.
pub(super) fn constant<B: Backend>(b: &mut B, digest: &[Val; DIGEST]) -> Result<B::Digest, Rule> {
    if *digest == [Val::ZERO; DIGEST] {
        return Err(Rule::Between("a circuit holds no placeholder"));
    }
    let elements = digest.map(|element| b.felt(element));
    Ok(b.digest(&elements))
}

/// A shrink of proofs under one key.
///
/// Stream: the digest of the claim; then the proof.
///
/// # Errors
/// The [`Rule`] that the proof breaks.
pub fn shrink<B: Backend>(
    b: &mut B,
    stark: &Stark,
    key: &[Val; DIGEST],
) -> Result<B::Digest, Rule> {
    let claim = super::claim::read(b)?;
    let key = constant(b, key)?;
    verify(b, stark, &publics(stark, &claim), Some(&key))?;
    Ok(b.digest(&claim))
}
