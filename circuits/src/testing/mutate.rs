//! Mutation of filled tables: which changes of a single cell would a proof not notice?

use std::collections::BTreeMap;

use p3_field::PrimeCharacteristicRing;
use p3_matrix::{Matrix, dense::RowMajorMatrix};
use rayon::prelude::*;

use super::free;
use crate::{
    Val,
    bus::Message,
    check::{Check, Rows, Said, Violation},
    table::Table,
};

/// A changed cell that neither a constraint nor the bus refuses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Survivor {
    /// Table, by name.
    pub table: &'static str,
    /// Row; a public value has none.
    pub row: Option<usize>,
    /// Column, by name; public values are `public[i]`.
    pub column: String,
    /// The honest value.
    pub honest: Val,
    /// The value that went unnoticed.
    pub changed: Val,
}

/// What came of changing cells one at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mutations {
    /// Changes tried.
    pub tried: u64,
    /// Changes of cells that must be bound, and that nothing refuses.
    pub survivors: Vec<Survivor>,
    /// Changes that nothing refuses of cells that `free_columns.txt` lists: their number for each
    /// line of the list and column.
    pub free: BTreeMap<(usize, String), u64>,
}

impl Mutations {
    /// Adds what came of others.
    pub fn add(&mut self, other: Mutations) {
        self.tried += other.tried;
        self.survivors.extend(other.survivors);
        for (line, count) in other.free {
            *self.free.entry(line).or_default() += count;
        }
    }

    /// Changes of listed cells that nothing refuses.
    pub fn accepted(&self) -> u64 {
        self.free.values().sum()
    }

    /// Changes that were refused.
    pub fn refused(&self) -> u64 {
        self.tried - self.accepted() - self.survivors.len() as u64
    }

    /// What `free_columns.txt` lists, as `table.column`, although no change shows that it is free.
    pub fn unneeded(&self) -> Vec<String> {
        let needed = |rule: usize, name: &str| {
            self.free.keys().any(|(of, column)| *of == rule && free::stands_for(name, column))
        };
        let mut unneeded = Vec::new();
        for (i, rule) in free::RULES.iter().enumerate() {
            let names = rule.columns.iter().filter(|name| !needed(i, name));
            unneeded.extend(names.map(|name| format!("{}.{name}", rule.table)));
        }
        unneeded
    }
}

/// Changes every cell of the given rows and every public value, one at a time: plus one, minus one,
/// zero, one, minus one as a value, and a value that looks random and follows from `seed`.
///
/// A change is refused by a constraint or by the bus: `check` is what all tables said, this one
/// included, and balances. A dishonest prover may count lookups anew, so a changed lookup only has
/// to be in its table; but a count that is changed itself is wrong.
///
/// # Errors
/// A [`Violation`] if the honest rows already break a constraint.
pub fn mutate<T: Table + Sync>(
    table: &T,
    trace: &RowMajorMatrix<Val>,
    publics: &[Val],
    rows: impl IntoIterator<Item = usize>,
    check: &Check,
    seed: u64,
) -> Result<Mutations, Violation> {
    let honest = Rows::new(table, trace, publics)?;
    let attack = Attack { table, trace, publics, names: table.columns(), honest, check, seed };
    let mut mutations = attack.publics()?;
    for row in rows {
        mutations.add(attack.row(row)?);
    }
    Ok(mutations)
}

/// A table under attack.
struct Attack<'a, T> {
    table: &'a T,
    trace: &'a RowMajorMatrix<Val>,
    publics: &'a [Val],
    names: Vec<String>,
    honest: Rows<'a, T>,
    check: &'a Check,
    seed: u64,
}

impl<T: Table + Sync> Attack<'_, T> {
    fn height(&self) -> usize {
        self.trace.height()
    }

    fn cells(&self, row: usize) -> &[Val] {
        let width = self.trace.width;
        &self.trace.values[row % self.height() * width..][..width]
    }

    /// Changes the cells of one row.
    fn row(&self, row: usize) -> Result<Mutations, Violation> {
        // The constraints of the row before read this row as their next one.
        let before = (row + self.height() - 1) % self.height();
        let reads_next = T::READS_NEXT && self.height() > 1;
        let mut honest = self.honest.eval(row)?;
        if reads_next {
            honest.extend(self.honest.eval(before)?);
        }
        let changes = (0..self.trace.width).into_par_iter().map(|column| {
            let mut changed = self.cells(row).to_vec();
            self.judge(Some(row), column, changed[column], |value| {
                changed[column] = value;
                // A table of one row is its own next one.
                let next = if self.height() > 1 { self.cells(row + 1) } else { &changed };
                let (mut broken, mut said) = self.honest.all_cells(row, &changed, next);
                if reads_next && broken.is_empty() {
                    let more = self.honest.all_cells(before, self.cells(before), &changed);
                    broken.extend(more.0);
                    said.extend(more.1);
                }
                broken.is_empty() && balances(&honest, &said, self.check)
            })
        });
        let mut mutations = Mutations::default();
        changes.collect::<Vec<_>>().into_iter().for_each(|change| mutations.add(change));
        Ok(mutations)
    }

    /// Changes the public values.
    fn publics(&self) -> Result<Mutations, Violation> {
        let mut mutations = Mutations::default();
        for (i, &cell) in self.publics.iter().enumerate() {
            let mut changed = self.publics.to_vec();
            mutations.add(self.judge(None, i, cell, |value| {
                changed[i] = value;
                self.publics_pass(&changed)
            }));
        }
        Ok(mutations)
    }

    /// Whether all rows hold with other public values and say what balances.
    fn publics_pass(&self, publics: &[Val]) -> bool {
        let Ok(rows) = Rows::new(self.table, self.trace, publics) else { return false };
        let (mut honest, mut said) = (Vec::new(), Vec::new());
        // The last row is the one most likely to refuse, after the first.
        for row in (0..self.height()).map(|row| (row * (self.height() - 1)) % self.height()) {
            let (broken, after) = rows.all_on(self.trace, row);
            if !broken.is_empty() {
                return false;
            }
            let (_, before) = self.honest.all_on(self.trace, row);
            if before != after {
                honest.extend(before);
                said.extend(after);
            }
        }
        balances(&honest, &said, self.check)
    }

    /// Tries other values for a cell. Those that go unnoticed are listed, or survive.
    fn judge(
        &self,
        row: Option<usize>,
        column: usize,
        honest: Val,
        mut unnoticed: impl FnMut(Val) -> bool,
    ) -> Mutations {
        let random = random([self.seed, row.map_or(u64::MAX, |row| row as u64), column as u64]);
        let [one, minus] = [Val::ONE, Val::NEG_ONE];
        let mut values = vec![honest + one, honest - one, Val::ZERO, one, minus, random];
        values.sort_unstable();
        values.dedup();
        values.retain(|value| *value != honest);

        let mut mutations = Mutations { tried: values.len() as u64, ..Mutations::default() };
        values.retain(|value| unnoticed(*value));
        if values.is_empty() {
            return mutations;
        }
        let column = match row {
            Some(_) => self.names[column].clone(),
            None => format!("public[{column}]"),
        };
        match free::rule(T::NAME, &column, &|name| self.nonzero(row, name)) {
            Some(rule) => {
                mutations.free.insert((rule, column), values.len() as u64);
            }
            None => mutations.survivors.extend(values.into_iter().map(|changed| {
                let (table, column) = (T::NAME, column.clone());
                Survivor { table, row, column, honest, changed }
            })),
        }
        mutations
    }

    /// Whether a cell that a condition names is not zero: of the row, or of any row.
    fn nonzero(&self, row: Option<usize>, name: &str) -> bool {
        let Some(row) = row else {
            return (0..self.height()).any(|row| self.nonzero(Some(row), name));
        };
        let (name, row) = match name.strip_suffix('\'') {
            Some(_) if row + 1 == self.height() => return false,
            Some(name) => (name, row + 1),
            None => (name, row),
        };
        let fixed = self.honest.fixed(row).iter().enumerate();
        let fixed = fixed.map(|(i, cell)| (format!("fixed[{i}]"), cell));
        let main = self.names.iter().cloned().zip(self.cells(row));
        main.chain(fixed)
            .any(|(column, cell)| free::stands_for(name, &column) && *cell != Val::ZERO)
    }
}

/// Whether the bus stays balanced when a row says the second list instead of the first.
fn balances(honest: &[Said], changed: &[Said], check: &Check) -> bool {
    let mut sums: Vec<(Message<Val>, bool, Val)> = Vec::new();
    let signed = honest.iter().map(|s| (s, -s.count)).chain(changed.iter().map(|s| (s, s.count)));
    for (said, count) in signed {
        let known = sums
            .iter_mut()
            .find(|(message, provided, _)| *message == said.message && *provided == said.provided);
        match known {
            Some((_, _, sum)) => *sum += count,
            None => sums.push((said.message, said.provided, count)),
        }
    }
    let offered = |message, provided: &bool| !provided && check.offers(message);
    sums.iter().all(|(message, provided, sum)| *sum == Val::ZERO || offered(message, provided))
}

/// A value that follows from the numbers and looks random.
fn random(numbers: [u64; 3]) -> Val {
    // SplitMix64.
    let state = numbers.into_iter().fold(0_u64, |state, number| {
        let mut z = (state ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    });
    Val::from_u64(state >> 32)
}
