use rwasm::Opcode;

use super::super::{LowerError, Preset};
use super::*;
use crate::runtime::Library;
use crate::{MAX_FUEL, Op, Operand, STUCK_PC, Trap, layout};

fn ops(rows: &[Instr]) -> Vec<Op> {
    rows.iter().map(|row| row.op).collect()
}

/// All rows of the first function's fast version, without `Enter` and `Ret`.
fn body(params: &str, body: &str) -> Vec<Instr> {
    let wat = format!("(module (memory (export \"m\") 1) (func (export \"f\") {params} {body}))");
    let rows = rows(&wat, false).concat();
    rows.into_iter().filter(|row| !matches!(row.op, Op::Enter | Op::Ret)).collect()
}

const TWO: &str = "(param i32 i32) (result i32)";

#[test]
fn moves_cost_nothing() {
    let rows = body(TWO, "local.get 0 local.get 1 i32.add");
    let expected = Instr { a: Some(-2), b: Operand::Slot(-1), c: -2, ..Instr::new(Op::Add) };
    assert_eq!(rows, [Instr { fuel: rows[0].fuel, ..expected }]);
    // A result goes straight to its local.
    let rows = body("(param i32)", "local.get 0 i32.const 1 i32.add local.set 0 local.get 0 drop");
    assert_eq!(rows, []);
}

#[test]
fn constants_are_operands_and_fold() {
    let rows = body(TWO, "local.get 0 i32.const 5 i32.add i32.const 2 i32.const 3 i32.mul i32.xor");
    assert_eq!(ops(&rows), [Op::Add, Op::Xor]);
    assert_eq!([rows[0].b, rows[1].b], [Operand::Imm(5), Operand::Imm(6)]);
    // A constant as the first operand needs a slot, unless the operands can be exchanged.
    let rows = body(TWO, "i32.const 5 local.get 0 i32.sub");
    assert_eq!(ops(&rows), [Op::Mov, Op::Sub]);
    let rows = body(TWO, "i32.const 0 local.get 0 i32.sub");
    assert_eq!((ops(&rows), rows[0].a), (vec![Op::Sub], None));
    let rows = body(TWO, "i32.const 5 local.get 0 i32.lt_u");
    assert_eq!((rows[0].op, rows[0].b), (Op::SetGeU, Operand::Imm(6)));
    let rows = body(TWO, "i32.const -1 local.get 0 i32.lt_u");
    assert_eq!(ops(&rows), [Op::Mov, Op::SetLtU]);
}

#[test]
fn a_comparison_and_its_branch_are_one_row() {
    let loop_ = |test: &str| format!("(loop $l (br_if $l ({test} (local.get 0) (i32.const 9))))");
    for (test, op) in [
        ("i32.eq", Op::BrEq),
        ("i32.lt_s", Op::BrLtS),
        ("i32.gt_s", Op::BrGeS), // x > 9 is x ≥ 10
        ("i32.le_u", Op::BrLtU), // x ≤ 9 is x < 10
        ("i32.ge_u", Op::BrGeU),
    ] {
        let rows = body("(param i32)", &loop_(test));
        assert!(ops(&rows).contains(&op), "{test}: {rows:?}");
        assert!(rows.iter().all(|row| !row.op.name().starts_with("Set")), "{test}");
    }
    let rows = body(
        "(param i32)",
        "(loop $l (br_if $l (i32.eqz (i32.lt_u (local.get 0) (i32.const 9)))))",
    );
    assert!(ops(&rows).contains(&Op::BrGeU));
}

#[test]
fn a_slot_that_is_overwritten_was_copied_before() {
    // The old value of local 0 is still wanted after the new one is there.
    let rows = body(TWO, "local.get 0 local.get 1 local.set 0 local.get 0 i32.sub");
    let expected = Instr { a: Some(-2), b: Operand::Slot(-1), c: -2, ..Instr::new(Op::Sub) };
    assert_eq!(rows, [Instr { fuel: rows[0].fuel, ..expected }]);
    // Exchanging two locals in a loop needs a third place.
    let swap = "(local i32) (loop $l
        (local.set 2 (local.get 0)) (local.set 0 (local.get 1)) (local.set 1 (local.get 2))
        (br_if $l (local.get 0))) local.get 0";
    let rows = body(TWO, swap);
    let moves: Vec<_> =
        rows.iter().filter(|row| row.op == Op::Mov).map(|row| (row.c, row.b)).collect();
    assert!(moves.len() >= 3, "{moves:?}");
}

#[test]
fn many_slots_change_places_at_once() {
    // A rotation of 500 locals: each is moved once, and the cycle needs one move more. The other
    // 500 rotate as well, but nobody reads them.
    let n = 500;
    let rotate = |from: usize| -> String {
        (0..n).map(|i| format!("local.get {} ", from + (i + 1) % n)).collect()
    };
    let sets: String = (0..2 * n).rev().map(|i| format!("local.set {i} ")).collect();
    let locals = "i32 ".repeat(2 * n - 1);
    let (first, second) = (rotate(0), rotate(n));
    let code = format!("(local {locals}) (loop $l {first} {second} {sets} local.get 0 br_if $l)");
    let rows = body("(param i32)", &code);
    let moves = rows.iter().filter(|row| row.op == Op::Mov && matches!(row.b, Operand::Slot(_)));
    assert_eq!(moves.count(), n + 1);
}

#[test]
fn fuel_stands_before_effects_and_never_merges() {
    let wat = |n: usize| {
        let stores = "(i32.store (i32.const 0) (local.get 0))".repeat(n);
        format!("(module (memory (export \"m\") 1) (func (export \"f\") (param i32) {stores}))")
    };
    for n in [1, 400] {
        let (module, lowered) = lowered(&wat(n));
        let code = &module.rwasm.code_section;
        let function = module.heights.functions.iter().find(|f| f.signature.is_some()).unwrap();
        let Opcode::ConsumeFuel(fuel) = code[function.entry as usize + 1] else { panic!() };
        let block = lowered.blocks.iter().find(|b| b.source.start == function.entry).unwrap();
        let first = lowered.program.code[block.lowered.start as usize];
        if fuel <= MAX_FUEL.into() {
            assert_eq!(u32::from(first.fuel), fuel);
        } else {
            assert_eq!((first.op, first.b), (Op::FuelCharge, Operand::Imm(fuel)));
        }
    }
}

#[test]
fn accesses_name_their_last_byte() {
    let rows = body("(param i32) (result i32)", "local.get 0 i32.load offset=8");
    assert_eq!((rows[0].op, rows[0].b), (Op::Load, Operand::Imm(11)));
    let rows = body("(param i32) (result i32)", "i32.const 100 i32.load16_u offset=8");
    assert_eq!((rows[0].op, rows[0].a, rows[0].b), (Op::Load16U, None, Operand::Imm(109)));
    let rows = body("(param i32)", "local.get 0 i32.const 7 i32.store8");
    assert_eq!(ops(&rows), [Op::Mov, Op::Store8]);
    assert_eq!(rows[1].b, Operand::Imm(0));
}

#[test]
fn division_checks_what_it_does_not_know() {
    let divide = |op: &str, by: &str| ops(&body(TWO, &format!("local.get 0 {by} {op}")));
    assert_eq!(divide("i32.div_u", "local.get 1"), [Op::BrEq, Op::DivU]);
    assert_eq!(divide("i32.rem_u", "i32.const 10"), [Op::RemU]);
    assert_eq!(divide("i32.div_u", "i32.const 0").first(), Some(&Op::Jump));
    let rows = body(TWO, "local.get 0 local.get 1 i32.div_s");
    let traps: Vec<_> = rows.iter().filter(|r| r.op == Op::BrEq).map(|r| r.c).collect();
    assert_eq!(traps, [Trap::IntegerDivisionByZero, Trap::IntegerOverflow].map(|t| t as i32));
    // 3 is neither 0 nor -1.
    assert!(!divide("i32.div_s", "i32.const 3").contains(&Op::BrEq));
}

#[test]
fn a_function_with_snippet_calls_has_a_deep_version() {
    let wat = r#"(module (func (export "f") (param i64 i64) (result i64)
        local.get 0 local.get 1 i64.add local.get 1 i64.div_u))"#;
    let (_, lowered) = lowered(wat);
    let fast = rows(wat, false).concat();
    let deep = rows(wat, true).concat();
    let enter = fast.iter().find(|row| row.op == Op::Enter).unwrap();
    let Operand::Imm(b) = enter.b else { panic!() };
    assert_eq!(b >> 16, (b & 0xffff).max(4 + 8), "room for a division's snippet");
    let twin = lowered.blocks.iter().find(|b| b.deep).unwrap();
    assert_eq!(enter.c as u32, twin.lowered.start);
    let limits: Vec<_> = deep.iter().filter(|row| row.op == Op::Limit).map(|row| row.b).collect();
    let limit = |depth: u32| Operand::Imm(depth << 16);
    assert_eq!(limits, [limit(1024), limit(1024), limit(1023)]);
    assert!(fast.iter().all(|row| row.op != Op::Limit));
    let plain: Vec<_> =
        deep.iter().filter(|row| !matches!(row.op, Op::Limit | Op::Enter)).map(|r| r.op).collect();
    assert_eq!(plain, ops(&fast)[1..]);
}

#[test]
fn an_indirect_call_checks_in_order() {
    let wat = r#"(module (type $t (func (param i32) (result i32)))
        (table 4 funcref) (elem (i32.const 1) $g)
        (func (export "f") (param i32) (result i32)
            (call_indirect (type $t) (i32.const 5) (local.get 0)))
        (func $g (type $t) local.get 0))"#;
    let (module, lowered) = lowered(wat);
    let rows = rows(wat, false).concat();
    let targets: Vec<_> = rows
        .iter()
        .filter(|row| matches!(row.op, Op::BrGeU | Op::BrEq | Op::BrNe | Op::Limit | Op::CallReg))
        .map(|row| (row.op, row.c as u32))
        .collect();
    let code = &lowered.program.code;
    assert_eq!(
        targets[..3],
        [
            (Op::BrGeU, Trap::TableOutOfBounds as u32),
            (Op::BrEq, Trap::IndirectCallToNull as u32),
            (Op::BrGeU, STUCK_PC),
        ]
    );
    assert_eq!([targets[3].0, targets[4].0, targets[5].0], [Op::Limit, Op::BrNe, Op::CallReg]);
    let cold = &code[targets[4].1 as usize..][..2];
    assert_eq!((cold[0].op, cold[0].c as u32), (Op::BrEq, STUCK_PC));
    assert_eq!((cold[1].op, cold[1].c), (Op::Jump, Trap::BadSignature as i32));
    // The callee is in the image, with its signature.
    let callee = module.heights.functions.iter().find(|f| f.address_taken).unwrap();
    let word = layout::FUNC + 2 * callee.entry;
    let found: Vec<_> =
        lowered.program.image.iter().filter(|(addr, _)| addr / 2 == word / 2).collect();
    let pc = lowered.blocks.iter().find(|b| b.source.start == callee.entry).unwrap().lowered.start;
    assert_eq!(found, [&(word, pc), &(word + 1, callee.signature.unwrap() + 1)]);
}

#[test]
fn what_the_machine_has_no_room_for_is_refused() {
    let code = [Opcode::StackCheck(1), Opcode::GlobalGet(1 << 17), Opcode::Drop, Opcode::Return];
    let module = load(&assemble(code).serialize(), &Preset::Contract).unwrap();
    assert_eq!(lower(&module).unwrap_err(), LowerError::Global { pc: 2, word: 1 << 17 });
    let code = [Opcode::Trap(rwasm::TrapCode::ExecutionHalted)];
    let module = load(&assemble(code).serialize(), &Preset::Contract).unwrap();
    assert!(matches!(lower(&module), Err(LowerError::Trap { pc: 1, .. })));
}

/// What holds for every lowered program.
#[test]
fn rows_are_well_formed() {
    let wat = r#"(module
        (import "fluentbase_v1preview" "_keccak256" (func $hash (param i32 i32 i32)))
        (memory (export "m") 1)
        (global $g (mut i64) (i64.const 5))
        (func $h (param i64 i64) (result i64)
            (i64.rotl (i64.div_s (local.get 0) (local.get 1)) (i64.shr_s (local.get 0) (local.get 1))))
        (func (export "f") (param i64 i32) (result i64)
            (call $hash (i32.const 0) (local.get 1) (i32.const 64))
            (global.set $g (call $h (local.get 0) (global.get $g)))
            (memory.fill (i32.const 8) (local.get 1) (i32.const 9))
            (block $a (block $b (block $c (br_table $a $b $c $a (local.get 1))) (return (i64.const 1)))
                (local.set 0 (i64.mul (local.get 0) (i64.const 7))))
            (select (local.get 0) (global.get $g) (i64.lt_s (local.get 0) (global.get $g)))))"#;
    let (_, lowered) = lowered(wat);
    let program = &lowered.program;
    let code = &program.code;
    assert_eq!(code[..Library::get().code.len()], Library::get().code);
    assert_eq!(code.len(), program.weights.len());
    let linked = |op: Op| matches!(op, Op::DivU64Hi | Op::RemU64Hi);
    for (pc, row) in code.iter().enumerate() {
        assert!(row.fuel <= MAX_FUEL);
        let jumps = row.op.name().starts_with("Br") || matches!(row.op, Op::Jump | Op::Call);
        if jumps && row.op != Op::BrTable {
            let target = &code[row.c as usize];
            assert!(!target.chain && !linked(target.op), "pc {pc} leads between linked rows");
        }
        if row.chain {
            assert_eq!(row.fuel, 0, "pc {pc}");
            let before = code[pc - 1].op;
            let fits = if row.op == Op::Add {
                before == Op::Add
            } else {
                matches!(before, Op::Sub | Op::Cmp)
            };
            assert!(fits, "pc {pc}: {:?} after {before:?}", row.op);
        }
        match row.op {
            Op::DivU64Lo => assert_eq!(code[pc + 1].op, Op::DivU64Hi),
            Op::RemU64Lo => assert_eq!(code[pc + 1].op, Op::RemU64Hi),
            _ => {}
        }
    }
    assert!(program.image.is_sorted() && program.image.iter().all(|word| word.1 != 0));
    let mut ends = 0;
    for block in &lowered.blocks {
        assert!(block.lowered.start <= block.lowered.end && block.live_out.is_sorted());
        ends = ends.max(block.lowered.end);
    }
    assert!(ends <= lowered.init && lowered.init < program.start);
}

/// A block whose only trace is a snippet's check has rows in the deep version alone. In the fast
/// one it stood where the next block stands, and the validator took one for the other.
#[test]
fn a_block_with_rows_in_one_version_has_rows_in_both() {
    let dead = "(drop (i64.mul (local.get 0) (local.get 0)))";
    for rest in
        ["(loop $l (br $l))", "(loop $l (call 0 (local.get 0)) (br $l))", "(call 0 (local.get 0))"]
    {
        let wat = format!("(module (func (export \"f\") (param i64) {dead} {rest}))");
        let (module, lowered) = lowered(&wat);
        crate::validate::validate(&module, &lowered).unwrap();
    }
}

/// The check before it always traps, but the row behind it must still have a place of its own.
#[test]
fn a_constant_index_outside_any_table_stays_in_its_region() {
    let ops = ["(drop (table.get I))", "(table.set I (ref.null func))", "(call_indirect I)"];
    for index in ["1023", "1024", "0x7fffffff", "-1"] {
        for op in ops {
            let op = op.replace('I', &format!("(i32.const {index})"));
            let wat = format!("(module (table 3 funcref) (func (export \"f\") {op}))");
            let (module, lowered) = lowered(&wat);
            crate::validate::validate(&module, &lowered).unwrap();
        }
    }
}
