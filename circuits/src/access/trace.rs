//! Filling the `access` table.

use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{
    Op,
    record::{AccessEvent, COPROCESSOR_TIME, clock, limbs, word},
};

use super::AccessCols;
use crate::{Val, coprocessor, counts::Counts, table::Shard};

pub(super) fn fill(shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
    let width = AccessCols::<Val>::WIDTH;
    coprocessor::fill(width, height, &shard.record.access, |access, cells| {
        let Some((instr, event)) = coprocessor::asker(shard, access.row) else { return };
        let cols = columns(instr.op, access, word(event.b));
        count(&cols, instr.op, counts);
        cols.write_to(cells);
    })
}

/// Bytes that an operation accesses.
fn size(op: Op) -> u32 {
    match op {
        Op::Load | Op::LoadBytes | Op::Store => 4,
        Op::Load16S | Op::Load16U | Op::Store16 => 2,
        _ => 1,
    }
}

fn crosses(op: Op, at: u32) -> bool {
    at + 1 < size(op)
}

fn columns(op: Op, access: &AccessEvent, b: u32) -> AccessCols<u32> {
    let at = access.last_byte % 4;
    let is = |o: Op| (op == o) as u32;
    // A word that is not accessed stays empty.
    let crossing = crosses(op, at) as u32;
    let [first, last] = [access.before[0] * crossing, access.before[1]];
    let [first_after, last_after] = [access.after[0] * crossing, access.after[1]];

    let stores = matches!(op, Op::Store | Op::Store16 | Op::Store8 | Op::StoreByte);
    let window = if stores {
        let [b0, b1, b2, b3] = coprocessor::bytes(b);
        match size(op) {
            4 => [b0, b1, b2, b3],
            2 => [0, 0, b0, b1],
            _ => [0, 0, b1, b0],
        }
    } else {
        let both = u64::from(last) << 32 | u64::from(first);
        coprocessor::bytes((both >> (8 * (at + 1))) as u32)
    };
    let top = window[3];
    let loaded = match op {
        Op::Load | Op::LoadBytes => u32::from_le_bytes(window.map(|b| b as u8)),
        Op::Load16U => window[2] | top << 8,
        Op::Load16S => (window[2] | top << 8) as u16 as i16 as u32,
        Op::Load8U | Op::LoadByte => top,
        Op::Load8S => top as u8 as i8 as u32,
        _ => 0,
    };
    AccessCols {
        load: is(Op::Load),
        load_bytes: is(Op::LoadBytes),
        load16_s: is(Op::Load16S),
        load16_u: is(Op::Load16U),
        load8_s: is(Op::Load8S),
        load8_u: is(Op::Load8U),
        load_byte: is(Op::LoadByte),
        store: is(Op::Store),
        store16: is(Op::Store16),
        store8: is(Op::Store8),
        store_byte: is(Op::StoreByte),
        clk: clock(access.row as usize),
        address_high: access.last_byte >> 16,
        address_low: (access.last_byte & 0xffff) / 4,
        at: [0, 1, 2, 3].map(|o| (o == at) as u32),
        first: coprocessor::bytes(first),
        last: coprocessor::bytes(last),
        window,
        sign: top >> 7,
        y: if stores { limbs(b) } else { [0; 2] },
        z: limbs(loaded),
        first_after: limbs(first_after),
        last_after: limbs(last_after),
        first_time: access.times[0] * crossing,
        last_time: access.times[1],
    }
}

fn count(cols: &AccessCols<u32>, op: Op, counts: &Counts) {
    for [a, b, c, d] in [cols.first, cols.last, cols.window] {
        counts.pair(a, b);
        counts.pair(c, d);
    }
    counts.pair(2 * (cols.window[3] & 0x7f), 0);
    counts.range16(cols.address_low);
    let gap = |time: u32| (cols.clk + COPROCESSOR_TIME - 1).wrapping_sub(time);
    counts.range16(gap(cols.last_time));
    let at = cols.at[1] + 2 * cols.at[2] + 3 * cols.at[3];
    if crosses(op, at) {
        counts.range16(gap(cols.first_time));
    }
}
