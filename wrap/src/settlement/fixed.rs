//! Keys of the circuit `settle`: the commitments to its rows with hashes over BN254; and the digests
//! of the circuits that verify its proofs.
//!
//! Made by `cargo run --release -p rwprove-wrap --example settle_keys`.

use ark_ff::BigInt;
use rwprove_verifier::Preset;

use crate::Fr;

/// As 64-bit limbs, lowest first.
const P100: [u64; 4] = [1, 0, 0, 0];
const P120: [u64; 4] = [1, 0, 0, 0];

/// The key of a preset's circuit.
pub(super) fn key(preset: Preset) -> Fr {
    Fr::new(BigInt(match preset {
        Preset::P100 => P100,
        Preset::P120 => P120,
    }))
}

/// Digests of the circuits for L1.
const CIRCUIT_P100: [u8; 32] = [0; 32];
const CIRCUIT_P120: [u8; 32] = [0; 32];

/// [`crate::r1cs::Circuit::digest`] of a preset's circuit.
pub(super) const fn circuit(preset: Preset) -> [u8; 32] {
    match preset {
        Preset::P100 => CIRCUIT_P100,
        Preset::P120 => CIRCUIT_P120,
    }
}

/// The file of the verifier with the development key of a preset's circuit.
pub(super) const fn development(preset: Preset) -> Option<&'static [u8]> {
    match preset {
        Preset::P100 => Some(include_bytes!("p100.vkey")),
        Preset::P120 => None,
    }
}
