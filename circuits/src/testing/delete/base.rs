//! Honest rows to start from: a few rows of a run, as a table of their own.

use std::collections::HashMap;

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{
    Operand,
    record::{Record, Registers},
};

use super::{Base, code};
use crate::{
    Val,
    counts::Counts,
    cpu::Cpu,
    merkle::{Merkle, MerkleUpdate},
    table::{Fill, Shard},
};

/// Rows of a kind that are kept.
const SAME_KIND: usize = 2;

/// Small shards of the `cpu` table, one for each kind of row: the row with those that it is
/// chained to, and padding.
pub fn cpu(name: &str, shard: &Shard<'_>) -> Vec<Base> {
    let (program, events) = (shard.program, &shard.record.cpu);
    let mut kinds: HashMap<_, usize> = HashMap::new();
    let mut bases = Vec::new();
    let entries = code(program);
    for (last, event) in events.iter().enumerate() {
        let Some(instr) = program.code.get(event.pc as usize) else { continue };
        let b = match instr.b {
            Operand::None => 0,
            Operand::Slot(_) => 1,
            Operand::Imm(_) => 2,
        };
        let follows = events.get(last + 1).is_none_or(|next| next.pc == event.pc + 1);
        let zero = event.a == [0, 0];
        let charged = instr.fuel != 0;
        let kind = (
            instr.op,
            instr.a.is_some(),
            b,
            instr.chain,
            event.outcome as u8,
            follows,
            zero,
            charged,
        );
        let count = kinds.entry(kind).or_default();
        *count += 1;
        if *count > SAME_KIND {
            continue;
        }
        let mut first = last;
        while program.code.get(events[first].pc as usize).is_some_and(|i| i.chain) && first > 0 {
            first -= 1;
        }
        let registers = |row: usize| {
            events.get(row).map_or(shard.record.end, |e| Registers {
                pc: e.pc,
                fp: e.fp,
                depth: e.depth,
                pages: e.pages,
                fuel: 0,
            })
        };
        let mut cpu = events[first..=last].to_vec();
        let spent = cpu[0].spent;
        for event in &mut cpu {
            event.spent -= spent;
            event.times = [0; 3];
        }
        let (start, end) = (registers(first), registers(last + 1));
        let record = Record { start, end, cpu, ..Record::default() };
        let shard = Shard { record: &record, ..*shard };
        let height = (record.cpu.len() + 1).next_power_of_two();
        bases.push(Base {
            name: format!("{name}: {} {:?} at pc {}", instr.op.name(), event.outcome, event.pc),
            trace: Cpu.fill(&shard, height, &Counts::default()),
            publics: Cpu.publics(&shard),
            code: entries.clone(),
        });
    }
    bases
}

/// The rows of a table whose rows know nothing of each other, each with a row of padding.
pub fn rows<T: Fill>(name: &str, table: &T, shard: &Shard<'_>) -> Vec<Base> {
    let count = table.rows(shard);
    let height = (count + 1).next_power_of_two();
    let trace = table.fill(shard, height, &Counts::default());
    let base = |row: usize| {
        let values = &trace.values[row * trace.width..][..trace.width];
        let rows = [values, &vec![Val::ZERO; trace.width]].concat();
        Base {
            name: format!("{name}: row {row} of {}", T::NAME),
            trace: RowMajorMatrix::new(rows, trace.width),
            publics: Vec::new(),
            code: Vec::new(),
        }
    };
    (0..count).map(base).collect()
}

/// A whole table with at least one row of padding.
pub fn whole<T: Fill>(name: &str, table: &T, shard: &Shard<'_>) -> Base {
    let height = (table.rows(shard) + 1).next_power_of_two();
    Base {
        name: format!("{name}: {}", T::NAME),
        trace: table.fill(shard, height, &Counts::default()),
        publics: table.publics(shard),
        code: Vec::new(),
    }
}

/// The root, a branch, a leaf and padding.
pub fn merkle(name: &str, shard: &Shard<'_>) -> Vec<Base> {
    let nodes = &shard.merkle.nodes;
    let leaf = nodes.iter().position(|node| node.level == 27);
    let branch = |level: u32| nodes.iter().position(|node| node.level == level);
    let base = |level: u32| {
        let nodes = [0, branch(level)?, leaf?].map(|at| nodes[at].clone());
        let merkle = MerkleUpdate { nodes: nodes.to_vec(), ..shard.merkle.clone() };
        Some(whole(
            &format!("{name}, level {level}"),
            &Merkle,
            &Shard { merkle: &merkle, ..*shard },
        ))
    };
    [1, 5, 26].into_iter().filter_map(base).collect()
}
