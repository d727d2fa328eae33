//! Deletion of rules: is every constraint and every message needed, and do we have an attack that
//! shows it?
//!
//! A rule is *killed* by a trace that breaks this rule and no other: without the rule it would be
//! accepted. So nothing is deleted in fact; what counts is the set of rules that a trace breaks.
//! [`attack`] searches for such traces, starting from a few rows of honest runs; where that is not
//! enough, they are made by hand.
//!
//! # The adversary
//! Tables are attacked one by one on tiny traces. All cells and public values are the adversary's,
//! and so are the table's neighbours: messages of the kinds `memory`, `request` and `node` may say
//! anything. Lookups must be in their fixed table (`bytes`; `fetch` in the code), however often
//! they are counted. So what is shown of a rule is that the rules *of its table* do not imply it.
//! Messages other than lookups are tried on whole runs.

pub mod base;
mod cpu;
mod keccak;
mod merkle;
mod search;
mod system;
mod tape;

use std::collections::{BTreeSet, HashMap};

use p3_field::PrimeCharacteristicRing;
use p3_matrix::{Matrix, dense::RowMajorMatrix};

pub use search::Effort;
use system::{Fixed, State};
pub use system::{Rule, System};

use crate::{
    Val,
    bus::Message,
    check::{Rows, Violation},
    machine::{self, Instance},
    program,
    table::Table,
};

/// Rows of an honest run that are accepted by themselves.
#[derive(Clone, Debug)]
pub struct Base {
    /// Where they come from.
    pub name: String,
    /// The rows.
    pub trace: RowMajorMatrix<Val>,
    /// The public values that fit.
    pub publics: Vec<Val>,
    /// Entries that can be fetched, by pc.
    pub code: Vec<[Val; 8]>,
}

/// What the program table has of each instruction.
pub fn code(program: &rwprove_isa::Program) -> Vec<[Val; 8]> {
    let entry = |pc: usize| {
        let [flags, a, b0, b1, c, fuel, tag] = program::fields(&program.code[pc]);
        [Val::new(pc as u32), flags, a, b0, b1, c, fuel, tag]
    };
    (0..program.code.len()).map(entry).collect()
}

/// A trace that breaks one rule.
#[derive(Clone, Debug)]
pub struct Attack {
    /// The rows that it started from.
    pub base: String,
    /// The changed cells: row (none for a public value), column, value.
    pub changes: Vec<(Option<usize>, String, Val)>,
    /// The rows.
    pub trace: RowMajorMatrix<Val>,
    /// The public values.
    pub publics: Vec<Val>,
}

impl std::fmt::Display for Attack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.base)?;
        for (row, column, value) in &self.changes {
            match row {
                Some(row) => write!(f, ", row {row} {column} = {value}")?,
                None => write!(f, ", {column} = {value}")?,
            }
        }
        Ok(())
    }
}

/// Searches for a trace that breaks the rule and no other, starting from the base.
pub fn attack(system: &System, base: &Base, rule: Rule, effort: Effort) -> Option<Attack> {
    let item = system.find(rule)?;
    let mut state = State::new(system, &base.code, &base.trace.values, &base.publics);
    if !state.broken.is_empty() || !search::search(&mut state, item, effort) {
        return None;
    }
    let honest = [&base.trace.values[..], &base.publics[..]].concat();
    let changed = (0..honest.len()).filter(|&cell| state.cells[cell] != honest[cell]);
    let changes = changed.map(|cell| {
        let (row, name) = state.name(cell);
        (row, name, state.cells[cell])
    });
    let changes = changes.collect();
    let mut rows = state.cells;
    let publics = rows.split_off(base.trace.values.len());
    let trace = RowMajorMatrix::new(rows, base.trace.width);
    Some(Attack { base: base.name.clone(), changes, trace, publics })
}

/// Attacks made by hand on tables that the search does not get through.
pub mod forged {
    use super::{Base, Rule, cpu, keccak, merkle};
    use crate::table::Shard;

    /// On the `cpu` table, with rows of a run.
    pub fn cpu(name: &str, shard: &Shard<'_>) -> Vec<Base> {
        cpu::forgeries(name, shard)
    }

    /// On the `merkle` table, with rows from [`super::base::merkle`].
    pub fn merkle(base: &Base) -> Vec<Base> {
        merkle::forgeries(base)
    }

    /// On one rule of the `keccak` table.
    pub fn keccak(rule: Rule) -> Option<Base> {
        keccak::forge(rule)
    }
}

/// All rules that a trace breaks by itself, told by the table's own evaluation: constraints, and
/// lookups that are not in their table.
///
/// # Errors
/// [`Violation::Shape`] if the trace does not fit the table.
pub fn broken<T: Table>(
    table: &T,
    trace: &RowMajorMatrix<Val>,
    publics: &[Val],
    code: &[[Val; 8]],
) -> Result<Vec<Rule>, Violation> {
    let rows = Rows::new(table, trace, publics)?;
    let mut rules = Vec::new();
    for row in 0..trace.height() {
        let (constraints, said) = rows.all_on(trace, row);
        rules.extend(constraints.into_iter().map(Rule::Constraint));
        let wrong = said.iter().filter(|said| !said.provided && Fixed::missed(&said.message, code));
        rules.extend(wrong.map(|said| Rule::Message(said.site)));
    }
    rules.sort_unstable();
    rules.dedup();
    Ok(rules)
}

/// The messages, by table and number, without which the tables of an honest run do not balance.
///
/// # Errors
/// The first [`Violation`] if they do not balance as they are.
pub fn missed(instances: &[Instance]) -> Result<BTreeSet<(&'static str, Rule)>, Violation> {
    machine::check(instances)?;
    let mut missed = BTreeSet::new();
    for instance in instances {
        let mut sums: HashMap<(usize, Message<Val>), Val> = HashMap::new();
        for said in machine::said(instance)? {
            *sums.entry((said.site, said.message)).or_default() += said.count;
        }
        // Everything together sums up to zero, so what is not zero by itself is missed.
        let needed = sums.into_iter().filter(|(_, sum)| *sum != Val::ZERO);
        let name = instance.chip.id().name();
        missed.extend(needed.map(|((site, _), _)| (name, Rule::Message(site))));
    }
    Ok(missed)
}
