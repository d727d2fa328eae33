//! Attacks on filled tables. All tables of the run are there; a dishonest prover may count lookups
//! anew, except where the counts are what it lies about.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::Matrix;
use rwprove_circuits::{
    Val,
    check::{Lookups, Violation},
    machine::{ChipId, Instance, gather},
};
use rwprove_executor::Input;
use rwprove_isa::Op;
use rwprove_prover::setup;

use super::recount;
use crate::{
    mutations::every_operation,
    programs::Case,
    score::Score,
    shards::ops::{self, Last},
};

/// Columns that say how often a row sends or receives: 0 or 1, all of them.
const COUNTS: [(ChipId, &[&str]); 11] = [
    (ChipId::Cpu, &["real", "ARead", "BRead", "CWrite", "Add", "Alu", "Load", "Push"]),
    (ChipId::Bitwise, &["and"]),
    (ChipId::Shift, &["shl"]),
    (ChipId::Mul, &["low_word"]),
    (ChipId::Div, &["div32"]),
    (ChipId::Bits, &["clz"]),
    (ChipId::Access, &["load8_u"]),
    (ChipId::Refresh, &["real"]),
    (ChipId::Keccak, &["export"]),
    (ChipId::Fuel, &["charge"]),
    (ChipId::Merkle, &["leaf", "branch", "touched[0]"]),
];

pub(super) fn run(score: &mut Score) {
    use Op::{And, Call, Clz, DivU, FuelCharge, KeccakF, Load8U, Mul, Shl};
    let lasts = [And, Shl, Mul, DivU, Clz, Load8U, FuelCharge, KeccakF, Call].map(Last::Plain);
    let (key, _) = setup(ops::program(&lasts, 16, 0), Default::default()).unwrap();
    let input = Input { bytes: b"rwprove".to_vec(), state: 1, fuel_limit: None };
    let most = Case { key, input };
    // Only a long run has words to refresh.
    let (most, long) = (first_shard(&most), first_shard(&every_operation()));
    recount::run(score, &most);
    for (id, columns) in COUNTS {
        let base = if id == ChipId::Refresh { &long } else { &most };
        let mut attack = Attack { score, base, id };
        columns.iter().for_each(|column| attack.counts(column));
        if id != ChipId::Cpu {
            attack.repeats();
        }
    }
    for id in [ChipId::Bytes, ChipId::Program] {
        Attack { score, base: &most, id }.provided();
    }
    for instance in &most {
        Attack { score, base: &most, id: instance.chip.id() }.left_out();
    }
    Attack { score, base: &long, id: ChipId::Refresh }.left_out();
}

fn first_shard(case: &Case) -> Vec<Instance> {
    let instances = case.filled().swap_remove(0).instances;
    gather(&instances).unwrap().finish(Lookups::Counted).unwrap();
    instances
}

/// Whether all constraints hold and the bus balances.
pub(super) fn verdict(instances: &[Instance], lookups: Lookups) -> Result<(), Violation> {
    gather(instances)?.finish(lookups)
}

/// The table of this name.
pub(super) fn find(instances: &[Instance], id: ChipId) -> &Instance {
    instances.iter().find(|instance| instance.chip.id() == id).unwrap()
}

/// The column of this name.
pub(super) fn column(table: &Instance, name: &str) -> usize {
    table.chip.columns().iter().position(|column| column == name).unwrap()
}

/// The first row whose cell in the column is 1.
pub(super) fn first_row(table: &Instance, name: &str) -> Option<usize> {
    let (column, width) = (column(table, name), table.trace.width);
    table.trace.values.chunks_exact(width).position(|row| row[column] == Val::ONE)
}

/// Attacks on one table of a run.
struct Attack<'a> {
    score: &'a mut Score,
    base: &'a [Instance],
    id: ChipId,
}

impl Attack<'_> {
    fn table(&self) -> &Instance {
        find(self.base, self.id)
    }

    /// Changes cells of the table, if they differ then.
    fn change(&mut self, what: &str, lookups: Lookups, cells: &[(usize, usize, Val)]) {
        let mut instances = self.base.to_vec();
        let name = self.id.name();
        let table = instances.iter_mut().find(|instance| instance.chip.id() == self.id).unwrap();
        for (row, column, value) in cells {
            table.trace.values[row * table.trace.width + column] = *value;
        }
        if table.trace == self.table().trace {
            return self.score.failures.push(format!("{name}: {what}: changes nothing"));
        }
        let refused = verdict(&instances, lookups).is_err();
        self.score.attempt(refused, || format!("{name}: {what}"));
    }

    /// A count that is 2 or -1, and rows that count although they are none.
    fn counts(&mut self, name: &str) {
        let Some(row) = first_row(self.table(), name) else {
            return self.score.failures.push(format!("{}: no row has {name}", self.id.name()));
        };
        let (column, trace) = (column(self.table(), name), &self.table().trace);
        let (width, padding) = (trace.width, trace.height() - 1);
        let counts = [row, padding].map(|row| trace.values[row * width + column]);
        for ((at, place), count) in
            [(row, "a real row"), (padding, "padding")].into_iter().zip(counts)
        {
            for (value, how) in [(Val::ONE, "1"), (Val::TWO, "2"), (Val::NEG_ONE, "-1")] {
                if count != value {
                    let what = format!("{place} has {name} = {how}");
                    self.change(&what, Lookups::Free, &[(at, column, value)]);
                }
            }
        }
    }

    /// A real row once more, in padding: it answers, accesses or carries a second time.
    fn repeats(&mut self) {
        let (trace, counts) = (&self.table().trace, COUNTS.iter().find(|(id, _)| *id == self.id));
        let column = column(self.table(), counts.unwrap().1[0]);
        let width = trace.width;
        let mut rows = trace.values.chunks_exact(width);
        let row: Vec<Val> = rows.find(|row| row[column] == Val::ONE).unwrap().to_vec();
        let place = trace.height() - 1;
        let cells = row.into_iter().enumerate().map(|(column, cell)| (place, column, cell));
        let cells: Vec<_> = cells.collect();
        self.change("a real row stands once more in padding", Lookups::Free, &cells);
        // Once more with the count -1, so that its lookups take those of the real row back.
        let negative = |(row, at, cell): (usize, usize, Val)| match at == column {
            true => (row, at, -cell),
            false => (row, at, cell),
        };
        let cells: Vec<_> = cells.into_iter().map(negative).collect();
        self.change("a real row is taken back in padding", Lookups::Free, &cells);
    }

    /// Counts of a fixed table that are not those of its lookups.
    fn provided(&mut self) {
        let (names, trace) = (self.table().chip.columns(), &self.table().trace);
        let (width, height) = (trace.width, trace.height());
        let cell = |row: usize, column: usize| trace.values[row * width + column];
        let mut attacks = Vec::new();
        for (column, name) in names.iter().enumerate() {
            let used = (0..height).find(|&row| cell(row, column) != Val::ZERO);
            let unused = (0..height).find(|&row| cell(row, column) == Val::ZERO);
            for (row, place) in [(used, "looked up"), (unused, "not looked up")] {
                let Some(row) = row else { continue };
                let honest = cell(row, column);
                let values = [
                    (honest + Val::TWO, "two more"),
                    (Val::NEG_ONE, "-1"),
                    (-honest, "minus itself"),
                    (honest - Val::ONE, "one less"),
                ];
                for (value, how) in values.into_iter().filter(|(value, _)| *value != honest) {
                    let what = format!("{name} of a fact {place} is {how}");
                    attacks.push((what, vec![(row, column, value)]));
                }
                // What one fact gives too often another one gives less often.
                let other = (row + 1, column, cell(row + 1, column) - Val::ONE);
                let what = format!("{name} of a fact {place} moves to the next one");
                attacks.push((what, vec![(row, column, honest + Val::ONE), other]));
            }
        }
        for (what, cells) in attacks {
            self.change(&what, Lookups::Counted, &cells);
        }
    }

    /// The table is missing while others ask it.
    fn left_out(&mut self) {
        let rest = self.base.iter().filter(|instance| instance.chip.id() != self.id);
        let rest: Vec<_> = rest.cloned().collect();
        let refused = verdict(&rest, Lookups::Counted).is_err();
        let name = self.id.name();
        self.score.attempt(refused, || format!("{name}: the whole table is left out"));
    }
}
