//! The cells that may be free: `free_columns.txt`, read and applied.
#![allow(clippy::panic, reason = "the file is part of these sources")]

use std::sync::LazyLock;

/// Lines of the file: columns of a table that are free on some rows.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) table: &'static str,
    pub(super) columns: Vec<&'static str>,
    pub(super) used: Condition,
}

/// Which rows use a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// The column's cell is not zero.
    Cell(&'static str),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// All rules, in the order of the file.
pub(super) static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    read(include_str!("../../free_columns.txt")).unwrap_or_else(|error| panic!("{error}"))
});

/// The rule that leaves a column free, given the cells of its row that are not zero. `None` means
/// that it must be bound.
pub(super) fn rule(table: &str, column: &str, nonzero: &dyn Fn(&str) -> bool) -> Option<usize> {
    RULES.iter().position(|rule| {
        let named = rule.columns.iter().any(|name| stands_for(name, column));
        rule.table == table && named && !rule.used.holds(nonzero)
    })
}

/// Whether a name in the file means the column: `x` stands for `x[3]` too.
pub(super) fn stands_for(name: &str, column: &str) -> bool {
    column.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}

impl Condition {
    fn holds(&self, nonzero: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Condition::Cell(name) => nonzero(name),
            Condition::Not(inner) => !inner.holds(nonzero),
            Condition::All(parts) => parts.iter().all(|part| part.holds(nonzero)),
            Condition::Any(parts) => parts.iter().any(|part| part.holds(nonzero)),
        }
    }

    /// The columns that the condition reads.
    #[cfg(test)]
    pub(super) fn cells(&self) -> Vec<&'static str> {
        match self {
            Condition::Cell(name) => vec![name],
            Condition::Not(inner) => inner.cells(),
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().flat_map(Condition::cells).collect()
            }
        }
    }
}

fn read(text: &'static str) -> Result<Vec<Rule>, String> {
    let mut rules = Vec::new();
    let mut explained = false;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let Some(line) = line.strip_prefix("  ") else {
            explained = true;
            continue;
        };
        let wrong = || format!("free columns, {line:?}: not `table: columns; used if condition`");
        let (table, rest) = line.split_once(": ").ok_or_else(wrong)?;
        let (columns, condition) = rest.split_once("; used if ").ok_or_else(wrong)?;
        if !explained {
            return Err(format!("free columns, {line:?}: no reason stands before it"));
        }
        let mut rest = condition;
        let used = any(&mut rest).filter(|_| rest.is_empty()).ok_or_else(wrong)?;
        rules.push(Rule { table, columns: columns.split(' ').collect(), used });
    }
    Ok(rules)
}

/// `all | all | …`
fn any(rest: &mut &'static str) -> Option<Condition> {
    list(rest, '|', all).map(Condition::Any)
}

/// `one & one & …`
fn all(rest: &mut &'static str) -> Option<Condition> {
    list(rest, '&', one).map(Condition::All)
}

fn list(
    rest: &mut &'static str,
    separator: char,
    part: fn(&mut &'static str) -> Option<Condition>,
) -> Option<Vec<Condition>> {
    let mut parts = vec![part(rest)?];
    while token(rest, separator) {
        parts.push(part(rest)?);
    }
    Some(parts)
}

/// `!one`, `(any)` or a column.
fn one(rest: &mut &'static str) -> Option<Condition> {
    if token(rest, '!') {
        return Some(Condition::Not(Box::new(one(rest)?)));
    }
    if token(rest, '(') {
        return any(rest).filter(|_| token(rest, ')'));
    }
    let text = rest.trim_start();
    let end = text.find([' ', '|', '&', '!', '(', ')']).unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    *rest = after;
    (!name.is_empty()).then_some(Condition::Cell(name))
}

/// Takes a character if it is the next one.
fn token(rest: &mut &'static str, wanted: char) -> bool {
    let after = rest.trim_start().strip_prefix(wanted);
    if let Some(after) = after {
        *rest = after;
    }
    after.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        harness::{mov, program},
        machine::{Chip, Machine},
    };
    use p3_air::BaseAir;

    /// The names that a condition may use and those that may be free.
    fn names(chip: &Chip) -> (Vec<String>, Vec<String>) {
        let columns = chip.columns();
        let publics = (0..chip.num_public_values()).map(|i| format!("public[{i}]"));
        let fixed = (0..chip.preprocessed_width()).map(|i| format!("fixed[{i}]"));
        (
            columns.iter().cloned().chain(fixed).collect(),
            columns.into_iter().chain(publics).collect(),
        )
    }

    #[test]
    fn every_name_is_a_column_of_its_table() {
        let machine = Machine::new(&program(&[mov(0, 1)], 1));
        for Rule { table, columns, used } in RULES.iter() {
            let chip = machine.chips().iter().find(|chip| chip.id().name() == *table).unwrap();
            let (readable, free) = names(chip);
            for column in columns {
                assert!(free.iter().any(|name| stands_for(column, name)), "{table}: {column}");
            }
            for cell in used.cells() {
                let cell = cell.strip_suffix('\'').unwrap_or(cell);
                assert!(readable.iter().any(|name| stands_for(cell, name)), "{table}: {cell}");
            }
        }
    }

    #[test]
    fn there_are_at_most_ten_reasons() {
        let text = include_str!("../../free_columns.txt");
        let reasons = text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', ' ']));
        assert!(reasons.count() <= 10);
    }

    #[test]
    fn conditions_mean_what_they_say() {
        let rules = read("reason\n  t: x; used if a & !b | !(c | d) & a'").unwrap();
        let holds = |cells: &[&str]| rules[0].used.holds(&|name| cells.contains(&name));
        assert!(holds(&["a"]) && holds(&["a'"]) && holds(&["a", "c"]));
        assert!(!holds(&["a", "b"]) && !holds(&["a'", "c"]) && !holds(&[]));
    }

    #[test]
    fn broken_lines_are_refused() {
        for text in [
            "  t: x; used if a",
            "reason\n  t x; used if a",
            "reason\n  t: x",
            "reason\n  t: x; used if a |",
            "reason\n  t: x; used if (a",
            "reason\n  t: x; used if a b",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
