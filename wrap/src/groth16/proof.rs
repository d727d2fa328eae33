//! Proofs as the contract takes them: eight words of 32 bytes, big endian.

use ark_bn254::{Bn254, Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInteger, PrimeField, Zero};
use thiserror::Error;

/// Bytes of a proof.
pub const PROOF_BYTES: usize = 256;
/// Bytes of a word.
const WORD: usize = 32;

/// A proof: A in G1, B in G2, C in G1.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof(pub(super) ark_groth16::Proof<Bn254>);

/// Why bytes are no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Wrong number of bytes.
    #[error("a proof has {PROOF_BYTES} bytes, found {0}")]
    Length(usize),
    /// A coordinate is not below the field's order.
    #[error("word {0} is not canonical")]
    Canonical(usize),
    /// A point is not on its curve or not in its group.
    #[error("point {0} is not in its group")]
    Point(&'static str),
}

fn word(x: Fq) -> [u8; WORD] {
    let mut word = [0; WORD];
    word.copy_from_slice(&x.into_bigint().to_bytes_be());
    word
}

/// Coordinates as precompiled contracts take them; the point at infinity is two zeros.
pub(super) fn g1_words(point: &G1Affine) -> [[u8; WORD]; 2] {
    let (x, y) = point.xy().unwrap_or_default();
    [word(x), word(y)]
}

/// Coordinates as precompiled contracts take them: of both, the imaginary part first.
pub(super) fn g2_words(point: &G2Affine) -> [[u8; WORD]; 4] {
    let (x, y) = point.xy().unwrap_or_default();
    [word(x.c1), word(x.c0), word(y.c1), word(y.c0)]
}

/// The words of a key's points: those of a contract's constants.
pub fn point_words(key: &ark_groth16::VerifyingKey<Bn254>) -> Vec<[u8; WORD]> {
    let mut words = Vec::new();
    words.extend(g1_words(&key.alpha_g1));
    for point in [&key.beta_g2, &key.gamma_g2, &key.delta_g2] {
        words.extend(g2_words(point));
    }
    key.gamma_abc_g1.iter().for_each(|point| words.extend(g1_words(point)));
    words
}

impl Proof {
    /// The bytes: A (x, y), B (x, y, each with the imaginary part first), C (x, y).
    pub fn to_bytes(&self) -> [u8; PROOF_BYTES] {
        let [a, c] = [&self.0.a, &self.0.c].map(g1_words);
        let b = g2_words(&self.0.b);
        let mut bytes = [0; PROOF_BYTES];
        let words = a.iter().chain(&b).chain(&c);
        bytes.chunks_exact_mut(WORD).zip(words).for_each(|(to, word)| to.copy_from_slice(word));
        bytes
    }

    /// Reads the bytes. Every proof has one form, but from one proof others of the same statement
    /// can be made: a proof's bytes are no name for it.
    ///
    /// # Errors
    /// [`ProofError`] for coordinates that are not canonical and points outside their groups.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        let bytes: &[u8; PROOF_BYTES] =
            bytes.try_into().map_err(|_| ProofError::Length(bytes.len()))?;
        let mut words = [Fq::zero(); PROOF_BYTES / WORD];
        for (i, (to, bytes)) in words.iter_mut().zip(bytes.chunks_exact(WORD)).enumerate() {
            *to = coordinate(bytes).ok_or(ProofError::Canonical(i))?;
        }
        let [ax, ay, bx1, bx0, by1, by0, cx, cy] = words;
        let a = g1(ax, ay).ok_or(ProofError::Point("A"))?;
        let b = g2(Fq2::new(bx0, bx1), Fq2::new(by0, by1)).ok_or(ProofError::Point("B"))?;
        let c = g1(cx, cy).ok_or(ProofError::Point("C"))?;
        Ok(Self(ark_groth16::Proof { a, b, c }))
    }
}

/// A big endian integer below the order.
fn coordinate(bytes: &[u8]) -> Option<Fq> {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_be_bytes(bytes.try_into().ok()?);
    }
    Fq::from_bigint(ark_ff::BigInt(limbs))
}

/// The point of these coordinates, if it is in the group; two zeros are the point at infinity.
pub(super) fn g1(x: Fq, y: Fq) -> Option<G1Affine> {
    if x.is_zero() && y.is_zero() {
        return Some(G1Affine::zero());
    }
    let point = G1Affine::new_unchecked(x, y);
    (point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve()).then_some(point)
}

/// The point of these coordinates, if it is in the group; zeros are the point at infinity.
pub(super) fn g2(x: Fq2, y: Fq2) -> Option<G2Affine> {
    if x.is_zero() && y.is_zero() {
        return Some(G2Affine::zero());
    }
    let point = G2Affine::new_unchecked(x, y);
    (point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve()).then_some(point)
}
