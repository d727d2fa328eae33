//! Filling the `bits` table.

use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{
    Op, alu,
    record::{limbs, word},
};

use super::BitsCols;
use crate::{Val, coprocessor, counts::Counts, table::Shard};

pub(super) fn fill(shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
    let width = BitsCols::<Val>::WIDTH;
    coprocessor::fill(width, height, &shard.record.bits, |&row, cells| {
        let Some((instr, event)) = coprocessor::asker(shard, row) else { return };
        let x = word(event.a);
        let Some(result) = alu::coprocessor(instr, x, 0) else { return };
        let cols = columns(instr.op, x, result);
        count(&cols, counts);
        cols.write_to(cells);
    })
}

fn columns(op: Op, x: u32, result: u32) -> BitsCols<u32> {
    let is = |o: Op| (op == o) as u32;
    let counts_zeros = is(Op::Clz) + is(Op::Ctz);
    let first = match op {
        Op::Clz => x.checked_ilog2(),
        Op::Ctz if x != 0 => Some(x.trailing_zeros()),
        _ => None,
    };
    let pick = [0, 1, 2, 3].map(|i| (first.map(|bit| bit / 8) == Some(i)) as u32);
    let byte = first.map_or(0, |bit| x >> (bit / 8 * 8) & 0xff);
    BitsCols {
        clz: is(Op::Clz),
        ctz: is(Op::Ctz),
        popcnt: is(Op::Popcnt),
        extend8_s: is(Op::Extend8S),
        extend16_s: is(Op::Extend16S),
        bits: core::array::from_fn(|i| x >> i & 1),
        pick,
        zero: counts_zeros * first.is_none() as u32,
        byte,
        place: first.map_or(0, |bit| bit % 8),
        power: first.map_or(0, |bit| 1 << (bit % 8)),
        z: limbs(result),
    }
}

fn count(cols: &BitsCols<u32>, counts: &Counts) {
    if cols.pick == [0; 4] {
        return;
    }
    counts.pow(cols.place);
    if cols.clz == 1 {
        counts.pair(cols.byte - cols.power, 2 * cols.power - 1 - cols.byte);
    } else {
        counts.and(cols.byte, 256 - cols.byte);
    }
}
