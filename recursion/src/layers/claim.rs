//! Claims from the stream.

use rwprove_verifier::step::{Claim, Point};

use super::ClaimOf;
use crate::backend::{Backend, Rule};

/// Reads some elements.
pub(super) fn read<B: Backend, const N: usize>(b: &mut B) -> Result<[B::Felt; N], Rule> {
    let mut felts = Vec::with_capacity(N);
    for _ in 0..N {
        felts.push(b.read_felt()?);
    }
    felts.try_into().map_err(|_| Rule::Stream)
}

/// Reads a point: registers, fuel, root.
///
/// # Errors
/// [`Rule::Stream`] at the end of the stream.
pub fn read_point<B: Backend>(b: &mut B) -> Result<Point<B::Felt>, Rule> {
    Ok(Point { registers: read(b)?, fuel: read(b)?, root: read(b)? })
}

/// Reads a claim, in the order in which it is hashed.
///
/// # Errors
/// [`Rule::Stream`] at the end of the stream.
pub fn read_claim<B: Backend>(b: &mut B) -> Result<ClaimOf<B>, Rule> {
    Ok(Claim {
        keys: read(b)?,
        program: read(b)?,
        limit: read(b)?,
        before: read_point(b)?,
        after: read_point(b)?,
    })
}
