//! Calls of a gateway that differ from a right one in one place, and that the native verifier refuses.
//!
//!     cargo run --release -p rwprove-wrap --example attacks -- VERIFIER PROOF COUNT > attacks.json
//!
//! Fails if the right one is refused or one of the others accepted. A contract must refuse them too.
#![allow(clippy::print_stdout, reason = "a command")]

use std::{error::Error, fs};

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use rwprove_wrap::{groth16::Verifier, onchain::OnchainProof, solidity::verify};
use serde_json::json;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".into(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// Calls that differ from the right one in one place, and that the native verifier refuses.
fn attacks(
    verifier: &Verifier,
    vkey: [u8; 32],
    statement: &[u8],
    proof: &[u8],
    count: usize,
) -> Result<Vec<serde_json::Value>, Box<dyn Error>> {
    let mut rng = SmallRng::seed_from_u64(6);
    let mut calls = Vec::with_capacity(count);
    for i in 0..count {
        let (mut vkey, mut values, mut bytes) = (vkey, statement.to_vec(), proof.to_vec());
        let bit = 1 << rng.random_range(0..8);
        let name = match i % 6 {
            0 => {
                let at = rng.random_range(0..values.len());
                values[at] ^= bit;
                format!("statement byte {at}")
            }
            1 => {
                let at = rng.random_range(0..bytes.len());
                bytes[at] ^= bit;
                format!("proof byte {at}")
            }
            2 => {
                // Both, so that only the proof speaks against it.
                let at = rng.random_range(0..32);
                vkey[at] ^= bit;
                values[4 + at] ^= bit;
                format!("program byte {at}")
            }
            3 => {
                let word = rng.random_range(0..8);
                rng.fill(&mut bytes[4 + 32 * word..4 + 32 * (word + 1)]);
                format!("proof word {word}")
            }
            4 => {
                let (a, b) = (rng.random_range(0..8), rng.random_range(1..8));
                let words: Vec<Vec<u8>> = bytes[4..].chunks(32).map(<[u8]>::to_vec).collect();
                let other = (a + b) % 8;
                bytes[4 + 32 * a..4 + 32 * (a + 1)].copy_from_slice(&words[other]);
                bytes[4 + 32 * other..4 + 32 * (other + 1)].copy_from_slice(&words[a]);
                format!("proof words {a} and {other}")
            }
            _ => {
                let length = rng.random_range(0..bytes.len());
                bytes.truncate(length);
                format!("proof of {length} bytes")
            }
        };
        if verify(verifier, &vkey, &values, &bytes).is_ok() {
            return Err(format!("accepted: {name}").into());
        }
        calls.push(json!({
            "name": name,
            "programVKey": hex(&vkey),
            "publicValues": hex(&values),
            "proofBytes": hex(&bytes),
        }));
    }
    Ok(calls)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [verifier, proof, count] = arguments.as_slice() else {
        return Err("usage: attacks VERIFIER PROOF COUNT".into());
    };
    let verifier = Verifier::from_bytes(&fs::read(verifier)?)?;
    let OnchainProof { statement, proof, .. } = OnchainProof::from_bytes(&fs::read(proof)?)?;
    let (vkey, values) = (statement.vkey, statement.to_bytes());
    verify(&verifier, &vkey, &values, &proof)?;
    let attacks = attacks(&verifier, vkey, &values, &proof, count.parse()?)?;
    println!("{}", serde_json::to_string(&attacks)?);
    Ok(())
}
