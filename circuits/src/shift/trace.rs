//! Filling the `shift` table.

use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{Op, record::word};

use super::ShiftCols;
use crate::{Val, coprocessor, counts::Counts, table::Shard};

pub(super) fn fill(shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
    let width = ShiftCols::<Val>::WIDTH;
    coprocessor::fill(width, height, &shard.record.shift, |&row, cells| {
        let Some((instr, event)) = coprocessor::asker(shard, row) else { return };
        let (a, b) = (word(event.a), word(event.b));
        let cols = columns(instr.op, u32::from(instr.k), a, b);
        count(&cols, counts);
        cols.write_to(cells);
    })
}

fn columns(op: Op, k: u32, a: u32, b: u32) -> ShiftCols<u32> {
    let (x, y) = (coprocessor::bytes(a), coprocessor::bytes(b));
    let sign = a >> 31;
    let fshl = op == Op::Fshl;
    let (hi, lo) = match op {
        Op::Shl => (a, 0),
        Op::ShrU => (0, a),
        Op::ShrS => (0_u32.wrapping_sub(sign), a),
        Op::Fshl => (a, b),
        _ => (a, a),
    };
    let right = matches!(op, Op::ShrU | Op::ShrS | Op::Rotr);
    let s = if fshl { k & 31 } else { b & 31 };
    let n = if right { 31 - s } else { s };
    let (whole, bits) = (n / 8, n % 8);
    let power = 1 << bits;

    // The five bytes end where 8 `whole` bits are shifted out at the top.
    let value = u64::from(hi) << 32 | u64::from(lo);
    let window = value >> (24 - 8 * whole);
    let byte = |i: u32| (window >> (8 * i)) as u32 & 0xff;
    let selected = [byte(0), byte(1) | byte(2) << 8, byte(3) | byte(4) << 8];
    let factor = power << (right as u32);
    let low = selected[0] * factor;
    let middle = selected[1] * factor + (low >> 8);
    let high = selected[2] * factor + (middle >> 16);
    ShiftCols {
        shl: (op == Op::Shl) as u32,
        shr_u: (op == Op::ShrU) as u32,
        shr_s: (op == Op::ShrS) as u32,
        rotl: (op == Op::Rotl) as u32,
        rotr: (op == Op::Rotr) as u32,
        fshl: fshl as u32,
        constant: if fshl { n } else { 0 },
        x,
        y,
        wraps: if fshl { 0 } else { y[0] / 32 },
        sign,
        bits: [bits & 1, bits >> 1 & 1, bits >> 2],
        whole: [0, 1, 2, 3].map(|w| (w == whole) as u32),
        power_less_one: power - 1,
        selected,
        dropped: low & 0xff,
        carry: [low >> 8, middle >> 16, high >> 16],
        z: [middle & 0xffff, high & 0xffff],
    }
}

fn count(cols: &ShiftCols<u32>, counts: &Counts) {
    counts.pair(2 * (cols.x[3] & 0x7f), cols.wraps);
    for [a, b, c, d] in [cols.x, cols.y] {
        counts.pair(a, b);
        counts.pair(c, d);
    }
    counts.pair(cols.dropped, cols.carry[0]);
    counts.pair(cols.carry[1], cols.carry[2]);
    cols.z.into_iter().for_each(|limb| counts.range16(limb));
}
