//! The proof kind `compressed`: a run of any length as one STARK proof of a circuit.
//!
//! Given a key's digest, a statement and bytes, [`verify`] accepts exactly if the last circuit of
//! the recursion proves the claim that the program got from its initial state, with the
//! statement's input and facts, to a finished run whose results are those of the statement. The
//! claim is made here; of it the proof brings the last registers alone. `docs/spec/recursion.md`
//! says what the circuits are, [`Fixed`] which keys they have.

mod fixed;
mod keys;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use p3_batch_stark::verify_batch;
use p3_field::PrimeCharacteristicRing;
use p3_symmetric::CryptographicHasher;
use rwprove_circuits::{Val, circuit};
use rwprove_isa::{HALT_PC, STATEMENT_BYTES, Statement};

pub use self::{
    fixed::{Fixed, LogHeights, key},
    keys::KeySet,
};
use crate::{
    bytes::{DecodeError, Reader, Writer},
    codec::{Proof, read_proof, write_proof},
    config::{Digest, Layer, Preset, Sponge},
    error::VerifyError,
    head::{Head, Kind},
    layout::{ProofLayout, TableLayout},
    shards::State,
    step::{Claim, Point, REGISTERS, fuel_limbs},
    vkey::VerifyingKey,
};

/// Bytes of the version, with which a statement starts.
const VERSION_BYTES: usize = 4;
/// Where a statement's bytes have the flag of the input.
const FLAG: usize = 48;

/// The tables of all circuits, evaluated once.
pub fn tables() -> &'static [TableLayout] {
    static TABLES: OnceLock<Vec<TableLayout>> = OnceLock::new();
    TABLES.get_or_init(|| circuit::tables().iter().map(TableLayout::new).collect())
}

/// The layout of proofs of a layer whose tables have these heights.
pub fn layout(heights: &LogHeights, preset: Preset, layer: Layer) -> ProofLayout<'static> {
    let heights = heights.iter().map(|log_height| usize::from(*log_height));
    ProofLayout { tables: tables().iter().zip(heights).collect(), parameters: preset.layer(layer) }
}

/// The digest of a claim: what proofs have as their public values.
pub fn digest(claim: &Claim<Val>) -> Digest {
    Sponge::new(p3_koala_bear::default_koalabear_poseidon2_16()).hash_iter(claim.elements())
}

/// The public values of each table of a proof that makes a claim with this digest.
pub fn publics(digest: &Digest) -> Vec<Vec<Val>> {
    tables().iter().map(|table| digest[..table.publics].to_vec()).collect()
}

/// A compressed proof besides its head.
#[allow(missing_debug_implementations)] // the library's proof has none
pub struct Compressed {
    /// Frame base, depth and pages at the end of the run.
    pub end: [u32; REGISTERS - 1],
    /// The proof of the last circuit.
    pub proof: Proof,
}

impl Compressed {
    fn read(fixed: &Fixed, preset: Preset, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let end = [input.element()?, input.element()?, input.element()?];
        Ok(Self { end, proof: read_proof(&layout(&fixed.last, preset, Layer::Last), input)? })
    }
}

/// The bytes of a proof.
pub fn encode(head: &Head, compressed: &Compressed) -> Vec<u8> {
    let mut out = Writer::default();
    Head { kind: Kind::Compressed, ..head.clone() }.write(&mut out);
    compressed.end.iter().for_each(|number| out.u32(*number));
    write_proof(&compressed.proof, &mut out);
    out.into_bytes()
}

/// Reads all of a proof without verifying anything, for reports.
///
/// # Errors
/// [`VerifyError`] if the bytes are not those of a proof of this machine.
pub fn contents(bytes: &[u8]) -> Result<(Head, Compressed), VerifyError> {
    let mut input = Reader::new(bytes);
    let head = Head::of(Kind::Compressed, &mut input)?;
    let preset = head.key.preset;
    let fixed = Fixed::of(preset);
    head.is_of(&fixed.machine)?;
    let compressed = Compressed::read(fixed, preset, &mut input)?;
    input.finish()?;
    Ok((head, compressed))
}

/// A statement as elements: its bytes from the vkey on, as big endian numbers of two bytes, but the
/// flag of the input by itself.
pub fn said(statement: &Statement) -> Vec<Val> {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
    parts(&statement.to_bytes()).map(number).map(Val::from_u32).collect()
}

/// The bytes of a statement by the elements that say them, from the vkey on.
pub fn parts<T>(statement: &[T; STATEMENT_BYTES]) -> impl Iterator<Item = &[T]> {
    let (before, rest) = statement[VERSION_BYTES..].split_at(FLAG - VERSION_BYTES);
    let (flag, after) = rest.split_at(1);
    before.chunks(2).chain([flag]).chain(after.chunks(2))
}

/// The claim that a finished run makes its statement true.
pub fn claim(fixed: &Fixed, head: &Head, end: [u32; REGISTERS - 1]) -> Claim<Val> {
    let Head { key, statement, run, .. } = head;
    let limbs = |fuel: u64| fuel_limbs(fuel).map(Val::from_u32);
    let [fp, depth, pages] = end;
    Claim {
        keys: fixed.keys().root(),
        program: key.preprocessed,
        limit: limbs(statement.fuel_limit),
        before: Point::from(&State::start(key, statement.state, run.input_bytes, run.input)),
        after: Point {
            registers: [HALT_PC, fp, depth, pages].map(Val::from_u32),
            fuel: limbs(statement.fuel),
            root: run.results.root(),
        },
    }
}

/// Verifies that the program with this key's digest makes the statement true.
///
/// # Errors
/// [`VerifyError`] if the bytes do not prove the statement.
pub fn verify(
    vkey: &[u8; 32],
    statement: &Statement,
    bytes: &[u8],
) -> Result<VerifyingKey, VerifyError> {
    verify_under(Fixed::of, vkey, statement, bytes)
}

/// The same under the circuits that the caller has for each preset, for who tests this function
/// or has circuits of other machines.
///
/// # Errors
/// [`VerifyError`] if the bytes do not prove the statement.
pub fn verify_under<'a>(
    circuits: impl Fn(Preset) -> &'a Fixed,
    vkey: &[u8; 32],
    statement: &Statement,
    bytes: &[u8],
) -> Result<VerifyingKey, VerifyError> {
    let mut input = Reader::new(bytes);
    let head = Head::of(Kind::Compressed, &mut input)?;
    let preset = head.key.preset;
    let fixed = circuits(preset);
    head.is_about(&fixed.machine, vkey, statement)?;
    let Compressed { end, proof } = Compressed::read(fixed, preset, &mut input)?;
    input.finish()?;

    let claim = claim(fixed, &head, end);
    // The claim has the results' root and the statement's fuel, so it is these that are proved.
    head.ends(statement.fuel, &claim.after.root)?;
    let key = fixed.last_key();
    let layout = layout(&fixed.last, preset, Layer::Last);
    let common = layout.common(Some(vec![key].into()));
    let config = layout.parameters.config();
    verify_batch(&config, &circuit::tables(), &proof, &publics(&digest(&claim)), &common)
        .map_err(|error| VerifyError::Compressed(error.to_string()))?;
    Ok(head.key)
}
