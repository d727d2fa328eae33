//! The contract that verifies proofs on L1, and what is sent to it.

use std::fmt::Write;

use ark_ff::{BigInteger, PrimeField};
use rwprove_isa::{Statement, StatementError};
use thiserror::Error;
use tiny_keccak::{Hasher, Keccak};

use crate::{
    Fr,
    groth16::{Origin, PROOF_BYTES, Proof, ProofError, Verifier, point_words},
    statement::inputs,
};

const TEMPLATE: &str = include_str!("../../contracts/template/Groth16Verifier.sol");

/// The contracts that a verifier is used with, by file name: they stand beside it.
pub const CONTRACTS: [(&str, &str); 5] = [
    ("IGroth16Verifier.sol", include_str!("../../contracts/src/IGroth16Verifier.sol")),
    ("IProofVerifier.sol", include_str!("../../contracts/src/IProofVerifier.sol")),
    ("Gateway.sol", include_str!("../../contracts/src/Gateway.sol")),
    ("Statement.sol", include_str!("../../contracts/src/Statement.sol")),
    ("ExampleConsumer.sol", include_str!("../../contracts/src/ExampleConsumer.sol")),
];

/// Bytes of the selector before a proof.
const SELECTOR: usize = 4;
/// Bytes of a proof as the gateway takes it.
pub const CALL_PROOF_BYTES: usize = SELECTOR + PROOF_BYTES;

/// A word as the contract writes it.
fn hex(word: &[u8]) -> String {
    word.iter().fold(String::from("0x"), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The source of the contract that verifies this key's proofs, which have two inputs; none if they
/// have not. `interface` is the path of `IGroth16Verifier.sol` from there.
pub fn contract(verifier: &Verifier, interface: &str) -> Option<String> {
    let key = &verifier.key;
    let negated = ark_groth16::VerifyingKey {
        beta_g2: -key.beta_g2,
        gamma_g2: -key.gamma_g2,
        delta_g2: -key.delta_g2,
        ..key.clone()
    };
    let names: Vec<String> = [("ALPHA", false), ("BETA", true), ("GAMMA", true), ("DELTA", true)]
        .into_iter()
        .chain([("IC0", false), ("IC1", false), ("IC2", false)])
        .flat_map(|(name, extension)| {
            let coordinates: &[&str] =
                if extension { &["X1", "X0", "Y1", "Y0"] } else { &["X", "Y"] };
            coordinates.iter().map(move |c| format!("{name}_{c}"))
        })
        .collect();
    let words = point_words(&negated);
    if words.len() != names.len() {
        return None;
    }
    let constants: Vec<String> = names
        .iter()
        .zip(&words)
        .map(|(name, word)| {
            format!("    uint256 private constant {name} =\n        {};", hex(word))
        })
        .collect();
    let development = verifier.origin == Origin::Development;
    let origin = if development {
        "INSECURE: the key was made from a public seed, so anyone can forge proofs."
    } else {
        "The key was made by a ceremony."
    };
    let order = Fr::MODULUS.to_bytes_be();
    let source = TEMPLATE
        .replace("./IGroth16Verifier.sol", interface)
        .replace("{{ORIGIN}}", origin)
        .replace("{{DIGEST}}", &hex(&verifier.digest()))
        .replace("{{DEVELOPMENT}}", if development { "true" } else { "false" })
        .replace("{{R}}", &hex(&order))
        .replace("{{KEY}}", &constants.join("\n"));
    Some(source)
}

/// A proof as the gateway takes it: the selector of its verifier, then the proof.
pub fn proof_bytes(verifier: &Verifier, proof: &Proof) -> [u8; CALL_PROOF_BYTES] {
    let mut bytes = [0; CALL_PROOF_BYTES];
    let (selector, rest) = bytes.split_at_mut(SELECTOR);
    selector.copy_from_slice(&verifier.digest()[..SELECTOR]);
    rest.copy_from_slice(&proof.to_bytes());
    bytes
}

/// The call of `verifyProof(bytes32,bytes,bytes)` with a statement and its proof.
pub fn calldata(statement: &Statement, proof: &[u8; CALL_PROOF_BYTES]) -> Vec<u8> {
    let mut call = function("verifyProof(bytes32,bytes,bytes)").to_vec();
    call.extend(statement.vkey);
    call.extend(dynamic(1, &[&statement.to_bytes(), proof]));
    call
}

/// Why the gateway refuses a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// The statement's bytes are none.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The statement is about another program.
    #[error("the statement is about another program")]
    Program,
    /// The proof is for another verifier, or too short to say for which.
    #[error("the proof is for another verifier")]
    Selector,
    /// The proof's bytes are none.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The proof does not show the statement.
    #[error("the proof is not one of this statement")]
    Rejected,
}

/// Decides as the gateway with this verifier does.
///
/// # Errors
/// [`Refused`] where the gateway reverts.
pub fn verify(
    verifier: &Verifier,
    vkey: &[u8; 32],
    statement: &[u8],
    proof: &[u8],
) -> Result<Statement, Refused> {
    let statement = Statement::from_bytes(statement)?;
    if statement.vkey != *vkey {
        return Err(Refused::Program);
    }
    let proof = proof.strip_prefix(&verifier.digest()[..SELECTOR]).ok_or(Refused::Selector)?;
    let proof = Proof::from_bytes(proof)?;
    match verifier.verify(&proof, &inputs(&statement)) {
        true => Ok(statement),
        false => Err(Refused::Rejected),
    }
}

/// The first four bytes of a function's digest.
pub fn function(signature: &str) -> [u8; 4] {
    let mut hasher = Keccak::v256();
    hasher.update(signature.as_bytes());
    let mut digest = [0; 32];
    hasher.finalize(&mut digest);
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Arguments of type `bytes` after `before` arguments of one word.
fn dynamic(before: usize, arguments: &[&[u8]]) -> Vec<u8> {
    let word = |n: usize| {
        let mut word = [0; 32];
        word[24..].copy_from_slice(&(n as u64).to_be_bytes());
        word
    };
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    let start = 32 * (before + arguments.len());
    for argument in arguments {
        head.extend(word(start + tail.len()));
        tail.extend(word(argument.len()));
        tail.extend(*argument);
        tail.resize(tail.len().next_multiple_of(32), 0);
    }
    [head, tail].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_laid_out_as_solidity_does() {
        let call = dynamic(1, &[&[1, 2, 3], &[4; 33]]);
        // Two offsets, then a length and a word, then a length and two words.
        assert_eq!(call.len(), 32 * (2 + 2 + 3));
        let last = |word: usize| call[32 * word + 31];
        assert_eq!([0, 1, 2, 4].map(last), [3 * 32, 5 * 32, 3, 33]);
        assert_eq!(call[3 * 32..3 * 32 + 4], [1, 2, 3, 0]);
        assert_eq!(call[6 * 32..6 * 32 + 2], [4, 0]);
        assert_eq!(function("transfer(address,uint256)"), [0xa9, 0x05, 0x9c, 0xbb]);
    }
}
