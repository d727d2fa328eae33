//! The chain of shards: nothing may be missing, doubled, out of order or of another run; and it may
//! be cut after every kind of row.

pub(crate) mod ops;
pub(crate) mod proof;

use std::{collections::HashSet, thread};

use rayon::prelude::*;
use rwprove_circuits::{
    machine::{self, Machine},
    table,
};
use rwprove_executor::{Options as Execution, Run};
use rwprove_isa::{Op, record::Record};
use rwprove_prover::{
    check, prove, setup,
    testing::{Filled, filled},
};
use rwprove_verifier::{Preset, shards::verify};

use crate::score::{Scale, Score};
use ops::Last;
use proof::{Proof, Source};

pub(crate) fn run(scale: &Scale) -> Score {
    let mut score = Score::default();
    boundaries(scale, &mut score);
    cut_apart(&mut score);
    attacks(scale, &mut score);
    score
}

/// Honest runs with every class of row last in a shard: the cut is where it is meant to be, and
/// every shard meets every rule. In full, each is proved and verified too.
fn boundaries(scale: &Scale, score: &mut Score) {
    let all = Last::all();
    let ops: HashSet<_> = all.iter().map(|last| last.op()).collect();
    // Those two are the first of two rows that stay together.
    let apart = Op::ALL.iter().filter(|op| !matches!(op, Op::DivU64Lo | Op::RemU64Lo));
    for op in apart.filter(|op| !ops.contains(op)) {
        score.failures.push(format!("{} is last in no shard", op.name()));
    }
    // Two runs, because checking takes one thread.
    let halves: [Vec<_>; 2] =
        [0, 1].map(|half| all.iter().copied().skip(half).step_by(2).collect());
    let failures: Vec<_> = thread::scope(|scope| {
        let threads = halves.each_ref().map(|lasts| scope.spawn(|| cut_after(lasts, scale)));
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    score.add("cuts", all.len() as u64);
    score.failures.extend(failures);
}

/// What goes wrong in a run that is cut after these rows.
fn cut_after(lasts: &[Last], scale: &Scale) -> Vec<String> {
    let source = Source::ending(lasts);
    let options = source.options();
    let mut failures = wrong_cuts(lasts, &source);
    let (key, vkey) = setup(source.program, source.preset).unwrap();
    let checked = check(&key, &source.input, &options, &mut |_| ());
    failures.extend(checked.err().map(|error| format!("an honest run is refused: {error}")));
    if scale.full {
        let proved = prove(&key, &source.input, &options, &mut |_| ()).unwrap();
        let verified = verify(&vkey.digest(), &proved.statement, &proved.proof);
        failures.extend(verified.err().map(|error| format!("an honest proof: {error}")));
    }
    failures
}

/// Shards that do not end as they are meant to.
fn wrong_cuts(lasts: &[Last], source: &Source) -> Vec<String> {
    let execution = Execution { limits: vec![source.options().limits.unwrap()], max_rows: 1 << 20 };
    let records = Run::new(&source.program, &source.input, execution).unwrap();
    let records: Vec<Record> = records.collect::<Result<_, _>>().unwrap();
    assert!(records.len() > lasts.len());
    let wrong = lasts.iter().zip(&records).filter_map(|(last, record)| {
        let row = record.cpu.last().unwrap();
        let found = (source.program.code[row.pc as usize].op, record.cpu.len() as u64);
        let right = found == (last.op(), last.rows()) && row.outcome == last.outcome();
        (!right).then(|| format!("{last:?}: a shard ends with {found:?}, {:?}", row.outcome))
    });
    wrong.collect()
}

/// Two rows that must stay together are cut apart: the second starts a shard as if the first had
/// left neither carry nor borrow. The run is that of a program without the link, filled into the
/// tables of the program with it.
fn cut_apart(score: &mut Score) {
    let linked = |last: Last| match last {
        Last::Pair(first @ (Op::Add | Op::Sub | Op::Cmp), second) => {
            Some(Last::Apart(first, second))
        }
        _ => None,
    };
    let pairs: Vec<_> = Last::all().into_iter().filter_map(linked).collect();
    let program = ops::program(&pairs, ops::ROWS, 5);
    let mut apart = Source { program: program.clone(), ..Source::base() };
    apart.program.code.iter_mut().for_each(|instr| instr.chain = false);
    score.failures.extend(wrong_cuts(&pairs, &apart));
    let (key, _) = setup(apart.program.clone(), apart.preset).unwrap();
    let shards = filled(&key, &apart.input, &apart.options()).unwrap();
    // Each shard but the first starts with a second row.
    let cuts: Vec<_> = pairs.iter().zip(&shards[1..]).collect();
    let machines = [&apart.program, &program].map(|program| (program, Machine::new(program)));
    let accepted: Vec<_> = cuts
        .into_par_iter()
        .map(|(pair, Filled { record, merkle, shape, .. })| {
            assert!(program.code[record.start.pc as usize].chain);
            let accepted = machines.each_ref().map(|(program, machine)| {
                let shard = table::Shard { program, record, merkle };
                machine::check(&machine.fill_all(&shard, shape)).is_ok()
            });
            (pair, accepted)
        })
        .collect();
    for (pair, [without, with]) in accepted {
        if !without {
            score.failures.push(format!("{pair:?}: refused without a link too"));
        }
        score.attempt(!with, || format!("{pair:?} is cut apart"));
    }
}

/// Proofs with wrong shards.
fn attacks(scale: &Scale, score: &mut Score) {
    let base = Proof::base();
    let source = Source::base();
    let input = |bytes: &[u8]| {
        let mut other = source.clone();
        other.input.bytes = bytes.to_vec();
        other
    };
    // Whole runs to splice from, and single shards where nothing else is told apart.
    let lasts = [Last::Plain(Op::Ret), Last::Plain(Op::KeccakF)];
    let program = Source::ending(&lasts);
    score.failures.extend(wrong_cuts(&lasts, &program));
    score.failures.extend(wrong_cuts(&Source::BASE, &source));
    let others = [("input", input(b"Rwprove").prove()), ("program", program.prove())];
    let mut state = source.clone();
    state.input.state = 0;
    let mut limit = source.clone();
    limit.input.fuel_limit = Some(u64::MAX);
    let preset = Source { preset: Preset::P120, ..source.clone() };
    let some: [(_, _, &[usize]); 3] = match scale.full {
        false => [("state", state, &[1]), ("fuel limit", limit, &[1]), ("preset", preset, &[0])],
        true => {
            let all = &[0, 1, 2];
            // Only the second asks about fuel; the others are the same under any limit.
            [("state", state, all), ("fuel limit", limit, &[1]), ("preset", preset, all)]
        }
    };

    let mut attacks = Attacks::new(base);
    attacks.reordered(scale.pick(3, 5) as u32);
    attacks.miscounted();
    for (name, other) in &others {
        if let Err(error) = other.verify(&other.proved.proof) {
            score.failures.push(format!("another {name}: {error}"));
        }
        attacks.spliced(name, other);
    }
    for (name, source, which) in some {
        for (i, piece) in source.pieces(which) {
            let mut shards = base.shards();
            shards[i] = &piece;
            attacks.push(format!("shard {i} of another {name}"), &shards);
        }
    }
    if let Err(error) = base.verify(&base.proved.proof) {
        score.failures.push(format!("the honest proof is refused: {error}"));
    }
    for (name, refused) in attacks.refused() {
        score.attempt(refused, || name);
    }
}

/// Proofs that differ from the honest one and from each other.
struct Attacks<'a> {
    base: &'a Proof,
    seen: HashSet<Vec<u8>>,
    list: Vec<(String, Vec<u8>)>,
}

impl<'a> Attacks<'a> {
    fn new(base: &'a Proof) -> Self {
        Self { base, seen: HashSet::from([base.proved.proof.clone()]), list: Vec::new() }
    }

    fn bytes(&mut self, name: String, bytes: Vec<u8>) {
        // What says the same is no attack of its own.
        if self.seen.insert(bytes.clone()) {
            self.list.push((name, bytes));
        }
    }

    fn push(&mut self, name: String, shards: &[&[u8]]) {
        self.bytes(name, self.base.with(shards.len() as u32, shards));
    }

    /// Other sequences of the honest shards, and some with one shard more.
    fn reordered(&mut self, most: u32) {
        let shards = self.base.shards();
        for length in 0..=most {
            for mut code in 0..3usize.pow(length) {
                let order: Vec<_> = (0..length)
                    .map(|_| {
                        let shard = code % 3;
                        code /= 3;
                        shard
                    })
                    .collect();
                let chosen: Vec<_> = order.iter().map(|&shard| shards[shard]).collect();
                self.push(format!("shards {order:?}"), &chosen);
            }
        }
        for (i, shard) in shards.iter().enumerate() {
            self.push(format!("shard {i} before all"), &[&[*shard], &shards[..]].concat());
            self.push(format!("shard {i} after all"), &[&shards[..], &[*shard]].concat());
        }
        self.push("all shards twice".into(), &[&shards[..], &shards].concat());
    }

    /// Counts that are not those of the shards.
    fn miscounted(&mut self) {
        let shards = self.base.shards();
        for count in [0, 1, 2, 4, 6, 1 << 16, 1 << 31, u32::MAX] {
            self.bytes(format!("{count} shards, it says"), self.base.with(count, &shards));
            self.bytes(format!("{count} shards and none"), self.base.with(count, &[]));
        }
    }

    /// Parts of a whole other run.
    fn spliced(&mut self, name: &str, other: &'a Proof) {
        let (ours, theirs) = (self.base.shards(), other.shards());
        let n = ours.len();
        for i in 0..n {
            let mut shards = ours.clone();
            shards[i] = theirs[i];
            self.push(format!("shard {i} of another {name}"), &shards);
            self.push(
                format!("another {name} from shard {i} on"),
                &[&ours[..i], &theirs[i..]].concat(),
            );
            self.push(format!("another {name} up to {i}"), &[&theirs[..i], &ours[i..]].concat());
            let mut shards = ours.clone();
            shards.insert(i, theirs[i]);
            self.push(format!("shard {i} of another {name} inserted"), &shards);
        }
        self.push(format!("another {name} after it"), &[&ours[..], &theirs].concat());
        self.push(format!("another {name} before it"), &[&theirs[..], &ours].concat());
        let count = n as u32;
        self.bytes(format!("the head of another {name}"), other.with(count, &ours));
    }

    fn refused(self) -> Vec<(String, bool)> {
        let Self { base, list, .. } = self;
        list.into_par_iter().map(|(name, bytes)| (name, base.verify(&bytes).is_err())).collect()
    }
}
