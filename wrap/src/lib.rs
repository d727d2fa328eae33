//! The last layer for L1: the verifier's algorithm as rank-1 constraints over BN254's scalar field.
//!
//! - [`r1cs`]: building constraint systems: linear combinations with their values.
//! - [`gadget`]: what circuits are made of: bits, integers modulo KoalaBear's prime with exact
//!   bounds, the quintic extension, Poseidon2 over BN254, hashes and the transcript.
//! - [`backend`]: the verifier's algorithm over these gadgets.
//! - [`groth16`]: keys, proofs, and files of other tools.
//! - [`stark`]: the last STARK, and its proofs as streams of the backend.
//! - [`statement`]: statements as public inputs.
//! - [`settlement`]: the circuit for L1.
//! - [`solidity`]: the contract that verifies proofs.
//! - [`onchain`]: proofs for contracts, as files.
//! - [`native`]: the hashes and the transcript of the STARK that such a circuit verifies.

pub mod backend;
mod constants;
pub mod gadget;
pub mod groth16;
pub mod native;
pub mod onchain;
pub mod r1cs;
pub mod settlement;
pub mod solidity;
pub mod stark;
pub mod statement;
#[cfg(test)]
mod testing;

pub use ark_bn254::Fr;
