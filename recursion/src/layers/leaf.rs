//! Given a shard's STARK proof and the points around the shard, a leaf proves its claim.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{Val, machine::ChipId, shape::Shape};
use rwprove_verifier::step::{Claim, Point, Step};

use super::{
    claim::{read, read_point},
    fuel,
};
use crate::{
    backend::{Backend, Rule},
    verify::{Stark, verify},
};

/// A leaf of shards of a shape, whose tables are those of `stark`.
///
/// Stream: digest of the key set, the program's commitment, fuel limit, the point before; then the
/// registers after, the root after, the static fuel, the four sums of dynamic fuel if the shape has
/// the fuel table; then the proof.
///
/// # Errors
/// The [`Rule`] that the shard breaks.
pub fn leaf<B: Backend>(b: &mut B, shape: &Shape, stark: &Stark) -> Result<B::Digest, Rule> {
    let keys = read(b)?;
    let program = read(b)?;
    let limit = read(b)?;
    let before = read_point(b)?;
    let end = read(b)?;
    let root = read(b)?;
    let spent = b.read_felt()?;
    let charged = match shape.log_height(ChipId::Fuel) {
        Some(_) => Some(read(b)?),
        None => None,
    };
    let fuel = fuel::add(b, &before.fuel, &spent, charged.as_ref())?;

    let zero = b.felt(Val::ZERO);
    let charged = charged.unwrap_or_else(|| std::array::from_fn(|_| zero.clone()));
    let step = Step { limit, before, end, spent, charged, root };
    let publics: Vec<_> = shape.tables().map(|(chip, _)| step.publics(chip)).collect();
    let commitment = b.digest(&program);
    verify(b, stark, &publics, Some(&commitment))?;

    let Step { limit, before, end, root, .. } = step;
    let after = Point { registers: end, fuel, root };
    Ok(b.hash(&Claim { keys, program, limit, before, after }.elements()))
}
