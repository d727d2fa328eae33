//! What was tried and what refused it: the score, and two pages of the documentation.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use rwprove_circuits::machine::ChipId;
use rwprove_executor::{Options, Run};
use rwprove_isa::Op;

use super::{
    INSTRUCTION, coverage, input,
    judge::{Judge, Verdict},
    site::Fault,
    subject::Subject,
};
use crate::{programs::Case, score::Score};

/// One forgery and what became of it; an error is a panic.
pub(crate) struct Tried {
    pub(crate) fault: &'static Fault,
    pub(crate) op: Op,
    pub(crate) subject: usize,
    pub(crate) row: (usize, usize),
    pub(crate) seed: u64,
    pub(crate) verdict: Result<Verdict, String>,
}

/// How often each rule refused.
type Rules = BTreeMap<String, u64>;

/// Gathers everything.
pub(crate) struct Report<'a> {
    subjects: &'a [Subject],
    score: Score,
    pub(crate) notes: Vec<String>,
    kinds: Vec<(&'static str, Rules)>,
    forged: BTreeMap<(u8, &'static str), u64>,
}

/// An honest run must be accepted, or the judge is worth nothing.
pub(crate) fn honest(subject: &Subject) -> Result<(), String> {
    let first = &subject.shards[0];
    let mut judge = Judge { subject, tree: first.tree.clone(), state: first.state };
    let mut judged = || {
        for honest in &subject.shards {
            let filled = judge.fill(&honest.record, |_| ());
            judge.shard(filled)?;
        }
        let mut run = Run::new(&subject.program, &subject.input, subject.options()).unwrap();
        run.run_to_end().unwrap();
        judge.end(run.memory())
    };
    judged().map_err(|rule| format!("{}: the honest run is refused by {rule}", subject.name))
}

impl<'a> Report<'a> {
    pub(crate) fn new(subjects: &'a [Subject]) -> Self {
        let score = Score::default();
        Self { subjects, score, notes: Vec::new(), kinds: Vec::new(), forged: BTreeMap::new() }
    }

    /// The honest runs were checked.
    pub(crate) fn controls(&mut self, results: Vec<Result<(), String>>) {
        self.score.failures.extend(results.into_iter().filter_map(Result::err));
    }

    fn verdict(&mut self, name: &'static str, verdict: &Result<Verdict, String>, what: String) {
        let index = self.kinds.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            self.kinds.push((name, Rules::new()));
            self.kinds.len() - 1
        });
        let rule = match verdict {
            Ok(Verdict::Refused(rule)) => Some(rule.clone()),
            _ => None,
        };
        let outcome = match verdict {
            Err(panic) => panic.as_str(),
            Ok(_) => "accepted",
        };
        self.score.attempt(rule.is_some(), || format!("{name}, {what}: {outcome}"));
        if let Some(rule) = rule {
            *self.kinds[index].1.entry(rule).or_default() += 1;
        }
    }

    fn tried(&mut self, tried: &Tried) {
        let Tried { fault, op, subject, row, seed, verdict } = tried;
        let what = format!(
            "{} of {}, shard {} row {} (seed {seed})",
            op.name(),
            self.subjects[*subject].name,
            row.0,
            row.1
        );
        self.verdict(fault.name, verdict, what);
        if matches!(verdict, Ok(Verdict::Refused(_))) {
            *self.forged.entry((*op as u8, fault.name)).or_default() += 1;
        }
    }

    /// Faults of runs.
    pub(crate) fn runs(&mut self, all: Vec<Tried>, faults: &[&'static Fault]) {
        all.iter().for_each(|tried| self.tried(tried));
        for fault in faults {
            if !self.kinds.iter().any(|(name, _)| *name == fault.name) {
                self.score.failures.push(format!("{}: nowhere to try it", fault.name));
            }
        }
    }

    /// Forgeries of single instructions: each that there is must have been refused.
    pub(crate) fn instructions(&mut self, all: Vec<Tried>, wanted: &[(Op, &'static Fault)]) {
        all.iter().for_each(|tried| self.tried(tried));
        for (op, fault) in wanted {
            if !self.forged.contains_key(&(*op as u8, fault.name)) {
                let missing = format!("{} of {}: none was refused", fault.name, op.name());
                self.score.failures.push(missing);
            }
        }
        let pairs = self.forged.len();
        self.notes.push(format!("{pairs} pairs of instruction and kind with a refused forgery"));
    }

    /// Other inputs.
    pub(crate) fn inputs(&mut self, all: Vec<(String, Verdict)>) {
        for (what, verdict) in all {
            self.verdict(input::KIND, &Ok(verdict), what);
        }
    }

    /// Whole proofs: of the honest run, and of forgeries.
    pub(crate) fn proofs(&mut self, honest: bool, all: Vec<(String, bool)>) {
        if !honest {
            self.score.failures.push("the honest proof is refused".into());
        }
        self.score.add("proofs", all.len() as u64);
        for (what, accepted) in all {
            self.score.attempt(!accepted, || format!("proof of {what}: accepted"));
        }
    }

    /// The suite's score.
    pub(crate) fn score(mut self) -> Score {
        for (name, rules) in &self.kinds {
            self.notes.push(format!("{name}: {} refused", rules.values().sum::<u64>()));
        }
        self.score.notes.append(&mut self.notes);
        self.score
    }

    /// Writes the pages of the documentation.
    pub(crate) fn write(&self) {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        fs::write(docs.join("forgeries.md"), self.forgeries()).unwrap();
        fs::write(docs.join("coverage.md"), coverage::render(&self.lines())).unwrap();
    }

    fn forgeries(&self) -> String {
        let mut text = String::from(
            "# Forgeries and what refuses them\n\n\
             Made by `scripts/soundness --full` (suite `forgeries`); do not edit. A run goes wrong \
             in one step and goes on\nfrom there; all tables are filled from what then is the \
             record. The first rule that refuses is counted: constraints\nof tables first, then \
             the buses, then what the verifier checks itself. None was accepted.\n\n\
             | what goes wrong | refused | by (how often) |\n| --- | --- | --- |\n",
        );
        for (name, rules) in &self.kinds {
            let mut rules: Vec<_> = rules.iter().collect();
            rules.sort_by_key(|(rule, count)| (std::cmp::Reverse(**count), rule.as_str()));
            let sum: u64 = rules.iter().map(|(_, count)| **count).sum();
            let shown: Vec<_> =
                rules.iter().take(4).map(|(rule, count)| format!("{rule} ({count})")).collect();
            let more = match rules.len().saturating_sub(4) {
                0 => String::new(),
                n => format!("; {n} other rules"),
            };
            text += &format!("| {name} | {sum} | {}{more} |\n", shown.join("; "));
        }
        text
    }

    fn lines(&self) -> Vec<coverage::Line> {
        let catalogue = catalogue();
        let line = |&op: &Op| {
            let forged = INSTRUCTION.iter().map(|fault| {
                let count = self.forged.get(&(op as u8, fault.name)).copied();
                super::applies(fault, op).then(|| count.unwrap_or(0))
            });
            coverage::Line {
                op,
                executed: self.subjects.iter().filter(|subject| executes(subject, op)).count()
                    as u64,
                constrained: self.tables(op),
                forged: forged.collect(),
                differential: catalogue.get(&(op as u8)).copied().unwrap_or(0),
            }
        };
        Op::ALL.iter().map(line).collect()
    }

    /// Tables that have rows for an instruction, in the records of the honest runs.
    fn tables(&self, op: Op) -> Vec<String> {
        let mut chips = BTreeSet::from([ChipId::Cpu]);
        for (subject, honest) in
            self.subjects.iter().flat_map(|s| s.shards.iter().map(move |h| (s, h)))
        {
            let record = &honest.record;
            let of =
                |row: u32| record.cpu.get(row as usize).map(|event| subject.instr(event.pc).op);
            let rows = |list: &[u32]| list.iter().any(|&row| of(row) == Some(op));
            let wide = matches!(op, Op::DivU64Hi | Op::RemU64Hi);
            let asked = [
                (ChipId::Bitwise, rows(&record.bitwise)),
                (ChipId::Shift, rows(&record.shift)),
                (ChipId::Mul, rows(&record.mul)),
                // The second row of a 64-bit division shares the first one's.
                (ChipId::Div, record.div.iter().any(|&row| of(row + u32::from(wide)) == Some(op))),
                (ChipId::Bits, rows(&record.bits)),
                (ChipId::Access, record.access.iter().any(|event| of(event.row) == Some(op))),
                (ChipId::Keccak, record.keccak.iter().any(|event| of(event.row) == Some(op))),
                (ChipId::Fuel, record.fuel.iter().any(|event| of(event.row) == Some(op))),
            ];
            chips.extend(asked.into_iter().filter(|(_, asked)| *asked).map(|(chip, _)| chip));
        }
        chips.into_iter().map(|chip| chip.name().to_owned()).collect()
    }
}

fn executes(subject: &Subject, op: Op) -> bool {
    let mut events = subject.shards.iter().flat_map(|honest| &honest.record.cpu);
    events.any(|event| subject.instr(event.pc).op == op)
}

/// In how many runs of the catalogue each instruction is executed; the differential tests of the
/// executor compare each of these runs with rwasm's machine.
fn catalogue() -> BTreeMap<u8, u64> {
    let mut counts = BTreeMap::new();
    for fixture in rwprove_fixtures::all() {
        for (program, input) in Case::both(&fixture) {
            let options = Options { limits: vec![super::subject::limits()], max_rows: 1_000_000 };
            let Ok(run) = Run::new(&program, &input, options) else { continue };
            let mut seen = BTreeSet::new();
            for record in run.flatten() {
                seen.extend(record.cpu.iter().map(|e| program.code[e.pc as usize].op as u8));
            }
            for op in seen {
                *counts.entry(op).or_default() += 1;
            }
        }
    }
    counts
}
