//! The hashes and the transcript of the STARK that the last circuit verifies: the library's, over
//! BN254's scalar field.

use std::sync::LazyLock;

use ark_ff::{BigInt, PrimeField};
use p3_bn254::{Bn254, Poseidon2Bn254};
use p3_challenger::MultiField32Challenger;
use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::PrimeField as _;
use p3_fri::TwoAdicFriPcs;
use p3_merkle_tree::MerkleTreeMmcs;
use p3_poseidon2::ExternalLayerConstants;
use p3_symmetric::{MultiField32PaddingFreeSponge, TruncatedPermutation};
use p3_uni_stark::StarkConfig;
use rwprove_circuits::{Challenge, Val};
use rwprove_verifier::config::Parameters;

use crate::{Fr, constants};

/// Poseidon2 with the constants of its authors' reference implementation.
pub type Permutation = Poseidon2Bn254<3>;
/// Hashes rows.
pub type Sponge = MultiField32PaddingFreeSponge<Val, Bn254, Permutation, 3, 2, 1>;
/// Hashes two digests.
pub type Compression = TruncatedPermutation<Permutation, 2, 1, 3>;
/// The transcript.
pub type Challenger = MultiField32Challenger<Val, Bn254, Permutation, 3, 2>;

/// Merkle trees over rows of base field elements.
pub type ValMmcs = MerkleTreeMmcs<Val, Bn254, Sponge, Compression, 2, 1>;
/// Merkle trees over rows of challenges.
pub type ChallengeMmcs = ExtensionMmcs<Val, Challenge, ValMmcs>;
/// The polynomial commitment scheme.
pub type Pcs = TwoAdicFriPcs<Val, Radix2DitParallel<Val>, ValMmcs, ChallengeMmcs>;
/// The configuration of the STARK.
pub type Config = StarkConfig<Pcs, Challenge, Challenger>;

static PERMUTATION: LazyLock<Permutation> = LazyLock::new(|| {
    let external = ExternalLayerConstants::new(
        constants::INITIAL.map(Bn254::new_array).to_vec(),
        constants::TERMINAL.map(Bn254::new_array).to_vec(),
    );
    Permutation::new(external, constants::PARTIAL.map(Bn254::new).to_vec())
});

/// The permutation.
pub fn permutation() -> Permutation {
    PERMUTATION.clone()
}

/// The configuration with these parameters; none if the fields do not fit, which they do.
pub fn config(parameters: &Parameters) -> Option<Config> {
    let permutation = permutation();
    let sponge = Sponge::new(permutation.clone()).ok()?;
    let challenger = Challenger::new(permutation.clone()).ok()?;
    let mmcs = ValMmcs::new(sponge, Compression::new(permutation), 0);
    let fri = parameters.fri(ChallengeMmcs::new(mmcs.clone()));
    let config = StarkConfig::new(Pcs::new(Radix2DitParallel::default(), mmcs, fri), challenger)
        .with_ood_proof_of_work_bits(parameters.ood_bits)
        .with_lookup_proof_of_work_bits(parameters.lookup_bits);
    Some(config)
}

/// The library's element as arkworks has it.
pub fn to_fr(x: Bn254) -> Fr {
    let mut limbs = [0; 4];
    limbs.iter_mut().zip(x.as_canonical_biguint().to_u64_digits()).for_each(|(to, x)| *to = x);
    // A canonical representative.
    Fr::from_bigint(BigInt(limbs)).unwrap_or_default()
}

/// Arkworks' element as the library has it.
pub fn from_fr(x: Fr) -> Bn254 {
    Bn254::new(x.into_bigint().0)
}
