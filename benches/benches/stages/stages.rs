//! Criterion's benches of each stage.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkGroup, Criterion, SamplingMode, measurement::WallTime};
use rwprove_benches::{Phase, Spans};
use rwprove_circuits::{counts::Counts, machine::Machine, shape::Shape, table::Shard};
use rwprove_executor::execute;
use rwprove_verifier::shards;

use crate::workload::Workload;

const WORKLOADS: [&str; 5] = ["fib_10k", "sha256_8k", "keccak_4k", "sort_4k", "modexp_1"];

/// Proofs that the phases are measured on.
const PROOFS: usize = 10;

pub(crate) fn run(spans: &Spans) {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    for name in WORKLOADS {
        let workload = Workload::named(name);
        let mut group = criterion.benchmark_group(name);
        group.sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(3));
        before_proving(&mut group, &workload);
        proving(&mut group, &workload, spans);
        group.finish();
    }
    criterion.final_summary();
}

fn before_proving(group: &mut BenchmarkGroup<'_, WallTime>, workload: &Workload) {
    let (program, input) = (workload.key.program(), &workload.input);
    group.bench_function("execute", |b| b.iter(|| execute(program, input, 1 << 40).unwrap()));
    group.bench_function("record", |b| b.iter(|| workload.records()));
    let records = workload.records();
    group.bench_function("memory tree", |b| b.iter(|| workload.updates(&records)));

    // The tables of the first shard.
    let (machine, merkle) = (Machine::new(program), workload.updates(&records));
    let shard = Shard { program, record: &records[0], merkle: &merkle[0] };
    let shape = Shape::for_shard(&machine, &shard).unwrap();
    for (chip, log_height) in machine.present(&shape) {
        let counts = Counts::default();
        group.bench_function(format!("fill {}", chip.id().name()), |b| {
            b.iter(|| chip.fill(&shard, log_height, &counts));
        });
    }
}

fn proving(group: &mut BenchmarkGroup<'_, WallTime>, workload: &Workload, spans: &Spans) {
    // Made when the first bench asks, then used by all.
    let mut proofs = Vec::new();
    let mut measured = |of: &dyn Fn(&Times) -> f64, times: u64| {
        while proofs.len() < PROOFS {
            spans.take();
            let (_, seconds) = workload.prove(spans);
            proofs.push((seconds, spans.take()));
        }
        let taken = proofs.iter().cycle().take(times as usize).map(of).sum();
        // Later samples get the later proofs.
        proofs.rotate_left(1);
        Duration::from_secs_f64(taken)
    };
    group.bench_function("prove", |b| b.iter_custom(|times| measured(&|proof| proof.0, times)));
    for phase in Phase::ALL {
        group.bench_function(phase.name(), |b| {
            b.iter_custom(|times| {
                measured(&|proof| proof.1[phase as usize].1.as_secs_f64(), times)
            });
        });
    }
    let (proved, _) = workload.prove(spans);
    let vkey = workload.key.verifying_key().digest();
    group.bench_function("verify", |b| {
        b.iter(|| shards::verify(&vkey, &proved.statement, black_box(&proved.proof)).unwrap());
    });
}

type Times = (f64, [(Phase, Duration); Phase::ALL.len()]);
