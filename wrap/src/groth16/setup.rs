//! Development keys.

use ark_bn254::Bn254;
use ark_groth16::Groth16;
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError, Variable,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use tiny_keccak::{Hasher, Keccak};

use super::{Origin, ProveError, Prover, qap::Coset};
use crate::{
    Fr,
    r1cs::{Circuit, Column},
};

/// What the public seed is made of, with the circuit's digest.
const SEED: &[u8] = b"rwprove development setup: public, insecure v1\0";

/// A circuit's constraints for the library.
struct Replayed<'a>(&'a Circuit);

impl ConstraintSynthesizer<Fr> for Replayed<'_> {
    fn generate_constraints(self, system: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let Self(circuit) = self;
        let inputs = 1 + circuit.publics();
        // The values are not asked for where a key is made.
        for _ in 1..inputs {
            let _ = system.new_input_variable(|| Err(SynthesisError::AssignmentMissing))?;
        }
        for _ in inputs..circuit.variables() {
            let _ = system.new_witness_variable(|| Err(SynthesisError::AssignmentMissing))?;
        }
        let variable = |index: usize| match index.checked_sub(inputs) {
            None if index == 0 => Variable::One,
            None => Variable::instance(index),
            Some(witness) => Variable::witness(witness),
        };
        for row in 0..circuit.constraints() {
            let side = |column: Column| {
                let terms = circuit.row(column, row);
                LinearCombination(terms.map(|(index, c)| (c, variable(index))).collect())
            };
            system.enforce_r1cs_constraint(
                || side(Column::A),
                || side(Column::B),
                || side(Column::C),
            )?;
        }
        Ok(())
    }
}

pub(super) fn development(circuit: &Circuit) -> Result<Prover, ProveError> {
    let digest = circuit.digest();
    let mut hasher = Keccak::v256();
    hasher.update(SEED);
    hasher.update(&digest);
    let mut seed = [0; 32];
    hasher.finalize(&mut seed);
    let mut public = ChaCha20Rng::from_seed(seed);
    let key = Groth16::<Bn254, Coset>::generate_random_parameters_with_reduction(
        Replayed(circuit),
        &mut public,
    );
    let key = key.map_err(|_| ProveError::Size)?;
    Ok(Prover { origin: Origin::Development, circuit: digest, key })
}
