//! Suite `mutations`: every column of every table, changed one cell at a time in the tables of
//! whole runs that together execute every instruction with every outcome.
//!
//! A change is refused if a constraint breaks, or if the bus does not balance although lookups may
//! be counted anew. Accepted may be only what `circuits/free_columns.txt` lists with a reason.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use p3_field::PrimeCharacteristicRing;
use p3_matrix::Matrix;
use rwprove_circuits::{
    Val,
    machine::{ChipId, Instance, gather},
    table::Shard,
    testing::{Mutations, Survivor},
};
use rwprove_executor::Input;
use rwprove_isa::{
    Op, Program,
    record::{CpuEvent, Outcome},
};
use rwprove_prover::{setup, testing::Filled};

use crate::{
    programs::Case,
    score::{Scale, Score},
    shards::ops::{self, Last},
};

const OUTCOMES: [Outcome; 5] =
    [Outcome::Plain, Outcome::Trap, Outcome::OutOfFuel, Outcome::Deep, Outcome::Unaligned];

pub(crate) fn run(scale: &Scale) -> Score {
    let mut bench = Bench::new(scale);
    bench.run(&every_operation());
    let fixtures = if scale.full { rwprove_fixtures::all() } else { rwprove_fixtures::sample() };
    fixtures.iter().for_each(|fixture| bench.run(&Case::new(fixture)));
    bench.score()
}

/// A run of our own through every operation.
pub(crate) fn every_operation() -> Case {
    let (key, _) = setup(ops::program(&Last::all(), ops::ROWS, 0), Default::default()).unwrap();
    let input = Input { bytes: b"rwprove".to_vec(), state: 1, fuel_limit: None };
    Case { key, input }
}

/// A kind of row of the cpu table: operation, number of the outcome, whether it is chained.
type Kind = (Op, u8, bool);

struct Bench<'a> {
    scale: &'a Scale,
    found: Mutations,
    /// Rows that may still be changed, of each table.
    room: HashMap<ChipId, usize>,
    /// How often each kind of cpu row was changed.
    kinds: HashMap<Kind, usize>,
    /// Columns that were changed on a row where they are not zero.
    covered: HashSet<(ChipId, usize)>,
    /// Tables that were changed.
    tables: BTreeSet<ChipId>,
}

impl<'a> Bench<'a> {
    fn new(scale: &'a Scale) -> Self {
        let room = |chip: &ChipId| match chip {
            // Thousands of columns.
            ChipId::Keccak => scale.pick(16, 400),
            ChipId::Merkle => scale.pick(100, 4_000),
            _ => scale.pick(2_000, 50_000),
        };
        Self {
            scale,
            found: Mutations::default(),
            room: ChipId::ALL.iter().map(|chip| (*chip, room(chip))).collect(),
            kinds: HashMap::new(),
            covered: HashSet::new(),
            tables: BTreeSet::new(),
        }
    }

    /// Changes the tables of all shards of a run.
    fn run(&mut self, case: &Case) {
        for shard in case.filled() {
            let check = gather(&shard.instances).unwrap();
            for instance in &shard.instances {
                let rows = self.rows(instance, &shard, case.key.program());
                if !rows.is_empty() {
                    self.tables.insert(instance.chip.id());
                }
                self.found.add(instance.mutate(rows, &check, self.scale.seed).unwrap());
            }
        }
    }

    /// The rows to change: first, middle, last real, first padding and last row, rows where a
    /// column is not zero for the first time, and of cpu some of each kind.
    fn rows(&mut self, instance: &Instance, shard: &Filled, program: &Program) -> BTreeSet<usize> {
        let (id, height) = (instance.chip.id(), instance.trace.height());
        let Filled { record, merkle, .. } = shard;
        let needed = instance.chip.rows(&Shard { program, record, merkle });
        let real = if id == ChipId::Cpu { needed - 1 } else { needed };
        let mut rows = vec![0, real / 2, real.saturating_sub(1), real, height - 1];
        if id == ChipId::Cpu {
            rows.extend(self.new_kinds(&record.cpu, program));
        }
        rows.extend(self.uncovered(instance));
        let room = self.room.entry(id).or_default();
        let mut chosen = BTreeSet::new();
        for row in rows.into_iter().filter(|row| *row < height) {
            if *room > 0 && chosen.insert(row) {
                *room -= 1;
            }
        }
        chosen
    }

    /// Some rows of each kind.
    fn new_kinds(&mut self, events: &[CpuEvent], program: &Program) -> Vec<usize> {
        let most = self.scale.pick(2, 50);
        let mut rows = Vec::new();
        for (row, event) in events.iter().enumerate() {
            let instr = program.code[event.pc as usize];
            let seen = self.kinds.entry((instr.op, event.outcome as u8, instr.chain)).or_default();
            if *seen < most {
                *seen += 1;
                rows.push(row);
            }
        }
        rows
    }

    /// For each column that was zero so far its first row where it is not.
    fn uncovered(&mut self, instance: &Instance) -> BTreeSet<usize> {
        let (id, width) = (instance.chip.id(), instance.trace.width);
        let mut rows = BTreeSet::new();
        let mut open: Vec<_> = (0..width).filter(|c| !self.covered.contains(&(id, *c))).collect();
        for (row, cells) in instance.trace.values.chunks_exact(width).enumerate() {
            if open.is_empty() {
                break;
            }
            open.retain(|&column| {
                let found = cells[column] != Val::ZERO;
                if found {
                    self.covered.insert((id, column));
                    rows.insert(row);
                }
                !found
            });
        }
        rows
    }

    fn score(self) -> Score {
        let mut score = Score::default();
        score.add("tried", self.found.tried);
        score.add("refused", self.found.refused());
        score.add("free", self.found.accepted());
        score.add("row_kinds", self.kinds.len() as u64);
        let failures = &mut score.failures;
        failures.extend(survivors(&self.found.survivors));
        failures
            .extend(self.found.unneeded().iter().map(|name| format!("{name}: listed, not free")));
        let tables = ChipId::ALL.iter().filter(|id| !self.tables.contains(id));
        failures.extend(tables.map(|id| format!("{}: no row was changed", id.name())));
        let ops = Op::ALL.iter().filter(|op| !self.kinds.keys().any(|kind| kind.0 == **op));
        failures.extend(ops.map(|op| format!("{}: no row was changed", op.name())));
        let met = |outcome: Outcome| self.kinds.keys().any(|kind| kind.1 == outcome as u8);
        let outcomes = OUTCOMES.iter().filter(|outcome| !met(**outcome));
        failures.extend(outcomes.map(|outcome| format!("{outcome:?}: no row was changed")));
        score
    }
}

/// One line for each column, with its first change.
fn survivors(all: &[Survivor]) -> Vec<String> {
    let mut columns: BTreeMap<_, Vec<&Survivor>> = BTreeMap::new();
    for survivor in all {
        columns.entry((survivor.table, &survivor.column)).or_default().push(survivor);
    }
    let line = |((table, column), survivors): ((&str, &String), Vec<&Survivor>)| {
        let Survivor { row, honest, changed, .. } = survivors[0];
        let count = survivors.len();
        format!("{table}.{column}: {count} changes accepted, row {row:?}: {honest} -> {changed}")
    };
    columns.into_iter().map(line).collect()
}
