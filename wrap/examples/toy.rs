//! A toy in the place of the last circuit: everything after it is real.
//!
//!     cargo run --release -p rwprove-wrap --example toy -- KEYS OUT [ATTACKS]
//!
//! The circuit says that the prover knows the bytes of a statement with the public inputs. That is
//! true of any statement, so a proof says nothing about a program; but the inputs, the key, the
//! contract and the calls are those of real proofs. Writes to the folder OUT the contract
//! `Groth16Verifier.sol`, `proof.json` with what is to be sent, and `attacks.json` with calls that
//! must be refused. The key is kept in the folder KEYS.
#![allow(clippy::print_stdout, reason = "a command")]

use std::{
    error::Error,
    fs::{self, File},
    io::BufWriter,
    path::Path,
    time::Instant,
};

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use rwprove_isa::{Exit, InputDigest, Statement};
use rwprove_wrap::{
    Fr,
    groth16::{Prover, Verifier, development},
    r1cs::{Builder, Circuit},
    solidity::{calldata, contract, proof_bytes, verify},
    statement::{StatementWires, inputs},
};
use serde_json::json;

fn statement() -> Statement {
    Statement {
        vkey: std::array::from_fn(|i| 0xf0 ^ (17 * i) as u8),
        state: 0,
        fuel_limit: u64::MAX,
        input: InputDigest::Public([0x11; 32]),
        host: [0; 32],
        exit: Exit::Ok,
        fuel: 1_234_567,
        output: [0x22; 32],
    }
}

/// Builds the toy for a statement.
fn build(builder: impl Fn(&[Fr]) -> Builder, statement: &Statement) -> Builder {
    let mut b = builder(&inputs(statement));
    let _ = StatementWires::new(&mut b, &statement.to_bytes());
    b
}

/// The key of a circuit: from a file, or made and written there.
fn key(path: &Path, circuit: &Circuit) -> Result<Prover, Box<dyn Error>> {
    if let Ok(mut file) = File::open(path)
        && let Ok(key) = Prover::read(&mut file, &circuit.digest())
    {
        return Ok(key);
    }
    let key = development(circuit)?;
    key.write(&mut BufWriter::new(File::create(path)?))?;
    Ok(key)
}

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
    let (keys, out, count) = match arguments.as_slice() {
        [keys, out] => (keys, out, 0),
        [keys, out, count] => (keys, out, count.parse()?),
        _ => return Err("usage: toy KEYS OUT [ATTACKS]".into()),
    };
    fs::create_dir_all(keys)?;
    fs::create_dir_all(out)?;
    let out = Path::new(out);
    let statement = statement();

    let builder = build(Builder::new, &statement);
    let constraints = builder.constraints();
    let circuit = builder.finish().0.ok_or("constraints are recorded")?;
    let start = Instant::now();
    let prover = key(&Path::new(keys).join("toy.key"), &circuit)?;
    let setup = start.elapsed();

    let start = Instant::now();
    let (_, assignment) = build(Builder::values_only, &statement).finish();
    let proof = prover.prove(&assignment)?;
    let proving = start.elapsed();

    let verifier = prover.verifier();
    let bytes = proof_bytes(&verifier, &proof);
    let values = statement.to_bytes();
    verify(&verifier, &statement.vkey, &values, &bytes)?;
    let source = contract(&verifier, "../../src/IGroth16Verifier.sol").ok_or("two inputs")?;
    fs::write(out.join("Groth16Verifier.sol"), source)?;
    let answer = json!({
        "circuit": "toy: knows the bytes of a statement; says nothing about a program",
        "constraints": constraints,
        "setupSeconds": setup.as_secs_f64(),
        "proveSeconds": proving.as_secs_f64(),
        "verifierDigest": hex(&verifier.digest()),
        "programVKey": hex(&statement.vkey),
        "publicValues": hex(&values),
        "proofBytes": hex(&bytes),
        "calldata": hex(&calldata(&verifier, &statement, &proof)),
    });
    fs::write(out.join("proof.json"), serde_json::to_string_pretty(&answer)?)?;
    let attacks = attacks(&verifier, statement.vkey, &values, &bytes, count)?;
    fs::write(out.join("attacks.json"), serde_json::to_string_pretty(&attacks)?)?;
    println!("{constraints} constraints, setup {setup:.1?}, proof {proving:.1?}");
    Ok(())
}
