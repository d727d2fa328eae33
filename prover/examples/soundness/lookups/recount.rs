//! Claims with counts made to fit: a cell changes, and the counts of the fixed tables with it, as
//! often as it takes, modulo the field's order, until no lookup is left that a count could repair.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{
    Val,
    check::{Lookups, Violation},
    machine::{ChipId, Instance},
};

use super::tables::{column, find, first_row, verdict};
use crate::score::Score;

/// Table, flag of the row, column and what is added to it.
const CLAIMS: [(ChipId, &str, &str, i32); 16] = [
    (ChipId::Cpu, "ARead", "a_time", -1),
    (ChipId::Cpu, "ARead", "a_time", 1),
    (ChipId::Cpu, "BRead", "b_time", -1),
    (ChipId::Cpu, "CWrite", "c_time", -1),
    (ChipId::Cpu, "CWrite", "c_before[0]", 1),
    (ChipId::Cpu, "Alu", "c[0]", 1),
    (ChipId::Cpu, "real", "ia", 1),
    (ChipId::Cpu, "real", "ic", 1),
    (ChipId::Cpu, "real", "tag", 1),
    (ChipId::Cpu, "real", "fuel", 1),
    (ChipId::Access, "load8_u", "last_time", -1),
    (ChipId::Access, "load8_u", "clk", 4),
    (ChipId::Keccak, "export", "time[0]", -1),
    (ChipId::Fuel, "charge", "amount[0]", 1),
    (ChipId::Merkle, "leaf", "time[0]", 1),
    (ChipId::Div, "div32", "clk", 4),
];

/// Lookups that are repaired at most, one by one.
const ROUNDS: usize = 40;

pub(super) fn run(score: &mut Score, base: &[Instance]) {
    // The tool works: counts that are all wrong are found again.
    let mut scrambled = base.to_vec();
    for (name, row) in [("range16", 3), ("and", 7), ("pair", 258), ("pow", 4)] {
        *cell(&mut scrambled, ChipId::Bytes, row, name) -= Val::TWO;
    }
    *cell(&mut scrambled, ChipId::Program, 5, "fetched") += Val::ONE;
    assert!(verdict(&scrambled, Lookups::Counted).is_err());
    assert_eq!(recounted(scrambled), Ok(()));

    for (id, flag, name, more) in CLAIMS {
        let what = format!("{}.{name} {more:+}, counts to fit", id.name());
        let Some(row) = first_row(find(base, id), flag) else {
            score.failures.push(format!("{what}: no row has {flag}"));
            continue;
        };
        let mut claimed = base.to_vec();
        *cell(&mut claimed, id, row, name) += Val::from_i32(more);
        score.attempt(recounted(claimed).is_err(), || what);
    }
}

fn cell<'a>(tables: &'a mut [Instance], id: ChipId, row: usize, name: &str) -> &'a mut Val {
    let table = tables.iter_mut().find(|instance| instance.chip.id() == id).unwrap();
    let column = column(table, name);
    &mut table.trace.values[row * table.trace.width + column]
}

/// The verdict after all counts are made to fit.
fn recounted(mut tables: Vec<Instance>) -> Result<(), Violation> {
    for _ in 0..ROUNDS {
        let Err(violation) = verdict(&tables, Lookups::Counted) else { return Ok(()) };
        let Violation::Bus { kind, fields, surplus, .. } = &violation else {
            return Err(violation);
        };
        let Some((id, row, name)) = count_of(kind, fields) else { return Err(violation) };
        *cell(&mut tables, id, row, name) += Val::from_i64(*surplus);
    }
    verdict(&tables, Lookups::Counted)
}

/// Where a lookup is counted, if it is one that a fixed table has a row for.
fn count_of(kind: &str, fields: &[u32]) -> Option<(ChipId, usize, &'static str)> {
    let pair = |x: u32, y: u32| (x < 256 && y < 256).then_some((x | y << 8) as usize);
    match (kind, fields) {
        ("range16", &[x]) if x < 1 << 16 => Some((ChipId::Bytes, x as usize, "range16")),
        ("and", &[x, y, _]) => Some((ChipId::Bytes, pair(x, y)?, "and")),
        ("pair", &[x, y]) => Some((ChipId::Bytes, pair(x, y)?, "pair")),
        ("pow", &[j, _]) if j <= 16 => Some((ChipId::Bytes, j as usize, "pow")),
        ("fetch", &[pc, ..]) if pc < 1 << 10 => Some((ChipId::Program, pc as usize, "fetched")),
        _ => None,
    }
}
