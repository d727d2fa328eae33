//! Modules made to cost as much as they can: each is refused or lowered and validated, in bounded
//! time. Every one of them once took minutes, gigabytes or the whole stack, or could have.

use std::time::{Duration, Instant};

use rwasm::{InstructionSet, Opcode, RwasmModuleBuilder};
use rwprove_isa::{
    front::{Preset, load, lower},
    validate::validate,
};

/// Longest time of one module, with room for a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Refused, or lowered and validated; how it ended.
fn outcome(bytes: &[u8]) -> Result<(), String> {
    let entry = Preset::Entry { name: String::new() };
    let module = load(bytes, &entry).map_err(|error| format!("load: {error}"))?;
    let lowered = lower(&module).map_err(|error| format!("lower: {error}"))?;
    validate(&module, &lowered).map_err(|error| format!("validate: {error}"))?;
    Ok(())
}

/// Runs a module of one function with these instructions and checks that it takes no long time.
fn survives(name: &str, code: Vec<Opcode>) -> Result<(), String> {
    let instr = [vec![Opcode::Return], code, vec![Opcode::Return]].concat();
    let length = instr.len();
    let module = RwasmModuleBuilder::new(InstructionSet { instr }).with_source_pc(1).build();
    let start = Instant::now();
    let outcome = outcome(&module.serialize());
    let time = start.elapsed();
    assert!(time < LIMIT, "{name}, {length} instructions, took {time:?}: {outcome:?}");
    outcome
}

/// Refused because of what it would cost.
fn is_costly(outcome: Result<(), String>) -> bool {
    outcome.is_err_and(|error| error.contains("stack slots, at most"))
}

fn repeat(n: usize, ops: &[Opcode]) -> Vec<Opcode> {
    ops.repeat(n)
}

/// Local 1 and a condition on top of what is there.
const FRAME: [Opcode; 2] = [Opcode::StackCheck(8000), Opcode::BulkConst(4)];

fn with(frame: &[Opcode], body: impl IntoIterator<Item = Opcode>, drop: u32) -> Vec<Opcode> {
    let mut code = frame.to_vec();
    code.extend(body);
    code.push(Opcode::BulkDrop(drop));
    code
}

#[test]
fn doubled_ors() {
    // Each value twice in the next: a question about the last is one about 2^60 others.
    let body =
        [Opcode::I32Load(0)].into_iter().chain(repeat(60, &[Opcode::LocalGet(1), Opcode::I32Or]));
    let body = body.chain([Opcode::I32Eqz, Opcode::BrIfEqz(2.into()), Opcode::ConsumeFuel(1)]);
    assert_eq!(survives("doubled ors", with(&FRAME, body, 3)), Ok(()));
}

#[test]
fn long_ors() {
    let n = 100_000;
    let body = [Opcode::I32Load(0)].into_iter().chain(
        (0..n).flat_map(|i| [Opcode::LocalGet(2), Opcode::I32Load(i as u32), Opcode::I32Or]),
    );
    let body = body.chain([Opcode::I32Eqz, Opcode::BrIfEqz(2.into()), Opcode::ConsumeFuel(1)]);
    assert_eq!(survives("long ors", with(&FRAME, body, 3)), Ok(()));
}

#[test]
fn long_ands_of_truths() {
    let n = 50_000;
    let body = [Opcode::I32Const(1.into())].into_iter().chain((0..n).flat_map(|i| {
        [Opcode::LocalGet(2), Opcode::I32Load(i as u32), Opcode::I32Eqz, Opcode::I32And]
    }));
    let body = body.chain([Opcode::BrIfEqz(2.into()), Opcode::ConsumeFuel(1)]);
    assert_eq!(survives("long ands", with(&FRAME, body, 4)), Ok(()));
}

#[test]
fn shuffles() {
    let moves = repeat(500_000, &[Opcode::LocalGet(1), Opcode::LocalSet(1)]);
    let end = [Opcode::BulkDrop(3), Opcode::ReturnCallIndirect(0)];
    let code = [&[Opcode::StackCheck(4), Opcode::BulkConst(4)], &moves[..], &end];
    let code = [code.concat(), vec![Opcode::TableGet(0)]].concat();
    assert_eq!(survives("shuffles", code), Ok(()));
}

#[test]
fn huge_stack_checks() {
    // Found by fuzzing: the largest number plus one.
    for height in [0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let body = [Opcode::BulkConst(4)];
        let _ = survives("stack check", with(&[Opcode::StackCheck(height)], body, 4));
    }
}

#[test]
fn many_blocks_with_many_live_slots() {
    let n = 4000;
    let frame = [Opcode::StackCheck(8000), Opcode::BulkConst(n)];
    let body = repeat(100_000, &[Opcode::LocalGet(1), Opcode::BrIfEqz(1.into())]);
    let uses = (0..n).flat_map(|_| [Opcode::LocalGet(n), Opcode::Drop]);
    assert!(is_costly(survives("blocks × slots, dead", with(&frame, body.clone(), n))));
    assert!(is_costly(survives("blocks × slots", with(&frame, body.into_iter().chain(uses), n))));
}

#[test]
fn many_pushes() {
    let body = repeat(500_000, &[Opcode::BulkConst(8000), Opcode::BulkDrop(8000)]);
    assert!(is_costly(survives("pushes", with(&[Opcode::StackCheck(8000)], body, 0))));
}

#[test]
fn many_saved_slots() {
    let n = 4000;
    let frame = [Opcode::StackCheck(8000), Opcode::BulkConst(n)];
    let sets =
        (0..n).flat_map(|i| [Opcode::LocalGet(1), Opcode::I32Load(i), Opcode::LocalSet(i + 1)]);
    let grow = [Opcode::I32Const(0.into()), Opcode::MemoryGrow, Opcode::Drop];
    let body = sets.chain(repeat(100_000, &grow));
    assert!(is_costly(survives("saved slots", with(&frame, body, n))));
}

#[test]
fn wide_tables() {
    let n = 100_000u32;
    let body = [Opcode::I32Const(1.into()), Opcode::I32Load(0), Opcode::BrTable(n)]
        .into_iter()
        .chain((0..n).flat_map(|i| [Opcode::Br(((2 * n - i) as i32).into()), Opcode::Return]));
    let body = body.chain(repeat(n as usize, &[Opcode::ConsumeFuel(1)]));
    let outcome = survives("wide table", with(&[Opcode::StackCheck(8)], body, 0));
    assert!(outcome.is_err_and(|error| error.contains("too much work")));
}

#[test]
fn tables_that_return() {
    // Functions that each have to write their whole frame: rows beyond all bounds.
    let (n, functions) = (8000, 1000);
    let one = [
        Opcode::StackCheck(n + 1),
        Opcode::BulkConst(n),
        Opcode::I32Const(1.into()),
        Opcode::BrTable(1),
        Opcode::Return,
        Opcode::Return,
    ];
    let first = 3 + 2 * functions;
    let calls = (0..functions)
        .flat_map(|i| [Opcode::CallInternal(first + one.len() as u32 * i), Opcode::BulkDrop(n)]);
    let code = [Opcode::StackCheck(n)].into_iter().chain(calls).chain([Opcode::Return]);
    let code = code.chain(repeat(functions as usize, &one)).collect();
    let outcome = survives("returning tables", code);
    assert!(outcome.is_err_and(|error| error.starts_with("lower: the program has")));
}

#[test]
fn long_chains() {
    for (name, op) in [
        ("adds", Opcode::I32Add),
        ("xors", Opcode::I32Xor),
        ("muls", Opcode::I32Mul),
        ("shifts", Opcode::I32Shl),
        ("subs", Opcode::I32Sub),
    ] {
        let body =
            [Opcode::I32Load(0)].into_iter().chain(repeat(300_000, &[Opcode::LocalGet(2), op]));
        assert_eq!(survives(name, with(&FRAME, body, 4)), Ok(()));
    }
}

#[test]
fn selects() {
    let body = [Opcode::I32Load(0)]
        .into_iter()
        .chain(repeat(100_000, &[Opcode::LocalGet(2), Opcode::LocalGet(2), Opcode::Select]));
    assert_eq!(survives("selects", with(&FRAME, body, 4)), Ok(()));
}
