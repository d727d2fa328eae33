use rwasm::{InstructionSet, Opcode, RwasmModule, RwasmModuleBuilder};

use super::{LoadError, Lowered, Module, Preset, load, lower};
use crate::Instr;

mod heights;
mod hostile;
mod loading;
mod lowering;
mod wide;

fn entry(name: &str) -> Preset {
    Preset::Entry { name: name.to_owned() }
}

fn load_wat(wat: &str, preset: &Preset) -> Result<Module, LoadError> {
    load(&wat::parse_str(wat).unwrap(), preset)
}

/// A module that is built of instructions; its prologue returns at once and its entry is pc 1.
fn assemble(code: impl IntoIterator<Item = Opcode>) -> RwasmModule {
    let mut instr = vec![Opcode::Return];
    instr.extend(code);
    RwasmModuleBuilder::new(InstructionSet { instr }).with_source_pc(1).build()
}

fn lowered(wat: &str) -> (Module, Lowered) {
    let module = load_wat(wat, &entry("f")).unwrap();
    let lowered = lower(&module).unwrap();
    (module, lowered)
}

/// The rows of the first function, in its fast or deep version, by block.
fn rows(wat: &str, deep: bool) -> Vec<Vec<Instr>> {
    let (module, lowered) = lowered(wat);
    let functions = module.heights.functions.iter().filter(|f| f.signature.is_some());
    let first = functions.map(|f| f.entry).min().unwrap();
    let blocks = lowered.blocks.iter().filter(|b| b.function == first && b.deep == deep);
    let range = |b: &super::BlockMap| b.lowered.start as usize..b.lowered.end as usize;
    blocks.map(|b| lowered.program.code[range(b)].to_vec()).collect()
}
