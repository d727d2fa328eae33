//! Groth16 over BN254.
//!
//! Keys come from a ceremony (see `docs/ceremony.md`) or, for development, from a public seed: the
//! second kind is insecure, since whoever knows the seed can prove anything, and says so wherever
//! it goes.

mod file;
mod iden3;
mod proof;
mod qap;
mod setup;
#[cfg(test)]
mod tests;
mod zkey;

use ark_bn254::Bn254;
use ark_ff::UniformRand;
use ark_groth16::{Groth16, ProvingKey, VerifyingKey, prepare_verifying_key};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use thiserror::Error;
use tiny_keccak::{Hasher, Keccak};

pub use file::FileError;
pub use iden3::write_r1cs;
pub use proof::{PROOF_BYTES, Proof, ProofError, point_words};
pub use zkey::{ZkeyError, read_zkey};

use self::qap::Coset;
use crate::{
    Fr,
    r1cs::{Assignment, Circuit},
};

/// How a key was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From a public seed: anyone can forge proofs.
    Development,
    /// By a ceremony: proofs can be forged only if all who took part worked together.
    Ceremony,
}

/// What verifies proofs of one circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Verifier {
    /// How the key was made.
    pub origin: Origin,
    /// [`Circuit::digest`] of the circuit.
    pub circuit: [u8; 32],
    /// The verifying key.
    pub key: VerifyingKey<Bn254>,
}

/// What proves assignments of one circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Prover {
    /// How the key was made.
    pub origin: Origin,
    /// [`Circuit::digest`] of the circuit.
    pub circuit: [u8; 32],
    key: ProvingKey<Bn254>,
}

/// Why there is no key or no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The circuit has more constraints than the field has roots of unity for, or too many
    /// variables.
    #[error("the circuit is too large")]
    Size,
    /// A constraint does not hold.
    #[error("constraint {0} does not hold")]
    Constraint(usize),
    /// The assignment is that of another circuit.
    #[error("the assignment does not belong to the key's circuit")]
    Shape,
    /// There is no randomness.
    #[error("the system gives no random bytes")]
    Random,
}

impl Prover {
    /// The verifier of this key's proofs.
    pub fn verifier(&self) -> Verifier {
        Verifier { origin: self.origin, circuit: self.circuit, key: self.key.vk.clone() }
    }

    /// Proves an assignment. Two proofs of the same assignment differ.
    ///
    /// # Errors
    /// [`ProveError`] if the assignment does not hold or is none of the key's circuit.
    pub fn prove(&self, assignment: &Assignment) -> Result<Proof, ProveError> {
        if let Some(row) = assignment.broken() {
            return Err(ProveError::Constraint(row));
        }
        let (inputs, values) = (self.key.vk.gamma_abc_g1.len(), &assignment.values);
        let constraints = assignment.products[0].len();
        let domain = Coset::domain_size(constraints + inputs).ok_or(ProveError::Size)?;
        if values.len() != self.key.a_query.len() || domain != self.key.h_query.len() {
            return Err(ProveError::Shape);
        }
        // The library wants matrices only to multiply them with the assignment; that is done, and
        // the first value is one.
        let evaluated = |values: &Vec<Fr>| values.iter().map(|value| vec![(*value, 0)]).collect();
        let matrices = assignment.products[..2].iter().map(evaluated).collect::<Vec<_>>();
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| ProveError::Random)?;
        let mut random = ChaCha20Rng::from_seed(seed);
        let (r, s) = (Fr::rand(&mut random), Fr::rand(&mut random));
        let proof = Groth16::<Bn254, Coset>::create_proof_with_reduction_and_matrices(
            &self.key,
            r,
            s,
            &matrices,
            inputs,
            constraints,
            values,
        );
        proof.map(Proof).map_err(|_| ProveError::Size)
    }
}

impl Verifier {
    /// Whether the proof shows that the circuit has an assignment with these public inputs.
    pub fn verify(&self, proof: &Proof, publics: &[Fr]) -> bool {
        // The library takes any number of inputs for what it has.
        if publics.len() + 1 != self.key.gamma_abc_g1.len() {
            return false;
        }
        let key = prepare_verifying_key(&self.key);
        Groth16::<Bn254, Coset>::verify_proof(&key, &proof.0, publics).unwrap_or(false)
    }

    /// Keccak-256 of the key, with its circuit and origin: what names a route of the gateway.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Keccak::v256();
        hasher.update(b"rwprove groth16 key v1\0");
        hasher.update(&[u8::from(self.origin == Origin::Ceremony)]);
        hasher.update(&self.circuit);
        let VerifyingKey { alpha_g1, beta_g2, gamma_g2, delta_g2, gamma_abc_g1 } = &self.key;
        for point in [alpha_g1].into_iter().chain(gamma_abc_g1) {
            proof::g1_words(point).iter().for_each(|word| hasher.update(word));
        }
        for point in [beta_g2, gamma_g2, delta_g2] {
            proof::g2_words(point).iter().for_each(|word| hasher.update(word));
        }
        let mut digest = [0; 32];
        hasher.finalize(&mut digest);
        digest
    }
}

/// A key from a public seed, which is insecure.
///
/// # Errors
/// [`ProveError::Size`] if the circuit is too large.
pub fn development(circuit: &Circuit) -> Result<Prover, ProveError> {
    setup::development(circuit)
}
