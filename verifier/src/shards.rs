//! The proof kind `shards`: a run as a chain of shard proofs.
//!
//! Given a key's digest, a statement and bytes, [`verify`] accepts exactly if the shards lead from
//! the program's initial state, with the statement's input and facts, to a finished run whose
//! results are those of the statement. What connects the shards is computed here: the public
//! values of each STARK proof are made by the verifier, never read.

use rwprove_circuits::{
    machine::ChipId,
    merkle::{
        RegOpening,
        opening::{initial_root, run_words},
    },
    shape::{Shape, ShapeError},
};
use rwprove_isa::{
    HALT_PC, STATEMENT_BYTES, Statement, StatementError, layout::MAX_TAPE_BYTES, record::Registers,
};
use thiserror::Error;

use crate::{
    bytes::{DecodeError, Reader, Writer},
    claim::{self, ClaimError},
    codec::{Proof, read_proof, write_proof},
    config::{Config, Digest},
    machine,
    vkey::{KeyError, VerifyingKey},
};

/// First bytes of a proof.
pub const MAGIC: [u8; 4] = *b"RWPF";
/// Version of the proof's layout.
const VERSION: u32 = 1;
/// Number of the kind `shards`.
const KIND: u32 = 1;

/// Why a proof is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not the bytes of a proof.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The first bytes are not those of a proof.
    #[error("not a proof")]
    Magic,
    /// The key cannot be read.
    #[error("verification key: {0}")]
    Key(#[from] KeyError),
    /// The proof is about another key.
    #[error("the proof carries a verification key with another digest")]
    KeyDigest,
    /// The key is of another machine.
    #[error("the verification key is of another version of the machine")]
    Machine,
    /// The statement in the proof cannot be read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The proof is about another statement.
    #[error("the proof carries another statement")]
    OtherStatement,
    /// There is no shard.
    #[error("a proof has at least one shard")]
    NoShards,
    /// The heights of a shard's tables.
    #[error("shard {shard}: {error}")]
    Shape {
        /// Which shard.
        shard: u32,
        /// What is wrong.
        error: ShapeError,
    },
    /// A shard has no fuel table but says that it charged fuel there.
    #[error("shard {0} has no fuel table but charges")]
    FuelWithoutTable(u32),
    /// Fuel exceeds 64 bits.
    #[error("shard {0} consumes more fuel than 64 bits")]
    FuelOverflow(u32),
    /// A shard's STARK proof does not hold.
    #[error("shard {shard}: {error}")]
    Stark {
        /// Which shard.
        shard: u32,
        /// What the library says.
        error: String,
    },
    /// The run is not over after the last shard.
    #[error("the last shard ends at pc {0}, a finished run at {HALT_PC}")]
    NotHalted(u32),
    /// The opened results are not in the last memory.
    #[error("the results are not in the memory that the last shard leaves")]
    Results,
    /// The statement does not hold.
    #[error(transparent)]
    Claim(#[from] ClaimError),
}

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

/// What a proof says besides its shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Length of the input in bytes.
    pub input_bytes: u32,
    /// Root of the input's region.
    pub input: Digest,
    /// The results, opened from the last root.
    pub results: RegOpening,
}

impl Run {
    fn write(&self, out: &mut Writer) {
        out.u32(self.input_bytes);
        out.vals(&self.input);
        self.results.words.iter().for_each(|word| out.u32(*word));
        self.results.siblings.iter().for_each(|sibling| out.vals(sibling));
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let input_bytes = input.bounded("input length", MAX_TAPE_BYTES)?;
        let region = input.digest()?;
        let mut words = [0; _];
        for word in &mut words {
            *word = input.u32()?;
        }
        let mut siblings = [Digest::default(); _];
        for sibling in &mut siblings {
            *sibling = input.digest()?;
        }
        Ok(Self { input_bytes, input: region, results: RegOpening { words, siblings } })
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
    out.bytes(&MAGIC);
    out.u32(VERSION);
    out.u32(KIND);
    key.write(&mut out);
    out.bytes(&statement.to_bytes());
    run.write(&mut out);
    out.u32(shards.len() as u32);
    shards.for_each(|shard| out.bytes(shard));
    out.into_bytes()
}

/// Reads key and statement of a proof without verifying anything.
///
/// # Errors
/// [`VerifyError`] if these are not the first bytes of a proof.
pub fn peek(bytes: &[u8]) -> Result<(VerifyingKey, Statement), VerifyError> {
    read_head(&mut Reader::new(bytes))
}

fn read_head(input: &mut Reader<'_>) -> Result<(VerifyingKey, Statement), VerifyError> {
    if input.array()? != MAGIC {
        return Err(VerifyError::Magic);
    }
    input.exactly("version", VERSION)?;
    input.exactly("kind", KIND)?;
    let key = VerifyingKey::read(input)?;
    let statement = Statement::from_bytes(input.take(STATEMENT_BYTES)?)?;
    Ok((key, statement))
}

/// What a proof holds.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The key.
    pub key: VerifyingKey,
    /// The statement.
    pub statement: Statement,
    /// What is said besides the shards.
    pub run: Run,
    /// The tables of each shard.
    pub shapes: Vec<Shape>,
}

/// Reads all of a proof without verifying anything, for reports.
///
/// # Errors
/// [`VerifyError`] if the bytes are not those of a proof of this machine.
pub fn contents(bytes: &[u8]) -> Result<Contents, VerifyError> {
    let mut input = Reader::new(bytes);
    let (key, statement) = read_head(&mut input)?;
    if key.machine != machine::digest() {
        return Err(VerifyError::Machine);
    }
    let run = Run::read(&mut input)?;
    let mut shapes = Vec::new();
    for number in 0..input.u32()? {
        shapes.push(Shard::read(&key, number, &mut input)?.shape);
    }
    input.finish()?;
    Ok(Contents { key, statement, run, shapes })
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
    let (key, said) = read_head(&mut input)?;
    if key.digest() != *vkey {
        return Err(VerifyError::KeyDigest);
    }
    if key.machine != machine::digest() {
        return Err(VerifyError::Machine);
    }
    if said != *statement {
        return Err(VerifyError::OtherStatement);
    }
    if statement.vkey != *vkey {
        return Err(ClaimError::Key.into());
    }
    let run = Run::read(&mut input)?;
    let shards = input.u32()?;
    if shards == 0 {
        return Err(VerifyError::NoShards);
    }
    let config = key.preset.parameters().config();
    let mut state = State::start(&key, statement.state, run.input_bytes, run.input);
    let mut rows = 0;
    for number in 0..shards {
        let shard = Shard::read(&key, number, &mut input)?;
        state = shard.verify(&key, &config, number, statement.fuel_limit, &state)?;
        rows += shard.rows();
    }
    input.finish()?;
    if state.registers.pc != HALT_PC {
        return Err(VerifyError::NotHalted(state.registers.pc));
    }
    if run.results.root() != state.root {
        return Err(VerifyError::Results);
    }
    claim::check(statement, state.registers.fuel, &run.results)?;
    Ok(Verified { key, shards, rows })
}
