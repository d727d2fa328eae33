//! Where the verifier's algorithm runs: what it needs of a field, a hash and a transcript.
//!
//! The algorithm is a straight line: everything that decides what is done next (heights, widths,
//! numbers of queries) is known before, and everything that a prover sends is read from one
//! *stream* of base field elements, in the order in which the algorithm wants it. A native backend
//! pops values from the stream; a circuit allocates a wire for each.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{Challenge, Val};
use thiserror::Error;

/// Which rule of the verifier's algorithm a proof breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Rule {
    /// The stream is too short, or something is left of it.
    #[error("the stream has another length")]
    Stream,
    /// A grinding witness is not one.
    #[error("a grinding witness does not do its work")]
    Grinding,
    /// An opening does not lead to its commitment.
    #[error("an opening does not lead to its commitment")]
    Path,
    /// Folding does not lead to the last polynomial.
    #[error("folding does not lead to the last polynomial")]
    Folding,
    /// The constraints of a table do not hold at the out-of-domain point.
    #[error("the constraints of table {0} do not hold")]
    Constraints(usize),
    /// The terminals of the lookup argument do not add up to zero.
    #[error("the terminals of the lookup argument do not add up to zero")]
    Terminals,
    /// An inverse of zero.
    #[error("a division by zero")]
    Inverse,
    /// What a layer says of its children or of the run does not hold; the number is its place in
    /// the layer's list of rules.
    #[error("a rule between proofs does not hold: {0}")]
    Between(&'static str),
}

/// Where the algorithm runs. A circuit never fails while it is built; it has no satisfying
/// assignment instead.
pub trait Backend {
    /// An element of the base field.
    type Felt: Clone;
    /// An element of the challenge field.
    type Ext: Clone;
    /// A boolean.
    type Bit: Clone;
    /// A Merkle digest.
    type Digest: Clone;

    // Constants.

    /// A constant.
    fn felt(&mut self, value: Val) -> Self::Felt;
    /// A constant.
    fn ext(&mut self, value: Challenge) -> Self::Ext;

    // What the prover sends.

    /// The next element of the stream.
    fn read_felt(&mut self) -> Result<Self::Felt, Rule>;
    /// The next five elements of the stream.
    fn read_ext(&mut self) -> Result<Self::Ext, Rule>;
    /// The next digest of the stream.
    fn read_digest(&mut self) -> Result<Self::Digest, Rule>;

    // The challenge field.

    /// The element of the base field, in the challenge field.
    fn lift(&mut self, x: &Self::Felt) -> Self::Ext;
    /// `x + y`.
    fn add(&mut self, x: &Self::Ext, y: &Self::Ext) -> Self::Ext;
    /// `x - y`.
    fn sub(&mut self, x: &Self::Ext, y: &Self::Ext) -> Self::Ext;
    /// `x y`.
    fn mul(&mut self, x: &Self::Ext, y: &Self::Ext) -> Self::Ext;
    /// `x y + z`.
    fn mul_add(&mut self, x: &Self::Ext, y: &Self::Ext, z: &Self::Ext) -> Self::Ext;
    /// `k x`.
    fn scale(&mut self, k: Val, x: &Self::Ext) -> Self::Ext;
    /// `m x y + p x + q y + r z + k`, of which any coefficient may be zero.
    fn gate(
        &mut self,
        [m, p, q, r, k]: [Val; 5],
        x: &Self::Ext,
        y: &Self::Ext,
        z: &Self::Ext,
    ) -> Self::Ext {
        let mut sum = self.ext(k.into());
        for (coefficient, value) in [(p, x), (q, y), (r, z)] {
            if coefficient != Val::ZERO {
                let term = self.scale(coefficient, value);
                sum = self.add(&sum, &term);
            }
        }
        if m != Val::ZERO {
            let scaled = self.scale(m, x);
            sum = self.mul_add(&scaled, y, &sum);
        }
        sum
    }
    /// `1 / x`; an error if `x` is zero.
    fn inverse(&mut self, x: &Self::Ext) -> Result<Self::Ext, Rule>;
    /// The element `sum_i parts[i] X^i`, of parts that are themselves in the challenge field: what
    /// an opened row of the lookup argument stands for.
    fn recompose(&mut self, parts: &[Self::Ext; 5]) -> Self::Ext;
    /// `x = y`, or `rule` is broken.
    fn assert_eq(&mut self, rule: Rule, x: &Self::Ext, y: &Self::Ext) -> Result<(), Rule>;

    // The base field.

    /// `sum_i k_i x_i + constant`.
    fn linear(&mut self, terms: &[(Val, &Self::Felt)], constant: Val) -> Self::Felt;
    /// `x y`.
    fn multiply(&mut self, x: &Self::Felt, y: &Self::Felt) -> Self::Felt;
    /// `x = y`, or `rule` is broken.
    fn assert_felt_eq(&mut self, rule: Rule, x: &Self::Felt, y: &Self::Felt) -> Result<(), Rule>;
    /// The `count` low bits, lowest first, of the canonical representative of `x`; with
    /// `exact` all higher bits must be zero, or `rule` is broken.
    fn bits(
        &mut self,
        rule: Rule,
        x: &Self::Felt,
        count: usize,
        exact: bool,
    ) -> Result<Vec<Self::Bit>, Rule>;
    /// `sum_i 2^i bits[i]`, of at most 30 bits.
    fn compose(&mut self, bits: &[Self::Bit]) -> Self::Felt;
    /// The product of `factors[i]` over all `i` whose bit is set, times `first`.
    fn product(&mut self, first: Val, bits: &[Self::Bit], factors: &[Val]) -> Self::Felt;

    // Hashes.

    /// The digest of elements, as `p3_symmetric::PaddingFreeSponge` has it.
    fn hash(&mut self, elements: &[Self::Felt]) -> Self::Digest;
    /// The parent of two digests, the left one first.
    fn compress(&mut self, left: &Self::Digest, right: &Self::Digest) -> Self::Digest;
    /// The root above `leaf`: at each level the sibling is read from the stream; `bits[i]` is set
    /// where the node of level `i` is a right child; after the level `i`, `inject[i]`, if there is
    /// one, is compressed into the node from the right.
    fn climb(
        &mut self,
        leaf: &Self::Digest,
        bits: &[Self::Bit],
        inject: &[Option<Self::Digest>],
    ) -> Result<Self::Digest, Rule>;
    /// `x = y`, or `rule` is broken.
    fn assert_digest_eq(
        &mut self,
        rule: Rule,
        x: &Self::Digest,
        y: &Self::Digest,
    ) -> Result<(), Rule>;
    /// A digest whose elements are these (of the prover's own hash, so of eight elements).
    fn digest(&mut self, elements: &[Self::Felt; 8]) -> Self::Digest;
    /// The eight elements of a digest.
    fn elements(&mut self, digest: &Self::Digest) -> [Self::Felt; 8];

    /// Reads one leaf of opened rows, of these widths, from the stream. Returns its digest, as
    /// [`Backend::hash`] of all its elements, and for each row `p` of width `w` the sum
    /// `sum_i gamma^(w - 1 - i) p_i`.
    fn open_rows(
        &mut self,
        widths: &[usize],
        gamma: &Self::Ext,
    ) -> Result<(Self::Digest, Vec<Self::Ext>), Rule>;
    /// One step of folding: the row of `2^k` values with `value` at the position that the `k` bits
    /// (lowest first) say and the siblings, read from the stream in the order of their positions,
    /// elsewhere. Returns the value at `beta` of the polynomial of degree below `2^k` that has the
    /// row's values at `x w^rev(j)` for position `j` (`w` generates the group of `2^k`, `rev`
    /// reverses `k` bits), and the digest of the row's `5 2^k` elements. `x_inverse` is `1/x`.
    fn fold(
        &mut self,
        value: &Self::Ext,
        position: &[Self::Bit],
        x_inverse: &Self::Felt,
        beta: &Self::Ext,
    ) -> Result<(Self::Ext, Self::Digest), Rule>;

    // The transcript.

    /// Begins an empty transcript.
    fn begin(&mut self);
    /// Absorbs an element.
    fn observe(&mut self, x: &Self::Felt);
    /// Absorbs the five coefficients of an element.
    fn observe_ext(&mut self, x: &Self::Ext);
    /// Absorbs a digest.
    fn observe_digest(&mut self, digest: &Self::Digest);
    /// Draws an element of the challenge field.
    fn sample_ext(&mut self) -> Self::Ext;
    /// Draws the low `count` bits, lowest first, of one element of the base field.
    fn sample_bits(&mut self, count: usize) -> Result<Vec<Self::Bit>, Rule>;
}
