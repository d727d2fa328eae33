//! Honest runs with everything that a verifier knows of them: where attacks start, and what they
//! are judged by.

use rwprove_circuits::{
    machine::Machine,
    merkle::{
        MemoryTree,
        opening::{initial_root, run_words},
        program_regions,
    },
    shape::{CPU_CLASSES, Shape},
};
use rwprove_executor::{Input, Options, Report, Rows, Run};
use rwprove_isa::{
    InputDigest, Instr, Program, Statement, keccak256,
    record::{Record, Registers},
};
use rwprove_prover::testing::rows;
use rwprove_verifier::shards::State;

/// Runs that are longer are left out.
const MAX_ROWS: u64 = 60_000;

/// One shard of an honest run, with what stood before it.
pub(crate) struct Honest {
    pub(crate) record: Record,
    /// Row of the run at which it starts.
    pub(crate) first: u64,
    pub(crate) tree: MemoryTree,
    pub(crate) state: State,
}

/// An honest run.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) program: Program,
    pub(crate) machine: Machine,
    pub(crate) input: Input,
    pub(crate) statement: Statement,
    pub(crate) shards: Vec<Honest>,
    pub(crate) report: Report,
}

/// Shards of the smallest class, so that a check is cheap and runs have several shards.
pub(crate) fn limits() -> Rows {
    rows(&Shape::largest(CPU_CLASSES[0], CPU_CLASSES[0]))
}

/// Memory before a run on an input, and the state that a verifier starts from when it is told
/// this input.
pub(crate) fn start(program: &Program, input: &Input) -> (MemoryTree, State) {
    let facts = run_words(input.bytes.len() as u32, input.state);
    let tree = MemoryTree::start(program, &input.bytes, facts).unwrap();
    let Program { start: pc, pages, fuel, .. } = *program;
    let registers = Registers { pc, fp: 0, depth: 0, pages, fuel };
    let root = initial_root(&program_regions(program).unwrap(), tree.input_digest(), facts);
    (tree, State { registers, root })
}

impl Subject {
    /// Runs a program; `None` if the run is long, or cannot start within its fuel.
    pub(crate) fn new(name: &str, program: Program, input: Input) -> Option<Self> {
        let machine = Machine::new(&program);
        let options = Options { limits: vec![limits()], max_rows: MAX_ROWS };
        let mut run = Run::new(&program, &input, options).ok()?;
        let (mut tree, mut state) = start(&program, &input);
        let (mut shards, mut first) = (Vec::new(), 0);
        for record in run.by_ref() {
            let record = record.ok()?;
            let (before, rows) = ((tree.clone(), state), record.cpu.len() as u64);
            let merkle = tree.apply(&record.chunks).unwrap();
            state = State { registers: record.end, root: merkle.root_after };
            shards.push(Honest { record, first, tree: before.0, state: before.1 });
            first += rows;
        }
        let report = run.report().ok()?;
        let statement = Statement {
            vkey: [0; 32],
            state: input.state,
            fuel_limit: input.fuel_limit.unwrap_or(u64::MAX),
            input: InputDigest::Public(keccak256(&input.bytes)),
            host: [0; 32],
            exit: report.exit,
            fuel: report.fuel,
            output: keccak256(&report.output),
        };
        let name = name.to_owned();
        Some(Self { name, program, machine, input, statement, shards, report })
    }

    /// For false runs: some more rows than the honest run has.
    pub(crate) fn options(&self) -> Options {
        Options { limits: vec![limits()], max_rows: self.report.rows + 5000 }
    }

    /// The instruction at a pc.
    pub(crate) fn instr(&self, pc: u32) -> Instr {
        self.program.code[pc as usize]
    }
}
