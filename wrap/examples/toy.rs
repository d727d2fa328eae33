//! A toy in the place of the last circuit: everything after it is real.
//!
//!     cargo run --release -p rwprove-wrap --example toy -- KEYS OUT
//!
//! The circuit says that the prover knows the bytes of a statement with the public inputs. That is
//! true of any statement, so a proof says nothing about a program; but the inputs, the key, the
//! contract and the calls are those of real proofs. Writes to the folder OUT the contract
//! `Groth16Verifier.sol` with the call `proof.json` for tests of contracts, and the files that
//! `rwprove` knows, `toy.vkey` and `toy.rwp`. The key is kept in the folder KEYS.
#![allow(clippy::print_stdout, reason = "a command")]

use std::{
    error::Error,
    fs::{self, File},
    io::BufWriter,
    path::Path,
    time::Instant,
};

use rwprove_isa::{Exit, InputDigest, Statement};
use rwprove_wrap::{
    Fr,
    groth16::{Prover, development},
    onchain::OnchainProof,
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

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [keys, out] = arguments.as_slice() else { return Err("usage: toy KEYS OUT".into()) };
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
        "calldata": hex(&calldata(&statement, &bytes)),
    });
    fs::write(out.join("proof.json"), serde_json::to_string_pretty(&answer)?)?;
    fs::write(out.join("toy.vkey"), verifier.to_bytes()?)?;
    let proof = OnchainProof { statement, proof: bytes };
    fs::write(out.join("toy.rwp"), proof.to_bytes())?;
    println!("{constraints} constraints, setup {setup:.1?}, proof {proving:.1?}");
    Ok(())
}
