//! How fast the executor is beside rwasm's machine, in one run.

use std::time::Instant;

use rwprove_executor::{Input, Options, Rows, Run, execute, instantiate};
use rwprove_fixtures::{Call, WORKLOADS, oracle::Host, workload};
use rwprove_isa::front::Preset;

use crate::{
    MAX_ROWS,
    ours::{self, Compiled},
};

/// The best of so many counts.
const ROUNDS: usize = 5;

/// `cargo test --release -p rwprove-executor --test differential speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement, meaningful with --release alone"]
fn speed() {
    println!(
        "workload: M rWasm instructions/s of rwasm, ours, ours recording; rows per instruction"
    );
    for workload in WORKLOADS.iter().map(|name| workload(name.0).unwrap()) {
        let Call::Entry { name, .. } = &workload.call else { continue };
        let compiled =
            Compiled::new(&workload.wasm, &Preset::Entry { name: name.clone() }).unwrap();
        let program = instantiate(&compiled.program, compiled.init).unwrap();
        let (module, results) = (&compiled.module.rwasm, compiled.results());
        let mut report = execute(&program, &Input::default(), MAX_ROWS).unwrap();
        let mut theirs = f64::MAX;
        for _ in 0..ROUNDS {
            let mut vm = ours::vm(Host::default(), None);
            vm.instantiate(module).unwrap();
            let start = Instant::now();
            vm.call(module, &[], results);
            theirs = theirs.min(start.elapsed().as_secs_f64());
            let again = execute(&program, &Input::default(), MAX_ROWS).unwrap();
            report.seconds = report.seconds.min(again.seconds);
        }
        let limits = Rows { keccak: 1 << 10, fuel: 1 << 14, ..Rows::each(1 << 20) };
        let options = Options { limits: vec![limits], max_rows: MAX_ROWS };
        let mut run = Run::new(&program, &Input::default(), options).unwrap();
        run.by_ref().for_each(|record| drop(record.unwrap()));
        let recorded = run.report().unwrap();
        let million = |seconds: f64| report.instructions as f64 / seconds / 1e6;
        println!(
            "{}: {:.0} {:.0} {:.0}; {:.3} ({} rows, {} shards, refresh {}, merkle {}); ratio {:.2}",
            workload.name,
            million(theirs),
            million(report.seconds),
            million(recorded.seconds),
            report.rows as f64 / report.instructions as f64,
            report.rows,
            recorded.shards,
            recorded.tables.refresh,
            recorded.tables.merkle,
            theirs / report.seconds,
        );
    }
}
