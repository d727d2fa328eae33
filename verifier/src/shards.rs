//! The proof kind `shards`: a run as a chain of shard proofs.
//!
//! Given a key's digest, a statement and bytes, [`verify`] accepts exactly if the shards lead from
//! the program's initial state, with the statement's input and facts, to a finished run whose
//! results are those of the statement. What connects the shards is computed here: the public
//! values of each STARK proof are made by the verifier, never read.

use rwprove_circuits::{
    machine::ChipId,
    merkle::opening::{initial_root, run_words},
    shape::Shape,
};
use rwprove_isa::{HALT_PC, Statement, record::Registers};

use crate::{
    bytes::{Reader, Writer},
    codec::{Proof, read_proof, write_proof},
    config::{Config, Digest},
    head::{Head, Kind},
    machine,
    vkey::VerifyingKey,
};

pub use crate::{
    error::VerifyError,
    head::{MAGIC, Run, peek},
};

/// What an accepted proof amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The key.
    pub key: VerifyingKey,
    /// Number of shards.
    pub shards: u32,
    /// Rows of all tables of all shards.
    pub rows: u64,
}

/// Where a shard stands between its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// The registers.
    pub registers: Registers,
    /// The root of the memory tree.
    pub root: Digest,
}

impl State {
    /// Where a run of a program starts.
    pub fn start(key: &VerifyingKey, state: u32, input_bytes: u32, input: Digest) -> Self {
        let registers =
            Registers { pc: key.start, fp: 0, depth: 0, pages: key.pages, fuel: key.fuel };
        Self { registers, root: initial_root(&key.regions, input, run_words(input_bytes, state)) }
    }
}

/// How a shard changes the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// Pc, frame base, depth and pages at the end.
    pub end: [u32; 4],
    /// Static fuel charged.
    pub spent: u32,
    /// Dynamic fuel charged, as sums of 16-bit limbs.
    pub charged: [u32; 4],
    /// The root at the end.
    pub root: Digest,
}

impl Boundary {
    /// The state after the shard; `None` if fuel exceeds 64 bits.
    pub fn after(&self, before: &State) -> Option<State> {
        let charged =
            self.charged.iter().rev().fold(0, |sum, limb| (sum << 16) + u128::from(*limb));
        let fuel = u128::from(before.registers.fuel) + u128::from(self.spent) + charged;
        let [pc, fp, depth, pages] = self.end;
        let registers = Registers { pc, fp, depth, pages, fuel: fuel.try_into().ok()? };
        Some(State { registers, root: self.root })
    }
}

/// One shard with its proof.
#[allow(missing_debug_implementations)] // the library's proof has none
pub struct Shard {
    /// Heights of its tables.
    pub shape: Shape,
    /// What it does.
    pub boundary: Boundary,
    /// The STARK proof.
    pub proof: Proof,
}

impl Shard {
    /// Appends the canonical bytes.
    pub fn write(&self, out: &mut Writer) {
        machine::write_shape(&self.shape, out);
        let Boundary { end, spent, charged, root } = &self.boundary;
        end.iter().chain([spent]).chain(charged).for_each(|number| out.u32(*number));
        out.vals(root);
        write_proof(&self.proof, out);
    }

    /// Reads the canonical bytes of shard number `shard`.
    ///
    /// # Errors
    /// [`VerifyError`] for bytes that [`Shard::write`] does not write, or heights that the machine
    /// does not allow.
    pub fn read(
        key: &VerifyingKey,
        shard: u32,
        input: &mut Reader<'_>,
    ) -> Result<Self, VerifyError> {
        let shape = machine::read_shape(input)?;
        shape
            .check(key.log_height as usize)
            .map_err(|error| VerifyError::Shape { shard, error })?;
        let mut element = || input.element();
        let boundary = Boundary {
            end: [element()?, element()?, element()?, element()?],
            spent: element()?,
            charged: [element()?, element()?, element()?, element()?],
            root: input.digest()?,
        };
        let proof = read_proof(&machine::layout(&shape, key.preset.parameters()), input)?;
        Ok(Self { shape, boundary, proof })
    }

    /// Rows of all its tables.
    pub fn rows(&self) -> u64 {
        self.shape.tables().map(|(_, log_height)| 1 << log_height).sum()
    }

    /// Checks the shard's proof from the state before it; returns the state after it.
    ///
    /// # Errors
    /// [`VerifyError`] if the proof does not hold for exactly these states.
    pub fn verify(
        &self,
        key: &VerifyingKey,
        config: &Config,
        shard: u32,
        fuel_limit: u64,
        before: &State,
    ) -> Result<State, VerifyError> {
        let fuel = self.shape.log_height(ChipId::Fuel);
        if self.boundary.charged != [0; 4] && fuel.is_none() {
            return Err(VerifyError::FuelWithoutTable(shard));
        }
        let after = self.boundary.after(before).ok_or(VerifyError::FuelOverflow(shard))?;
        let publics = machine::publics(&self.shape, &self.boundary, before, fuel_limit);
        machine::verify(key, config, &self.shape, &publics, &self.proof)
            .map_err(|error| VerifyError::Stark { shard, error })?;
        Ok(after)
    }
}

/// The bytes of a proof, given its shards as bytes of [`Shard::write`].
pub fn encode<'a>(
    key: &VerifyingKey,
    statement: &Statement,
    run: &Run,
    shards: impl ExactSizeIterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let mut out = Writer::default();
    Head { kind: Kind::Shards, key: *key, statement: statement.clone(), run: *run }.write(&mut out);
    out.u32(shards.len() as u32);
    shards.for_each(|shard| out.bytes(shard));
    out.into_bytes()
}

/// What a proof holds.
#[derive(Clone, Debug)]
pub struct Contents {
    /// What it starts with.
    pub head: Head,
    /// The tables of each shard.
    pub shapes: Vec<Shape>,
}

/// Reads all of a proof without verifying anything, for reports.
///
/// # Errors
/// [`VerifyError`] if the bytes are not those of a proof of this machine.
pub fn contents(bytes: &[u8]) -> Result<Contents, VerifyError> {
    let mut input = Reader::new(bytes);
    let head = Head::of(Kind::Shards, &mut input)?;
    head.is_of(&machine::digest())?;
    let mut shapes = Vec::new();
    for number in 0..input.u32()? {
        shapes.push(Shard::read(&head.key, number, &mut input)?.shape);
    }
    input.finish()?;
    Ok(Contents { head, shapes })
}

/// Verifies that the program with this key's digest makes the statement true.
///
/// # Errors
/// [`VerifyError`] if the bytes do not prove the statement.
pub fn verify(
    vkey: &[u8; 32],
    statement: &Statement,
    bytes: &[u8],
) -> Result<Verified, VerifyError> {
    let mut input = Reader::new(bytes);
    let head = Head::of(Kind::Shards, &mut input)?;
    head.is_about(&machine::digest(), vkey, statement)?;
    let Head { key, run, .. } = &head;
    let shards = input.u32()?;
    if shards == 0 {
        return Err(VerifyError::NoShards);
    }
    let config = key.preset.parameters().config();
    let mut state = State::start(key, statement.state, run.input_bytes, run.input);
    let mut rows = 0;
    for number in 0..shards {
        let shard = Shard::read(key, number, &mut input)?;
        state = shard.verify(key, &config, number, statement.fuel_limit, &state)?;
        rows += shard.rows();
    }
    input.finish()?;
    if state.registers.pc != HALT_PC {
        return Err(VerifyError::NotHalted(state.registers.pc));
    }
    head.ends(state.registers.fuel, &state.root)?;
    Ok(Verified { key: head.key, shards, rows })
}
