//! Proofs of shards for tests: small runs of fixtures, proved in the library's form.

use p3_batch_stark::verify_batch;
use rwprove_circuits::{
    Val,
    machine::{Chip, Machine},
    shape::Shape,
};
use rwprove_executor::Input;
use rwprove_fixtures::{Call, Fixture};
use rwprove_isa::front::Preset as Entry;
use rwprove_prover::{
    Options, prove, setup,
    testing::{SMALL, compile},
};
use rwprove_verifier::{
    Preset,
    bytes::{Reader, Writer},
    codec::{Proof, read_proof, write_proof},
    config::{Config, Digest},
    machine::{layout, publics},
    shards::{self, Boundary, Shard, State},
};

use crate::{
    native::Native,
    verify::{FlattenError, Stark, flatten, verify},
};

/// The proof of one shard.
pub(crate) struct Case {
    pub(crate) shape: Shape,
    pub(crate) stark: Stark,
    pub(crate) publics: Vec<Vec<Val>>,
    pub(crate) fuel_limit: u64,
    pub(crate) before: State,
    pub(crate) boundary: Boundary,
    pub(crate) root: Digest,
    preset: Preset,
    config: Config,
    airs: Vec<Chip>,
    bytes: Vec<u8>,
}

impl Case {
    /// The proof, which cannot be cloned.
    pub(crate) fn proof(&self) -> Proof {
        let layout = layout(&self.shape, self.preset.parameters());
        read_proof(&layout, &mut Reader::new(&self.bytes)).unwrap()
    }

    /// Whether the library accepts a proof.
    pub(crate) fn library(&self, proof: &Proof, publics: &[Vec<Val>], root: Digest) -> bool {
        let layout = layout(&self.shape, self.preset.parameters());
        let common = layout.common(Some(vec![root].into()));
        verify_batch(&self.config, &self.airs, proof, publics, &common).is_ok()
    }

    /// What the algorithm says of a proof.
    pub(crate) fn ours(
        &self,
        proof: &Proof,
        publics: &[Vec<Val>],
        root: Digest,
    ) -> Result<(), FlattenError> {
        let stream = flatten(&self.stark, proof, publics, Some(&root))?;
        Ok(self.stream(&stream, publics, root)?)
    }

    /// What the algorithm says of a stream.
    pub(crate) fn stream(
        &self,
        stream: &[Val],
        publics: &[Vec<Val>],
        root: Digest,
    ) -> Result<(), crate::backend::Rule> {
        let mut native = Native::new(stream);
        verify(&mut native, &self.stark, publics, Some(&root))?;
        native.finish()
    }
}

/// The fixture of this name.
pub(crate) fn fixture(name: &str) -> Fixture {
    rwprove_fixtures::all().into_iter().find(|fixture| fixture.name == name).unwrap()
}

/// The proofs of all shards of a fixture's run, in shards of at most 2^12 instructions.
pub(crate) fn cases(fixture: &Fixture, preset: Preset) -> Vec<Case> {
    let (entry, state) = match &fixture.call {
        Call::Entry { name, .. } => (Entry::Entry { name: name.clone() }, 0),
        Call::Contract { state } => (Entry::Contract, *state),
    };
    let input = Input { bytes: fixture.tape(), state, fuel_limit: fixture.fuel };
    let (key, vkey) = setup(compile(&fixture.wasm, &entry), preset).unwrap();
    let options = Options { limits: Some(SMALL), ..Options::default() };
    let proved = prove(&key, &input, &options, &mut |_| ()).unwrap();

    let contents = shards::contents(&proved.proof).unwrap();
    let head = shards::encode(&vkey, &proved.statement, &contents.head.run, [].into_iter());
    let mut reader = Reader::new(&proved.proof[head.len()..]);
    let run = &contents.head.run;
    let mut before = State::start(&vkey, state, run.input_bytes, run.input);
    let parameters = preset.parameters();
    let shards = (0..proved.report.shards as u32).map(|number| {
        let shard = Shard::read(&vkey, number, &mut reader).unwrap();
        let publics = publics(&shard.shape, &shard.boundary, &before, proved.statement.fuel_limit);
        let (start, boundary) = (before, shard.boundary);
        before = boundary.after(&before).unwrap();
        let mut out = Writer::default();
        write_proof(&shard.proof, &mut out);
        let machine = Machine::verifier();
        Case {
            shape: shard.shape,
            stark: Stark::new(&layout(&shard.shape, parameters)).unwrap(),
            publics,
            fuel_limit: proved.statement.fuel_limit,
            before: start,
            boundary,
            root: vkey.preprocessed,
            preset,
            config: parameters.config(),
            airs: machine.present(&shard.shape).map(|(chip, _)| chip.clone()).collect(),
            bytes: out.into_bytes(),
        }
    });
    shards.collect()
}
