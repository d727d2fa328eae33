//! Proofs in the library's form for tests: shards of small runs of fixtures, and whatever else.

use std::ops::Deref;

use p3_batch_stark::verify_batch;
use rwprove_circuits::{Val, machine::Machine, shape::Shape};
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
    config::Digest,
    layout::{ProofLayout, Table},
    machine::{layout, publics},
    shards::{self, Boundary, Shard, State},
};

use crate::{
    backend::Rule,
    native::Native,
    verify::{FlattenError, Stark, flatten, verify},
};

/// Whether the library accepts a proof of these public values and preprocessed columns.
type Library = dyn Fn(&Proof, &[Vec<Val>], Digest) -> bool;

/// A proof with what it proves.
pub(crate) struct Proved {
    pub(crate) layout: ProofLayout<'static>,
    pub(crate) stark: Stark,
    pub(crate) publics: Vec<Vec<Val>>,
    /// The commitment to preprocessed columns.
    pub(crate) root: Digest,
    bytes: Vec<u8>,
    library: Box<Library>,
}

impl Proved {
    pub(crate) fn new<A: Table + 'static>(
        layout: ProofLayout<'static>,
        airs: Vec<A>,
        publics: Vec<Vec<Val>>,
        root: Digest,
        proof: &Proof,
    ) -> Self {
        let mut out = Writer::default();
        write_proof(proof, &mut out);
        let config = layout.parameters.config();
        let of_library = layout.clone();
        let library = move |proof: &Proof, publics: &[Vec<Val>], root: Digest| {
            let common = of_library.common(Some(vec![root].into()));
            verify_batch(&config, &airs, proof, publics, &common).is_ok()
        };
        let stark = Stark::new(&layout).unwrap();
        let bytes = out.into_bytes();
        Self { layout, stark, publics, root, bytes, library: Box::new(library) }
    }

    /// The proof, which cannot be cloned.
    pub(crate) fn proof(&self) -> Proof {
        read_proof(&self.layout, &mut Reader::new(&self.bytes)).unwrap()
    }

    /// The stream of the proof.
    pub(crate) fn stream(&self) -> Vec<Val> {
        flatten(&self.stark, &self.proof(), &self.publics, Some(&self.root)).unwrap()
    }

    /// Whether the library accepts a proof.
    pub(crate) fn library(&self, proof: &Proof, publics: &[Vec<Val>], root: Digest) -> bool {
        (self.library)(proof, publics, root)
    }

    /// What the algorithm says of a proof.
    pub(crate) fn ours(
        &self,
        proof: &Proof,
        publics: &[Vec<Val>],
        root: Digest,
    ) -> Result<(), FlattenError> {
        let stream = flatten(&self.stark, proof, publics, Some(&root))?;
        let mut native = Native::new(&stream);
        verify(&mut native, &self.stark, publics, Some(&root))?;
        Ok(native.finish()?)
    }

    /// What the algorithm says of a stream.
    pub(crate) fn verify(&self, stream: &[Val]) -> Result<(), Rule> {
        let mut native = Native::new(stream);
        verify(&mut native, &self.stark, &self.publics, Some(&self.root))?;
        native.finish()
    }
}

/// The proof of one shard.
pub(crate) struct Case {
    pub(crate) shape: Shape,
    pub(crate) fuel_limit: u64,
    pub(crate) before: State,
    pub(crate) boundary: Boundary,
    proved: Proved,
}

impl Deref for Case {
    type Target = Proved;

    fn deref(&self) -> &Proved {
        &self.proved
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

    let run = shards::contents(&proved.proof).unwrap().head.run;
    let head = shards::encode(&vkey, &proved.statement, &run, [].into_iter());
    let mut reader = Reader::new(&proved.proof[head.len()..]);
    let mut before = State::start(&vkey, state, run.input_bytes, run.input);
    let (machine, fuel_limit) = (Machine::verifier(), proved.statement.fuel_limit);
    let shards = (0..proved.report.shards).map(|number| {
        let Shard { shape, boundary, proof } = Shard::read(&vkey, number, &mut reader).unwrap();
        let after = boundary.after(&before).unwrap();
        let start = std::mem::replace(&mut before, after);
        let publics = publics(&shape, &boundary, &start, fuel_limit);
        let layout = layout(&shape, preset.parameters());
        let airs = machine.present(&shape).map(|(chip, _)| chip.clone()).collect();
        let proved = Proved::new(layout, airs, publics, vkey.preprocessed, &proof);
        Case { shape, fuel_limit, before: start, boundary, proved }
    });
    shards.collect()
}
