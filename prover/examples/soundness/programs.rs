//! The honest runs that attacks start from.

use rwprove_executor::{Input, cold, instantiate};
use rwprove_fixtures::{Call, Fixture};
use rwprove_isa::{
    Program,
    front::{Preset, load, lower},
};
use rwprove_prover::{
    Options, ProvingKey, setup,
    testing::{Filled, compile, filled},
};

/// A fixture, ready to run.
pub(crate) struct Case {
    pub(crate) key: ProvingKey,
    pub(crate) input: Input,
}

impl Case {
    /// Compiles a fixture.
    pub(crate) fn new(fixture: &Fixture) -> Self {
        let (program, input) = Self::parts(fixture);
        let (key, _) = setup(program, Default::default()).unwrap();
        Self { key, input }
    }

    /// Program and input of a fixture.
    pub(crate) fn parts(fixture: &Fixture) -> (Program, Input) {
        let (preset, input) = call(fixture);
        (compile(&fixture.wasm, &preset), input)
    }

    /// The program of a fixture after its instantiation, and the same that instantiates itself.
    pub(crate) fn both(fixture: &Fixture) -> [(Program, Input); 2] {
        let (preset, input) = call(fixture);
        let lowered = lower(&load(&fixture.wasm, &preset).unwrap()).unwrap();
        let warm = instantiate(&lowered.program, lowered.init).unwrap();
        let cold = cold(&lowered.program, lowered.init);
        [warm, cold].map(|program| (program, input.clone()))
    }

    /// The filled tables of the whole run.
    pub(crate) fn filled(&self) -> Vec<Filled> {
        filled(&self.key, &self.input, &Options::default()).unwrap()
    }
}

/// How a fixture is called.
fn call(fixture: &Fixture) -> (Preset, Input) {
    let (preset, state) = match &fixture.call {
        Call::Entry { name, .. } => (Preset::Entry { name: name.clone() }, 0),
        Call::Contract { state } => (Preset::Contract, *state),
    };
    (preset, Input { bytes: fixture.tape(), state, fuel_limit: fixture.fuel })
}
