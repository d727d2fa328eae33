//! Attacks on the `cpu` table, made by hand: where shards begin and end, and rows that are not
//! real.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::Matrix;
use rwprove_isa::record::{CpuEvent, Record, Registers};

use super::{Base, code};
use crate::{
    Val,
    counts::Counts,
    cpu::{Cpu, CpuCols},
    table::{Fill, Shard},
};

/// All attacks with the rows of a run.
pub(super) fn forgeries(name: &str, shard: &Shard<'_>) -> Vec<Base> {
    let mut forgeries = Vec::new();
    let instr = |event: &CpuEvent| shard.program.code.get(event.pc as usize);
    let at = |row: usize| shard.record.cpu.get(row);
    let chained = (0..).map_while(at).position(|event| instr(event).is_some_and(|i| i.chain));
    if let Some(row) = chained {
        forgeries.push(cut(
            &format!("{name}: a shard that starts with a chained row"),
            shard,
            row,
            2,
        ));
    }
    let mut unpadded = cut(&format!("{name}: a shard that ends with a real row"), shard, 0, 1);
    for (place, value) in (4..8).zip(0..) {
        unpadded.publics[place] = unpadded.publics[value];
    }
    unpadded.publics[8] = Val::ZERO;
    forgeries.push(unpadded);
    let mut late = cut(&format!("{name}: a shard that starts with padding"), shard, 0, 4);
    let padding =
        CpuCols::from_row(&late.trace.row_slice(3).map(|row| row.to_vec()).unwrap_or_default());
    let first =
        CpuCols::from_row(&late.trace.row_slice(0).map(|row| row.to_vec()).unwrap_or_default());
    let (pc, fp, depth, pages) = (first.pc, first.fp, first.depth, first.pages);
    let (clk, spent) = (first.clk, first.spent);
    CpuCols { pc, fp, depth, pages, clk, spent, ..padding }.write_to(&mut late.trace.values);
    forgeries.push(late);
    forgeries
}

/// One row of the run, repeated if there is room for it with padding, in a shard of `height` rows.
fn cut(name: &str, shard: &Shard<'_>, row: usize, height: usize) -> Base {
    let mut event = shard.record.cpu[row];
    event.times = [0; 3];
    event.spent = 0;
    let registers = |row: usize| {
        shard.record.cpu.get(row).map_or(shard.record.end, |e| Registers {
            pc: e.pc,
            fp: e.fp,
            depth: e.depth,
            pages: e.pages,
            fuel: 0,
        })
    };
    let cpu = vec![event; if height > 2 { 2 } else { 1 }];
    let record =
        Record { start: registers(row), end: registers(row + 1), cpu, ..Record::default() };
    let shard = Shard { record: &record, ..*shard };
    Base {
        name: name.into(),
        trace: Cpu.fill(&shard, height, &Counts::default()),
        publics: Cpu.publics(&shard),
        code: code(shard.program),
    }
}
