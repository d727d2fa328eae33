//! Given the root's proof, a program's key and what a run left in its memory, this circuit proves a
//! statement: what `compressed::verify` computes natively, for those who cannot.
//!
//! Its public digest is that of the statement's bytes from the vkey on, as numbers of two bytes,
//! big endian; the flag of the input is a number by itself.

mod exit;
mod memory;
mod number;
#[cfg(test)]
mod tests;

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{
    Val,
    merkle::{
        RegOpening,
        opening::{Nodes, OPENED_WORDS, REGIONS},
    },
    poseidon2::WIDTH,
};
use rwprove_isa::{
    HALT_PC,
    layout::{MAX_TAPE_BYTES, reg},
};
use rwprove_verifier::{KeyElements, Preset, config::Digest, halves};

use self::{
    memory::{InCircuit, leaf},
    number::Word,
};
use super::{
    ClaimOf,
    claim::{read, read_claim},
    shrink::{constant, publics},
};
use crate::{
    backend::{Backend, Rule},
    verify::{Stark, verify},
};

/// Numbers of two bytes in a digest of 32 bytes.
const HALVES: usize = 16;

/// What the circuit holds as constants.
#[derive(Clone, Copy, Debug)]
pub struct Constants {
    /// The root's key.
    pub root: Digest,
    /// The digest of the set of keys.
    pub keys: Digest,
    /// Digest of the machine.
    pub machine: [u8; 32],
    /// The preset.
    pub preset: Preset,
}

/// Proves a statement.
///
/// Stream: the claim; what [`said`] reads; then the proof of the root.
///
/// # Errors
/// The [`Rule`] that is broken.
pub fn settle<B: Backend>(
    b: &mut B,
    stark: &Stark,
    constants: &Constants,
) -> Result<B::Digest, Rule> {
    let claim = read_claim(b)?;
    let said = said(b, &claim, constants)?;
    let digest = b.hash(&claim.elements());
    let digest = b.elements(&digest);
    let key = constant(b, &constants.root)?;
    verify(b, stark, &publics(stark, &digest), Some(&key))?;
    Ok(b.hash(&said))
}

/// What a statement says, given the claim that a run makes it true.
///
/// Stream: the key's elements but those that are constants or the claim's; whether the input is
/// private; length of the input and state, as 16-bit limbs; the input's region; the 32 words of
/// results as limbs; the siblings above them.
pub(super) fn said<B: Backend>(
    b: &mut B,
    claim: &ClaimOf<B>,
    constants: &Constants,
) -> Result<Vec<B::Felt>, Rule> {
    let zero = b.felt(Val::ZERO);
    let keys = constant(b, &constants.keys)?;
    let keys = b.elements(&keys);
    same(b, "the set of keys", &claim.keys, &keys)?;
    let key = read_key(b, claim, constants)?;
    let domain = KeyElements::<Val>::domain().map(|element| b.felt(element));
    let vkey = b.hash(&[domain.as_slice(), &key.elements()].concat());
    let vkey = b.elements(&vkey);

    // Where the run starts.
    let registers = [key.start, zero.clone(), zero.clone(), key.pages];
    same(b, "the first registers", &claim.before.registers, &registers)?;
    same(b, "fuel before the start", &claim.before.fuel, &key.fuel)?;
    let private = b.read_felt()?;
    let private = b.bits(Rule::Between("a flag is a bit"), &private, 1, true)?;
    let input_bytes: Word<B> = read(b)?;
    let state: Word<B> = read(b)?;
    let (input_bytes, state) = (number::checked(b, &input_bytes)?, number::checked(b, &state)?);
    let most = [MAX_TAPE_BYTES & 0xffff, MAX_TAPE_BYTES >> 16].map(|x| b.felt(Val::from_u32(x)));
    let (_, more) = number::sub(b, &most, &input_bytes)?;
    b.assert_felt_eq(Rule::Between("the length of the input"), &more, &zero)?;
    let input = b.read_digest()?;
    let regions = key.regions.map(|region| b.digest(&region));
    let mut run = std::array::from_fn(|_| zero.clone());
    run[..4].clone_from_slice(&[input_bytes, state.clone()].concat());
    let run = leaf(b, &run);
    let first = InCircuit(b).initial_root(&regions, input, run);
    let first = b.elements(&first);
    same(b, "the first root", &claim.before.root, &first)?;

    // Where it ends.
    let halt = b.felt(Val::from_u32(HALT_PC));
    same(b, "the run is over", &claim.after.registers[..1], &[halt])?;
    let words: Result<Vec<Word<B>>, Rule> = (0..OPENED_WORDS).map(|_| read(b)).collect();
    let words = words?;
    let limbs: Vec<_> = words.iter().flatten().cloned().collect();
    let leaves = std::array::from_fn(|chunk| {
        leaf(b, &std::array::from_fn(|i| limbs[WIDTH * chunk + i].clone()))
    });
    let siblings = read_siblings(b)?;
    let last = InCircuit(b).results_root(&leaves, &siblings);
    let last = b.elements(&last);
    same(b, "the last root", &claim.after.root, &last)?;

    // What it says.
    let word = |address: u32| &words[(address - reg::EXIT_KIND) as usize];
    let digest = |b: &mut B, address: u32| -> Result<Vec<B::Felt>, Rule> {
        let limbs = (address..address + 8).flat_map(word);
        limbs.map(|limb| number::swapped(b, limb)).collect()
    };
    let private = b.compose(&private);
    let open = b.linear(&[(Val::NEG_ONE, &private)], Val::ONE);
    let input = digest(b, reg::INPUT_DIGEST)?;
    let input: Vec<_> = input.iter().map(|half| b.multiply(half, &open)).collect();
    let output = digest(b, reg::OUTPUT_DIGEST)?;
    exit::check(b, word, &claim.limit, &claim.after.fuel)?;

    let big = |b: &mut B, limbs: &[B::Felt]| -> Result<Vec<B::Felt>, Rule> {
        Ok(number::checked(b, limbs)?.into_iter().rev().collect())
    };
    let mut said = number::halves(b, &vkey)?;
    said.extend(big(b, &state)?);
    said.extend(big(b, &claim.limit)?);
    said.push(private);
    said.extend(input);
    said.extend(vec![zero; HALVES]); // no host answers are supported yet
    said.extend(big(b, word(reg::EXIT_KIND))?);
    said.extend(big(b, word(reg::EXIT_CODE))?);
    said.extend(big(b, &claim.after.fuel)?);
    said.extend(output);
    Ok(said)
}

fn same<B: Backend>(
    b: &mut B,
    rule: &'static str,
    x: &[B::Felt],
    y: &[B::Felt],
) -> Result<(), Rule> {
    let mut pairs = x.iter().zip(y);
    pairs.try_for_each(|(x, y)| b.assert_felt_eq(Rule::Between(rule), x, y))
}

/// Reads a key's elements.
fn read_key<B: Backend>(
    b: &mut B,
    claim: &ClaimOf<B>,
    constants: &Constants,
) -> Result<KeyElements<B::Felt>, Rule> {
    let machine = halves(&constants.machine).map(|half| b.felt(half));
    let preset = b.felt(Val::from_u32(constants.preset.bits()));
    let module = read(b)?;
    let log_height = b.read_felt()?;
    let mut regions = Vec::with_capacity(REGIONS);
    for _ in 0..REGIONS {
        regions.push(read(b)?);
    }
    let regions = regions.try_into().map_err(|_| Rule::Stream)?;
    let (start, pages) = (b.read_felt()?, b.read_felt()?);
    let (preprocessed, fuel) = (claim.program.clone(), read(b)?);
    Ok(KeyElements {
        machine,
        preset,
        module,
        log_height,
        preprocessed,
        regions,
        start,
        pages,
        fuel,
    })
}

fn read_siblings<B: Backend>(b: &mut B) -> Result<[B::Digest; RegOpening::LEVEL], Rule> {
    let siblings: Result<Vec<_>, Rule> = (0..RegOpening::LEVEL).map(|_| b.read_digest()).collect();
    siblings?.try_into().map_err(|_| Rule::Stream)
}
