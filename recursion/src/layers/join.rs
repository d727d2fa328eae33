//! Given proofs of two neighbouring stretches of a run, a join proves the claim of both together.
//! Given a proof of one stretch, lift and root prove the same claim.

use rwprove_verifier::{
    config::Digest,
    step::{Claim, Point},
};

use super::{
    ClaimOf,
    claim::{read, read_claim},
    shrink::{constant, publics},
};
use crate::{
    backend::{Backend, Rule},
    verify::{Stark, verify},
};

/// Which keys a proof below may have.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    /// Levels of the set's tree.
    pub depth: usize,
    /// The set's digest, where it is a constant; else it is that of the claim.
    pub set: Option<Digest>,
}

/// A proof whose tables have the heights of `stark` and whose key is one of a set.
///
/// Stream: its claim; its key; its place in the set, and the siblings above it; then the proof.
fn child<B: Backend>(b: &mut B, stark: &Stark, keys: Keys) -> Result<ClaimOf<B>, Rule> {
    let Keys { depth, set: wanted } = keys;
    let claim = read_claim(b)?;
    let key = read(b)?;
    let place = b.read_felt()?;
    let place = b.bits(Rule::Between("the place of a key"), &place, depth, true)?;
    let node = b.hash(&key);
    let set = b.climb(&node, &place, &vec![None; depth])?;
    let wanted = match wanted {
        Some(set) => constant(b, &set)?,
        None => b.digest(&claim.keys),
    };
    b.assert_digest_eq(Rule::Between("a key is one of the set"), &set, &wanted)?;

    let digest = b.hash(&claim.elements());
    let digest = b.elements(&digest);
    let key = b.digest(&key);
    verify(b, stark, &publics(stark, &digest), Some(&key))?;
    Ok(claim)
}

fn assert_same<'a, B: Backend>(
    b: &mut B,
    rule: &'static str,
    left: impl IntoIterator<Item = &'a B::Felt>,
    right: impl IntoIterator<Item = &'a B::Felt>,
) -> Result<(), Rule>
where
    B::Felt: 'a,
{
    let mut pairs = left.into_iter().zip(right);
    pairs.try_for_each(|(x, y)| b.assert_felt_eq(Rule::Between(rule), x, y))
}

fn assert_neighbours<B: Backend>(
    b: &mut B,
    left: &Point<B::Felt>,
    right: &Point<B::Felt>,
) -> Result<(), Rule> {
    assert_same(b, "neighbours meet", left.elements(), right.elements())
}

/// What two neighbours claim together.
pub(super) fn joined<T>(left: Claim<T>, right: Claim<T>) -> Claim<T> {
    Claim { after: right.after, ..left }
}

/// A join of two leaves or joins.
///
/// Stream: the left child, the right child.
///
/// # Errors
/// The [`Rule`] that is broken.
pub fn join<B: Backend>(b: &mut B, stark: &Stark, depth: usize) -> Result<B::Digest, Rule> {
    let keys = Keys { depth, set: None };
    let left = child(b, stark, keys)?;
    let right = child(b, stark, keys)?;
    assert_same(b, "one set of keys", &left.keys, &right.keys)?;
    assert_same(b, "one program", &left.program, &right.program)?;
    assert_same(b, "one fuel limit", &left.limit, &right.limit)?;
    assert_neighbours(b, &left.after, &right.before)?;
    Ok(b.hash(&joined(left, right).elements()))
}

/// The same claim as the one proof below makes: the root over a leaf, lift or join, whose key is in
/// the set of the claim; or a lift over a wide leaf, whose key is in a constant set.
///
/// Stream: the child.
///
/// # Errors
/// The [`Rule`] that is broken.
pub fn pass<B: Backend>(b: &mut B, stark: &Stark, keys: Keys) -> Result<B::Digest, Rule> {
    let claim = child(b, stark, keys)?;
    Ok(b.hash(&claim.elements()))
}
