//! A fixed sample of the official test suite: modules are loaded, lowered, validated and set up,
//! their calls checked, and some of them proved and verified.
//!
//! A run here is one call of a fresh instance. So an assertion is left out if it depends on what
//! earlier calls of the same instance did: a call of a fresh instance then ends otherwise than the
//! script says. Left out are also assertions about modules that rwasm does not compile (vectors,
//! imports from other modules), that need floats (rwasm compiles them but does not execute them),
//! about instantiation, and about runs of more than [`MAX_ROWS`] rows. The executor's differential
//! test runs all of these but the uncompiled.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod sample;

use std::{collections::HashSet, time::Instant};

use rwprove_executor::Report;
use rwprove_isa::{Exit, STATEMENT_BYTES, Statement, Trap, keccak256};
use rwprove_prover::{Options, Proved, ProvingKey, check, prove, setup};
use rwprove_verifier::{
    Preset,
    shards::{VerifyError, verify},
};

use sample::{Case, LeftOut, Sample};

/// Longer runs are left to other tests.
const MAX_ROWS: u64 = 1 << 14;

/// The statement says of the run what the script asserts.
fn says(case: &Case, statement: &Statement, report: &Report) {
    assert!(case.holds(report), "{}: {report:?}", case.name);
    assert_eq!(statement.exit, report.exit, "{}", case.name);
    assert_eq!(statement.output, keccak256(&report.output), "{}", case.name);
}

/// Proves and verifies; the same proof must not prove another end of the run.
fn proves(key: &ProvingKey, case: &Case) {
    let Case { name, .. } = case;
    let Proved { proof, statement, report } =
        prove(key, &case.input(), &Options::default(), &mut |_| ())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    says(case, &statement, &report);
    let vkey = key.verifying_key().digest();
    verify(&vkey, &statement, &proof).unwrap_or_else(|error| panic!("{name}: {error}"));

    let exit = match statement.exit {
        Exit::Ok => Exit::Trap(Trap::UnreachableCodeReached),
        _ => Exit::Ok,
    };
    let other = Statement { exit, ..statement.clone() };
    let refused = verify(&vkey, &other, &proof);
    assert!(matches!(refused, Err(VerifyError::OtherStatement)), "{name}");
    // With the statement inside the proof changed as well it is the opened results that differ.
    let at = proof.windows(STATEMENT_BYTES).position(|part| part == statement.to_bytes());
    let mut forged = proof;
    forged[at.unwrap()..][..STATEMENT_BYTES].copy_from_slice(&other.to_bytes());
    let refused = verify(&vkey, &other, &forged);
    assert!(matches!(refused, Err(VerifyError::Claim(_))), "{name}");
}

#[test]
fn sample_is_checked_and_some_is_proved() {
    let start = Instant::now();
    let Sample { programs, left_out } = sample::sample();
    let cases = || programs.iter().flat_map(|program| &program.cases);
    let traps = cases().filter(|case| case.traps()).count();
    let returns = cases().count() - traps;
    let files: HashSet<_> = programs.iter().map(|program| program.file.as_str()).collect();
    let chosen = start.elapsed();

    // Each check and proof uses all threads already.
    let mut proved = 0;
    for program in &programs {
        let (key, _) = setup(program.program.clone(), Preset::P100).unwrap();
        for case in &program.cases {
            let (statement, report) = check(&key, &case.input(), &Options::default(), &mut |_| ())
                .unwrap_or_else(|error| panic!("{}: {error}", case.name));
            says(case, &statement, &report);
            if case.prove {
                proves(&key, case);
                proved += 1;
            }
        }
    }
    let LeftOut { refused, floats, state, long } = left_out;
    println!(
        "left out on the way: {refused} in modules that are not compiled, {floats} with floats, \
         {state} that a fresh instance does not fulfil, {long} long runs"
    );
    println!(
        "sample: {} checked ({returns} returns, {traps} traps) from {} files, {} proved and \
         verified; {} programs, {chosen:.1?} to choose, {:.1?} in all",
        returns + traps,
        files.len(),
        proved,
        programs.len(),
        start.elapsed(),
    );
    assert!(returns + traps >= 300 && traps >= 50 && files.len() >= 50);
    assert!(proved >= 30);
    assert!(state < 60, "more than depend on earlier calls");
}
