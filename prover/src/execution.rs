//! The executing side: a thread cuts the run into records and carries the memory tree along, at
//! most a few shards ahead of whoever consumes them.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use rwprove_circuits::merkle::{
    MemoryTree, MerkleUpdate, RegOpening,
    opening::{OPENED_WORDS, run_words},
};
use rwprove_executor::{Input, Options, Report, Run};
use rwprove_isa::{Program, layout::REG, record::Record};
use rwprove_verifier::config::Digest;

use crate::error::ProveError;

/// Shards that may be waiting while one is consumed.
const AHEAD: usize = 1;

/// One shard, ready to fill tables from.
#[derive(Debug)]
pub(crate) struct Cut {
    /// What happened.
    pub(crate) record: Record,
    /// What it did to memory.
    pub(crate) merkle: MerkleUpdate,
}

/// What is known when the run is over.
#[derive(Debug)]
pub(crate) struct End {
    /// Result and costs.
    pub(crate) report: Report,
    /// Root of the input's region.
    pub(crate) input: Digest,
    /// The results, opened from the last root.
    pub(crate) results: RegOpening,
}

/// Runs the program beside `consume`, which gets every shard in order.
pub(crate) fn execute(
    program: &Program,
    input: &Input,
    options: Options,
    mut consume: impl FnMut(Cut) -> Result<(), ProveError>,
) -> Result<End, ProveError> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD);
        let executor = scope.spawn(move || produce(program, input, options, &sender));
        let consumed = drain(receiver, &mut consume);
        let produced = executor.join().map_err(|_| ProveError::Executor)?;
        consumed.and(produced)
    })
}

/// Consumes until the run is over or something fails. The receiver is gone afterwards, which
/// stops the executor.
fn drain(
    receiver: Receiver<Cut>,
    consume: &mut impl FnMut(Cut) -> Result<(), ProveError>,
) -> Result<(), ProveError> {
    receiver.into_iter().try_for_each(consume)
}

fn produce(
    program: &Program,
    input: &Input,
    options: Options,
    sender: &SyncSender<Cut>,
) -> Result<End, ProveError> {
    let mut run = Run::new(program, input, options)?;
    let facts = run_words(input.bytes.len() as u32, input.state);
    let mut tree = MemoryTree::start(program, &input.bytes, facts)?;
    let input = tree.input_digest();
    for record in run.by_ref() {
        let record = record?;
        let merkle = tree.apply(&record.chunks)?;
        if sender.send(Cut { record, merkle }).is_err() {
            // Consuming failed, and its error is the one to report.
            break;
        }
    }
    let mut words = [0; OPENED_WORDS];
    for (address, word) in (REG..).zip(&mut words) {
        *word = run.memory().word(address).unwrap_or(0);
    }
    Ok(End { report: run.report()?, input, results: tree.open_results(words) })
}
