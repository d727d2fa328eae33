//! Honest programs are accepted, changed ones are not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::*;
use crate::front::{Preset, load, lower};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixtures().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|p| p.extension().is_some_and(|e| e == extension)).collect();
    paths.sort();
    paths
}

/// Names of the functions that a script calls.
fn exports(wat: &str) -> BTreeSet<String> {
    let calls = wat.lines().filter_map(|line| line.strip_prefix(";;! ")?.split_once('('));
    calls.map(|(name, _)| name.trim().to_owned()).collect()
}

fn check(name: &str, wasm: &[u8], preset: &Preset) -> Option<(Module, Lowered)> {
    let module = match load(wasm, preset) {
        Ok(module) => module,
        Err(error) => {
            println!("{name} {preset:?}: {error}");
            return None;
        }
    };
    let lowered = lower(&module).unwrap();
    let start = Instant::now();
    match validate(&module, &lowered) {
        Ok(report) => println!("{name} {preset:?}: {report:?} in {:?}", start.elapsed()),
        Err(error) => panic!("{name} {preset:?}: {error}"),
    }
    Some((module, lowered))
}

fn entry(name: &str) -> Preset {
    Preset::Entry { name: name.to_owned() }
}

#[test]
fn all_scripts_are_accepted() {
    for path in files("wat", "wat") {
        let wat = std::fs::read_to_string(&path).unwrap();
        let wasm = wat::parse_str(&wat).unwrap();
        for name in exports(&wat) {
            check(&path.display().to_string(), &wasm, &entry(&name));
        }
    }
}

#[test]
fn all_workloads_are_accepted() {
    for (folder, presets) in [
        ("workloads", vec![entry("run")]),
        ("c", vec![Preset::Contract]),
        ("rust", vec![Preset::Contract]),
    ] {
        for path in files(folder, "wasm") {
            let wasm = std::fs::read(&path).unwrap();
            for preset in &presets {
                assert!(check(&path.display().to_string(), &wasm, preset).is_some());
            }
        }
    }
}
