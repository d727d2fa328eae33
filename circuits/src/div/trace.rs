//! Filling the `div` table.

use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{
    Op,
    record::{clock, word},
};

use super::DivCols;
use crate::{
    Val,
    coprocessor::{self, limbs64, product_limbs},
    counts::Counts,
    table::Shard,
};

pub(super) fn fill(shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
    let width = DivCols::<Val>::WIDTH;
    coprocessor::fill(width, height, &shard.record.div, |&row, cells| {
        let Some((instr, low)) = coprocessor::asker(shard, row) else { return };
        let (mut a, mut b) = (u64::from(word(low.a)), u64::from(word(low.b)));
        let wide = matches!(instr.op, Op::DivU64Lo | Op::RemU64Lo);
        if wide {
            let Some((_, high)) = coprocessor::asker(shard, row + 1) else { return };
            a |= u64::from(word(high.a)) << 32;
            b |= u64::from(word(high.b)) << 32;
        }
        let clk = if wide { clock(row as usize) } else { 0 };
        let Some(cols) = columns(instr.op, clk, a, b) else { return };
        count(&cols, counts);
        cols.write_to(cells);
    })
}

/// `None` for a division by zero, which no row can show.
fn columns(op: Op, clk: u32, a: u64, b: u64) -> Option<DivCols<u32>> {
    let (q, r) = (a.checked_div(b)?, a.checked_rem(b)?);
    let bytes = |x: u64| x.to_le_bytes().map(u32::from);
    let (q_bytes, b_bytes) = (bytes(q), bytes(b));
    let (_, carry) = product_limbs(&q_bytes, &b_bytes, limbs64(r));
    let (b_limbs, r_limbs) = (limbs64(b), limbs64(r));
    let top = (0..4).rev().find(|&i| b_limbs[i] != r_limbs[i])?;
    let is = |o: Op| (op == o) as u32;
    let remainder = matches!(op, Op::RemU | Op::RemU64Lo);
    Some(DivCols {
        div32: is(Op::DivU),
        rem32: is(Op::RemU),
        div64: is(Op::DivU64Lo),
        rem64: is(Op::RemU64Lo),
        clk,
        a: limbs64(a),
        b: b_bytes,
        q: q_bytes,
        r: r_limbs,
        carry,
        top: [0, 1, 2, 3].map(|i| (i == top) as u32),
        rest: b_limbs[top].wrapping_sub(r_limbs[top] + 1),
        z: limbs64(if remainder { r } else { q }),
    })
}

fn count(cols: &DivCols<u32>, counts: &Counts) {
    for bytes in [cols.b, cols.q] {
        bytes.chunks(2).for_each(|pair| counts.pair(pair[0], pair[1]));
    }
    cols.r.into_iter().for_each(|limb| counts.range16(limb));
    coprocessor::count_small_carries(cols.carry, counts);
    counts.range16(cols.rest);
}
