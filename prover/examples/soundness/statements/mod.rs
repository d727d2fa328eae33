//! Whatever is changed in statement, key or claims, by itself or everywhere alike, the proof is of
//! something else and must be refused.

mod attacks;
mod runs;

use rayon::prelude::*;

use crate::{
    score::{Scale, Score},
    shards::proof::Proof,
};
use attacks::Attacks;

pub(crate) fn run(scale: &Scale) -> Score {
    let mut score = Score::default();
    score.notes.push(
        "the module hash in a key, and its digests of the regions of input and run facts, are \
         left out: whoever makes the key answers for them, no proof does"
            .into(),
    );
    // Of the first two everything, of the others what tells their ends apart.
    tried("several shards", Proof::base(), true, scale, &mut score);
    for (i, (name, source)) in runs::runs(scale.full).into_iter().enumerate() {
        tried(name, &source.prove(), scale.full || i == 0, scale, &mut score);
    }
    score
}

fn tried(name: &str, proof: &Proof, everything: bool, scale: &Scale, score: &mut Score) {
    if let Err(error) = proof.verify(&proof.proved.proof) {
        score.failures.push(format!("{name}: the honest proof is refused: {error}"));
    }
    score.add("runs", 1);
    let mut attacks = Attacks::new(proof, scale.full);
    attacks.statement();
    attacks.ends();
    if everything {
        attacks.key();
        attacks.claims();
        attacks.boundaries();
        attacks.together();
    }
    let list = attacks.list;
    let refused: Vec<_> =
        list.into_par_iter().map(|attack| (attack.refused(proof), attack.name)).collect();
    for (refused, attack) in refused {
        score.attempt(refused, || format!("{name}: {attack}"));
    }
}
