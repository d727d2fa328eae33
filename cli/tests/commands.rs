//! The commands as a user sees them: files, answers and exit statuses.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use rwprove_fixtures::all;
use rwprove_isa::keccak256;
use serde_json::Value;

const SHA256: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/c/sha256.wasm");
const KECCAK256: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/c/keccak256.wasm");
const FIB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/workloads/fib_10k.wasm");
const ABC_SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A directory that goes away with the test.
struct Dir(PathBuf);

impl Dir {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rwprove-{test}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn rwprove(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rwprove")).args(args).output().unwrap()
}

/// Runs a command that must succeed; its JSON.
fn json(args: &[&str]) -> Value {
    let output = rwprove(&[args, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    assert_eq!(said, "", "{args:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs a command that must fail with this status and one line that contains `text`.
fn fails(args: &[&str], status: i32, text: &str) {
    let output = rwprove(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
    assert!(said.contains(text), "{args:?}: {said}");
    assert!(status == 2 || said.lines().count() == 1, "{args:?}: {said}");
}

#[test]
fn execute_gives_output_and_costs() {
    let dir = Dir::new("execute");
    let input = dir.file("input", b"abc");
    let report = json(&["execute", "--program", SHA256, "--input", &input]);
    assert_eq!(report["exit"]["kind"], "ok");
    assert_eq!(report["output"], ABC_SHA256);
    for number in ["fuel", "rwasm_instructions", "rows"] {
        assert!(report[number].as_u64().unwrap() > 0, "{number}: {report}");
    }
    assert!(report["seconds"].as_f64().is_some());
    assert!(report["proof_bytes"].is_null());
    let text = rwprove(&["execute", "--program", SHA256, "--input", &input]);
    assert!(String::from_utf8_lossy(&text.stdout).contains(ABC_SHA256));
}

#[test]
fn execute_calls_an_entry_with_slots() {
    let dir = Dir::new("entry");
    let text = dir.file("text", b"(module)");
    fails(&["execute", "--program", &text], 1, "neither a wasm nor an rwasm module");
    let memory = all().into_iter().find(|run| run.name.starts_with("wat/memory: wide64")).unwrap();
    let program = dir.file("program", &memory.wasm);
    let call = ["execute", "--program", &program, "--entry", "wide64", "--args"];
    let report = json(&[&call[..], &["100,-1,0x10"]].concat());
    assert_eq!(report["results"], serde_json::json!([u32::MAX, 16]));
    fails(&[&call[..], &["100,-1"]].concat(), 2, "3 argument slots, --args has 2");
    let report = json(&["execute", "--program", FIB, "--entry", "run"]);
    assert_eq!(report["results"][0], 0x4a08_19db);
    assert_eq!(report["output"], "");
    fails(&["execute", "--program", FIB, "--entry", "run", "--args", "1"], 2, "argument slots");
    fails(&["execute", "--program", FIB, "--entry", "walk"], 1, "entrypoint");
    fails(&["execute", "--program", FIB], 2, "--entry");
}

#[test]
fn a_fuel_limit_ends_a_run_with_a_trap() {
    // In the run, and before it: the module's memory alone costs 17408 units.
    for limit in ["20000", "17408", "5000"] {
        let report = json(&["execute", "--program", FIB, "--entry", "run", "--fuel", limit]);
        assert_eq!(report["exit"]["kind"], "trap");
        assert_eq!(report["exit"]["code"], 9);
        assert_eq!(report["exit"]["name"], "OutOfFuel");
        assert_eq!(report["results"].as_array().unwrap().len(), 0);
    }
    let dir = Dir::new("fuel");
    let proof = dir.path("proof");
    let run = ["--program", FIB, "--entry", "run"];
    json(&[&["prove"], &run[..], &["--fuel", "5000", "--out", &proof]].concat());
    json(&[&["verify", &proof], &run[..], &["--expect-trap", "OutOfFuel"]].concat());
    let vkey = |fuel| {
        let key = json(&[&["vkey"], &run[..], &["--fuel", fuel]].concat());
        key["vkey"].as_str().unwrap().to_owned()
    };
    json(&["verify", &proof, "--vkey", &vkey("5000")]);
    fails(&["verify", &proof, "--vkey", &vkey("17408")], 1, "refused");
}

#[test]
fn prove_and_verify() {
    let dir = Dir::new("prove");
    let input = dir.file("input", b"abc");
    let proof = dir.path("proof");
    let report =
        json(&["prove", "--program", SHA256, "--input", &input, "--out", &proof, "--verify"]);
    assert_eq!(report["output"], ABC_SHA256);
    assert_eq!(report["shards"], 1);
    let size = fs::metadata(&proof).unwrap().len();
    assert_eq!(report["proof_bytes"], size);
    assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 2, "no temporary file is left");

    let vkey = json(&["vkey", "--program", SHA256])["vkey"].as_str().unwrap().to_owned();
    assert_eq!(report["vkey"], vkey.as_str());
    let verdict = json(&["verify", &proof, "--vkey", &vkey, "--expect-exit", "0"]);
    assert_eq!(verdict["accepted"], true);
    assert_eq!(verdict["exit"]["kind"], "ok");
    json(&[
        "verify",
        &proof,
        "--program",
        SHA256,
        "--expect-input",
        &input,
        "--expect-output",
        ABC_SHA256,
    ]);

    fails(&["verify", &proof, "--program", KECCAK256], 1, "refused");
    fails(&["verify", &proof, "--program", SHA256, "--preset", "120"], 1, "preset");
    fails(&["verify", &proof, "--vkey", &"00".repeat(32)], 1, "refused");
    fails(&["verify", &proof, "--vkey", &vkey, "--expect-exit", "1"], 1, "ended otherwise");
    let trap = ["verify", &proof, "--vkey", &vkey, "--expect-trap", "OutOfFuel"];
    fails(&trap, 1, "ended otherwise");
    let other = dir.file("other", b"abd");
    fails(&["verify", &proof, "--vkey", &vkey, "--expect-input", &other], 1, "another input");
    fails(&["verify", &proof, "--vkey", &vkey, "--expect-output", "00"], 1, "another output");
    fails(&["verify", &dir.path("none"), "--vkey", &vkey], 3, "cannot read");
    fails(&["verify", &input, "--vkey", &vkey], 1, "refused");
    fails(&["verify", &proof], 2, "--program");

    let mut bytes = fs::read(&proof).unwrap();
    for at in [0, bytes.len() / 3, bytes.len() - 1] {
        bytes[at] ^= 1;
        let forged = dir.file("forged", &bytes);
        fails(&["verify", &forged, "--vkey", &vkey], 1, "refused");
        bytes[at] ^= 1;
    }

    let inspected = json(&["inspect", &proof, "--costs"]);
    assert_eq!(inspected["proof"]["statement"]["vkey"], vkey.as_str());
    assert_eq!(inspected["proof"]["input_bytes"], 3);
    assert!(inspected["costs"][0]["cells"].as_u64().unwrap() > 0);
}

#[test]
fn prove_says_where_it_cannot_write() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no/such/dir/proof");
    let out = out.to_str().unwrap();
    fails(&["prove", "--program", SHA256, "--out", out], 3, "cannot write");
    fails(&["prove", "--program", "/no/such/file"], 3, "cannot read");
}

#[test]
fn programs_have_keys_of_their_own() {
    let dir = Dir::new("setup");
    let vkey = |program: &str, extra: &[&str]| {
        let args = [&["vkey", "--program", program], extra].concat();
        json(&args)["vkey"].as_str().unwrap().to_owned()
    };
    let keys = [
        vkey(SHA256, &[]),
        vkey(KECCAK256, &[]),
        vkey(FIB, &["--entry", "run"]),
        vkey(SHA256, &["--preset", "120"]),
    ];
    for (i, key) in keys.iter().enumerate() {
        assert!(!keys[..i].contains(key));
    }
    let key = dir.path("key");
    let report = json(&["setup", "--program", SHA256, "--out", &key]);
    assert_eq!(report["vkey"], keys[0].as_str());
    assert!(fs::metadata(&key).unwrap().len() > 100);
}

#[test]
fn security_is_what_presets_promise() {
    let report = json(&["security"]);
    let presets = report["presets"].as_array().unwrap();
    assert_eq!(presets.len(), 2);
    for preset in presets {
        assert!(preset["bits"].as_f64().unwrap() >= preset["preset"].as_f64().unwrap());
    }
    assert_eq!(json(&["security", "--preset", "120"])["presets"].as_array().unwrap().len(), 1);
}

#[test]
fn inspect_shows_programs() {
    let report = json(&["inspect", SHA256]);
    assert!(report["program"]["instructions"].as_u64().unwrap() > 100);
    assert!(report["program"]["entry_slots"].is_null());
    let report = json(&["inspect", FIB, "--entry", "run", "--costs"]);
    assert_eq!(report["program"]["entry_slots"][1], 1);
    assert!(report["costs"][0]["cells_per_row"].as_u64().unwrap() > 0);
}

#[test]
fn usage_is_status_two() {
    fails(&[], 2, "Usage");
    fails(&["prove"], 2, "--program");
    fails(&["sing"], 2, "unrecognized");
    assert!(rwprove(&["help"]).status.success());
}

/// A proof for contracts that `scripts/l1-demo` made: of SHA256 on LICENSE-MIT, under the development
/// key.
const ONCHAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/onchain.rwp");
const DEVELOPMENT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../wrap/src/settlement/development.vkey");
const LICENSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../LICENSE-MIT");

#[test]
fn proofs_for_contracts_are_verified() {
    let about = ["verify", ONCHAIN, "--program", SHA256, "--expect-input", LICENSE];
    // Not under a key from a public seed, unless one says so.
    fails(&about, 1, "anyone can forge");
    let allowed = [about.as_slice(), &["--allow-dev-setup"]].concat();
    let verdict = json(&allowed);
    assert_eq!((&verdict["kind"], &verdict["accepted"]), (&"onchain".into(), &true.into()));
    fails(&[allowed.as_slice(), &["--expect-exit", "9"]].concat(), 1, "ended otherwise");
    fails(&["verify", ONCHAIN, "--program", KECCAK256, "--allow-dev-setup"], 1, "another program");

    // Any other byte.
    let dir = Dir::new("onchain");
    let proof = fs::read(ONCHAIN).unwrap();
    let vkey = verdict["vkey"].as_str().unwrap();
    for at in (0..proof.len()).step_by(13) {
        let mut changed = proof.clone();
        changed[at] ^= 1;
        let file = dir.file("changed", &changed);
        let output = rwprove(&["verify", &file, "--vkey", vkey, "--allow-dev-setup"]);
        assert_eq!(output.status.code(), Some(1), "byte {at}");
    }

    // A verifier of another circuit, such as a toy's, knows nothing of programs.
    let known = fs::read(DEVELOPMENT).unwrap();
    let accepted = |file: &[u8]| {
        let file = dir.file("verifier", file);
        rwprove(&[allowed.as_slice(), &["--verifier", &file]].concat()).status.success()
    };
    assert!(accepted(&known));
    let (mut header, body) = (known[..22 + 1 + 32].to_vec(), &known[22 + 1 + 64..]);
    header[22 + 1] ^= 1;
    let digest = keccak256(&[header.as_slice(), body].concat());
    let file = dir.file("verifier", &[header.as_slice(), &digest, body].concat());
    fails(&[allowed.as_slice(), &["--verifier", &file]].concat(), 1, "another circuit");

    let call = json(&["inspect", ONCHAIN]);
    let call = call["onchain"]["calldata"].as_str().unwrap();
    let out = dir.path("contracts");
    let written = json(&["export-verifier", "--proof", ONCHAIN, "--out", &out]);
    assert!(written["insecure"].as_str().unwrap().contains("forge"));
    let sent = fs::read_to_string(format!("{out}/proof.json")).unwrap();
    let sent: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(sent["calldata"], format!("0x{call}"));
    let source = fs::read_to_string(format!("{out}/Groth16Verifier.sol")).unwrap();
    assert!(source.contains("INSECURE") && source.contains(written["verifier"].as_str().unwrap()));
}

#[test]
fn proofs_for_contracts_need_a_key_and_a_node() {
    let dir = Dir::new("onchain-key");
    let prove = ["prove", "--program", SHA256, "--mode", "onchain", "--keys", &dir.path("none")];
    fails(&prove, 2, "rwprove setup-onchain");
    fails(&[prove.as_slice(), &["--preset", "120"]].concat(), 2, "preset 100");
    let gateway = format!("0x{}", "11".repeat(20));
    let submit = ["submit", ONCHAIN, "--rpc", "http://127.0.0.1:1", "--gateway", &gateway];
    fails(&submit, 3, "no answer");
    let file = dir.file("none.rwp", b"RWPL");
    fails(&["submit", &file, "--rpc", "http://127.0.0.1:1", "--gateway", &gateway], 1, "429 bytes");
}
