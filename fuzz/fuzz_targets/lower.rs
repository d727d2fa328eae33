//! Edited code through lowering and validation: what is lowered is never found wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rwprove_isa::{
    front::{Preset, load, lower},
    validate::validate,
};

fuzz_target!(init: rwprove_fuzz::allow_caught_panics(), |input: &[u8]| {
    let bytes = rwprove_fuzz::code::module(input);
    for preset in [Preset::Contract, Preset::Entry { name: String::new() }] {
        if let Ok(module) = load(&bytes, &preset)
            && let Ok(lowered) = lower(&module)
        {
            let _ = validate(&module, &lowered);
        }
    }
});
