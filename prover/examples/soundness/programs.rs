//! The honest runs that attacks start from.

use rwprove_executor::Input;
use rwprove_fixtures::{Call, Fixture};
use rwprove_isa::front::Preset;
use rwprove_prover::{
    Options, ProvingKey, setup,
    testing::{Filled, compile, filled},
};

/// A fixture, ready to run.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) key: ProvingKey,
    pub(crate) input: Input,
}

impl Case {
    /// Compiles a fixture.
    pub(crate) fn new(fixture: &Fixture) -> Self {
        let (preset, state) = match &fixture.call {
            Call::Entry { name, .. } => (Preset::Entry { name: name.clone() }, 0),
            Call::Contract { state } => (Preset::Contract, *state),
        };
        let program = compile(&fixture.wasm, &preset);
        let (key, _) = setup(program, Default::default()).unwrap();
        let input = Input { bytes: fixture.tape(), state, fuel_limit: fixture.fuel };
        Self { name: fixture.name.clone(), key, input }
    }

    /// The filled tables of the whole run.
    pub(crate) fn filled(&self) -> Vec<Filled> {
        filled(&self.key, &self.input, &Options::default()).unwrap()
    }
}
