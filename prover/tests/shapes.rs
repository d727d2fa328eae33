//! Every run fits in the listed shapes, and how much of them it leaves empty.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use rwprove_circuits::{
    machine::ChipId,
    shape::{KECCAK_COST, Shape, listed},
};
use rwprove_executor::{Input, Report, Rows};
use rwprove_fixtures::{Call, Fixture, workload};
use rwprove_isa::front::Preset;
use rwprove_prover::{
    Options, estimate,
    testing::{compile, rows, shapes},
};
use rwprove_verifier::{self as verifier, config::EXTENSION, head::Kind, machine};

/// Committed base field elements of a shape.
fn cells(shape: &Shape) -> u64 {
    shape.tables().map(|(chip, log_height)| cells_per_row(chip) << log_height).sum()
}

fn cells_per_row(chip: ChipId) -> u64 {
    let table = machine::table(chip);
    (table.width + table.preprocessed + table.lookup_width() + table.chunks() * EXTENSION) as u64
}

/// Cells in rows that a run used.
fn used(used: &Rows) -> u64 {
    let rows = [
        (ChipId::Cpu, used.cpu),
        (ChipId::Bitwise, used.bitwise),
        (ChipId::Shift, used.shift),
        (ChipId::Mul, used.mul),
        (ChipId::Div, used.div),
        (ChipId::Bits, used.bits),
        (ChipId::Access, used.access),
        (ChipId::Refresh, used.refresh),
        (ChipId::Keccak, 24 * used.keccak),
        (ChipId::Fuel, used.fuel),
        (ChipId::Merkle, used.merkle),
    ];
    rows.into_iter().map(|(chip, rows)| rows * cells_per_row(chip)).sum()
}

fn run(fixture: &Fixture) -> Option<(Vec<Shape>, Report)> {
    let (preset, state) = match &fixture.call {
        Call::Entry { name, .. } => (Preset::Entry { name: name.clone() }, 0),
        Call::Contract { state } => (Preset::Contract, *state),
    };
    let program = compile(&fixture.wasm, &preset);
    let input = Input { bytes: fixture.tape(), state, fuel_limit: fixture.fuel };
    // Such a limit needs the program that instantiates in the run.
    if fixture.fuel.is_some_and(|limit| limit < program.fuel) {
        return None;
    }
    let options = Options { kind: Kind::Compressed, ..Options::default() };
    Some(shapes(&program, verifier::Preset::P100, &input, &options).unwrap())
}

#[test]
fn every_fixture_fits() {
    let list: Vec<_> = listed().collect();
    let mut runs = 0;
    for (shapes, report) in rwprove_fixtures::all().iter().filter_map(run) {
        assert!(shapes.iter().all(|shape| list.contains(shape)));
        assert_eq!(report.shards as usize, shapes.len());
        runs += 1;
    }
    assert!(runs > 500, "{runs}");
}

/// Long runs fill their shards; `--nocapture` prints how well.
#[test]
fn workloads_fill_their_shards() {
    for name in ["fib_100k", "sha256_8k", "keccak_4k", "sort_4k", "modexp_1", "keccak_16k"] {
        let (shapes, report) = run(&workload(name).unwrap()).unwrap();
        let all: u64 = shapes.iter().map(cells).sum();
        let share = used(&report.tables) as f64 / all as f64;
        let heights = |shape: &Shape| {
            let heights = shape.tables().map(|(_, log_height)| log_height.to_string());
            heights.collect::<Vec<_>>().join(" ")
        };
        let mut times = BTreeMap::<String, usize>::new();
        shapes.iter().for_each(|shape| *times.entry(heights(shape)).or_default() += 1);
        println!("{name}: {} shards, {all} cells, {:.0} % used", shapes.len(), 100.0 * share);
        times.iter().for_each(|(heights, times)| println!("  {times} x {heights}"));
        assert!(share > 0.25, "{name}: {share}");
        assert!(shapes.len() <= 3, "{name}: {}", shapes.len());
    }
}

/// Runs that other tables than `cpu` cut: the tree of memory, permutations, accesses of bytes.
#[test]
fn runs_of_all_kinds_fit() {
    let words = "the quick brown fox jumps over ".repeat(700);
    for (name, input, shards) in [
        ("c/keccak256: 70000 bytes", vec![7; 1_000_000], 5),
        ("c/sha256: 5000 bytes", vec![7; 40_000], 3),
        ("rust/wordcount: the quick the lazy the", words.into_bytes(), 2),
    ] {
        let all = rwprove_fixtures::all();
        let fixture = all.into_iter().find(|fixture| fixture.name == name).unwrap();
        let (shapes, _) = run(&Fixture { input, ..fixture }).unwrap();
        assert!(shapes.len() >= shards, "{name}: {}", shapes.len());
    }
}

/// In the list the first shape that holds a shard is the cheapest that does, but for what differs
/// by less than a fiftieth.
#[test]
fn the_list_is_in_order() {
    let cost = |shape: &Shape| {
        let keccak = if rows(shape).keccak > 0 { KECCAK_COST } else { 0 };
        (shape.log_height(ChipId::Program), cells(shape) + keccak)
    };
    let list: Vec<_> = listed().map(|shape| cost(&shape)).collect();
    for (program, at) in list.iter().zip(1..) {
        let cheaper = list[at..].iter().find(|(other, cost)| {
            *other < program.0 || *other == program.0 && 50 * *cost < 49 * program.1
        });
        assert_eq!(cheaper, None, "{program:?}");
    }
}

/// The default bound on memory lets every shape be used.
#[test]
fn shapes_stay_within_memory() {
    for preset in verifier::Preset::ALL {
        for shape in listed() {
            let needed = estimate(&machine::layout(&shape, preset.parameters()));
            assert!(needed <= Options::default().max_memory, "{shape:?}: {needed}");
        }
    }
}
