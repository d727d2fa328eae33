//! Hand-built programs: every one is run plainly and recorded with several cuts, and every record
//! is audited.

mod adversary;
mod control;
mod faults;
mod fuel;
mod shards;
mod values;

use std::collections::HashMap;

use rwprove_isa::{
    Instr, Op, Operand, Program, Slot,
    layout::GLOBAL,
    record::{Limbs, Record},
    runtime::{Library, Routine, asm::Asm},
};

use crate::{Input, Options, Report, Rows, Run, audit, execute};

const MAX_ROWS: u64 = 10_000_000;

/// Limits that no test program reaches.
const WIDE: Rows = Rows::each(1 << 20);

fn options(limits: Rows) -> Options {
    Options { limits: vec![limits], max_rows: MAX_ROWS }
}

/// The library followed by the code that `build` appends; its last instruction should leave.
fn program(build: impl FnOnce(&mut Asm)) -> Program {
    let mut code = Library::get().code.clone();
    let start = code.len() as u32;
    let mut asm = Asm::at(start);
    build(&mut asm);
    code.extend(asm.finish());
    let weights = vec![1; code.len()];
    Program { module_hash: [0; 32], code, start, pages: 1, fuel: 0, image: Vec::new(), weights }
}

/// Ends the run with `Exit::Ok`.
fn done(asm: &mut Asm) {
    let done = asm.pc_label(Library::get().entry(Routine::Done));
    asm.jump(done);
}

/// Notes a slot as result `i`, which [`Checked::results`] finds.
fn note(asm: &mut Asm, i: u32, slot: Slot) {
    asm.put(GLOBAL + i, slot);
}

fn imm(word: u32) -> Operand {
    Operand::Imm(word)
}

fn slot(slot: Slot) -> Operand {
    Operand::Slot(slot)
}

fn instr(op: Op, a: Option<Slot>, b: Operand, c: i32) -> Instr {
    Instr { a, b, c, ..Instr::new(op) }
}

/// A run that was checked in every way.
struct Checked {
    report: Report,
    results: Vec<u32>,
    /// The records of the run with few rows a shard.
    records: Vec<Record>,
}

/// Runs plainly and with several shard sizes; all must agree and pass the audit.
fn check(program: &Program, input: &Input) -> Checked {
    let mut run = Run::new(program, input, Options::plain(MAX_ROWS)).unwrap();
    run.run_to_end().unwrap();
    let report = run.report().unwrap();
    let plain = Report { seconds: 0.0, ..report.clone() };
    let mut last = Vec::new();
    for cpu in [1 << 20, 1 << 12, 61] {
        let records = recorded(program, input, Rows { cpu, ..WIDE }, &plain, &run);
        assert!(records.iter().all(|record| record.cpu.len() < cpu as usize));
        last = records;
    }
    let results = (0..64).map(|i| run.memory().word(GLOBAL + i).unwrap()).collect();
    Checked { report, results, records: last }
}

/// Runs with these limits: the shards must follow each other and end as the plain run did.
fn recorded(
    program: &Program,
    input: &Input,
    limits: Rows,
    plain: &Report,
    end: &Run,
) -> Vec<Record> {
    let mut run = Run::new(program, input, options(limits)).unwrap();
    let records: Vec<Record> = run.by_ref().map(|record| record.unwrap()).collect();
    let mut chunks = HashMap::<u32, [Limbs; 8]>::new();
    let mut nodes = 0;
    for (i, record) in records.iter().enumerate() {
        audit(record, program).unwrap_or_else(|error| panic!("shard {i}: {error}"));
        assert_eq!((record.index, record.last), (i as u32, i + 1 == records.len()));
        if i > 0 {
            assert_eq!(records[i - 1].end, record.start);
        }
        for chunk in &record.chunks {
            if let Some(before) = chunks.insert(chunk.chunk, chunk.after) {
                assert_eq!(before, chunk.before, "chunk {:#x} of shard {i}", chunk.chunk);
            }
        }
        nodes += distinct_nodes(record);
    }
    for (chunk, after) in chunks {
        assert_eq!(after, end.memory().chunk(chunk), "chunk {chunk:#x} at the end");
    }
    let report = run.report().unwrap();
    assert_eq!(report.tables.merkle, nodes);
    assert_eq!(report.tables.cpu, plain.rows);
    assert_eq!(report.shards as usize, records.len());
    let same = Report { tables: plain.tables, shards: 0, seconds: 0.0, ..report };
    assert_eq!(&same, plain);
    records
}

/// Nodes of the memory tree on the paths to the chunks of a record; the root is always one.
fn distinct_nodes(record: &Record) -> u64 {
    let mut level: Vec<_> = record.chunks.iter().map(|chunk| chunk.chunk).collect();
    let mut nodes = 0;
    for _ in 0..28 {
        level.dedup();
        nodes += level.len() as u64;
        level.iter_mut().for_each(|node| *node /= 2);
    }
    nodes.max(1)
}

/// Runs a program without input.
fn run(build: impl FnOnce(&mut Asm)) -> Checked {
    check(&program(build), &Input::default())
}
