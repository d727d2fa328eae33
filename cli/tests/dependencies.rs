//! Data flows one way through the crates: an edge that the table does not have is refused.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::{Value, json};

/// Crate, and the crates of this workspace that it may use. Dev-dependencies are free, and so is what
/// only the feature `testing` brings, which tests of other crates use.
const ALLOWED: [(&str, &[&str]); 10] = [
    ("rwprove-isa", &[]),
    ("rwprove-executor", &["rwprove-isa"]),
    ("rwprove-circuits", &["rwprove-isa"]),
    ("rwprove-verifier", &["rwprove-isa", "rwprove-circuits"]),
    ("rwprove-recursion", &["rwprove-isa", "rwprove-circuits", "rwprove-verifier"]),
    ("rwprove-wrap", &["rwprove-isa", "rwprove-circuits", "rwprove-verifier", "rwprove-recursion"]),
    (
        "rwprove-prover",
        &[
            "rwprove-isa",
            "rwprove-executor",
            "rwprove-circuits",
            "rwprove-verifier",
            "rwprove-recursion",
        ],
    ),
    (
        "rwprove",
        &[
            "rwprove-isa",
            "rwprove-executor",
            "rwprove-circuits",
            "rwprove-verifier",
            "rwprove-recursion",
            "rwprove-prover",
            "rwprove-wrap",
        ],
    ),
    ("rwprove-fixtures", &[]),
    ("rwprove-benches", &[]),
];

/// Crates that the verifier must do without: it is one pure function.
const NOT_IN_VERIFIER: [&str; 2] = ["rayon", "tokio"];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let all = package["dependencies"].as_array().unwrap().iter();
            let shipped = all.filter(|dependency| {
                dependency["kind"].as_str() != Some("dev") && !for_tests(package, dependency)
            });
            (name(package), shipped.map(name).collect())
        })
        .collect()
}

/// Whether an optional dependency comes with the feature `testing` and no other.
fn for_tests(package: &Value, dependency: &Value) -> bool {
    let wanted = format!("dep:{}", dependency["name"].as_str().unwrap());
    let features = package["features"].as_object().unwrap().iter();
    let with = features.filter(|(_, brings)| brings.as_array().unwrap().contains(&json!(wanted)));
    let with: Vec<_> = with.map(|(name, _)| name.as_str()).collect();
    dependency["optional"] == json!(true) && with == ["testing"]
}

#[test]
fn nothing_for_tests_is_shipped() {
    // `testing` is on in tests alone: no crate turns it on for another but as a dev-dependency.
    let output = metadata();
    for package in output["packages"].as_array().unwrap() {
        for dependency in package["dependencies"].as_array().unwrap() {
            let asks = dependency["features"].as_array().unwrap().contains(&json!("testing"));
            assert!(!asks || dependency["kind"] == json!("dev"), "{dependency}");
        }
    }
}

#[test]
fn data_flows_one_way() {
    let dependencies = dependencies();
    let known: BTreeSet<_> = ALLOWED.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(dependencies.keys().cloned().collect::<BTreeSet<_>>(), known);
    for (name, allowed) in ALLOWED {
        let ours = dependencies[name].iter().filter(|dependency| known.contains(*dependency));
        for dependency in ours {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not use {dependency}");
        }
    }
}

#[test]
fn the_verifier_asks_for_no_threads() {
    let verifier = &dependencies()["rwprove-verifier"];
    for name in NOT_IN_VERIFIER {
        assert!(!verifier.contains(name), "rwprove-verifier must not use {name}");
    }
}
