//! Real programs through all tables: every shard of every fixture passes the check, at the
//! smallest class of shards, so that runs are cut often.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use rwprove_circuits::{
    Val,
    cpu::public,
    machine::{ChipId, Instance, Machine, check},
    merkle::{MemoryTree, opening::run_words},
    shape::{CPU_CLASSES, Shape},
    table::Shard,
};
use rwprove_executor::{Input, Options, Rows, Run, cold, instantiate};
use rwprove_fixtures::{Call, Fixture};
use rwprove_isa::{
    Program,
    front::{Preset, load, lower},
    record::Record,
};

/// Longer runs are left to the prover's own tests and benchmarks.
const MAX_ROWS: u64 = 60_000;

fn limits(shape: &Shape) -> Rows {
    let room = |chip| shape.room(chip);
    Rows {
        cpu: room(ChipId::Cpu),
        bitwise: room(ChipId::Bitwise),
        shift: room(ChipId::Shift),
        mul: room(ChipId::Mul),
        div: room(ChipId::Div),
        bits: room(ChipId::Bits),
        access: room(ChipId::Access),
        refresh: room(ChipId::Refresh),
        keccak: room(ChipId::Keccak),
        fuel: room(ChipId::Fuel),
        merkle: room(ChipId::Merkle),
    }
}

/// The program as it is proved, and the same that instantiates itself.
fn programs(fixture: &Fixture) -> [Program; 2] {
    let preset = match &fixture.call {
        Call::Entry { name, .. } => Preset::Entry { name: name.clone() },
        Call::Contract { .. } => Preset::Contract,
    };
    let lowered = lower(&load(&fixture.wasm, &preset).unwrap()).unwrap();
    let warm = instantiate(&lowered.program, lowered.init).unwrap();
    [warm, cold(&lowered.program, lowered.init)]
}

/// Checks all shards of a run; their number.
fn check_run(name: &str, program: &Program, input: &Input) -> usize {
    let class = CPU_CLASSES[0];
    let machine = Machine::new(program);
    let mut tree =
        MemoryTree::start(program, &input.bytes, run_words(input.bytes.len() as u32, input.state))
            .unwrap();
    let options =
        Options { limits: vec![limits(&Shape::largest(class, class))], max_rows: MAX_ROWS };
    let mut end: Option<Vec<Val>> = None;
    let mut shards = 0;
    for record in Run::new(program, input, options).unwrap() {
        let record: Record = record.unwrap();
        let merkle = tree.apply(&record.chunks).unwrap();
        let shard = Shard { program, record: &record, merkle: &merkle };
        let shape = Shape::for_shard(&machine, &shard).unwrap();
        assert_eq!(shape.log_height(ChipId::Cpu), Some(class));
        let instances = machine.fill_all(&shard, &shape);
        check(&instances).unwrap_or_else(|violation| panic!("{name}: shard {shards}: {violation}"));
        let cpu: &Instance = instances.iter().find(|i| i.chip.id() == ChipId::Cpu).unwrap();
        let start = cpu.publics[public::START..public::END].to_vec();
        assert!(end.is_none_or(|end| end == start), "{name}: shard {shards}");
        end = Some(cpu.publics[public::END..public::SPENT].to_vec());
        shards += 1;
    }
    shards
}

#[test]
fn every_shard_of_the_sample_passes() {
    let mut shards = 0;
    for fixture in rwprove_fixtures::sample() {
        let state = match fixture.call {
            Call::Contract { state } => state,
            Call::Entry { .. } => 0,
        };
        let input = Input { bytes: fixture.tape(), state, fuel_limit: fixture.fuel };
        for program in programs(&fixture) {
            let run = Run::new(&program, &input, Options::plain(MAX_ROWS));
            // Too long, or the limit is spent before the run starts.
            if run.is_ok_and(|mut run| run.run_to_end().is_ok()) {
                shards += check_run(&fixture.name, &program, &input);
            }
        }
    }
    assert!(shards >= 44, "{shards}");
}
