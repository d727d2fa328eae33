//! Some of the forgeries as whole proofs: the false tables are committed to, opened and sent, and
//! `verify` is asked with the statement that the adversary wants.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rwprove_circuits::merkle::{MerkleUpdate, opening::OPENED_WORDS};
use rwprove_executor::FalseRun;
use rwprove_isa::{Statement, layout::REG, record::Record};
use rwprove_prover::{ProvingKey, setup, testing::prove_records};
use rwprove_verifier::{VerifyingKey, shards::verify};

use super::{
    attempt::Saboteur,
    find,
    judge::said,
    memory, results, rows,
    site::{Fault, NOTHING, Site},
    steps,
    subject::Subject,
};
use crate::score::Scale;

/// The program of these proofs: short, and with most kinds of instructions.
const PROGRAM: &str = "ops/control";

/// The kinds that are tried.
fn faults() -> Vec<&'static Fault> {
    const NAMES: [&str; 9] = [
        "skipped write",
        "stale read",
        "repeated timestamp",
        "double initialisation of a chunk",
        "wrong initial memory, false tree",
        "branch the wrong way",
        "fast body in a deep frame",
        "altered host answer",
        "early stop",
    ];
    let own = [results::FAULTS, steps::FAULTS, memory::FAULTS].into_iter().flatten();
    let named = own.filter(|fault| NAMES.contains(&fault.name));
    [&results::RESULT, &steps::FUEL, &steps::REFUSED, &steps::BASE]
        .into_iter()
        .chain(named)
        .collect()
}

/// Whether the honest run is accepted, and what was tried and accepted or not.
pub(crate) fn run(subjects: &[Subject], scale: &Scale) -> (bool, Vec<(String, bool)>) {
    let subject = subjects.iter().find(|subject| subject.name == PROGRAM).unwrap();
    let (key, vkey) = setup(subject.program.clone(), Default::default()).unwrap();
    let all = rows(subject);
    let prove = |fault: &'static Fault| {
        let site = find(fault, subject, &all, scale.seed).unwrap();
        let what = format!("{} of {}, row {}", fault.name, site.op().name(), site.row);
        // A panic is the prover's way to say that the tables are wrong.
        let accepted = catch_unwind(AssertUnwindSafe(|| accepted(fault, site, &key, &vkey)));
        (what, accepted.unwrap_or(false))
    };
    let tried = faults().into_iter().map(prove).collect();
    (prove(&NOTHING).1, tried)
}

/// Proves the false run, and verifies with the statement that it would like to be true.
fn accepted(fault: &Fault, site: Site, key: &ProvingKey, vkey: &VerifyingKey) -> bool {
    let subject = site.subject;
    let (shard, mut tree) = (site.shard, subject.shards[0].tree.clone());
    let mut saboteur = Saboteur { fault, site };
    let options = subject.options();
    let mut run = FalseRun::new(&subject.program, &subject.input, options, &mut saboteur).unwrap();
    let mut shards: Vec<(Record, MerkleUpdate)> = Vec::new();
    while let Some(record) = run.next() {
        let mut record = record.unwrap();
        let site = &run.adversary().site;
        let here = shards.len() == shard;
        if here {
            (fault.start)(&mut tree, site);
            (fault.record)(&mut record, site);
        }
        let mut update = tree.apply(&record.chunks).unwrap();
        if here {
            (fault.tree)(&mut update, site);
        }
        shards.push((record, update));
    }
    let mut words = [0; OPENED_WORDS];
    for (address, word) in (REG..).zip(&mut words) {
        *word = run.run().memory().word(address).unwrap_or(0);
    }
    let honest = Statement { vkey: vkey.digest(), ..subject.statement.clone() };
    let fuel = shards.last().map_or(0, |(record, _)| record.end.fuel);
    let statement = said(&honest, &words, fuel).unwrap_or(honest);
    let opened = tree.open_results(words);
    let proof =
        prove_records(key, &subject.input, &statement, &shards, tree.input_digest(), opened);
    proof.is_ok_and(|proof| verify(&vkey.digest(), &statement, &proof).is_ok())
}
