//! Both machines as the tests here use them: ours with the whole way from Wasm.

use rwasm::{CompilationConfig, Opcode, RwasmModule, StateRouterConfig};
use rwprove_executor::{Input, Options, Run, seen};
use rwprove_fixtures::oracle::{End, Host, Vm};
use rwprove_isa::{
    Program,
    front::{LoadError, Module, Preset, host::import_linker, load, lower},
};

use crate::MAX_ROWS;

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
    let options = Options { limits: Vec::new(), max_rows: MAX_ROWS };
    let mut run = Run::new(program, input, options).unwrap();
    run.run_to_end().unwrap_or_else(|error| panic!("{error}"));
    run
}

/// What the run left behind.
pub(crate) fn end(run: &Run, results: u32) -> End {
    seen(run, results).unwrap()
}

/// An empty store of rwasm's machine.
pub(crate) fn vm(host: Host, fuel: Option<u64>) -> Vm {
    Vm::new(import_linker(), host, fuel)
}
