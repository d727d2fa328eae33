//! The verifier's algorithm: `p3_batch_stark::verify_batch` with FRI, step by step.
//!
//! It is split in two. The *head* follows the transcript: it reads commitments, claims and all
//! else that the prover sends once, and draws every challenge up to the positions of queries. The
//! rest checks what was read: the constraints at the out-of-domain point, and query by query that
//! the claims are those of committed low-degree polynomials.

mod constraints;
mod domain;
mod flatten;
mod fold;
mod gates;
mod head;
mod opening;
mod seeds;
mod stark;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Challenge;

use self::{
    constraints::Row,
    domain::{Domain, recompose_all},
    head::{Head, batch},
    opening::Openings,
};
pub use self::{
    flatten::{FlattenError, Parts, flatten, parts, paths},
    stark::{Stark, StarkError},
};
use crate::backend::{Backend, Rule};

/// Verifies a proof, which comes from the backend's stream, of these public values for each table
/// and, if there are preprocessed columns, under their commitment.
///
/// # Errors
/// The [`Rule`] that the proof breaks. A circuit has none.
pub fn verify<B: Backend>(
    b: &mut B,
    stark: &Stark,
    publics: &[Vec<B::Felt>],
    preprocessed: Option<&B::Digest>,
) -> Result<(), Rule> {
    let head = Head::read(b, stark, publics, preprocessed)?;
    constraints(b, stark, &head, publics)?;
    terminals(b, &head)?;
    queries(b, stark, &head)
}

/// Runs what decides which paths are climbed: the transcript and all queries.
///
/// # Errors
/// The [`Rule`] that is broken there.
pub fn follow<B: Backend>(
    b: &mut B,
    stark: &Stark,
    publics: &[Vec<B::Felt>],
    preprocessed: Option<&B::Digest>,
) -> Result<(), Rule> {
    let head = Head::read(b, stark, publics, preprocessed)?;
    queries(b, stark, &head)
}

/// Checks the constraints of all tables at the out-of-domain point.
fn constraints<B: Backend>(
    b: &mut B,
    stark: &Stark,
    head: &Head<B>,
    publics: &[Vec<B::Felt>],
) -> Result<(), Rule> {
    let domains = domains(b, stark, &head.zeta)?;
    let none: &[B::Ext] = &[];
    for (number, (table, publics)) in stark.tables.iter().zip(publics).enumerate() {
        // There is one for each height; a table without one would go unchecked.
        let domain = domains.get(&table.log_height).ok_or(Rule::Constraints(number))?;
        let main = &head.claims[batch::MAIN][number];
        let preprocessed = table.preprocessed.map(|i| &head.claims[batch::PREPROCESSED][i]);
        let preprocessed = preprocessed.map_or([none; 2], |claim| [&claim.local, &claim.next]);
        let lookup = table.lookup.map(|i| &head.claims[batch::lookups(stark)][i]);
        let lookup = match lookup {
            Some(claim) => [recompose_all(b, &claim.local), recompose_all(b, &claim.next)],
            None => [Vec::new(), Vec::new()],
        };
        let publics: Vec<_> = publics.iter().map(|public| b.lift(public)).collect();
        let prefixes: Vec<_> = table.buses.iter().map(|bus| head.prefixes[*bus].clone()).collect();
        let row = Row {
            main: [&main.local, &main.next],
            preprocessed,
            lookup: [&lookup[0], &lookup[1]],
            publics: &publics,
            prefixes: &prefixes,
            beta: head.beta.as_ref(),
            terminal: table.lookup.map(|i| &head.terminals[i]),
            selectors: &domain.selectors,
            alpha: &head.alpha,
        };
        let folded = table.constraints.folded(b, &row);
        let chunks = &head.claims[batch::QUOTIENT][table.quotient..][..table.chunks.count()];
        let quotient = table.chunks.quotient(b, domain, chunks);
        let expected = b.mul(&folded, &domain.inverse_vanishing);
        b.assert_eq(Rule::Constraints(number), &quotient, &expected)?;
    }
    Ok(())
}

/// The domains of all tables, by log2 of their heights.
fn domains<B: Backend>(
    b: &mut B,
    stark: &Stark,
    zeta: &B::Ext,
) -> Result<BTreeMap<usize, Domain<B::Ext>>, Rule> {
    let mut domains: BTreeMap<usize, Domain<B::Ext>> = BTreeMap::new();
    let (mut power, mut log_power) = (zeta.clone(), 0);
    let mut heights: Vec<_> = stark.tables.iter().map(|table| table.log_height).collect();
    heights.sort_unstable();
    heights.dedup();
    for height in heights {
        while log_power < height {
            power = b.mul(&power, &power);
            log_power += 1;
        }
        domains.insert(height, Domain::new(b, height, zeta, power.clone())?);
    }
    Ok(domains)
}

/// Checks that all messages sent were received.
fn terminals<B: Backend>(b: &mut B, head: &Head<B>) -> Result<(), Rule> {
    let zero = b.ext(Challenge::ZERO);
    let sum = head.terminals.iter().fold(zero.clone(), |sum, terminal| b.add(&sum, terminal));
    b.assert_eq(Rule::Terminals, &sum, &zero)
}

/// Checks all queries.
fn queries<B: Backend>(b: &mut B, stark: &Stark, head: &Head<B>) -> Result<(), Rule> {
    let openings = Openings::new(b, stark, &head.claims, &head.zeta, &head.batching)?;
    for index in &head.queries {
        let values = openings.open(b, stark, &head.roots, index)?;
        head.folding.fold(b, stark, values, index)?;
    }
    Ok(())
}
