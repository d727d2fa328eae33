//! Filling the `fuel` table.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{
    Instr, Op,
    record::{COPROCESSOR_TIME, CpuEvent, FuelEvent, Outcome, clock, limbs},
};

use super::FuelCols;
use crate::{
    Val,
    coprocessor::{self, limbs64},
    counts::Counts,
    table::Shard,
};

/// What an event charges, in limbs; nothing if it is refused or a question.
fn charged(instr: &Instr, event: &CpuEvent) -> [u32; 4] {
    match (instr.op, event.outcome) {
        (Op::FuelCharge, Outcome::Plain) => amount(event),
        _ => [0; 4],
    }
}

/// The four limbs of `b + 2^32 a`.
fn amount(event: &CpuEvent) -> [u32; 4] {
    let ([low, high], [low2, high2]) = (event.b, event.a);
    [low, high, low2, high2]
}

/// The sums before each event, and last those after all.
fn sums(shard: &Shard<'_>) -> Vec<[u32; 4]> {
    let mut sum = [0; 4];
    let mut sums = vec![sum];
    for event in &shard.record.fuel {
        if let Some((instr, event)) = coprocessor::asker(shard, event.row) {
            let limbs = charged(instr, event);
            sum = core::array::from_fn(|i| sum[i] + limbs[i]);
        }
        sums.push(sum);
    }
    sums
}

pub(super) fn publics(shard: &Shard<'_>) -> Vec<Val> {
    let record = shard.record;
    let charged = sums(shard).pop().unwrap_or_default();
    let publics = [limbs64(record.start.fuel), limbs64(record.fuel_limit), charged];
    publics.concat().into_iter().map(Val::from_u32).collect()
}

pub(super) fn fill(shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
    let sums = sums(shard);
    let events = &shard.record.fuel;
    // Padding keeps the sums.
    let last = sums.last().copied().unwrap_or_default();
    let rows: Vec<_> = (0..height)
        .map(|i| (events.get(i), events.get(i + 1), sums.get(i).copied().unwrap_or(last)))
        .collect();
    coprocessor::fill(FuelCols::<Val>::WIDTH, height, &rows, |&(event, next, sums), cells| {
        let mut cols = FuelCols { sums, ..FuelCols::from_row(cells) };
        if let Some(event) = event {
            let next = next.map_or(event.row + 1, |next| next.row);
            fill_event(&mut cols, shard, event, next);
            count(&cols, counts);
        }
        cols.write_to(cells);
    })
}

fn fill_event(cols: &mut FuelCols<u32>, shard: &Shard<'_>, fuel: &FuelEvent, next: u32) {
    let Some((instr, event)) = coprocessor::asker(shard, fuel.row) else { return };
    let clk = clock(fuel.row as usize);
    let gap = clock(next as usize).wrapping_sub(clk + 1);
    cols.clk = clk;
    cols.gap = limbs(gap);
    match instr.op {
        Op::FuelCharge => {
            cols.charge = 1;
            cols.refused = (event.outcome == Outcome::Trap) as u32;
            cols.amount = amount(event);
            cols.time = fuel.times.map(|time| time * cols.refused);
            cols.z = [cols.refused, 0];
        }
        _ => {
            let spent = event.spent + u32::from(instr.fuel);
            question(cols, shard, spent);
            cols.left_low = (instr.op == Op::FuelLeftLo) as u32;
            cols.left_high = (instr.op == Op::FuelLeftHi) as u32;
            let [a, b, c, d] = cols.left;
            cols.z = if cols.left_low == 1 { [a, b] } else { [c, d] };
        }
    }
}

fn question(cols: &mut FuelCols<u32>, shard: &Shard<'_>, spent: u32) {
    let record = shard.record;
    let dynamic = cols
        .sums
        .iter()
        .rev()
        .fold(0_u64, |sum, limb| sum.wrapping_shl(16).wrapping_add(u64::from(*limb)));
    let consumed = record.start.fuel.wrapping_add(dynamic).wrapping_add(u64::from(spent));
    cols.amount[2] = spent;
    cols.spent = limbs(spent);
    cols.left = limbs64(record.fuel_limit.wrapping_sub(consumed));
    let start = limbs64(record.start.fuel);
    let mut carry = 0;
    for (i, out) in cols.carry.iter_mut().enumerate() {
        let spent = cols.spent.get(i).copied().unwrap_or(0);
        carry = (start[i] + cols.sums[i] + spent + cols.left[i] + carry) >> 16;
        *out = carry;
    }
}

fn count(cols: &FuelCols<u32>, counts: &Counts) {
    counts.range16(cols.gap[0]);
    counts.pair(cols.gap[1], 0);
    if cols.refused == 1 {
        for time in cols.time {
            counts.range16((cols.clk + COPROCESSOR_TIME - 1).wrapping_sub(time));
        }
    }
    if cols.charge == 0 {
        counts.range16(cols.spent[0]);
        cols.left.into_iter().for_each(|limb| counts.range16(limb));
        for small in [cols.spent[1], cols.carry[0], cols.carry[1], cols.carry[2]] {
            counts.range16(small);
            counts.range16(2 * small + 512);
        }
    }
}
