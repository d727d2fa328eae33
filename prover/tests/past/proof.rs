//! One proof of several shards, to be changed as bytes or piece by piece.

use std::{fs, sync::OnceLock};

use rwprove_executor::Input;
use rwprove_isa::{
    Instr, Op, Operand, Program, Statement,
    runtime::{Library, Routine},
};
use rwprove_prover::{
    Options, Proved, ProvingKey, prove, setup,
    testing::{SMALL, assembled},
};
use rwprove_verifier::{
    Preset, VerifyingKey,
    bytes::{Reader, Writer},
    codec::Proof,
    config::Config,
    head::Head,
    shards::{Contents, Run, Shard, State, VerifyError, contents, encode, verify},
};

/// The proof with its parts.
pub(crate) struct Honest {
    pub(crate) key: ProvingKey,
    pub(crate) vkey: VerifyingKey,
    pub(crate) proved: Proved,
    pub(crate) run: Run,
    pub(crate) shards: Vec<Vec<u8>>,
}

/// A loop with static and dynamic charges, an access through its table, and the hash of the input
/// at its end.
fn busy() -> Program {
    let (imm, slot) = (Operand::Imm, Operand::Slot);
    assembled(5, |asm| {
        asm.emit(Instr { b: imm(40), ..Instr::new(Op::FuelCharge) });
        asm.mov(0, imm(2500));
        let again = asm.here_label();
        asm.op(Op::Add, 1, 1, slot(0));
        asm.access(Op::Store16, 1, None, 2);
        asm.emit(Instr { a: Some(0), b: imm(1), c: 0, fuel: 3, ..Instr::new(Op::Sub) });
        asm.branch(Op::BrNe, 0, imm(0), again);
        let done = asm.pc_label(Library::get().entry(Routine::Done));
        asm.jump(done);
    })
}

/// What is proved.
pub(crate) fn input() -> Input {
    Input { bytes: b"past".to_vec(), state: 1, fuel_limit: Some(20_000) }
}

fn options() -> Options {
    Options { limits: Some(SMALL), ..Options::default() }
}

/// Made once.
pub(crate) fn honest() -> &'static Honest {
    static HONEST: OnceLock<Honest> = OnceLock::new();
    HONEST.get_or_init(|| {
        let (key, vkey) = setup(busy(), Preset::P100).unwrap();
        let path = std::env::temp_dir().join(format!("rwprove-past-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let options = Options { resume: Some(path.clone()), ..options() };
        let proved = prove(&key, &input(), &options, &mut |_| ()).unwrap();
        let Contents { head: Head { run, .. }, shapes } = contents(&proved.proof).unwrap();
        assert!(shapes.len() >= 3);
        let shard = |i| fs::read(path.join(format!("shard-{i:08}"))).unwrap();
        let shards = (0..shapes.len()).map(shard).collect();
        fs::remove_dir_all(&path).unwrap();
        let honest = Honest { key, vkey, proved, run, shards };
        honest.verify(honest.vkey, &honest.proved.statement, &honest.run, &honest.all()).unwrap();
        honest
    })
}

impl Honest {
    pub(crate) fn all(&self) -> Vec<&[u8]> {
        self.shards.iter().map(Vec::as_slice).collect()
    }

    /// Puts a proof together and verifies it against its own key and statement.
    pub(crate) fn verify(
        &self,
        key: VerifyingKey,
        statement: &Statement,
        run: &Run,
        shards: &[&[u8]],
    ) -> Result<(), VerifyError> {
        let bytes = encode(&key, statement, run, shards.iter().copied());
        verify(&key.digest(), statement, &bytes).map(|_| ())
    }

    /// With other shards.
    pub(crate) fn with_shards(&self, shards: &[&[u8]]) -> VerifyError {
        let Self { vkey, proved, run, .. } = self;
        self.verify(*vkey, &proved.statement, run, shards).unwrap_err()
    }

    /// With another statement.
    pub(crate) fn with_statement(&self, change: impl FnOnce(&mut Statement)) -> VerifyError {
        let mut statement = self.proved.statement.clone();
        change(&mut statement);
        assert_ne!(statement, self.proved.statement);
        self.verify(self.vkey, &statement, &self.run, &self.all()).unwrap_err()
    }

    /// With something else said of the run.
    pub(crate) fn with_run(&self, change: impl FnOnce(&mut Run)) -> VerifyError {
        let mut run = self.run;
        change(&mut run);
        assert_ne!(run, self.run);
        self.verify(self.vkey, &self.proved.statement, &run, &self.all()).unwrap_err()
    }

    /// With another key, which the statement names.
    pub(crate) fn with_key(&self, change: impl FnOnce(&mut VerifyingKey)) -> VerifyError {
        let mut key = self.vkey;
        change(&mut key);
        assert_ne!(key, self.vkey);
        let statement = Statement { vkey: key.digest(), ..self.proved.statement.clone() };
        self.verify(key, &statement, &self.run, &self.all()).unwrap_err()
    }

    /// The first shard, read.
    pub(crate) fn first(&self) -> Shard {
        Shard::read(&self.vkey, 0, &mut Reader::new(&self.shards[0])).unwrap()
    }

    /// The first shard with changes to its STARK proof, as the verifier sees the parts.
    pub(crate) fn with_parts(&self, change: impl FnOnce(&mut Proof)) -> String {
        let mut shard = self.first();
        change(&mut shard.proof);
        self.stark(&shard).unwrap_err()
    }

    /// Verifies a shard from the run's first state.
    pub(crate) fn stark(&self, shard: &Shard) -> Result<(), String> {
        let Run { input_bytes, input: region, .. } = self.run;
        let Input { state, fuel_limit, .. } = input();
        let before = State::start(&self.vkey, state, input_bytes, region);
        let config: Config = self.vkey.preset.parameters().config();
        let limit = fuel_limit.unwrap();
        let verified = shard.verify(&self.vkey, &config, 0, limit, &before);
        verified.map(|_| ()).map_err(|error| error.to_string())
    }

    /// The bytes of a shard after all.
    pub(crate) fn bytes(shard: &Shard) -> Vec<u8> {
        let mut out = Writer::default();
        shard.write(&mut out);
        out.into_bytes()
    }
}
