//! What the tables of proofs cost: committed cells, and how many of them are padding.

use rwprove_circuits::{machine::ChipId, shape::Shape};
use rwprove_executor::Rows;
use rwprove_verifier::{config::EXTENSION, layout::TableLayout, machine};
use serde::Serialize;

/// Rows of the keccak table for one permutation.
const KECCAK_ROWS: u64 = 24;

/// Columns of the quotient, in base field elements.
pub(crate) fn quotient_columns(table: &TableLayout) -> usize {
    table.chunks() * EXTENSION
}

/// Committed base field elements of a row.
pub(crate) fn cells_per_row(table: &TableLayout) -> usize {
    table.width + table.preprocessed + table.lookup_width() + quotient_columns(table)
}

/// Rows that the shapes have for a table.
pub(crate) fn height(chip: ChipId, shapes: &[Shape]) -> u64 {
    shapes.iter().filter_map(|shape| shape.log_height(chip)).map(|log| 1 << log).sum()
}

/// A table of a run that was proved.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TableUse {
    table: &'static str,
    /// Rows that something happened in; none for tables that do not depend on the run.
    used: Option<u64>,
    /// Rows in all shards.
    rows: u64,
    cells_per_row: usize,
}

/// The tables of a run.
pub(crate) fn tables(used: &Rows, shapes: &[Shape]) -> Vec<TableUse> {
    let table = |&chip: &ChipId| TableUse {
        table: chip.name(),
        used: used_rows(chip, used),
        rows: height(chip, shapes),
        cells_per_row: cells_per_row(machine::table(chip)),
    };
    ChipId::ALL.iter().map(table).filter(|table| table.rows > 0).collect()
}

/// The part of all cells that is in rows without use.
pub(crate) fn padding(tables: &[TableUse]) -> f64 {
    let cells = |rows: fn(&TableUse) -> u64| -> u64 {
        tables.iter().map(|table| rows(table) * table.cells_per_row as u64).sum()
    };
    let (used, all) = (cells(|table| table.used.unwrap_or(table.rows)), cells(|table| table.rows));
    if all == 0 { 0.0 } else { 1.0 - used as f64 / all as f64 }
}

fn used_rows(chip: ChipId, used: &Rows) -> Option<u64> {
    Some(match chip {
        ChipId::Cpu => used.cpu,
        ChipId::Bitwise => used.bitwise,
        ChipId::Shift => used.shift,
        ChipId::Mul => used.mul,
        ChipId::Div => used.div,
        ChipId::Bits => used.bits,
        ChipId::Access => used.access,
        ChipId::Refresh => used.refresh,
        ChipId::Keccak => used.keccak * KECCAK_ROWS,
        ChipId::Fuel => used.fuel,
        ChipId::Merkle => used.merkle,
        ChipId::Program | ChipId::Bytes => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_what_was_not_used() {
        let shapes = [Shape::new([(ChipId::Cpu, 12), (ChipId::Keccak, 5), (ChipId::Bytes, 16)])];
        let used = Rows { cpu: 4096, keccak: 1, ..Rows::default() };
        let tables = tables(&used, &shapes);
        assert_eq!(tables.len(), 3);
        let keccak = cells_per_row(machine::table(ChipId::Keccak)) as f64;
        let all: f64 = tables.iter().map(|t| (t.rows * t.cells_per_row as u64) as f64).sum();
        assert!((padding(&tables) - 8.0 * keccak / all).abs() < 1e-9);
        assert_eq!(padding(&[]), 0.0);
    }
}
