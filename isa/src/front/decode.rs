//! From untrusted `.rwasm` bytes to a module: limits first, then rwasm's decoder, then equality
//! with the canonical encoding, so that one module has one hash.

use rwasm::RwasmModule;

use super::LoadError;

/// First bytes of a module: magic and version.
pub const MAGIC: [u8; 3] = [0xef, 0x52, 0x01];
/// Largest module in bytes.
pub const MAX_RWASM_BYTES: usize = 64 << 20;
/// Most instructions (rwasm's own limit when compiling).
pub const MAX_INSTRUCTIONS: usize = 2 << 20;
/// Longest data section in bytes.
pub const MAX_DATA_BYTES: usize = 16 << 20;
/// Most entries of the element section.
pub const MAX_ELEMENTS: usize = 1 << 20;

/// Decodes a module.
pub(super) fn decode(bytes: &[u8]) -> Result<RwasmModule, LoadError> {
    within("module", bytes.len(), MAX_RWASM_BYTES)?;
    let count = bytes
        .strip_prefix(&MAGIC)
        .and_then(|rest| rest.first_chunk::<8>())
        .ok_or(LoadError::NotAModule)?;
    let count = usize::try_from(u64::from_le_bytes(*count)).unwrap_or(usize::MAX);
    within("code section", count, MAX_INSTRUCTIONS)?;
    // rwasm's decoder grows its vectors only as elements arrive, so memory is bounded by the
    // length of the bytes.
    let module =
        RwasmModule::new_checked_exact(bytes).map_err(|e| LoadError::Decode(e.to_string()))?;
    check(&module)?;
    if module.serialize() != bytes {
        return Err(LoadError::NotCanonical);
    }
    Ok(module)
}

/// The limits on a module, however it was made.
pub(super) fn check(module: &RwasmModule) -> Result<(), LoadError> {
    within("code section", module.code_section.len(), MAX_INSTRUCTIONS)?;
    within("data section", module.data_section.len(), MAX_DATA_BYTES)?;
    within("element section", module.elem_section.len(), MAX_ELEMENTS)
}

fn within(what: &'static str, found: usize, max: usize) -> Result<(), LoadError> {
    if found > max { Err(LoadError::TooLong { what, found, max }) } else { Ok(()) }
}
