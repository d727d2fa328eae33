//! The bound on heights that keeps multiplicities below the field's order: at its limit, and one
//! over.

use p3_lookup::check_multiplicity_height_bound;
use rwprove_circuits::{Val, machine::ChipId, shape::log_heights};
use rwprove_verifier::machine;

use crate::score::Score;

/// The order of the field.
const ORDER: u64 = 0x7f00_0001;

pub(super) fn run(score: &mut Score) {
    let lookups: Vec<_> =
        ChipId::ALL.iter().map(|&id| machine::table(id).lookups.clone()).collect();
    let largest: Vec<usize> = ChipId::ALL.iter().map(|&id| 1 << log_heights(id).1).collect();
    let bounded = |heights: &[usize]| check_multiplicity_height_bound::<Val>(&lookups, heights);
    if bounded(&largest).is_err() {
        score.failures.push("the largest heights exceed the bound".into());
    }
    for (i, id) in ChipId::ALL.iter().enumerate() {
        let weight = |i: usize| lookups[i].total_count_weight();
        if weight(i) == 0 {
            continue; // It only provides.
        }
        // The other tables are as high as they may be.
        let others = (0..largest.len()).filter(|&other| other != i);
        let others: u64 = others.map(|other| weight(other) * largest[other] as u64).sum();
        let limit = ((ORDER - 1 - others) / weight(i)) as usize;
        let with = |height: usize| {
            let mut heights = largest.clone();
            heights[i] = height;
            bounded(&heights)
        };
        if with(limit).is_err() {
            score.failures.push(format!("{}: {limit} rows are within the bound", id.name()));
        }
        score.attempt(with(limit + 1).is_err(), || format!("{}: one row too many", id.name()));
    }
}
