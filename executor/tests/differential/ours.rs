//! The executor, with the whole way from Wasm.

use rwasm::{CompilationConfig, Opcode, RwasmModule, StateRouterConfig};
use rwprove_executor::{Input, Options, Rows, Run};
use rwprove_isa::{
    Exit, Program,
    front::{LoadError, Module, Preset, host::import_linker, load, lower},
    layout::{GLOBAL, TABLE, TABLE_SIZE, TABLE_STRIDE},
};

use crate::{End, GLOBALS, MAX_ROWS, Memory, TABLES};

/// A module on both ways.
pub(crate) struct Compiled {
    pub(crate) module: Module,
    pub(crate) program: Program,
    pub(crate) init: u32,
}

impl Compiled {
    pub(crate) fn new(wasm: &[u8], preset: &Preset) -> Result<Self, LoadError> {
        Self::of(load(wasm, preset)?)
    }

    /// A module of which only the prologue matters.
    pub(crate) fn without_entry(wasm: &[u8]) -> Result<Self, LoadError> {
        let config = CompilationConfig {
            import_linker: Some(import_linker()),
            builtins_consume_fuel: true,
            allow_start_section: true,
            state_router: Some(StateRouterConfig {
                states: Box::new([]),
                opcode: Some(Opcode::Call(2)),
            }),
            ..CompilationConfig::default()
        };
        let (module, _) = RwasmModule::compile(config, wasm)
            .map_err(|error| LoadError::Compile(error.to_string()))?;
        Self::of(load(&module.serialize(), &Preset::Contract)?)
    }

    fn of(module: Module) -> Result<Self, LoadError> {
        let lowered = lower(&module).unwrap_or_else(|error| panic!("lowering: {error}"));
        Ok(Self { module, program: lowered.program, init: lowered.init })
    }

    pub(crate) fn results(&self) -> u32 {
        self.module.entry.map_or(0, |(_, results)| results)
    }
}

/// Runs to the end without recording.
pub(crate) fn run(program: &Program, input: &Input) -> Run {
    let options = Options { limits: Rows::default(), max_rows: MAX_ROWS };
    let mut run = Run::new(program, input, options).unwrap();
    run.run_to_end().unwrap_or_else(|error| panic!("{error}"));
    run
}

/// What the run left behind; with a named entry the results are the end of the output.
pub(crate) fn end(run: &Run, results: u32) -> End {
    let report = run.report().unwrap();
    let memory = run.memory();
    let word = |addr| memory.word(addr).unwrap();
    let mut output = report.output;
    let mut slots = Vec::new();
    if report.exit == Exit::Ok {
        let at = output.len() - 4 * results as usize;
        slots = output.split_off(at);
    }
    let slots = slots.chunks(4).map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap()));
    let words = memory.pages() << 14;
    let table = |t| {
        let elements = (0..word(TABLE_SIZE + t)).map(|i| word(TABLE + t * TABLE_STRIDE + i) == 0);
        elements.collect()
    };
    End {
        exit: report.exit,
        results: slots.collect(),
        output,
        fuel: report.fuel,
        memory: Memory((0..words).flat_map(|addr| word(addr).to_le_bytes()).collect()),
        globals: (0..GLOBALS).map(|i| word(GLOBAL + i)).collect(),
        tables: (0..TABLES).map(table).collect(),
    }
}
