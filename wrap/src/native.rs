//! The hashes and the transcript of the STARK that the circuit for L1 verifies: the library's, over
//! BN254's scalar field.

use std::sync::LazyLock;

use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};
use p3_bn254::Bn254;
use p3_challenger::MultiField32Challenger;
use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::RawDataSerializable;
use p3_fri::TwoAdicFriPcs;
use p3_merkle_tree::MerkleTreeMmcs;
use p3_symmetric::{CryptographicPermutation, MultiField32PaddingFreeSponge, TruncatedPermutation};
use p3_uni_stark::StarkConfig;
use rwprove_circuits::{Challenge, Val};
use rwprove_verifier::config::Parameters;

use crate::{
    Fr,
    constants::{self, Limbs},
};

const WIDTH: usize = 3;

/// Poseidon2 with the constants of its authors' reference implementation: the library's permutation
/// with arkworks' products, which take 19 ns against 43. Almost all of a proof's time goes here.
#[derive(Clone, Debug)]
pub struct Permutation(&'static Constants);

/// Round constants.
#[derive(Debug)]
struct Constants {
    initial: [[Fr; WIDTH]; 4],
    partial: [Fr; 56],
    terminal: [[Fr; WIDTH]; 4],
}

static CONSTANTS: LazyLock<Constants> = LazyLock::new(|| {
    let element = |limbs: Limbs| Fr::new(BigInt(limbs));
    Constants {
        initial: constants::INITIAL.map(|round| round.map(element)),
        partial: constants::PARTIAL.map(element),
        terminal: constants::TERMINAL.map(|round| round.map(element)),
    }
});

/// The permutation.
pub fn permutation() -> Permutation {
    Permutation(&CONSTANTS)
}

fn fifth_power(x: Fr) -> Fr {
    x.square().square() * x
}

/// The matrix `circ(2, 1, 1)`.
fn external(state: &mut [Fr; WIDTH]) {
    let sum = state[0] + state[1] + state[2];
    state.iter_mut().for_each(|x| *x += sum);
}

fn full_round(state: &mut [Fr; WIDTH], constants: &[Fr; WIDTH]) {
    state.iter_mut().zip(constants).for_each(|(x, c)| *x = fifth_power(*x + c));
    external(state);
}

/// The first element alone goes through the power, then the matrix `1 + diag(1, 1, 2)`.
fn partial_round([x, y, z]: &mut [Fr; WIDTH], c: &Fr) {
    *x = fifth_power(*x + c);
    let sum = *x + *y + *z;
    *x += sum;
    *y += sum;
    *z = z.double() + sum;
}

impl p3_symmetric::Permutation<[Bn254; WIDTH]> for Permutation {
    fn permute_mut(&self, input: &mut [Bn254; WIDTH]) {
        let Constants { initial, partial, terminal } = self.0;
        let mut state = input.map(to_fr);
        external(&mut state);
        initial.iter().for_each(|constants| full_round(&mut state, constants));
        partial.iter().for_each(|constant| partial_round(&mut state, constant));
        terminal.iter().for_each(|constants| full_round(&mut state, constants));
        *input = state.map(from_fr);
    }
}

impl CryptographicPermutation<[Bn254; WIDTH]> for Permutation {}

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

/// The library's element as arkworks has it: both keep the same multiple of it.
pub fn to_fr(x: Bn254) -> Fr {
    let bytes = x.into_bytes();
    let (limbs, _) = bytes.as_chunks::<8>();
    Fr::new_unchecked(BigInt(std::array::from_fn(|i| u64::from_le_bytes(limbs[i]))))
}

/// Arkworks' element as the library has it.
pub fn from_fr(x: Fr) -> Bn254 {
    Bn254::new(x.into_bigint().0)
}

#[cfg(test)]
mod tests {
    use p3_bn254::Poseidon2Bn254;
    use p3_field::PrimeCharacteristicRing;
    use p3_poseidon2::ExternalLayerConstants;
    use p3_symmetric::Permutation as _;

    use super::*;

    #[test]
    fn elements_are_the_same() {
        for x in [Bn254::ZERO, Bn254::ONE, -Bn254::ONE, Bn254::from_u64(u64::MAX)] {
            assert_eq!(from_fr(to_fr(x)), x);
        }
        assert_eq!(to_fr(Bn254::from_u64(77)), Fr::from(77));
        assert_eq!(to_fr(-Bn254::ONE), -Fr::from(1));
    }

    #[test]
    fn the_permutation_is_the_librarys() {
        let external = ExternalLayerConstants::new(
            constants::INITIAL.map(Bn254::new_array).to_vec(),
            constants::TERMINAL.map(Bn254::new_array).to_vec(),
        );
        let library =
            Poseidon2Bn254::<WIDTH>::new(external, constants::PARTIAL.map(Bn254::new).to_vec());
        let mut state = [Bn254::ZERO, Bn254::ONE, -Bn254::ONE];
        for _ in 0..100 {
            let expected = library.permute(state);
            state = permutation().permute(state);
            assert_eq!(state, expected);
        }
    }
}
