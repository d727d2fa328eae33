//! Honest proofs, cut into their parts.

use std::sync::OnceLock;

use rwprove_executor::{Input, Rows};
use rwprove_isa::{Instr, Op, Program};
use rwprove_prover::{
    Event, Options, Proved, prove, setup,
    testing::{SMALL, filled},
};
use rwprove_verifier::{
    Preset, VerifyingKey,
    bytes::Writer,
    shards::{VerifyError, verify},
};

use super::ops::{self, Last};
use crate::transcript::{stark::Witness, tape::Tape};

/// Shards of exactly so many rows.
pub(crate) fn options(program: &Program, rows: u64) -> Options {
    // Room must be left for padding, and for a row that may not be cut from the one before.
    let linked = |i: &Instr| i.chain || matches!(i.op, Op::DivU64Hi | Op::RemU64Hi);
    let limits = Rows { cpu: rows + 1 + u64::from(program.code.iter().any(linked)), ..SMALL };
    Options { limits: Some(limits), ..Options::default() }
}

/// What is run.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) program: Program,
    pub(crate) preset: Preset,
    pub(crate) input: Input,
    pub(crate) private: bool,
}

impl Source {
    /// How the shards of [`Source::base`] end.
    pub(crate) const BASE: [Last; 2] = [Last::Plain(Op::CallReg), Last::Plain(Op::FuelCharge)];

    /// The run that most attacks are about: three shards, the first of which ends with an indirect
    /// call and the second with a charge of fuel.
    pub(crate) fn base() -> Self {
        Self::ending(&Self::BASE)
    }

    /// A run whose shards end so.
    pub(crate) fn ending(lasts: &[Last]) -> Self {
        let program = ops::program(lasts, ops::ROWS, 5);
        let input = Input { bytes: b"rwprove".to_vec(), state: 1, fuel_limit: Some(LIMIT) };
        Self { program, preset: Preset::P100, input, private: false }
    }

    /// Shards as the blocks of the program want them.
    pub(crate) fn options(&self) -> Options {
        options(&self.program, ops::ROWS)
    }

    /// The proof of the whole run.
    pub(crate) fn prove(&self) -> Proof {
        let (key, vkey) = setup(self.program.clone(), self.preset).unwrap();
        let options = Options { private_input: self.private, ..self.options() };
        let mut lengths = Vec::new();
        let proved = prove(&key, &self.input, &options, &mut |event| {
            if let Event::Proved { bytes, .. } = event {
                lengths.push(*bytes);
            }
        });
        Proof { vkey, proved: proved.unwrap(), lengths }
    }

    /// The proofs of some shards alone.
    pub(crate) fn pieces(&self, which: &[usize]) -> Vec<(usize, Vec<u8>)> {
        let (key, vkey) = setup(self.program.clone(), self.preset).unwrap();
        let shards = filled(&key, &self.input, &self.options()).unwrap();
        let piece = |&i: &usize| {
            let witness = Witness::new(&self.program, vkey, &shards[i], shards[i].shape);
            let shard = witness.shard(witness.prove(&Tape::real()));
            witness.accepts(&shard).unwrap();
            let mut out = Writer::default();
            shard.write(&mut out);
            (i, out.into_bytes())
        };
        which.iter().map(piece).collect()
    }
}

/// A fuel limit that leaves room.
const LIMIT: u64 = u64::MAX / 3;

/// A whole proof.
pub(crate) struct Proof {
    pub(crate) vkey: VerifyingKey,
    pub(crate) proved: Proved,
    lengths: Vec<usize>,
}

impl Proof {
    /// The proof of [`Source::base`], made once.
    pub(crate) fn base() -> &'static Self {
        static BASE: OnceLock<Proof> = OnceLock::new();
        BASE.get_or_init(|| Source::base().prove())
    }

    /// Where shards start: after everything else and their number.
    pub(crate) fn start(&self) -> usize {
        self.proved.proof.len() - self.lengths.iter().sum::<usize>()
    }

    /// The bytes of each shard.
    pub(crate) fn shards(&self) -> Vec<&[u8]> {
        let mut rest = &self.proved.proof[self.start()..];
        let mut shards = Vec::new();
        for length in &self.lengths {
            let (shard, after) = rest.split_at(*length);
            shards.push(shard);
            rest = after;
        }
        shards
    }

    /// The proof with other shards, whose number is said to be `count`.
    pub(crate) fn with(&self, count: u32, shards: &[&[u8]]) -> Vec<u8> {
        let head = &self.proved.proof[..self.start() - 4];
        [head, &count.to_le_bytes(), &shards.concat()].concat()
    }

    /// What the verifier says to other bytes.
    pub(crate) fn verify(&self, bytes: &[u8]) -> Result<u32, VerifyError> {
        let verified = verify(&self.vkey.digest(), &self.proved.statement, bytes);
        verified.map(|verified| verified.shards)
    }
}
