//! Keys of ceremonies. `tests/data/toy.zkey` is the end of one that snarkjs 0.7.6 ran on the toy
//! circuit below; the last test runs another.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{fs, path::Path, process::Command};

use ark_ff::{AdditiveGroup, Field};
use rwprove_wrap::{
    Fr,
    groth16::{Origin, Proof, ZkeyError, point_words, read_zkey, write_r1cs},
    r1cs::{Assignment, Builder, Circuit, Wire},
};
use serde_json::{Value, json};

/// The prover knows a number whose fifth power is the first input, and whose product with it is
/// the second.
fn toy(secret: u64, extra: u64) -> (Circuit, Assignment) {
    let secret = Fr::from(secret);
    let fifth = secret.square().square() * secret;
    let mut b = Builder::new(&[fifth, fifth * secret]);
    let x = b.witness(secret);
    let square = b.product(&x, &x);
    let fourth = b.product(&square, &square);
    let (first, second) = (b.public(0), b.public(1));
    b.enforce(&fourth, &x, &first);
    b.enforce(&first, &x, &second);
    let mut power = second;
    for i in 0..extra {
        let shifted = power.plus(&Wire::constant(Fr::from(i + 3)));
        power = b.product(&shifted, &x);
    }
    let (circuit, assignment) = b.finish();
    (circuit.unwrap(), assignment)
}

const EXTRA: u64 = 9;

fn data() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/toy.zkey")).unwrap()
}

/// Where each section's content is, by number.
fn sections(zkey: &[u8]) -> Vec<(u32, std::ops::Range<usize>)> {
    let mut at = 12;
    let mut found = Vec::new();
    while at < zkey.len() {
        let number = u32::from_le_bytes(zkey[at..at + 4].try_into().unwrap());
        let length = u64::from_le_bytes(zkey[at + 4..at + 12].try_into().unwrap()) as usize;
        found.push((number, at + 12..at + 12 + length));
        at += 12 + length;
    }
    found
}

fn section(zkey: &[u8], number: u32) -> std::ops::Range<usize> {
    sections(zkey).into_iter().find(|(n, _)| *n == number).unwrap().1
}

#[test]
fn a_ceremonys_key_proves() {
    let (circuit, assignment) = toy(3, EXTRA);
    let prover = read_zkey(&data(), &circuit).unwrap();
    assert_eq!(prover.origin, Origin::Ceremony);
    assert_eq!(prover.circuit, circuit.digest());
    let verifier = prover.verifier();
    let proof = prover.prove(&assignment).unwrap();
    let inputs = &assignment.values[1..3];
    assert!(verifier.verify(&proof, inputs));
    assert!(!verifier.verify(&proof, &[inputs[0], inputs[1] + Fr::ONE]));
    let (_, other) = toy(4, EXTRA);
    assert!(verifier.verify(&prover.prove(&other).unwrap(), &other.values[1..3]));
}

#[test]
fn keys_of_other_circuits_are_refused() {
    let zkey = data();
    for extra in [EXTRA - 1, EXTRA + 1, EXTRA + 40] {
        assert_eq!(read_zkey(&zkey, &toy(3, extra).0), Err(ZkeyError::Size));
    }
    // As many constraints and variables, but not the same.
    let mut b = Builder::new(&[Fr::ZERO; 2]);
    let x = b.witness(Fr::ZERO);
    let mut power = x.clone();
    for _ in 0..EXTRA + 2 {
        power = b.product(&power, &x);
    }
    for _ in 0..2 {
        b.enforce_zero(&power);
    }
    let other = b.finish().0.unwrap();
    let same = toy(3, EXTRA).0;
    assert_eq!((other.variables(), other.constraints()), (same.variables(), same.constraints()));
    assert_eq!(read_zkey(&zkey, &other), Err(ZkeyError::Constraints));
}

#[test]
fn damaged_keys_are_refused() {
    let (circuit, _) = toy(3, EXTRA);
    let zkey = data();
    let error = |zkey: &[u8]| read_zkey(zkey, &circuit).unwrap_err();
    // Cut off anywhere.
    for length in 0..zkey.len() {
        let _ = error(&zkey[..length]);
    }
    assert_eq!(error(&[&zkey[..], &[0]].concat()), ZkeyError::Section(0));
    let mut wrong = zkey.clone();
    wrong[4] = 2;
    assert_eq!(error(&wrong), ZkeyError::Magic);
    let change = |number: u32, at: usize, by: u8| {
        let mut wrong = zkey.clone();
        wrong[section(&zkey, number).start + at] ^= by;
        error(&wrong)
    };
    assert_eq!(change(1, 0, 3), ZkeyError::Magic); // the protocol
    assert_eq!(change(2, 4, 1), ZkeyError::Magic); // the base field
    assert_eq!(change(2, 40, 1), ZkeyError::Magic); // the scalar field
    for at in [72, 76, 80] {
        assert_eq!(change(2, at, 1), ZkeyError::Size);
    }
    // Points and coefficients, byte by byte.
    let points = [(2, 84..660), (3, 0..192), (5, 0..640), (6, 0..640), (7, 0..640), (8, 0..640)];
    for (number, range) in points.into_iter().chain([(9, 0..640)]) {
        for at in range.step_by(7) {
            // Points at infinity have nothing on the curve beside them either.
            assert_eq!(change(number, at, 1), ZkeyError::Point(number), "{number}: {at}");
        }
    }
    for at in 0..section(&zkey, 4).len() {
        assert_eq!(change(4, at, 1), ZkeyError::Constraints, "{at}");
    }
    // A section twice, or with another number.
    for (number, range) in sections(&zkey) {
        let mut wrong = zkey.clone();
        wrong[8] += 1;
        wrong.extend(&zkey[range.start - 12..range.end]);
        assert_eq!(error(&wrong), ZkeyError::Section(number));
        if number < 10 {
            let mut wrong = zkey.clone();
            wrong[range.start - 12] = 99;
            assert_eq!(error(&wrong), ZkeyError::Section(number));
        }
    }
    // Constants at infinity.
    for (at, length) in [(84, 64), (148, 64), (212, 128), (340, 128), (468, 64), (532, 128)] {
        let mut wrong = zkey.clone();
        let start = section(&zkey, 2).start + at;
        wrong[start..start + length].fill(0);
        assert_eq!(error(&wrong), ZkeyError::Point(2));
    }
}

/// A word as a decimal number, which is how snarkjs writes points.
fn decimal(word: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for byte in word {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

fn snarkjs_proof(proof: &Proof) -> Value {
    let bytes = proof.to_bytes();
    let words: Vec<String> = bytes.chunks(32).map(decimal).collect();
    let [ax, ay, bx1, bx0, by1, by0, cx, cy] = words.as_slice() else { panic!("eight words") };
    json!({
        "pi_a": [ax, ay, "1"],
        "pi_b": [[bx0, bx1], [by0, by1], ["1", "0"]],
        "pi_c": [cx, cy, "1"],
        "protocol": "groth16",
        "curve": "bn128",
    })
}

/// `RWPROVE_KEEP=1` keeps the key as the one of the other tests.
#[test]
#[ignore = "needs the npm tools: scripts/l1-test runs it"]
fn a_local_ceremony() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cli = root.join("contracts/node_modules/snarkjs/build/cli.cjs");
    let folder = std::env::temp_dir().join(format!("rwprove-ceremony-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let run = |arguments: &str| {
        let arguments = arguments.split(' ');
        let output =
            Command::new("node").arg(&cli).args(arguments.clone()).current_dir(&folder).output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    };
    let (circuit, assignment) = toy(3, EXTRA);
    write_r1cs(&circuit, &mut fs::File::create(folder.join("toy.r1cs")).unwrap()).unwrap();
    let info = run("r1cs info toy.r1cs");
    assert!(info.contains(&format!("# of Constraints: {}", circuit.constraints())), "{info}");

    let beacon = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20 10";
    run("powersoftau new bn128 6 0.ptau");
    run("powersoftau contribute 0.ptau 1.ptau --name=first -e=some-random-text");
    run(&format!("powersoftau beacon 1.ptau 2.ptau {beacon} -n=beacon"));
    run("powersoftau prepare phase2 2.ptau 3.ptau");
    run("powersoftau verify 3.ptau");
    run("groth16 setup toy.r1cs 3.ptau 0.zkey");
    run("zkey contribute 0.zkey 1.zkey --name=first -e=more-random-text");
    run("zkey contribute 1.zkey 2.zkey --name=second -e=even-more-random-text");
    run(&format!("zkey beacon 2.zkey 3.zkey {beacon} -n=beacon"));
    assert!(run("zkey verify toy.r1cs 3.ptau 3.zkey").contains("ZKey Ok!"));
    run("zkey export verificationkey 3.zkey key.json");

    let zkey = fs::read(folder.join("3.zkey")).unwrap();
    let prover = read_zkey(&zkey, &circuit).unwrap();
    let verifier = prover.verifier();
    let key: Value = serde_json::from_slice(&fs::read(folder.join("key.json")).unwrap()).unwrap();
    let words = point_words(&verifier.key);
    let word = |at: &str| key.pointer(at).unwrap().as_str().unwrap().to_owned();
    assert_eq!(decimal(&words[0]), word("/vk_alpha_1/0"));
    assert_eq!(decimal(&words[2]), word("/vk_beta_2/0/1"));
    assert_eq!(decimal(&words[11]), word("/vk_delta_2/0/0"));
    assert_eq!(decimal(&words[18]), word("/IC/2/0"));

    // Our proof, for both verifiers.
    let proof = prover.prove(&assignment).unwrap();
    let inputs = &assignment.values[1..3];
    assert!(verifier.verify(&proof, inputs));
    fs::write(folder.join("proof.json"), snarkjs_proof(&proof).to_string()).unwrap();
    fs::write(folder.join("public.json"), r#"["243","729"]"#).unwrap();
    assert!(run("groth16 verify key.json public.json proof.json").contains("OK!"));

    if std::env::var_os("RWPROVE_KEEP").is_some() {
        fs::write(root.join("wrap/tests/data/toy.zkey"), zkey).unwrap();
    }
    fs::remove_dir_all(&folder).unwrap();
}
