//! The streams that layers read, written from proofs in the library's form.

use rwprove_circuits::{Val, machine::ChipId, shape::Shape};
use rwprove_isa::InputDigest;
use rwprove_verifier::{
    KeyElements,
    codec::Proof,
    config::Digest,
    head::Head,
    shards::{Boundary, State},
    step::{Claim, Point, Step, fuel_limbs},
};

use super::{fuel, join, shrink::publics};
use crate::{
    native::Native,
    verify::{FlattenError, Stark, flatten},
};
use p3_field::PrimeCharacteristicRing;

/// What a layer reads, and what it then says.
#[derive(Clone, Debug)]
pub struct Told {
    /// The stream.
    pub stream: Vec<Val>,
    /// The claim.
    pub claim: Claim<Val>,
}

/// A shard with its neighbours, as a leaf reads it.
#[allow(missing_debug_implementations)] // the library's proof has none
#[derive(Clone, Copy)]
pub struct Shard<'a> {
    /// Its tables.
    pub shape: &'a Shape,
    /// The fuel limit of the run.
    pub fuel_limit: u64,
    /// The state before it.
    pub before: &'a State,
    /// What it does.
    pub boundary: &'a Boundary,
    /// Its proof.
    pub proof: &'a Proof,
}

/// What a leaf reads of a shard.
///
/// # Errors
/// [`FlattenError`] if the proof is not one of these tables, or fuel exceeds 64 bits.
pub fn leaf_stream(
    stark: &Stark,
    keys: &Digest,
    program: &Digest,
    shard: Shard<'_>,
) -> Result<Told, FlattenError> {
    let Shard { shape, fuel_limit, before, boundary, proof } = shard;
    let after = boundary.after(before).ok_or(fuel::RULE)?;
    let claim = Claim {
        keys: *keys,
        program: *program,
        limit: fuel_limbs(fuel_limit).map(Val::from_u32),
        before: before.into(),
        after: Point::from(&after),
    };
    let step = Step::new(boundary, before, fuel_limit);
    let mut stream = [keys.as_slice(), program, &step.limit].concat();
    stream.extend(step.before.elements());
    stream.extend(step.end.iter().chain(&step.root).chain([&step.spent]));
    if shape.log_height(ChipId::Fuel).is_some() {
        stream.extend(&step.charged);
    }
    let publics: Vec<_> = shape.tables().map(|(chip, _)| step.publics(chip)).collect();
    stream.extend(flatten(stark, proof, &publics, Some(program))?);
    Ok(Told { stream, claim })
}

/// A proof with its place in the set of keys.
#[allow(missing_debug_implementations)] // the library's proof has none
#[derive(Clone, Copy)]
pub struct Child<'a> {
    /// What it claims.
    pub claim: &'a Claim<Val>,
    /// Its key.
    pub key: &'a Digest,
    /// The place of the key in the set.
    pub place: usize,
    /// The siblings from there to the set's digest, lowest first.
    pub siblings: &'a [Digest],
    /// The proof.
    pub proof: &'a Proof,
}

/// What a join, a lift or the root reads of one child.
fn child_stream(stark: &Stark, child: Child<'_>) -> Result<Vec<Val>, FlattenError> {
    let Child { claim, key, place, siblings, proof } = child;
    let mut stream = claim.elements();
    stream.extend(key);
    stream.push(Val::from_usize(place));
    stream.extend(siblings.iter().flatten());
    stream.extend(proof_stream(stark, claim, key, proof)?);
    Ok(stream)
}

/// The stream of a proof of this claim.
fn proof_stream(
    stark: &Stark,
    claim: &Claim<Val>,
    key: &Digest,
    proof: &Proof,
) -> Result<Vec<Val>, FlattenError> {
    flatten(stark, proof, &publics(stark, &digest(claim)), Some(key))
}

/// The public values of a proof that makes a claim.
pub fn digest(claim: &Claim<Val>) -> Digest {
    use crate::backend::Backend;
    Native::new(&[]).hash(&claim.elements())
}

/// What a join reads of two neighbours.
///
/// # Errors
/// [`FlattenError`] if a proof is not one of these tables.
pub fn join_stream(stark: &Stark, left: Child<'_>, right: Child<'_>) -> Result<Told, FlattenError> {
    let claim = join::joined(left.claim.clone(), right.claim.clone());
    let stream = [child_stream(stark, left)?, child_stream(stark, right)?].concat();
    Ok(Told { stream, claim })
}

/// What a lift or the root reads.
///
/// # Errors
/// [`FlattenError`] if the proof is not one of these tables.
pub fn pass_stream(stark: &Stark, child: Child<'_>) -> Result<Told, FlattenError> {
    Ok(Told { stream: child_stream(stark, child)?, claim: child.claim.clone() })
}

/// What the circuit that proves a statement reads.
///
/// # Errors
/// [`FlattenError`] if the proof is not one of these tables.
pub fn settle_stream(
    stark: &Stark,
    root: &Digest,
    head: &Head,
    claim: &Claim<Val>,
    proof: &Proof,
) -> Result<Vec<Val>, FlattenError> {
    let mut stream = claim.elements();
    stream.extend(said_stream(head));
    stream.extend(proof_stream(stark, claim, root, proof)?);
    Ok(stream)
}

/// What it reads of what compressed proofs start with.
pub(super) fn said_stream(head: &Head) -> Vec<Val> {
    let Head { key, statement, run, .. } = head;
    let key = KeyElements::from(key);
    let mut stream = [key.module.as_slice(), &[key.log_height]].concat();
    stream.extend(key.regions.iter().flatten());
    stream.extend([key.start, key.pages].iter().chain(&key.fuel));
    stream.push(Val::from_bool(statement.input == InputDigest::Private));
    let limbs = |word: u32| [word & 0xffff, word >> 16].map(Val::from_u32);
    stream.extend([limbs(run.input_bytes), limbs(statement.state)].iter().flatten());
    stream.extend(run.input);
    stream.extend(run.results.words.iter().flat_map(|word| limbs(*word)));
    stream.extend(run.results.siblings.iter().flatten());
    stream
}

/// What a shrink reads.
///
/// # Errors
/// [`FlattenError`] if the proof is not one of these tables.
pub fn shrink_stream(
    stark: &Stark,
    key: &Digest,
    claim: &Claim<Val>,
    proof: &Proof,
) -> Result<Told, FlattenError> {
    let mut stream = digest(claim).to_vec();
    stream.extend(proof_stream(stark, claim, key, proof)?);
    Ok(Told { stream, claim: claim.clone() })
}
