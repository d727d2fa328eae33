//! What is fixed: the key of the circuit `settle`, which is the commitment to its rows with hashes
//! over BN254, and the digest of the circuit that verifies its proofs.
//!
//! Made by `cargo run --release -p rwprove-wrap --example settle_keys`.

use ark_ff::BigInt;

use crate::Fr;

/// The key as 64-bit limbs, lowest first.
const KEY_LIMBS: [u64; 4] =
    [1024811922504648861, 15825706967723775869, 17115513588510579506, 400776664604019653];
/// The key.
pub(super) const KEY: Fr = Fr::new(BigInt(KEY_LIMBS));
/// [`crate::r1cs::Circuit::digest`] of the circuit for L1.
pub(super) const CIRCUIT: [u8; 32] = [
    59, 210, 117, 13, 89, 33, 97, 66, 19, 114, 5, 97, 86, 115, 118, 92, 59, 218, 251, 133, 194,
    213, 83, 58, 76, 186, 3, 158, 163, 8, 2, 233,
];
/// The file of the verifier with the circuit's development key.
pub(super) const DEVELOPMENT: &[u8] = include_bytes!("development.vkey");
