//! Edited code that passes the validator: a recorded run is the plain one, and its records follow
//! the rules.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rwprove_executor::{ExecError, Input, Options, Rows, Run, audit, cold, execute, instantiate};
use rwprove_isa::{
    Program,
    front::{Preset, load, lower},
    validate::validate,
};

/// Rows after which a run is given up.
const MAX_ROWS: u64 = 20_000;

/// The program of a module, cold if its prologue is long.
fn program(bytes: &[u8]) -> Option<Program> {
    let module = load(bytes, &Preset::Entry { name: String::new() }).ok()?;
    let lowered = lower(&module).ok()?;
    validate(&module, &lowered).ok()?;
    let cold = cold(&lowered.program, lowered.init);
    match execute(&cold, &Input::default(), MAX_ROWS) {
        Err(ExecError::RowLimit(_)) => Some(cold),
        _ => instantiate(&lowered.program, lowered.init).ok(),
    }
}

fuzz_target!(init: rwprove_fuzz::allow_caught_panics(), |input: &[u8]| {
    let (run, edits) = input.split_at(input.len().min(2));
    let Some(program) = program(&rwprove_fuzz::code::module(edits)) else { return };
    let number = run.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let fuel_limit = (number % 3 == 0).then_some(program.fuel + number);
    let input = Input { bytes: vec![run.len() as u8; 64], state: 0, fuel_limit };
    let all = 256 << (number % 4);
    let limits = Rows { merkle: 8 * all, ..Rows::each(all) };
    let plain = execute(&program, &input, MAX_ROWS);
    let mut run = Run::new(&program, &input, Options { limits: vec![limits], max_rows: MAX_ROWS }).expect("starts");
    let mut failed = None;
    for record in run.by_ref() {
        match record {
            Ok(record) => audit(&record, &program).expect("the rules hold"),
            Err(error) => failed = Some(error),
        }
    }
    let recorded = failed.map_or_else(|| run.report(), Err);
    match (plain, recorded) {
        (Ok(a), Ok(b)) => assert_eq!(
            (a.exit, a.output, a.fuel, a.rows, a.pages),
            (b.exit, b.output, b.fuel, b.rows, b.pages),
        ),
        (a, b) => assert_eq!(a.err(), b.err()),
    }
});
