//! Shapes: which tables a shard's proof has, and how high they are.

mod listed;
#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::{
    bytes,
    machine::{ChipId, Machine},
    program,
    table::Shard,
};

pub use listed::{KECCAK_COST, listed};

/// Allowed heights of the `cpu` table, as log2. Few, so that shards come in few sizes.
pub const CPU_CLASSES: &[usize] = &[12, 14, 16, 17, 18, 19, 20];

/// Rows of the keccak table for one permutation.
const KECCAK_ROWS: usize = 24;

/// Smallest and largest log2 of a table's height.
///
/// The largest bound the multiplicities of messages, see the test of the whole machine; that of
/// `cpu` bounds clocks and static fuel as well.
pub const fn log_heights(chip: ChipId) -> (usize, usize) {
    match chip {
        ChipId::Cpu => (CPU_CLASSES[0], CPU_CLASSES[CPU_CLASSES.len() - 1]),
        ChipId::Keccak => (5, 17),
        ChipId::Fuel => (4, 14),
        ChipId::Program => {
            (program::LOG_HEIGHTS[0], program::LOG_HEIGHTS[program::LOG_HEIGHTS.len() - 1])
        }
        ChipId::Bytes => (bytes::LOG_HEIGHT, bytes::LOG_HEIGHT),
        _ => (8, 20),
    }
}

/// Whether every shard has the table. Others are there if they have rows.
pub const fn always_present(chip: ChipId) -> bool {
    matches!(chip, ChipId::Cpu | ChipId::Merkle | ChipId::Program | ChipId::Bytes)
}

/// Why heights are not a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ShapeError {
    /// A table that every shard has is not there.
    #[error("the table {0} is missing")]
    Missing(&'static str),
    /// A height that the table cannot have.
    #[error("table {table} has 2^{found} rows; allowed is 2^{min} to 2^{max}")]
    Height {
        /// Table.
        table: &'static str,
        /// log2 of its height.
        found: usize,
        /// Smallest.
        min: usize,
        /// Largest.
        max: usize,
    },
    /// The cpu table's height is between two classes.
    #[error("the cpu table has 2^{0} rows, which is not one of its heights")]
    Class(usize),
    /// None of the shapes in question holds the shard.
    #[error("no shape of the list holds the shard")]
    Unlisted,
}

/// Which tables are present, and log2 of the height of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    log_heights: [Option<u8>; ChipId::COUNT],
}

impl Shape {
    /// A shape with these tables and log2 of their heights; for a verifier, which must
    /// [`Shape::check`] it.
    pub fn new(tables: impl IntoIterator<Item = (ChipId, u8)>) -> Self {
        let mut shape = Self::default();
        for (chip, log_height) in tables {
            shape.log_heights[chip as usize] = Some(log_height);
        }
        shape
    }

    /// The smallest shape that holds a shard.
    ///
    /// # Errors
    /// [`ShapeError::Height`] if a table has more rows than it may.
    pub fn for_shard(machine: &Machine, shard: &Shard<'_>) -> Result<Self, ShapeError> {
        let mut shape = Self::default();
        for chip in machine.chips() {
            let (id, rows) = (chip.id(), chip.rows(shard));
            if rows == 0 && !always_present(id) {
                continue;
            }
            let needed = rows.next_power_of_two().trailing_zeros() as usize;
            let (min, max) = log_heights(id);
            let log_height = match id {
                ChipId::Cpu => CPU_CLASSES.iter().copied().find(|class| *class >= needed),
                _ => Some(needed.max(min)).filter(|log_height| *log_height <= max),
            };
            let table = id.name();
            let wrong = ShapeError::Height { table, found: needed, min, max };
            shape.log_heights[id as usize] = Some(log_height.ok_or(wrong)? as u8);
        }
        Ok(shape)
    }

    /// The first of these shapes, all for the shard's program, that holds the shard.
    ///
    /// # Errors
    /// [`ShapeError::Unlisted`] if there is none.
    pub fn first(
        shapes: &[Self],
        machine: &Machine,
        shard: &Shard<'_>,
    ) -> Result<Self, ShapeError> {
        let holds = |shape: &&Self| {
            machine.chips().iter().all(|chip| {
                let height = shape.log_height(chip.id()).map_or(0, |log_height| 1 << log_height);
                chip.rows(shard) <= height
            })
        };
        shapes.iter().find(holds).copied().ok_or(ShapeError::Unlisted)
    }

    /// The largest shape for a cpu table of `2^log_cpu` rows: no table but the fixed ones is
    /// higher than the cpu table, and keccak, which is wide, is an eighth of it.
    pub fn largest(log_cpu: usize, log_program: usize) -> Self {
        let bounded = |chip: ChipId| {
            let (min, max) = log_heights(chip);
            let wanted = match chip {
                ChipId::Program => log_program,
                ChipId::Keccak => log_cpu.saturating_sub(3),
                _ => log_cpu,
            };
            (chip, wanted.clamp(min, max) as u8)
        };
        Self::new(ChipId::ALL.iter().copied().map(bounded))
    }

    /// log2 of a table's height, if it is present.
    pub fn log_height(&self, chip: ChipId) -> Option<usize> {
        self.log_heights[chip as usize].map(usize::from)
    }

    /// The tables that are present, in the order of the machine, with log2 of their heights.
    pub fn tables(&self) -> impl Iterator<Item = (ChipId, usize)> + '_ {
        ChipId::ALL.iter().filter_map(|&chip| Some((chip, self.log_height(chip)?)))
    }

    /// What the executor may put into a table: rows, of keccak permutations. The last row of the
    /// cpu table is counted although it stays empty.
    pub fn room(&self, chip: ChipId) -> u64 {
        let height = self.log_height(chip).map_or(0, |log_height| 1u64 << log_height);
        if chip == ChipId::Keccak { height / KECCAK_ROWS as u64 } else { height }
    }

    /// Whether the machine allows the shape for a program whose table has `2^log_program` rows.
    ///
    /// # Errors
    /// [`ShapeError`] names the table.
    pub fn check(&self, log_program: usize) -> Result<(), ShapeError> {
        for &chip in ChipId::ALL {
            let (mut min, mut max) = log_heights(chip);
            if chip == ChipId::Program {
                (min, max) = (log_program, log_program);
            }
            let table = chip.name();
            match self.log_height(chip) {
                None if always_present(chip) => return Err(ShapeError::Missing(table)),
                Some(found) if !(min..=max).contains(&found) => {
                    return Err(ShapeError::Height { table, found, min, max });
                }
                Some(found) if chip == ChipId::Cpu && !CPU_CLASSES.contains(&found) => {
                    return Err(ShapeError::Class(found));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
