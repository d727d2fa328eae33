use rwasm::Opcode;

use super::super::host::{HOST_CALLS, HostCall};
use super::super::{MAGIC, MAX_INSTRUCTIONS, MAX_RWASM_BYTES, Preset, Snippet};
use super::*;

const CONTRACT: &str = r#"(module
    (import "fluentbase_v1preview" "_write" (func $write (param i32 i32)))
    (memory (export "memory") 1)
    (func (export "main") (call $write (i32.const 0) (i32.const 4)))
    (func (export "deploy")))"#;

#[test]
fn a_module_has_one_encoding() {
    let module = load_wat(CONTRACT, &Preset::Contract).unwrap();
    let bytes = module.rwasm.serialize();
    let again = load(&bytes, &Preset::Contract).unwrap();
    assert_eq!(again.rwasm, module.rwasm);
    assert_eq!(again.hash, crate::keccak256(&bytes));
    assert_eq!(module.entry, None);

    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(load(&longer, &Preset::Contract), Err(LoadError::Decode(_))));
    for len in 0..bytes.len() {
        assert!(load(&bytes[..len], &Preset::Contract).is_err(), "{len} bytes");
    }
}

#[test]
fn an_entry_pc_that_is_missing_is_not_canonical() {
    // rwasm's decoder reads it as 0.
    let module = RwasmModuleBuilder::new(InstructionSet { instr: vec![Opcode::Return] }).build();
    let bytes = module.serialize();
    assert!(load(&bytes, &Preset::Contract).is_ok());
    let short = &bytes[..bytes.len() - 4];
    assert_eq!(load(short, &Preset::Contract).unwrap_err(), LoadError::NotCanonical);
}

#[test]
fn lengths_are_checked_before_anything_is_read() {
    for count in [MAX_INSTRUCTIONS as u64 + 1, u64::MAX] {
        let bytes = [&MAGIC[..], &count.to_le_bytes()].concat();
        let error = load(&bytes, &Preset::Contract).unwrap_err();
        assert!(matches!(error, LoadError::TooLong { what: "code section", .. }), "{error}");
    }
    let mut bytes = MAGIC.to_vec();
    bytes.resize(MAX_RWASM_BYTES + 1, 0);
    let error = load(&bytes, &Preset::Contract).unwrap_err();
    assert!(matches!(error, LoadError::TooLong { what: "module", .. }), "{error}");
    for bytes in [&b""[..], b"\0as", b"\xef\x52", b"\xef\x52\x02\0\0\0\0\0\0\0\0"] {
        assert_eq!(load(bytes, &Preset::Contract).unwrap_err(), LoadError::NotAModule);
    }
}

#[test]
fn entries_know_their_slots() {
    let wat = r#"(module
        (import "fluentbase_v1preview" "_state" (func (result i32)))
        (func (export "g"))
        (func (export "f") (param i32 i64 i32) (result i64) local.get 1))"#;
    assert_eq!(load_wat(wat, &entry("f")).unwrap().entry, Some((4, 2)));
    assert_eq!(load_wat(wat, &entry("g")).unwrap().entry, Some((0, 0)));
    assert!(load_wat(wat, &entry("h")).is_err());
    // Of rWasm bytes the slots are those that the code shows.
    let bytes = load_wat(wat, &entry("f")).unwrap().rwasm.serialize();
    assert_eq!(load(&bytes, &entry("")).unwrap().entry, Some((4, 2)));
}

#[test]
fn contracts_have_no_start_function_and_entries_without_arguments() {
    let start = r#"(module (func $s) (start $s) (func (export "main")))"#;
    assert!(matches!(load_wat(start, &Preset::Contract), Err(LoadError::Compile(_))));
    assert!(load_wat(start, &entry("main")).is_ok());
    let argument = r#"(module (func (export "main") (param i32)))"#;
    assert!(matches!(load_wat(argument, &Preset::Contract), Err(LoadError::Compile(_))));
}

#[test]
fn host_calls_without_proof_are_refused_by_name_if_they_can_be_reached() {
    let wat = |body: &str| {
        format!(
            r#"(module (import "fluentbase_v1preview" "_blake3" (func $b (param i32 i32 i32)))
                (func (export "main") {body}))"#
        )
    };
    let call = "(call $b (i32.const 0) (i32.const 0) (i32.const 0))";
    let error = load_wat(&wat(call), &Preset::Contract).unwrap_err();
    assert_eq!(error, LoadError::UnsupportedHostCall("_blake3"));
    assert!(load_wat(&wat(""), &Preset::Contract).is_ok());
}

#[test]
fn host_calls_are_listed_once() {
    for call in HOST_CALLS {
        assert_eq!(HostCall::find(call.index), Some(call), "{}", call.name);
        assert_eq!(HOST_CALLS.iter().filter(|c| c.name == call.name).count(), 1);
    }
    for name in ["_exit", "_state", "_read", "_input_size", "_write", "_fuel", "_keccak256"] {
        assert!(HOST_CALLS.iter().any(|c| c.name == name && c.supported()), "{name}");
    }
    let ends: Vec<_> = HOST_CALLS.iter().filter(|c| c.ends_run()).map(|c| c.name).collect();
    assert_eq!(ends, ["_exit"]);
}

/// One function for each i64 operator that is a snippet.
fn all_operators() -> String {
    let ops = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u add sub mul div_s div_u rem_s rem_u \
               shl shr_s shr_u rotl rotr";
    let function = |op: &str| {
        let result = if op.len() == 4 && !op.starts_with("ro") || op == "eq" || op == "ne" {
            "i32"
        } else {
            "i64"
        };
        format!(
            "(func (export \"{op}\") (param i64 i64) (result {result})
                local.get 0 local.get 1 i64.{op})"
        )
    };
    let functions: String = ops.split_whitespace().map(function).collect();
    let calls: String = ops
        .split_whitespace()
        .enumerate()
        .map(|(i, _)| format!("(drop (call {i} (i64.const 1) (i64.const 2)))"))
        .collect();
    format!("(module {functions} (func (export \"f\") {calls}))")
}

#[test]
fn every_snippet_of_the_compiler_is_recognised() {
    let module = load_wat(&all_operators(), &entry("f")).unwrap();
    let code = &module.rwasm.code_section[..];
    let mut found: Vec<_> =
        module.heights.functions.iter().filter_map(|f| Snippet::at(code, f.entry)).collect();
    found.sort_by_key(|s| *s as usize);
    assert_eq!(found, Snippet::ALL);
}

#[test]
fn a_changed_snippet_is_none() {
    let module = load_wat(&all_operators(), &entry("f")).unwrap();
    let code = &module.rwasm.code_section[..];
    for function in &module.heights.functions {
        let Some(snippet) = Snippet::at(code, function.entry) else { continue };
        let body = code[function.entry as usize..].iter();
        let len = body.take_while(|op| **op != Opcode::Return).count();
        for i in 0..=len {
            let mut changed = code.to_vec();
            changed[function.entry as usize + i] = Opcode::Unreachable;
            assert_ne!(Snippet::at(&changed, function.entry), Some(snippet), "{snippet:?} at {i}");
        }
    }
    // A division that calls something else is none either.
    let division =
        |f: &&super::super::heights::Function| Snippet::at(code, f.entry) == Some(Snippet::DivU);
    let at = module.heights.functions.iter().find(division).unwrap().entry;
    let mut changed = code.to_vec();
    changed[at as usize + 1] = Opcode::CallInternal(at);
    assert_eq!(Snippet::at(&changed, at), None);
}
