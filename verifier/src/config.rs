//! The STARK configuration: fields, hashes, commitment scheme and the two presets.

use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::Field;
use p3_fri::{FriParameters, TwoAdicFriPcs};
use p3_koala_bear::{Poseidon2KoalaBear, default_koalabear_poseidon2_16};
use p3_merkle_tree::MerkleTreeMmcs;
use p3_symmetric::{MerkleCap, PaddingFreeSponge, TruncatedPermutation};
use p3_uni_stark::StarkConfig;
use rwprove_circuits::{Challenge, Val};

use crate::challenger::Challenger;

/// Elements of a digest.
pub const DIGEST: usize = 8;
pub use rwprove_circuits::EXTENSION;

/// The permutation under every hash and the transcript.
pub type Permutation = Poseidon2KoalaBear<16>;
type Packing = <Val as Field>::Packing;
/// The hash of leaves.
pub type Sponge = PaddingFreeSponge<Permutation, 16, 8, DIGEST>;
/// The hash of nodes.
pub type Compression = TruncatedPermutation<Permutation, 2, DIGEST, 16>;
/// Merkle trees over rows of base field elements.
pub type ValMmcs = MerkleTreeMmcs<Packing, Packing, Sponge, Compression, 2, DIGEST>;
/// Merkle trees over rows of challenges.
pub type ChallengeMmcs = ExtensionMmcs<Val, Challenge, ValMmcs>;
type Dft = Radix2DitParallel<Val>;
/// The polynomial commitment scheme.
pub type Pcs = TwoAdicFriPcs<Val, Dft, ValMmcs, ChallengeMmcs>;
/// The configuration of every STARK here.
pub type Config = StarkConfig<Pcs, Challenge, Challenger>;
/// A digest.
pub type Digest = [Val; DIGEST];
/// A commitment: one Merkle root.
pub type Commitment = MerkleCap<Val, Digest>;

/// A security level, by its provable bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// At least 100 provable bits.
    #[default]
    P100,
    /// At least 120 provable bits.
    P120,
}

impl Preset {
    /// All presets.
    pub const ALL: [Preset; 2] = [Preset::P100, Preset::P120];

    /// The provable bits that the preset promises.
    pub const fn bits(self) -> u32 {
        match self {
            Preset::P100 => 100,
            Preset::P120 => 120,
        }
    }

    /// The preset that promises exactly these bits.
    pub fn from_bits(bits: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.bits() == bits)
    }

    /// The parameters of a layer. The higher the blowup the fewer queries: proofs cost more, and what
    /// verifies them costs less.
    pub const fn layer(self, layer: Layer) -> Parameters {
        let (log_blowup, queries) = match (self, layer) {
            (_, Layer::Shard) => return self.parameters(),
            (Preset::P100, Layer::Inner) => (2, 83),
            (Preset::P100, Layer::Root) => (4, 42),
            (Preset::P100, Layer::Last) => (5, 33),
            (Preset::P120, Layer::Inner) => (2, 108),
            (Preset::P120, Layer::Root) => (4, 56),
            (Preset::P120, Layer::Last) => (5, 45),
            (Preset::P100, Layer::Settle) => (6, 28),
            (Preset::P120, Layer::Settle) => (6, 37),
        };
        Parameters { log_blowup, queries, ..self.parameters() }
    }

    /// The parameters of shards.
    pub const fn parameters(self) -> Parameters {
        match self {
            Preset::P100 => Parameters {
                log_blowup: 1,
                queries: 172,
                query_bits: 18,
                batch_bits: 8,
                commit_bits: 4,
                ood_bits: 0,
                lookup_bits: 0,
            },
            Preset::P120 => Parameters {
                log_blowup: 1,
                queries: 216,
                query_bits: 20,
                batch_bits: 20,
                commit_bits: 12,
                ood_bits: 8,
                lookup_bits: 8,
            },
        }
    }
}

/// A layer of proofs, which has parameters of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Shards.
    Shard,
    /// Leaves, lifts and joins: proofs of which there are many.
    Inner,
    /// The root, of which there is one.
    Root,
    /// The last circuit, whose proof is to be small.
    Last,
    /// The circuit that proves a statement to another proof system.
    Settle,
}

/// What a preset fixes. The grinding bits are those before the challenge in their name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// log2 of the inverse rate.
    pub log_blowup: usize,
    /// Positions opened.
    pub queries: usize,
    /// Grinding before the query positions.
    pub query_bits: usize,
    /// Grinding before the challenge that batches all openings.
    pub batch_bits: usize,
    /// Grinding before each folding challenge.
    pub commit_bits: usize,
    /// Grinding before the out-of-domain point.
    pub ood_bits: usize,
    /// Grinding before the challenges of the lookup argument.
    pub lookup_bits: usize,
}

impl Parameters {
    /// log2 of the largest folding arity.
    pub const LOG_ARITY: usize = 3;
    /// log2 of the length of the last polynomial of FRI, which is sent as it is.
    pub const LOG_FINAL: usize = 0;

    /// The low-degree test.
    pub fn fri<M>(&self, mmcs: M) -> FriParameters<M> {
        FriParameters {
            log_blowup: self.log_blowup,
            log_final_poly_len: Self::LOG_FINAL,
            max_log_arity: Self::LOG_ARITY,
            num_queries: self.queries,
            batch_proof_of_work_bits: self.batch_bits,
            commit_proof_of_work_bits: self.commit_bits,
            query_proof_of_work_bits: self.query_bits,
            mmcs,
        }
    }

    /// The whole configuration.
    pub fn config(&self) -> Config {
        let permutation = default_koalabear_poseidon2_16();
        let mmcs = ValMmcs::new(
            Sponge::new(permutation.clone()),
            Compression::new(permutation.clone()),
            0,
        );
        let fri = self.fri(ChallengeMmcs::new(mmcs.clone()));
        StarkConfig::new(Pcs::new(Dft::default(), mmcs, fri), Challenger::new(permutation))
            .with_ood_proof_of_work_bits(self.ood_bits)
            .with_lookup_proof_of_work_bits(self.lookup_bits)
    }
}
