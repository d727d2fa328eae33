use super::*;
use crate::{Instr, Op};

fn entry(name: &str) -> Preset {
    Preset::Entry { name: name.to_owned() }
}

fn lowered(wat: &str) -> (Module, Lowered) {
    let wasm = wat::parse_str(wat).unwrap();
    let module = load(&wasm, &entry("f")).unwrap();
    let lowered = lower(&module).unwrap();
    (module, lowered)
}

/// The rows of the only function with parameters or locals, without boot code.
fn rows(wat: &str) -> Vec<Instr> {
    let (module, lowered) = lowered(wat);
    let function = module.heights.functions.iter().find(|f| f.signature.is_some()).unwrap().entry;
    lowered
        .blocks
        .iter()
        .filter(|b| b.function == function && !b.deep)
        .flat_map(|b| {
            lowered.program.code[b.lowered.start as usize..b.lowered.end as usize].to_vec()
        })
        .collect()
}

fn ops(wat: &str) -> Vec<Op> {
    rows(wat).iter().map(|row| row.op).collect()
}

#[test]
fn an_addition_is_one_row() {
    let wat = r#"(module (func (export "f") (param i32 i32) (result i32)
        local.get 0 local.get 1 i32.add))"#;
    println!("{:#?}", rows(wat));
    assert_eq!(ops(wat), [Op::Enter, Op::Add, Op::Ret]);
}
