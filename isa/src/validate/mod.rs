//! The translation validator: shows that a lowered program does what its rWasm module does.
//!
//! The lowering is not trusted. For every basic block the validator runs rWasm's instructions
//! ([`source`]) and the rows that stand for them ([`target`]) on symbols, and compares what can be
//! seen: fuel, traps, memory, tables, globals and calls in order, where control goes under which
//! condition, and every stack slot that code after the block depends on. If all blocks agree, and
//! all begin in agreement, so does every run, by induction over its blocks.
//! `docs/spec/validator.md` says what this rests on and what it cannot see.

mod block;
mod compare;
mod labels;
mod source;
mod state;
mod target;
mod term;
#[cfg(test)]
mod tests;
mod wide;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

pub use compare::Equalities;

use crate::front::heights::Place;
use crate::front::{Lowered, Module};
use crate::layout::{DATA, ELEM, FUNC};
use crate::runtime::{BootKind, Library, boot, boot_start};
use crate::{Instr, Pc, Slot};
use compare::Equality;
use labels::{Label, Labels};

/// Why a lowered program is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ValidateError {
    /// The program does not begin with the runtime library.
    #[error("row {0} is not the library's")]
    Library(usize),
    /// Boot code is not what it should be.
    #[error("the boot code at row {0} is not the expected one")]
    Boot(Pc),
    /// The initial words are not those of the module.
    #[error("the initial image is not the module's (word {0:#x})")]
    Image(u32),
    /// The map of blocks is inconsistent.
    #[error("the block map is wrong about the block at rWasm pc {0}")]
    Map(u32),
    /// rWasm code was expected here.
    #[error("rWasm pc {0} is not code as the height check saw it")]
    NoCode(u32),
    /// rWasm code touches slots outside its frame.
    #[error("rWasm pc {0} touches slots that are not its function's")]
    Parameters(u32),
    /// A row that no honest lowering has.
    #[error("block {block}: row {pc} {why}")]
    Row {
        /// rWasm pc of the block.
        block: u32,
        /// The row.
        pc: Pc,
        /// What is wrong.
        why: &'static str,
    },
    /// Both sides can be seen to differ.
    #[error("block {block} ({version}, rows from {pc}): {what} differs")]
    Differs {
        /// rWasm pc of the block.
        block: u32,
        /// First row of the block.
        pc: Pc,
        /// Which version of the function.
        version: &'static str,
        /// What differs.
        what: Difference,
    },
    /// Comparing takes more work than any honest module of this length does.
    #[error("the module takes too much work to validate")]
    Work,
    /// The fast version of a function needs more room than its entry makes sure of.
    #[error("the function at rWasm pc {0} has native operations without room for their snippets")]
    Room(u32),
}

/// What differs between a block and its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Difference {
    /// The effect with this number.
    #[error("effect {0}")]
    Effect(usize),
    /// The number of effects.
    #[error("the number of effects")]
    Effects,
    /// The places where control goes.
    #[error("the set of exits")]
    Exits,
    /// The condition of an exit.
    #[error("the condition of exit {0}")]
    Guard(usize),
    /// A slot at an exit.
    #[error("slot {slot} at exit {exit}")]
    Slot {
        /// Number of the exit.
        exit: usize,
        /// The slot.
        slot: Slot,
    },
    /// A global, table size or drop flag at an exit.
    #[error("private word {word:#x} at exit {exit}")]
    Word {
        /// Number of the exit.
        exit: usize,
        /// Its word address.
        word: u32,
    },
}

/// What was validated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Basic blocks, both versions counted.
    pub blocks: usize,
    /// How equal values were found equal.
    pub equalities: Equalities,
}

/// Checks that the lowered program does what the module does.
///
/// # Errors
/// [`ValidateError`] for any program of which that cannot be shown.
pub fn validate(module: &Module, lowered: &Lowered) -> Result<Report, ValidateError> {
    validate_with(module, lowered, &mut Equality::new(work(module)))
}

/// Work that is done for a module before it is given up: many times what honest ones of its length
/// take, so that hostile ones take minutes at most.
fn work(module: &Module) -> u64 {
    (1 << 28) + (1 << 11) * module.rwasm.code_section.len() as u64
}

fn validate_with(
    module: &Module,
    lowered: &Lowered,
    equality: &mut Equality,
) -> Result<Report, ValidateError> {
    let code = &lowered.program.code[..];
    for (row, instr) in Library::get().code.iter().enumerate() {
        if code.get(row) != Some(instr) {
            return Err(ValidateError::Library(row));
        }
    }
    let blocks = blocks(module, lowered)?;
    check_ends(module, lowered, &blocks)?;
    let blocks = with_rows(blocks);
    let labels = Labels::new(blocks.iter().copied());

    let mut functions: BTreeMap<u32, Vec<(Pc, Label)>> = BTreeMap::new();
    for &(pc, label) in &blocks {
        functions.entry(label.function).or_default().push((pc, label));
    }
    for (&function, own) in &functions {
        block::function(module, code, &labels, function, own, equality)?;
    }
    Ok(Report { blocks: blocks.len(), equalities: equality.found })
}

/// The labels of all blocks.
fn blocks(module: &Module, lowered: &Lowered) -> Result<Vec<(Pc, Label)>, ValidateError> {
    let mut seen = BTreeSet::new();
    let mut blocks = Vec::new();
    for block in &lowered.blocks {
        let source = block.source.start;
        let wrong = ValidateError::Map(source);
        let Some(Place::Code { function, .. }) = module.heights.places.get(source as usize) else {
            return Err(wrong);
        };
        let info = module.heights.functions.get(*function as usize).ok_or(wrong.clone())?;
        let pc = block.lowered.start;
        if info.entry != block.function
            || !seen.insert((source, block.deep))
            || (pc as usize) < Library::get().code.len()
        {
            return Err(wrong);
        }
        blocks.push((
            pc,
            Label {
                source,
                function: *function,
                deep: block.deep,
                entry: source == info.entry,
                head: info.check.is_some_and(|check| source <= check),
                rows: block.lowered.len(),
            },
        ));
    }
    Ok(blocks)
}

/// The blocks that have rows of their own. One without any, in both versions, stands at the pc of
/// a later block; it counts as part of the blocks that lead to it.
fn with_rows(blocks: Vec<(Pc, Label)>) -> Vec<(Pc, Label)> {
    let mut last: BTreeMap<(Pc, u32, bool), u32> = BTreeMap::new();
    for (pc, label) in &blocks {
        let last = last.entry((*pc, label.function, label.deep)).or_insert(label.source);
        *last = label.source.max(*last);
    }
    let has_rows = |(pc, label): &(Pc, Label)| {
        label.entry || last.get(&(*pc, label.function, label.deep)) == Some(&label.source)
    };
    let kept: BTreeSet<u32> = blocks.iter().filter(|b| has_rows(b)).map(|b| b.1.source).collect();
    blocks.into_iter().filter(|(_, label)| kept.contains(&label.source)).collect()
}

/// Checks where a run starts: boot code and image.
fn check_ends(
    module: &Module,
    lowered: &Lowered,
    blocks: &[(Pc, Label)],
) -> Result<(), ValidateError> {
    let entry = |source: u32| {
        let found = blocks.iter().find(|(_, l)| l.entry && l.source == source);
        found.map(|(pc, _)| *pc).ok_or(ValidateError::Map(source))
    };
    let kind = match module.entry {
        None => BootKind::Contract,
        Some((args, results)) => BootKind::Entry { args, results },
    };
    let program = &lowered.program;
    // rwasm takes an entry at 0 for a module without a prologue.
    let prologue = if module.rwasm.source_pc == 0 { None } else { Some(entry(0)?) };
    let expected = boot(kind, lowered.init, entry(module.rwasm.source_pc)?, prologue);
    check_rows(&program.code, lowered.init, &expected)?;
    if program.start != boot_start(kind, lowered.init, prologue.is_some()) {
        return Err(ValidateError::Boot(program.start)); // it is after the call of the prologue
    }

    let mut image = BTreeMap::new();
    let mut bytes = module.rwasm.data_section.iter().enumerate();
    bytes.by_ref().for_each(|(i, &byte)| {
        *image.entry(DATA + i as u32 / 4).or_insert(0) |= u32::from(byte) << (8 * (i % 4));
    });
    for (i, &element) in module.rwasm.elem_section.iter().enumerate() {
        image.insert(ELEM + i as u32, element);
    }
    for function in module.heights.functions.iter().filter(|f| f.address_taken) {
        let word = FUNC + 2 * function.entry;
        let signature = function.signature.ok_or(ValidateError::NoCode(function.entry))?;
        image.insert(word, entry(function.entry)?);
        image.insert(word + 1, signature.wrapping_add(1));
    }
    image.retain(|_, value| *value != 0);
    let found: BTreeMap<u32, u32> = program.image.iter().copied().collect();
    let words = image.keys().chain(found.keys());
    if let Some(&word) = words.into_iter().find(|word| image.get(word) != found.get(word)) {
        return Err(ValidateError::Image(word));
    }
    if found.len() != program.image.len() || program.pages != 0 || program.fuel != 0 {
        return Err(ValidateError::Image(0));
    }
    Ok(())
}

fn check_rows(code: &[Instr], start: Pc, expected: &[Instr]) -> Result<(), ValidateError> {
    let rows = code.get(start as usize..).and_then(|code| code.get(..expected.len()));
    if rows == Some(expected) { Ok(()) } else { Err(ValidateError::Boot(start)) }
}
