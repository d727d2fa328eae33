//! Where the time of whole runs goes.

use std::{collections::BTreeMap, time::Instant};

use rwprove_benches::{Phase, Spans};
use rwprove_executor::execute;
use serde_json::json;

use crate::workload::Workload;

/// Prints one JSON object: for each workload its seconds, by phase.
pub(crate) fn run(names: &[&String], spans: &Spans) {
    let profiles: BTreeMap<_, _> = names.iter().map(|name| profile(name, spans)).collect();
    println!("{}", json!(profiles));
}

fn profile(name: &str, spans: &Spans) -> (String, serde_json::Value) {
    let workload = Workload::named(name);
    let seconds = |f: &mut dyn FnMut()| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64()
    };
    let mut records = Vec::new();
    let plain = seconds(&mut || {
        execute(workload.key.program(), &workload.input, 1 << 40).unwrap();
    });
    let record = seconds(&mut || records = workload.records());
    let tree = seconds(&mut || drop(workload.updates(&records)));
    drop(records);
    spans.take();
    let (proved, prove) = workload.prove(spans);
    let times = spans.take();
    let of = |wanted: Phase| {
        let time = times.iter().find(|(phase, _)| *phase == wanted);
        time.map_or(0.0, |(_, time)| time.as_secs_f64())
    };
    let phases: BTreeMap<_, _> =
        times.iter().map(|(phase, time)| (phase.name(), time.as_secs_f64())).collect();
    let value = json!({
        "instructions": proved.report.instructions,
        "execute": plain,
        "record": record,
        "memory tree": tree,
        "prove": prove,
        "phases": phases,
        // What committing to the final tables costs and nothing else.
        "limit": of(Phase::Extend) + of(Phase::Hash),
    });
    (workload.name, value)
}
