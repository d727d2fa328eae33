//! Every fixture through the whole machine: lowered, executed, checked and proved.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use rwprove_executor::{Input, Report, execute, instantiate};
use rwprove_fixtures::{Call, Exit, Fixture, all, sample, workload};
use rwprove_isa::{
    Exit as Ended, Program,
    front::{Preset, load, lower},
    validate::validate,
};
use rwprove_prover::{Options, check, prove, setup};
use rwprove_verifier::shards;

const MAX_ROWS: u64 = 1 << 26;

fn program(fixture: &Fixture) -> Program {
    let preset = match &fixture.call {
        Call::Entry { name, .. } => Preset::Entry { name: name.clone() },
        Call::Contract { .. } => Preset::Contract,
    };
    let name = &fixture.name;
    let module = load(&fixture.wasm, &preset).unwrap_or_else(|error| panic!("{name}: {error}"));
    let lowered = lower(&module).unwrap_or_else(|error| panic!("{name}: {error}"));
    validate(&module, &lowered).unwrap_or_else(|error| panic!("{name}: {error}"));
    instantiate(&lowered.program, lowered.init).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn input(fixture: &Fixture) -> Input {
    let state = match fixture.call {
        Call::Contract { state } => state,
        Call::Entry { .. } => 0,
    };
    Input { bytes: fixture.tape(), state, fuel_limit: fixture.fuel }
}

fn exit(exit: Exit) -> Ended {
    match exit {
        Exit::Ok => Ended::Ok,
        Exit::Code(code) => Ended::Code(code),
        Exit::Trap(code) => {
            Ended::from_parts(3, code.into()).unwrap_or_else(|| panic!("no trap {code}"))
        }
    }
}

fn expected(fixture: &Fixture, report: &Report) -> bool {
    report.exit == exit(fixture.exit)
        && (fixture.exit != Exit::Ok || report.output == fixture.output_tape())
}

#[test]
fn executes_to_what_rwasm_gives() {
    let fixtures = all();
    let workloads = ["fib_10k", "keccak_4k", "sort_4k"].map(|name| workload(name).unwrap());
    let mut wrong = 0;
    for fixture in fixtures.iter().chain(&workloads) {
        let report = execute(&program(fixture), &input(fixture), MAX_ROWS).unwrap();
        if !expected(fixture, &report) {
            eprintln!("{}: expected {:?} {:x?}", fixture.name, fixture.exit, fixture.output_tape());
            eprintln!("    found {:?} {:x?}", report.exit, report.output);
            wrong += 1;
        }
    }
    assert_eq!(wrong, 0);
}

#[test]
fn the_sample_meets_every_constraint() {
    for fixture in sample() {
        // In case the process is ended.
        eprintln!("{}", fixture.name);
        let (key, _) = setup(program(&fixture), Default::default()).unwrap();
        let (_, report) = check(&key, &input(&fixture), &Options::default(), &mut |_| {})
            .unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
        assert!(expected(&fixture, &report), "{}: {report:?}", fixture.name);
    }
}

#[test]
fn proofs_verify_and_say_how_the_run_ended() {
    for name in ["wat/host: @main input 05616263", "wat/traps: divide(1, 0)"] {
        let fixture = all().into_iter().find(|fixture| fixture.name == name).unwrap();
        let (key, vkey) = setup(program(&fixture), Default::default()).unwrap();
        let proved = prove(&key, &input(&fixture), &Options::default(), &mut |_| {}).unwrap();
        assert!(expected(&fixture, &proved.report), "{name}");
        assert_eq!(proved.statement.exit, exit(fixture.exit), "{name}");
        shards::verify(&vkey.digest(), &proved.statement, &proved.proof).unwrap();
        let mut other = proved.statement.clone();
        other.exit = Ended::Code(0);
        assert!(shards::verify(&vkey.digest(), &other, &proved.proof).is_err(), "{name}");
    }
}
