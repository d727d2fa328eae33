//! What the fuzz targets share: edits of honest bytes, edits of honest code, and an honest proof.

pub mod code;
pub mod edit;
pub mod proof;

use std::collections::BTreeMap;

use rwprove_fixtures::{Call, all};
use rwprove_isa::front::Preset;

/// Panics that the product catches itself are no finding; those that reach the target are.
pub fn allow_caught_panics() {
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
}

/// The modules of the fixtures, each with one way to enter it.
pub fn fixtures() -> Vec<(std::sync::Arc<[u8]>, Preset)> {
    let mut modules = BTreeMap::new();
    for fixture in all() {
        let preset = match fixture.call {
            Call::Entry { name, .. } => Preset::Entry { name },
            Call::Contract { .. } => Preset::Contract,
        };
        modules.entry(fixture.wasm.to_vec()).or_insert((fixture.wasm, preset));
    }
    modules.into_values().collect()
}
