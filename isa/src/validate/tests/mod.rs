//! Honest programs are accepted, changed ones are not.

mod terms;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::*;
use crate::front::{Preset, load, lower};
use crate::layout::{INPUT, OUTPUT, reg, run};
use crate::runtime::tests::machine::Machine;
use crate::{Op, Operand};

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

/// All changes of one field of a row.
fn mutations(row: &Instr, pc: Pc, len: Pc) -> Vec<Instr> {
    let mut found = Vec::new();
    let near = |v: i32| [v.wrapping_sub(1), v.wrapping_add(1), v ^ 2, -1];
    let op = row.op as usize;
    let ops = Op::ALL;
    for step in [1, 2, 5, ops.len() - 1, ops.len() - 2] {
        found.push(Instr { op: ops[(op + step) % ops.len()], ..*row });
    }
    found.push(Instr { chain: !row.chain, ..*row });
    found.push(Instr { fuel: row.fuel + 1, ..*row });
    if row.fuel > 0 {
        found.push(Instr { fuel: 0, ..*row });
    }
    if row.op == Op::Fshl {
        found.extend([row.k ^ 1, (row.k + 1) % 32].map(|k| Instr { k, ..*row }));
    }
    match row.a {
        Some(a) => found.extend(near(a).map(|a| Instr { a: Some(a), ..*row })),
        None => found.push(Instr { a: Some(0), ..*row }),
    }
    found.push(Instr { a: None, ..*row });
    match row.b {
        Operand::Slot(b) => found.extend(near(b).map(|b| Instr { b: Operand::Slot(b), ..*row })),
        Operand::Imm(b) => {
            let values = [b ^ 1, b.wrapping_add(1), b.wrapping_sub(1), b ^ 1 << 16, b ^ 1 << 31];
            found.extend(values.map(|b| Instr { b: Operand::Imm(b), ..*row }));
        }
        Operand::None => {}
    }
    found.push(Instr { b: Operand::Imm(0), ..*row });
    found.push(Instr { b: Operand::Slot(0), ..*row });
    found.extend(near(row.c).map(|c| Instr { c, ..*row }));
    if row.op.branches() || matches!(row.op, Op::Jump | Op::Call | Op::Enter) {
        let targets = [0, 1, 4, 14, 15, pc, pc + 1, pc + 2, len - 1, 40];
        found.extend(targets.map(|c| Instr { c: c as i32, ..*row }));
    }
    found.retain(|m| m != row);
    found
}

/// Mutates every row; how many mutants there were, and those accepted.
fn mutate(name: &str, wasm: &[u8], preset: &Preset) -> (usize, Vec<(Pc, Instr, Instr)>) {
    let (module, lowered) = check(name, wasm, preset).unwrap();
    let first = Library::get().code.len();
    let mut changed = lowered.clone();
    let (mut count, mut survivors) = (0, Vec::new());
    let mut equality = Equality::new(u64::MAX);
    for pc in first..lowered.program.code.len() {
        let row = lowered.program.code[pc];
        for mutant in mutations(&row, pc as Pc, lowered.program.code.len() as Pc) {
            count += 1;
            changed.program.code[pc] = mutant;
            if validate_with(&module, &changed, &mut equality).is_ok() {
                survivors.push((pc as Pc, row, mutant));
            }
        }
        changed.program.code[pc] = row;
    }
    (count, survivors)
}

/// How a run ends: pc, exit, fuel and output.
type Ending = (Pc, u32, u32, u64, Vec<u8>);

/// Runs a program on an input, from its prologue on.
fn ending(lowered: &Lowered, input: &[u8], limit: u64) -> Ending {
    let mut machine = Machine { pc: lowered.init, limit, ..Machine::default() };
    machine.words.extend(lowered.program.image.iter().copied());
    machine.set_bytes(INPUT * 4, input);
    machine.words.insert(run::INPUT_LEN, input.len() as u32);
    machine.run(&lowered.program.code, |_| false);
    let [kind, code] = [machine.word(reg::EXIT_KIND), machine.word(reg::EXIT_CODE)];
    let output = machine.bytes(OUTPUT * 4, machine.word(reg::OUTPUT_LEN) as usize);
    (machine.pc, kind, code, machine.fuel, output)
}

/// Inputs for four argument slots or more: special and random words.
fn inputs() -> Vec<Vec<u8>> {
    let special = [0u32, 1, 2, 5, 31, 32, 33, 63, 64, 1 << 31, u32::MAX, 0x7fff_ffff, 3, 7];
    let mut state = 1u64;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as u32
    };
    let mut word = move || match next() % 3 {
        0 => next(),
        _ => special[next() as usize % special.len()],
    };
    (0..40).map(|_| (0..8).flat_map(|_| word().to_le_bytes()).collect()).collect()
}

fn script(file: &str) -> Vec<u8> {
    wat::parse_str(std::fs::read_to_string(fixtures().join("wat").join(file)).unwrap()).unwrap()
}

/// Every accepted change of a row must be one that no run can tell from the original.
fn check_mutants(cases: &[(&str, &str)]) {
    for (file, name) in cases {
        let wasm = script(file);
        let (count, survivors) = mutate(file, &wasm, &entry(name));
        let (_, lowered) = check(file, &wasm, &entry(name)).unwrap();
        let inputs = inputs();
        let endings: Vec<_> = inputs.iter().map(|i| ending(&lowered, i, 1 << 20)).collect();
        let mut changed = lowered.clone();
        for &(pc, row, mutant) in &survivors {
            changed.program.code[pc as usize] = mutant;
            for (input, expected) in inputs.iter().zip(&endings) {
                let found = ending(&changed, input, 1 << 20);
                assert_eq!(&found, expected, "{file} {name}: row {pc} {row:?} -> {mutant:?}");
            }
            changed.program.code[pc as usize] = row;
        }
        println!("{file} {name}: {count} mutants, {} accepted as equal", survivors.len());
    }
}

#[test]
fn changed_rows_are_refused() {
    check_mutants(&[
        ("arith32.wat", "div_s"),
        ("arith64.wat", "rotl"),
        ("control.wat", "switch_value"),
        ("tail.wat", "even_by_table"),
        ("memory.wat", "grow"),
        ("depth.wat", "divide_at"),
        ("globals.wat", "write"),
        ("wide.wat", "mul_s"),
    ]);
}

#[test]
#[ignore = "minutes"]
fn changed_rows_of_long_code_are_refused() {
    check_mutants(&[
        ("arith32.wat", "every"),
        ("arith64.wat", "div_s"),
        ("arith64.wat", "every"),
        ("memory.wat", "straddle64"),
        ("tables.wat", "init_call"),
    ]);
}

fn refused(file: &str, name: &str, change: impl Fn(&mut Lowered)) -> ValidateError {
    let wasm = script(file);
    let module = load(&wasm, &entry(name)).unwrap();
    let mut lowered = lower(&module).unwrap();
    change(&mut lowered);
    validate(&module, &lowered).unwrap_err()
}

#[test]
fn what_is_no_block_is_checked_too() {
    let case = |change: fn(&mut Lowered)| refused("tables.wat", "call", change);
    let library = case(|l| l.program.code[100].fuel = 1);
    assert_eq!(library, ValidateError::Library(100));
    assert!(matches!(case(|l| l.program.start += 1), ValidateError::Boot(_)));
    assert!(matches!(case(|l| l.init += 1), ValidateError::Boot(_)));
    assert!(matches!(case(|l| l.program.pages = 1), ValidateError::Image(_)));
    assert!(matches!(case(|l| l.program.fuel = 1), ValidateError::Image(_)));
    assert!(matches!(case(|l| l.program.image[0].1 ^= 1), ValidateError::Image(_)));
    assert!(matches!(case(|l| _ = l.program.image.pop()), ValidateError::Image(_)));
    assert!(matches!(case(|l| l.program.image.push((5, 5))), ValidateError::Image(5)));
    assert!(matches!(case(|l| l.blocks[0].function += 1), ValidateError::Map(_)));
    let twice = |l: &mut Lowered| l.blocks.push(l.blocks[0].clone());
    assert!(matches!(case(twice), ValidateError::Map(_)));
}

#[test]
fn the_fast_version_needs_room() {
    let error = refused("depth.wat", "divide_at", |l| {
        for row in &mut l.program.code {
            if let (Op::Enter, Operand::Imm(imm)) = (row.op, row.b)
                && imm >> 16 > imm & 0xffff
            {
                row.b = Operand::Imm(imm - (1 << 16));
            }
        }
    });
    assert!(matches!(error, ValidateError::Room(_)), "{error}");
}

#[test]
fn long_blocks_take_no_long_time() {
    let body = |op: &str| -> String {
        let line = |i: u32| {
            let (x, y, z) = (i % 2, i % 3, (i + 1) % 3);
            format!("local.get 0 local.get {x} {op} local.get {y} i64.xor local.set {z}\n")
        };
        (0..300).map(line).collect()
    };
    for op in ["i64.shl", "i64.rotr", "i64.div_s", "i64.rem_u"] {
        let head = r#"(module (func (export "f") (param i64 i64 i64) (result i64)"#;
        let wat = format!("{head} {} local.get 0))", body(op));
        let wasm = wat::parse_str(&wat).unwrap();
        let module = load(&wasm, &entry("f")).unwrap();
        let start = Instant::now();
        let report = validate(&module, &lower(&module).unwrap()).unwrap();
        assert!(report.equalities.shapes < 40, "{op}: {report:?}");
        println!("{op}: {report:?} in {:?}", start.elapsed());
    }
}
