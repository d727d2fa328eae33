//! Modules that nobody wrote, in rwasm's machine and in ours.
//!
//! `wasm-smith` generates them. Of each module up to [`EXPORTS`] functions are called with several
//! arguments, each call on a fresh instance, and some again with exactly the fuel that they need
//! and with one less. Both machines must leave the same behind. The validator must accept every
//! lowering, the audit every record of a run, and a sample goes through all constraints and some
//! through the whole prover.

mod generated;
mod tally;

use rayon::prelude::*;
use rwprove_prover::{Options, Proved, check, prove, setup};
use rwprove_verifier::shards::verify;

use crate::score::{Scale, Score};
use generated::Sampled;
use tally::Tally;

/// Modules that are examined before the next ones are generated.
const BATCH: u64 = 500;
/// Every so-manieth module gives a run to the sample; coprime to the number of classes.
const STRIDE: [u64; 2] = [79, 131];

pub(crate) fn run(scale: &Scale) -> Score {
    let wanted = scale.pick(3_000, 50_000) as u64;
    let stride = STRIDE[usize::from(scale.full)];
    let mut tally = Tally::default();
    // Seeds far apart have no modules in common.
    let mut first = scale.seed << 32;
    while tally.modules < wanted {
        let batch: Vec<_> = (first..first + BATCH)
            .into_par_iter()
            .map(|seed| generated::examine(seed, seed % stride == 0))
            .collect();
        batch.into_iter().for_each(|found| tally.merge(found));
        first += BATCH;
    }
    let mut score = Score::default();
    tally.report(&mut score);
    // Not before all modules are done: each check uses all threads already.
    let proofs = scale.pick(3, 20);
    let step = tally.samples.len().div_ceil(proofs).max(1);
    for (i, sample) in tally.samples.iter().enumerate() {
        if let Err(error) = constrained(sample, i % step == 0, &mut score) {
            score.failures.push(format!("{}: {error}", sample.name));
        }
    }
    score
}

/// Takes a run through all constraints, and perhaps through prover and verifier.
fn constrained(sample: &Sampled, proved: bool, score: &mut Score) -> Result<(), String> {
    let Sampled { program, input, rows, .. } = sample;
    let options = Options::default();
    let (key, _) = setup(program.clone(), Default::default()).map_err(|e| e.to_string())?;
    let (statement, report) =
        check(&key, input, &options, &mut |_| ()).map_err(|e| e.to_string())?;
    score.add("checked", 1);
    score.add("checked_rows", *rows);
    if report.rows != *rows {
        return Err(format!("{} rows recorded, {rows} without recording", report.rows));
    }
    if proved {
        let Proved { proof, statement: said, .. } =
            prove(&key, input, &options, &mut |_| ()).map_err(|e| e.to_string())?;
        if said != statement {
            return Err("the proof is of another statement".into());
        }
        verify(&key.verifying_key().digest(), &statement, &proof).map_err(|e| e.to_string())?;
        score.add("proved", 1);
    }
    Ok(())
}
