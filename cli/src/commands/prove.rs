//! `rwprove prove`: a run with its proof.

use std::time::Instant;

use rwprove_circuits::shape::Shape;
use rwprove_prover::{Event, Options, Proved, prove, prove_root};
use rwprove_verifier::head::Kind;

use crate::{
    args::{ModeArg, ProveArgs},
    commands::{
        execute::run_report, onchain::prove::Onchain, preset, verify::verified, vkey::proving_key,
    },
    costs,
    error::CliError,
    files, hex,
    program::Loaded,
    progress::Progress,
    report::{self, LayerUse, RunReport},
};

pub(crate) fn run(args: &ProveArgs, quiet: bool) -> Result<(), CliError> {
    let start = Instant::now();
    let progress = Progress::start("setting up", quiet);
    let loaded = Loaded::from_args(&args.run.program, args.run.input.fuel)?;
    let input = loaded.input(&args.run.input)?;
    let preset = preset(args.run.preset.preset);
    let onchain = match args.mode {
        ModeArg::Onchain => Some(Onchain::new(args.keys.keys.as_ref(), preset)?),
        _ => None,
    };
    let key = proving_key(&loaded.program, preset)?;
    let defaults = Options::default();
    let options = Options {
        kind: if args.mode == ModeArg::Shards { Kind::Shards } else { Kind::Compressed },
        max_memory: args.max_memory.unwrap_or(defaults.max_memory),
        private_input: args.private_input,
        resume: args.resume.clone(),
        ..defaults
    };
    let mut layers = Layers::default();
    let mut watch = |event: &Event| {
        layers.note(event);
        progress.now(said(event));
    };
    let refused = |error| CliError::refused("no proof", error);
    let Proved { proof, statement, report, .. } = match onchain {
        None => {
            let proved = prove(&key, &input, &options, &mut watch).map_err(refused)?;
            if args.verify {
                progress.now("verifying".into());
                verified(&key.verifying_key().digest(), &proved.statement, &proved.proof)
                    .map_err(|error| CliError::refused("the proof just made is none", error))?;
            }
            proved
        }
        Some(onchain) => {
            let rooted = prove_root(&key, &input, &options, &mut watch).map_err(refused)?;
            let (statement, report) = (rooted.head.statement.clone(), rooted.report.clone());
            let mut note =
                |layer: &str, bytes, seconds| layers.add(layer.into(), bytes, seconds, false);
            let proof = onchain.prove(rooted, &progress, &mut note)?;
            Proved { proof, statement, report }
        }
    };
    files::write(&args.out, &proof)?;
    drop(progress);
    let tables = costs::tables(&report.tables, &layers.shapes);
    let report = RunReport {
        proof_bytes: Some(proof.len() as u64),
        vkey: Some(hex::encode(&statement.vkey)),
        padding: Some(costs::padding(&tables)),
        tables,
        layers: layers.uses,
        ..run_report(&report, &loaded, start)
    };
    report::print(&report, args.run.json)
}

/// What was proved on the way.
#[derive(Default)]
struct Layers {
    /// Of the shards.
    shapes: Vec<Shape>,
    uses: Vec<LayerUse>,
}

impl Layers {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Started { shape, .. } => self.shapes.push(*shape),
            Event::Proved { bytes, seconds, reused, .. } => {
                self.add("shard".into(), *bytes, *seconds, *reused);
            }
            Event::Recursed { circuit, bytes, seconds, reused, .. } => {
                self.add(circuit.name(), *bytes, *seconds, *reused);
            }
            Event::Built { seconds, .. } => {
                let built = self.of("circuits".into());
                built.count += 1;
                built.seconds += seconds;
            }
            _ => {}
        }
    }

    fn add(&mut self, layer: String, bytes: usize, seconds: f64, reused: bool) {
        let layer = self.of(layer);
        layer.count += 1;
        layer.reused += u32::from(reused);
        layer.bytes += bytes as u64;
        layer.seconds += seconds;
    }

    fn of(&mut self, layer: String) -> &mut LayerUse {
        let place = self.uses.iter().position(|found| found.layer == layer);
        let place = place.unwrap_or_else(|| {
            self.uses.push(LayerUse { layer, count: 0, reused: 0, seconds: 0.0, bytes: 0 });
            self.uses.len() - 1
        });
        &mut self.uses[place]
    }
}

/// What an event means to whoever watches.
pub(crate) fn said(event: &Event) -> String {
    match event {
        Event::Started { shard, instructions, last, .. } => {
            let last = if *last { ", the last" } else { "" };
            format!("proving shard {shard}{last}: {instructions} rows")
        }
        Event::Proved { shard, seconds, .. } => {
            format!("shard {shard} proved in {seconds:.1} s, executing")
        }
        Event::Built { circuit, .. } => format!("proving {}", circuit.name()),
        Event::Recursed { circuit, first, shards, seconds, .. } => {
            let (name, last) = (circuit.name(), first + shards - 1);
            format!("{name} of shards {first} to {last} proved in {seconds:.1} s")
        }
        _ => String::new(),
    }
}
