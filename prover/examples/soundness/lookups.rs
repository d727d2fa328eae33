//! Suite `lookups`: multiplicities and message counts that are no counts, padding that sends,
//! tables left out, heights beyond their bounds, lookup terminals that do not add up, and kinds of
//! messages that might be taken for each other.

mod heights;
mod proofs;
mod recount;
mod tables;

use rwprove_circuits::testing::kinds;

use crate::score::{Scale, Score};

pub(crate) fn run(scale: &Scale) -> Score {
    let mut score = Score::default();
    tables::run(&mut score);
    heights::run(&mut score);
    proofs::run(scale, &mut score);
    let kinds = kinds();
    score.add("kind_pairs", kinds.pairs);
    score.failures.extend(kinds.confused.iter().map(|pair| format!("{pair} share a message")));
    score
}
