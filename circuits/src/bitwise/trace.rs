//! Filling the `bitwise` table.

use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{
    Op, alu,
    record::{limbs, word},
};

use super::BitwiseCols;
use crate::{Val, coprocessor, counts::Counts, table::Shard};

pub(super) fn fill(shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
    let width = BitwiseCols::<Val>::WIDTH;
    coprocessor::fill(width, height, &shard.record.bitwise, |&row, cells| {
        let Some((instr, event)) = coprocessor::asker(shard, row) else { return };
        let (a, b) = (word(event.a), word(event.b));
        let Some(result) = alu::coprocessor(instr, a, b) else { return };
        let cols = BitwiseCols {
            and: (instr.op == Op::And) as u32,
            or: (instr.op == Op::Or) as u32,
            xor: (instr.op == Op::Xor) as u32,
            x: coprocessor::bytes(a),
            y: coprocessor::bytes(b),
            both: coprocessor::bytes(a & b),
            z: limbs(result),
        };
        for (&x, &y) in cols.x.iter().zip(&cols.y) {
            counts.and(x, y);
        }
        cols.write_to(cells);
    })
}
