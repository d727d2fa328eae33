//! Consistent forgeries: a run goes wrong in one step and goes on as if nothing had happened, all
//! tables are filled honestly from what then is the record, and a verifier's rules must refuse.
//!
//! Two ways through it: many faults on many programs, and for every instruction every kind of
//! forgery that it has. Lookups may be counted as the adversary likes.

mod attempt;
mod coverage;
mod input;
mod judge;
mod memory;
mod ops;
mod proofs;
mod report;
mod results;
mod site;
mod steps;
mod subject;

use rayon::prelude::*;
use rwprove_isa::{Flag, Op};

use crate::{
    programs::Case,
    score::{Scale, Score},
};
use attempt::attempt;
use judge::Verdict;
use report::{Report, Tried};
use site::{Fault, Site, mix};
use subject::Subject;

/// What can be forged of an instruction, in the order of [`coverage::KINDS`].
const INSTRUCTION: [&Fault; coverage::KINDS.len()] = [
    &results::RESULT,
    &results::RESULT_EVERYWHERE,
    &steps::NEXT,
    &steps::BASE,
    &steps::DEPTH,
    &steps::PAGES,
    &steps::FUEL,
    &steps::RAISED,
    &steps::IGNORED,
    &steps::REFUSED,
];

/// What can go wrong in a run.
fn faults() -> Vec<&'static Fault> {
    let own = [results::FAULTS, steps::FAULTS, memory::FAULTS].into_iter().flatten();
    INSTRUCTION.into_iter().chain(own).collect()
}

/// Whether an instruction has this kind of forgery.
fn applies(fault: &Fault, op: Op) -> bool {
    let any = |flags: &[Flag]| flags.iter().any(|flag| op.flags() & flag.bit() != 0);
    let guest = any(&[Flag::Load, Flag::Store]) && !any(&[Flag::Priv]);
    let writes =
        any(&[Flag::CWrite, Flag::Store]) || matches!(op, Op::Call | Op::CallReg | Op::KeccakF);
    match fault.name {
        "wrong result" => writes,
        "wrong result in every table" => writes || op.branches() || op == Op::Cmp,
        "no trap where one is" => guest || any(&[Flag::Limit, Flag::Enter]) || op == Op::FuelCharge,
        _ => true,
    }
}

/// The honest runs: the sample, and programs made for single instructions. The second number is
/// how many of the sample are too long.
fn subjects() -> (Vec<Subject>, usize) {
    let sample = rwprove_fixtures::sample();
    let cases = sample.iter().filter_map(|fixture| {
        let (program, input) = Case::parts(fixture);
        Subject::new(&fixture.name, program, input)
    });
    let mut subjects: Vec<_> = cases.collect();
    let left_out = sample.len() - subjects.len();
    subjects.extend(ops::subjects());
    (subjects, left_out)
}

/// Rows of a subject: shard and row in it.
type Rows = Vec<(u32, u32)>;

/// All rows of a subject.
fn rows(subject: &Subject) -> Rows {
    let shards = subject.shards.iter().zip(0..);
    let rows = |(honest, shard): (&subject::Honest, u32)| {
        (0..honest.record.cpu.len() as u32).map(move |row| (shard, row))
    };
    shards.flat_map(rows).collect()
}

/// Looks for a site where the fault fits, from a place that the seed chooses.
fn find<'a>(
    fault: &Fault,
    subject: &'a Subject,
    rows: &[(u32, u32)],
    seed: u64,
) -> Option<Site<'a>> {
    let start = mix(seed) as usize % rows.len().max(1);
    let (before, after) = rows.split_at(start.min(rows.len()));
    after.iter().chain(before).find_map(|&(shard, local)| {
        let mut site = Site::new(subject, shard as usize, local as usize, mix(seed ^ 1));
        (fault.fits)(&mut site).then_some(site)
    })
}

/// Forges somewhere among these programs and rows, from one that the seed chooses on. Tries again
/// a few times if nothing changed.
fn forge(
    fault: &'static Fault,
    subjects: &[Subject],
    places: &[(usize, Rows)],
    seed: u64,
) -> Option<Tried> {
    (0..6).find_map(|again| {
        let seed = mix(seed + (again << 48));
        let first = (mix(seed ^ 2) % places.len().max(1) as u64) as usize;
        let (before, after) = places.split_at(first.min(places.len()));
        let (subject, site) = after.iter().chain(before).find_map(|(subject, rows)| {
            Some((*subject, find(fault, &subjects[*subject], rows, seed)?))
        })?;
        let (op, row) = (site.op(), (site.shard, site.local));
        let verdict = attempt(fault, &site);
        (verdict != Ok(Verdict::Same)).then_some(Tried { fault, op, subject, row, seed, verdict })
    })
}

/// Every kind of fault, `each` times.
fn by_kind(subjects: &[Subject], seed: u64, each: u64) -> Vec<Tried> {
    let all: Vec<_> = subjects.iter().map(rows).enumerate().collect();
    let faults = faults();
    let tried = faults.par_iter().enumerate().flat_map_iter(|(number, &fault)| {
        let fits = |(subject, rows): &&(usize, Rows)| {
            find(fault, &subjects[*subject], rows, seed).is_some()
        };
        let places: Vec<_> = all.iter().filter(fits).cloned().collect();
        (0..each).filter_map(move |i| {
            forge(fault, subjects, &places, seed << 32 ^ (number as u64) << 20 ^ i)
        })
    });
    tried.collect()
}

/// Every kind of forgery of every instruction, `each` times.
fn by_instruction(
    subjects: &[Subject],
    wanted: &[(Op, &'static Fault)],
    seed: u64,
    each: u64,
) -> Vec<Tried> {
    let mut places = vec![Vec::<(usize, Rows)>::new(); Op::ALL.len()];
    for (number, subject) in subjects.iter().enumerate() {
        for (shard, local) in rows(subject) {
            let event = &subject.shards[shard as usize].record.cpu[local as usize];
            let list = &mut places[subject.instr(event.pc).op as usize];
            match list.last_mut() {
                Some((last, rows)) if *last == number => rows.push((shard, local)),
                _ => list.push((number, vec![(shard, local)])),
            }
        }
    }
    let places = &places;
    let tried = wanted.par_iter().enumerate().flat_map_iter(|(number, &(op, fault))| {
        (0..each).filter_map(move |i| {
            let seed = seed << 32 ^ 1 << 31 ^ (number as u64) << 12 ^ i;
            forge(fault, subjects, &places[op as usize], seed)
        })
    });
    tried.collect()
}

pub(crate) fn run(scale: &Scale) -> Score {
    let (subjects, left_out) = subjects();
    let mut report = Report::new(&subjects);
    report.notes.push(format!("{} honest runs, {left_out} too long and left out", subjects.len()));
    let controls: Vec<_> = subjects.par_iter().map(report::honest).collect();
    report.controls(controls);

    let each = scale.pick(7, 200) as u64;
    report.runs(by_kind(&subjects, scale.seed, each), &faults());

    let each = scale.pick(1, 6) as u64;
    let pairs = Op::ALL.iter().flat_map(|&op| INSTRUCTION.map(|fault| (op, fault)));
    let wanted: Vec<_> = pairs.filter(|(op, fault)| applies(fault, *op)).collect();
    report.instructions(by_instruction(&subjects, &wanted, scale.seed, each), &wanted);

    report.inputs(input::run(&subjects, scale));
    let (honest, tried) = proofs::run(&subjects, scale);
    report.proofs(honest, tried);
    if scale.full {
        report.write();
    }
    report.score()
}
