//! How much memory proving takes, and which shards stay below a bound.

use rwprove_circuits::{
    machine::ChipId,
    shape::{CPU_CLASSES, Shape, log_heights},
};
use rwprove_executor::Rows;
use rwprove_verifier::{
    VerifyingKey,
    config::{EXTENSION, Parameters},
    layout::{ProofLayout, TableLayout},
    machine,
};

use crate::error::ProveError;

/// Bytes of a base field element.
const ELEMENT: u64 = 4;
/// Bytes of a digest in a Merkle tree; a tree has twice as many as leaves.
const DIGEST: u64 = 32;

/// About how many bytes a table's columns take: each is kept as it is, copied and extended.
fn bytes(table: &TableLayout, log_height: usize, parameters: Parameters) -> u64 {
    let columns = table.width + table.lookup_width() + table.chunks() * EXTENSION;
    (columns as u64 * ELEMENT * (2 + (1 << parameters.log_blowup))) << log_height
}

/// About how many bytes proving a shard of these tables takes at its peak: all columns, the trees
/// above them, and the codeword of the low-degree test.
pub fn estimate(layout: &ProofLayout<'_>) -> u64 {
    let tables = layout.tables.iter();
    let columns: u64 = tables.map(|(table, height)| bytes(table, *height, layout.parameters)).sum();
    columns + ((3 * 2 * DIGEST + 4 * EXTENSION as u64 * ELEMENT) << layout.log_height())
}

/// Bound without a wish.
pub(crate) const DEFAULT: u64 = 6 << 30;

/// The rows of the largest shards whose proofs take at most `allowed` bytes.
///
/// Starting from the largest shape, the table that costs most is halved until the shape fits, so
/// no single kind of work makes shards needlessly small.
pub(crate) fn limits(key: &VerifyingKey, allowed: u64) -> Result<Rows, ProveError> {
    let log_program = key.log_height as usize;
    let mut shape = Shape::largest(CPU_CLASSES.last().copied().unwrap_or(0), log_program);
    loop {
        let layout = machine::layout(&shape, key.preset.parameters());
        let needed = estimate(&layout);
        if needed <= allowed {
            return Ok(rows(&shape));
        }
        let costs = shape.tables().filter_map(|(chip, log_height)| {
            let lower = lower(chip, log_height)?;
            Some((bytes(machine::table(chip), log_height, layout.parameters), chip, lower))
        });
        let Some((_, chip, lower)) = costs.max_by_key(|(bytes, ..)| *bytes) else {
            return Err(ProveError::Memory { needed, allowed });
        };
        let others = shape.tables().filter(|(other, _)| *other != chip);
        let tables = others.chain([(chip, lower)]);
        shape = Shape::new(tables.map(|(chip, log_height)| (chip, log_height as u8)));
    }
}

/// The next smaller height of a table, if it may have one.
fn lower(chip: ChipId, log_height: usize) -> Option<usize> {
    let (min, _) = log_heights(chip);
    match chip {
        ChipId::Program | ChipId::Bytes => None,
        ChipId::Cpu => CPU_CLASSES.iter().copied().filter(|class| *class < log_height).max(),
        _ => log_height.checked_sub(1).filter(|lower| *lower >= min.max(LOG_INSTRUCTION)),
    }
}

/// log2 of a height that holds what any one group of instructions adds to a table.
const LOG_INSTRUCTION: usize = 10;

/// What the executor may put into a shard of a shape.
pub(crate) fn rows(shape: &Shape) -> Rows {
    Rows {
        cpu: shape.room(ChipId::Cpu),
        bitwise: shape.room(ChipId::Bitwise),
        shift: shape.room(ChipId::Shift),
        mul: shape.room(ChipId::Mul),
        div: shape.room(ChipId::Div),
        bits: shape.room(ChipId::Bits),
        access: shape.room(ChipId::Access),
        refresh: shape.room(ChipId::Refresh),
        keccak: shape.room(ChipId::Keccak),
        fuel: shape.room(ChipId::Fuel),
        merkle: shape.room(ChipId::Merkle),
    }
}
