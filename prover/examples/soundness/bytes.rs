//! Bytes of an adversary: flipped bits, cuts, absurd lengths and rearranged parts of proofs, keys,
//! statements, modules and the files of interrupted proofs. None may be taken for the original,
//! none may panic, and none may take more time or memory than honest bytes.

mod edits;
mod flips;
mod modules;
mod proofs;
mod sections;
mod trial;

use crate::score::{Scale, Score};
use sections::Part;
use trial::{Outcome, Peak, Trials};

/// Reads changed bytes.
type Judge<'a> = Box<dyn Fn(&[u8]) -> Outcome + Sync + 'a>;
/// Makes changed bytes of the original ones.
type Apply = Box<dyn Fn(&[u8]) -> Vec<u8> + Sync>;

/// Bytes that an adversary changes, and who reads them.
pub(crate) struct Subject<'a> {
    name: &'static str,
    bytes: Vec<u8>,
    parts: Vec<Part>,
    judge: Judge<'a>,
}

impl Subject<'_> {
    /// Tries all changes, with one thread for each half of them. What reads the bytes may not use
    /// other threads, so that its work can be measured.
    fn try_all(&self, changes: Vec<Change>, score: &mut Score) {
        let mut trials = Trials::default();
        let peak = Peak::after(|| {
            alone(&mut || trials = Trials::new(|| (self.judge)(&self.bytes)));
        });
        let mut halves = [trials.fresh(), trials.fresh()];
        std::thread::scope(|scope| {
            for (half, trials) in halves.iter_mut().enumerate() {
                let changes = &changes;
                scope.spawn(move || {
                    alone(&mut || {
                        for change in changes.iter().skip(half).step_by(2) {
                            let bytes = (change.apply)(&self.bytes);
                            let what = || change.what.clone();
                            trials.attempt(change.part, what, || (self.judge)(&bytes));
                        }
                    });
                });
            }
        });
        halves.into_iter().for_each(|half| trials.merge(half));
        trials.score(self.name, score);
        peak.score(self.name, score);
    }
}

/// Runs on a thread that no others help, so that its work can be measured.
fn alone(run: &mut (dyn FnMut() + Send)) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(run);
}

/// One change of a subject's bytes.
pub(crate) struct Change {
    part: &'static str,
    what: String,
    apply: Apply,
}

/// Flips single bits.
pub(crate) fn bitflips(scale: &Scale) -> Score {
    let mut score = Score::default();
    let mut flip = |subject: Subject<'_>, quick, full| {
        let seed = scale.seed ^ subject.bytes.len() as u64;
        subject.try_all(flips::draw(&subject, scale.pick(quick, full), seed), &mut score);
    };
    let proof = proofs::Proof::one_shard();
    flip(proof.subject(), 1500, 20_000);
    flip(proof.statement(), 400, 1_288);
    flip(proof.key(), 400, 5_000);
    flip(proof.shard_file(), 100, 5_000);
    let directory = proofs::Directory::new(&proof);
    flip(directory.manifest(), 100, 1_000);
    let modules = modules::subjects(scale);
    modules.iter().for_each(|module| flip(module.subject(), 250, 4_000));
    modules.iter().for_each(|module| module.try_keys(&mut score));
    score.notes.extend(modules.iter().map(modules::Module::seen));
    score
}

/// Cuts, adds, lies about lengths, and moves parts.
pub(crate) fn edits(scale: &Scale) -> Score {
    let mut score = Score::default();
    let random = scale.pick(20, 200);
    let mut edit = |subject: Subject<'_>, more: Vec<Change>| {
        let mut changes = edits::of(&subject, random, scale.seed);
        changes.extend(more);
        // What leaves the bytes as they are is no attempt.
        changes.retain(|change| (change.apply)(&subject.bytes) != subject.bytes);
        subject.try_all(changes, &mut score);
    };
    let proof = proofs::Proof::two_shards();
    edit(proof.subject(), edits::between_shards(&proof.subject()));
    edit(proof.statement(), Vec::new());
    edit(proof.key(), Vec::new());
    edit(proof.shard_file(), Vec::new());
    let mut tried = Vec::new();
    for module in modules::subjects(scale) {
        edit(module.subject(), Vec::new());
        tried.push(module);
    }
    tried.iter().for_each(|module| module.try_keys(&mut score));
    score
}
