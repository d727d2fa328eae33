//! The catalogue of our own programs, warm and cold, with and without fuel limit.

use rwprove_executor::{Input, Options, Rows, Run, audit, cold, instantiate};
use rwprove_fixtures::{
    Call, Fixture, WORKLOADS, all,
    oracle::{End, Host},
    workload,
};
use rwprove_isa::{Exit, front::Preset};

use crate::{
    MAX_ROWS,
    ours::{self, Compiled},
};

fn preset(fixture: &Fixture) -> (Preset, &[u32], u32) {
    match &fixture.call {
        Call::Entry { name, args } => (Preset::Entry { name: name.clone() }, args, 0),
        Call::Contract { state } => (Preset::Contract, &[], *state),
    }
}

/// The fixture in rwasm's machine.
fn in_vm(fixture: &Fixture, compiled: &Compiled, fuel: Option<u64>) -> End {
    let (_, args, state) = preset(fixture);
    let host = Host { input: fixture.input.clone(), state, ..Host::default() };
    let mut vm = ours::vm(host, fuel);
    let module = &compiled.module.rwasm;
    if let Err(exit) = vm.instantiate(module) {
        return vm.end(exit, Vec::new());
    }
    let (exit, results) = vm.call(module, args, compiled.results());
    vm.end(exit, results)
}

/// Compares one run; returns the fuel it took.
fn compare(
    fixture: &Fixture,
    compiled: &Compiled,
    fuel: Option<u64>,
    wrong: &mut Vec<String>,
) -> u64 {
    let expected = in_vm(fixture, compiled, fuel);
    let (_, _, state) = preset(fixture);
    let input = Input { bytes: fixture.tape(), state, fuel_limit: fuel };
    let warm = instantiate(&compiled.program, compiled.init).unwrap();
    let cold = cold(&compiled.program, compiled.init);
    for (name, program) in [("warm", &warm), ("cold", &cold)] {
        if fuel.is_some_and(|limit| limit < program.fuel) {
            continue; // the cold program is there for that
        }
        let found = ours::end(&ours::run(program, &input), compiled.results());
        if let Some(difference) = expected.difference(&found) {
            wrong.push(format!("{} ({name}, fuel {fuel:?}): {difference}", fixture.name));
        }
    }
    expected.fuel
}

fn check(fixtures: impl IntoIterator<Item = Fixture>, few: bool) {
    let (mut wrong, mut runs) = (Vec::new(), 0);
    for fixture in fixtures {
        let (preset, ..) = preset(&fixture);
        let compiled = match Compiled::new(&fixture.wasm, &preset) {
            Ok(compiled) => compiled,
            Err(error) => {
                wrong.push(format!("{}: {error}", fixture.name));
                continue;
            }
        };
        let fuel = compare(&fixture, &compiled, fixture.fuel, &mut wrong);
        runs += 1;
        if few || fixture.fuel.is_some() {
            continue;
        }
        // Every exact limit must be enough and one less must not.
        for limit in [fuel, fuel.saturating_sub(1), fuel / 2, fuel / 3, 1] {
            compare(&fixture, &compiled, Some(limit), &mut wrong);
            runs += 1;
        }
    }
    println!("{runs} runs, {} differences", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn catalogue() {
    check(all(), false);
}

#[test]
fn workloads() {
    check(WORKLOADS.iter().map(|name| workload(name.0).unwrap()), true);
}

/// Records of real programs pass the audit, however they are cut.
#[test]
fn records_of_the_catalogue() {
    let some = 3000;
    let limits = Rows { cpu: 1 << 12, keccak: 20, ..Rows::each(some) };
    for fixture in all() {
        let (preset, _, state) = preset(&fixture);
        let compiled = Compiled::new(&fixture.wasm, &preset).unwrap();
        let program = instantiate(&compiled.program, compiled.init).unwrap();
        let fuel_limit = fixture.fuel.filter(|&limit| limit >= program.fuel);
        let input = Input { bytes: fixture.tape(), state, fuel_limit };
        let plain = ours::run(&program, &input).report().unwrap();
        if plain.rows > 200_000 {
            continue;
        }
        let options = Options { limits: vec![limits], max_rows: MAX_ROWS };
        let mut run = Run::new(&program, &input, options).unwrap();
        for record in run.by_ref() {
            let record = record.unwrap();
            audit(&record, &program)
                .unwrap_or_else(|error| panic!("{} shard {}: {error}", fixture.name, record.index));
        }
        let report = run.report().unwrap();
        assert_eq!((report.exit, report.fuel, report.rows), (plain.exit, plain.fuel, plain.rows));
        assert!(report.exit != Exit::Ok || report.output == plain.output);
    }
}
