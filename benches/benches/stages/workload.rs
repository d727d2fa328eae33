//! A program with its input.

use std::{path::Path, time::Instant};

use rwprove_circuits::merkle::{MemoryTree, MerkleUpdate, opening::run_words};
use rwprove_executor::{Input, Run};
use rwprove_fixtures::workload;
use rwprove_isa::{front, record::Record};
use rwprove_prover::{Event, Options, Proved, ProvingKey, prove, setup, testing};
use rwprove_verifier::Preset;

use rwprove_benches::Spans;

/// A workload that is ready to run.
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) key: ProvingKey,
    pub(crate) input: Input,
}

impl Workload {
    /// One of the fixtures, or else a file of [`scripts/npm-modules`](../../scripts/npm-modules),
    /// which hashes a message of 32 bytes.
    pub(crate) fn named(name: &str) -> Self {
        let (name, wasm, tape) = match workload(name) {
            Some(fixture) => (name.to_owned(), fixture.wasm.to_vec(), fixture.tape()),
            None => {
                let path = Path::new(name);
                let wasm = std::fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}"));
                let tape = [32_u32, 1, 2, 3, 4, 5, 6, 7, 8].map(u32::to_le_bytes).concat();
                (path.file_stem().unwrap().to_string_lossy().into_owned(), wasm, tape)
            }
        };
        let program = testing::compile(&wasm, &front::Preset::Entry { name: "run".into() });
        let (key, _) = setup(program, Preset::P100).unwrap();
        Self { name, key, input: Input { bytes: tape, state: 0, fuel_limit: None } }
    }

    /// Runs and writes down what happens.
    pub(crate) fn records(&self) -> Vec<Record> {
        let options = testing::execution(&self.key, &Options::default()).unwrap();
        let run = Run::new(self.key.program(), &self.input, options).unwrap();
        run.map(Result::unwrap).collect()
    }

    /// What the records do to the memory tree.
    pub(crate) fn updates(&self, records: &[Record]) -> Vec<MerkleUpdate> {
        let Input { bytes, state, .. } = &self.input;
        let facts = run_words(bytes.len() as u32, *state);
        let mut tree = MemoryTree::start(self.key.program(), bytes, facts).unwrap();
        records.iter().map(|record| tree.apply(&record.chunks).unwrap()).collect()
    }

    /// Proves the run; `spans` has the time of its phases then. Returns the seconds as well.
    pub(crate) fn prove(&self, spans: &Spans) -> (Proved, f64) {
        let start = Instant::now();
        let proved = prove(&self.key, &self.input, &Options::default(), &mut |event| match event {
            Event::Started { .. } => spans.begin(),
            Event::Proved { .. } => spans.end(),
            _ => {}
        });
        (proved.unwrap(), start.elapsed().as_secs_f64())
    }
}
