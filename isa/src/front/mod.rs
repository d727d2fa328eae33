//! The front end: from `.wasm` or `.rwasm` bytes to a checked [`Module`], and from it to a lowered
//! [`Program`](crate::Program).
//!
//! Bytes are untrusted. A module is refused, with the rule it breaks, unless its stack heights are
//! static ([`heights`]) and every host call that it can reach has a proof ([`host`]).

mod compile;
mod cost;
mod decode;
mod effect;
pub mod heights;
pub mod host;
mod lower;
mod snippets;
#[cfg(test)]
mod tests;
mod wasm;

use rwasm::{Opcode, RwasmModule};
use thiserror::Error;

pub use compile::MAX_WASM_BYTES;
pub use cost::MAX_COST;
pub use decode::{MAGIC, MAX_DATA_BYTES, MAX_ELEMENTS, MAX_INSTRUCTIONS, MAX_RWASM_BYTES};
use heights::{HeightError, Heights};
pub use lower::{BlockMap, LowerError, Lowered, lower};
pub use snippets::Snippet;
pub use wasm::exports_function;

/// How a module is compiled and entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Fluent's production settings: a state router to `deploy` and `main`, everything metered.
    Contract,
    /// One exported function, with its arguments and results.
    Entry {
        /// Name of the export. Of a module that is rWasm already the name is not needed: its entry
        /// is fixed.
        name: String,
    },
}

/// Memory pages that a module can grow to (rwasm's default, which Fluent uses).
pub const MAX_PAGES: u32 = 1024;

/// A module that passed all checks.
#[derive(Clone, Debug)]
pub struct Module {
    /// The module as rwasm has it.
    pub rwasm: RwasmModule,
    /// Keccak-256 of its canonical bytes.
    pub hash: [u8; 32],
    /// Argument and result slots of a named entry; none for a contract.
    pub entry: Option<(u32, u32)>,
    /// Functions and stack heights.
    pub heights: Heights,
}

/// Why bytes are not a module that can be proved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Neither Wasm nor rWasm.
    #[error("neither a wasm nor an rwasm module")]
    NotAModule,
    /// A part is too long.
    #[error("the {what} has {found} bytes or items, at most {max} are allowed")]
    TooLong {
        /// Which part.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// rwasm's compiler refused the module.
    #[error("compiling failed: {0}")]
    Compile(String),
    /// rwasm's decoder refused the module.
    #[error("decoding failed: {0}")]
    Decode(String),
    /// Other bytes encode the same module.
    #[error("the module is not in its canonical encoding")]
    NotCanonical,
    /// The entry is not exported.
    #[error("the module exports no function `{0}`")]
    NoSuchEntry(String),
    /// Stack heights are not static.
    #[error("stack heights: {0}")]
    Heights(#[from] HeightError),
    /// Instructions and blocks touch too many stack slots.
    #[error("instructions and blocks touch {0} stack slots, at most {MAX_COST} are allowed")]
    Cost(u64),
    /// A host call that cannot be proved.
    #[error("the module can reach the host call `{0}`, which has no proof yet")]
    UnsupportedHostCall(&'static str),
}

/// Loads a module from `.wasm` or `.rwasm` bytes.
///
/// # Errors
/// [`LoadError`] for everything that cannot be lowered exactly.
pub fn load(bytes: &[u8], preset: &Preset) -> Result<Module, LoadError> {
    let (rwasm, entry) = if bytes.starts_with(b"\0asm") {
        compile::compile(bytes, preset)?
    } else {
        (decode::decode(bytes)?, None)
    };
    check(rwasm, entry, preset)
}

/// Checks a module that is in memory already; `entry` is the signature of a named entry in slots,
/// if it is known.
fn check(
    rwasm: RwasmModule,
    entry: Option<(u32, u32)>,
    preset: &Preset,
) -> Result<Module, LoadError> {
    decode::check(&rwasm)?;
    let heights = Heights::check(&rwasm.code_section, &rwasm.elem_section, rwasm.source_pc)?;
    let cost = cost::of(&rwasm.code_section, &heights);
    if cost > MAX_COST {
        return Err(LoadError::Cost(cost));
    }
    for (pc, op) in rwasm.code_section.iter().enumerate() {
        if let Opcode::Call(index) | Opcode::ReturnCall(index) = *op
            && let Some(call) = host::HostCall::find(index)
            && !call.supported()
            && heights.height(pc as u32).is_some()
        {
            return Err(LoadError::UnsupportedHostCall(call.name));
        }
    }
    let (params, net) = ends(&heights, rwasm.source_pc);
    let entry = match (preset, entry) {
        (Preset::Contract, _) => None,
        (Preset::Entry { .. }, Some(entry)) => Some(entry),
        (Preset::Entry { .. }, None) => {
            let results = net.map_or(0, |net| i64::from(net) + i64::from(params));
            Some((params, u32::try_from(results).unwrap_or(0)))
        }
    };
    let (args, results) = entry.unwrap_or((0, 0));
    entry_is(&heights, rwasm.source_pc, args, results)?;
    if rwasm.source_pc != 0 {
        entry_is(&heights, 0, 0, 0)?;
    }
    let hash = crate::keccak256(&rwasm.serialize());
    Ok(Module { rwasm, hash, entry, heights })
}

fn ends(heights: &Heights, entry: u32) -> (u32, Option<i32>) {
    heights.function(entry).map_or((0, None), |f| (f.params, f.net))
}

/// An entry function must take at most `args` slots and leave `results`.
fn entry_is(heights: &Heights, entry: u32, args: u32, results: u32) -> Result<(), HeightError> {
    let (found, net) = ends(heights, entry);
    if found > args {
        return Err(HeightError::EntryParams { entry, found, max: args });
    }
    match net.map(|net| i64::from(args) + i64::from(net)) {
        Some(found) if found != i64::from(results) => {
            Err(HeightError::EntryResults { entry, found, expected: results })
        }
        _ => Ok(()),
    }
}
