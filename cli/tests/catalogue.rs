//! Every fixture through the whole machine: lowered, executed, checked and proved.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use rwasm::{InstructionSet, Opcode, RwasmModuleBuilder, TrapCode};
use rwprove_executor::{Input, Report, execute, instantiate};
use rwprove_fixtures::{Call, Exit, Fixture, all, sample, workload};
use rwprove_isa::{
    Exit as Ended, Program, Statement, Trap,
    front::{Preset, load, lower},
    validate::validate,
};
use rwprove_prover::{Options, check, prove, setup};
use rwprove_verifier::{compressed, head::Kind, shards};

const MAX_ROWS: u64 = 1 << 26;

fn program(fixture: &Fixture) -> Program {
    let preset = match &fixture.call {
        Call::Entry { name, .. } => Preset::Entry { name: name.clone() },
        Call::Contract { .. } => Preset::Contract,
    };
    compiled(&fixture.wasm, &preset)
}

fn compiled(module: &[u8], preset: &Preset) -> Program {
    let module = load(module, preset).unwrap();
    let lowered = lower(&module).unwrap();
    validate(&module, &lowered).unwrap();
    instantiate(&lowered.program, lowered.init).unwrap()
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

/// A run and how it must end.
struct Case {
    name: String,
    program: Program,
    input: Input,
    exit: Ended,
}

impl From<Fixture> for Case {
    fn from(fixture: Fixture) -> Self {
        Self {
            program: program(&fixture),
            input: input(&fixture),
            exit: exit(fixture.exit),
            name: fixture.name,
        }
    }
}

/// Traps that no compiled Wasm raises: an rWasm module whose entry is this one instruction.
fn raised_by_hand(op: Opcode, trap: Trap) -> Case {
    let instr = vec![Opcode::Return, op];
    let module =
        RwasmModuleBuilder::new(InstructionSet { instr }).with_source_pc(1).build().serialize();
    Case {
        name: format!("rwasm {op:?}"),
        program: compiled(&module, &Preset::Contract),
        input: Input { bytes: Vec::new(), state: 0, fuel_limit: None },
        exit: Ended::Trap(trap),
    }
}

/// For every way to end (success, exit codes, each trap) the cheapest run that ends so.
fn one_of_each_end() -> Vec<Case> {
    let by_hand = [
        (Opcode::Trap(TrapCode::BadConversionToInteger), Trap::BadConversionToInteger),
        (Opcode::Call(0x7fff), Trap::UnknownExternalFunction),
    ];
    let mut cases: Vec<(u64, Case)> = Vec::new();
    for case in
        all().into_iter().map(Case::from).chain(by_hand.map(|(op, trap)| raised_by_hand(op, trap)))
    {
        let rows = execute(&case.program, &case.input, MAX_ROWS).unwrap().rows;
        match cases.iter_mut().find(|(_, other)| other.exit == case.exit) {
            Some(best) if best.0 <= rows => {}
            Some(best) => *best = (rows, case),
            None => cases.push((rows, case)),
        }
    }
    cases.into_iter().map(|(_, case)| case).collect()
}

/// How a run can end at all; of exit codes, which are many, a few.
fn all_ends() -> impl Iterator<Item = Ended> {
    let traps = Trap::ALL.iter().map(|&trap| Ended::Trap(trap));
    traps.chain([Ended::Ok, Ended::Code(0), Ended::Code(-1), Ended::Code(9)])
}

#[test]
fn every_end_has_a_proof_and_the_proof_of_one_proves_no_other() {
    every_end(Kind::Shards);
}

/// `cargo test --release -p rwprove --test catalogue -- --ignored`
#[test]
#[ignore = "minutes"]
fn every_end_has_a_compressed_proof_and_the_proof_of_one_proves_no_other() {
    every_end(Kind::Compressed);
}

/// Each program of the catalogue has a case in the sample.
#[test]
#[ignore = "minutes"]
fn every_program_has_compressed_proofs() {
    let mut sizes = Vec::new();
    for Case { name, program, input, exit } in sample().into_iter().map(Case::from) {
        eprintln!("{name}");
        let (key, vkey) = setup(program, Default::default()).unwrap();
        let options = Options { kind: Kind::Compressed, ..Options::default() };
        let proved = prove(&key, &input, &options, &mut |_| {}).unwrap();
        assert_eq!(proved.statement.exit, exit, "{name}");
        compressed::verify(&vkey.digest(), &proved.statement, &proved.proof).unwrap();
        sizes.push(proved.proof.len());
    }
    eprintln!("bytes: {sizes:?}");
    assert!(sizes.iter().all(|bytes| *bytes <= 300 << 10));
}

fn every_end(kind: Kind) {
    let verify = |vkey: &[u8; 32], statement: &Statement, proof: &[u8]| match kind {
        Kind::Shards => shards::verify(vkey, statement, proof).map(|_| ()),
        Kind::Compressed => compressed::verify(vkey, statement, proof).map(|_| ()),
    };
    let cases = one_of_each_end();
    for &trap in Trap::ALL {
        assert!(cases.iter().any(|case| case.exit == Ended::Trap(trap)), "{}", trap.name());
    }
    for Case { name, program, input, exit } in cases {
        eprintln!("{name}: {exit:?}");
        let (key, vkey) = setup(program, Default::default()).unwrap();
        let proved = prove(&key, &input, &Options { kind, ..Options::default() }, &mut |_| {});
        let proved = proved.unwrap();
        assert_eq!((proved.report.exit, proved.statement.exit), (exit, exit), "{name}");
        verify(&vkey.digest(), &proved.statement, &proved.proof).unwrap();
        for lie in all_ends().filter(|&end| end != exit) {
            let statement = Statement { exit: lie, ..proved.statement.clone() };
            // The proof carries the statement too: a liar would change both.
            let mut proof = proved.proof.clone();
            let (honest, forged) = (proved.statement.to_bytes(), statement.to_bytes());
            let at = proof.windows(honest.len()).position(|bytes| bytes == honest).unwrap();
            proof[at..at + forged.len()].copy_from_slice(&forged);
            let refused = verify(&vkey.digest(), &statement, &proof);
            assert!(refused.is_err(), "{name} as {lie:?}");
        }
    }
}
