//! Module bytes as they come, `.wasm` or `.rwasm`: refused or loaded, and then lowered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rwprove_isa::front::{Preset, load, lower};

fuzz_target!(init: rwprove_fuzz::allow_caught_panics(), |bytes: &[u8]| {
    for preset in [Preset::Contract, Preset::Entry { name: "main".into() }] {
        let Ok(module) = load(bytes, &preset) else { continue };
        // Of rWasm there is one encoding.
        assert!(bytes.starts_with(b"\0asm") || module.rwasm.serialize() == bytes);
        let _ = lower(&module);
    }
});
