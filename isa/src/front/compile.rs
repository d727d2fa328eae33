//! From `.wasm` to an rWasm module, with rwasm's own compiler and pinned settings.

use rwasm::{CompilationConfig, Opcode, RwasmModule, StateRouterConfig};

use super::{LoadError, Preset, host, wasm};

/// Largest `.wasm` that is compiled.
pub const MAX_WASM_BYTES: usize = 16 << 20;

/// Index of the `_state` host call, which the state router asks.
const STATE: u32 = 0x02;

/// Compiles a module; for a named entry also the numbers of its argument and result slots.
pub(super) fn compile(
    bytes: &[u8],
    preset: &Preset,
) -> Result<(RwasmModule, Option<(u32, u32)>), LoadError> {
    if bytes.len() > MAX_WASM_BYTES {
        return Err(LoadError::TooLong { what: "wasm", found: bytes.len(), max: MAX_WASM_BYTES });
    }
    let shared = CompilationConfig {
        import_linker: Some(host::import_linker()),
        builtins_consume_fuel: true,
        ..CompilationConfig::default()
    };
    let config = match preset {
        Preset::Contract => CompilationConfig {
            state_router: Some(StateRouterConfig {
                states: [("deploy".into(), 1), ("main".into(), 0)].into(),
                opcode: Some(Opcode::Call(STATE)),
            }),
            ..shared
        },
        Preset::Entry { name } => CompilationConfig {
            entrypoint_name: Some(name.as_str().into()),
            allow_malformed_entrypoint_func_type: true,
            allow_start_section: true,
            ..shared
        },
    };
    let (module, _) =
        RwasmModule::compile(config, bytes).map_err(|e| LoadError::Compile(e.to_string()))?;
    let entry = match preset {
        Preset::Contract => None,
        Preset::Entry { name } => Some(wasm::entry_slots(bytes, name)?),
    };
    Ok((module, entry))
}
