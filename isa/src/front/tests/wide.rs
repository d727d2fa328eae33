use super::*;
use crate::Op;

fn ops(body: &str) -> Vec<Op> {
    let wat = format!("(module (func (export \"f\") (param i64 i64 i32) {body}))");
    let rows = rows(&wat, false).concat();
    rows.iter().map(|row| row.op).filter(|op| !matches!(op, Op::Enter | Op::Ret)).collect()
}

/// The rows of an operation on two unknown values.
fn unknown(op: &str) -> Vec<Op> {
    ops(&format!("(result i64) local.get 0 local.get 1 i64.{op}"))
}

fn by_constant(op: &str, n: i64) -> Vec<Op> {
    ops(&format!("(result i64) local.get 0 i64.const {n} i64.{op}"))
}

#[test]
fn sums_are_chains_and_logic_is_pairs() {
    assert_eq!(unknown("add"), [Op::Add, Op::Add]);
    assert_eq!(unknown("sub"), [Op::Sub, Op::Sub]);
    assert_eq!(unknown("xor"), [Op::Xor, Op::Xor]);
    // Nothing carries out of a zero.
    assert_eq!(by_constant("add", 7 << 32), [Op::Add]);
    assert_eq!(by_constant("and", 0xffff_ffff), [Op::Mov]);
}

#[test]
fn products_of_words_are_two_rows() {
    let body = "(result i64) (i64.mul (i64.extend_i32_u (local.get 2))
        (i64.extend_i32_u (i32.wrap_i64 (local.get 0))))";
    assert_eq!(ops(body), [Op::MulHi, Op::Mul]);
    assert_eq!(unknown("mul").len(), 6);
}

#[test]
fn comparisons_are_chained() {
    let compare = |op: &str| ops(&format!("(result i32) local.get 0 local.get 1 i64.{op}"));
    for (op, set) in [
        ("eq", Op::SetEq),
        ("ne", Op::SetNe),
        ("lt_s", Op::SetLtS),
        ("ge_u", Op::SetGeU),
        ("gt_u", Op::SetLtU),
        ("le_s", Op::SetGeS),
    ] {
        assert_eq!(compare(op), [Op::Cmp, set], "{op}");
    }
    // The sign is that of the high word.
    let negative = ops("(result i32) local.get 0 i64.const 0 i64.lt_s");
    assert_eq!(negative, [Op::SetLtS]);
    let branch = ops("(loop $l (br_if $l (i64.lt_u (local.get 0) (local.get 1))))");
    assert!(branch.ends_with(&[Op::Cmp, Op::BrLtU]), "{branch:?}");
}

#[test]
fn shifts_by_constants() {
    assert_eq!(by_constant("shl", 3), [Op::Fshl, Op::Shl]);
    assert_eq!(by_constant("shl", 40), [Op::Shl, Op::Mov]);
    assert_eq!(by_constant("shr_u", 35), [Op::ShrU, Op::Mov]);
    assert_eq!(by_constant("shr_s", 32), [Op::Mov, Op::ShrS]);
    // Each result needs both words, so one of them must wait.
    assert_eq!(by_constant("rotl", 7), [Op::Fshl, Op::Fshl, Op::Mov]);
    assert_eq!(by_constant("rotl", 64), []);
    assert_eq!(by_constant("shl", 64), []);
    // Half a turn exchanges the words.
    assert_eq!(by_constant("rotr", 32), [Op::Mov, Op::Mov, Op::Mov]);
}

#[test]
fn divisions_use_what_is_known() {
    assert_eq!(by_constant("div_u", 10), [Op::DivU64Lo, Op::DivU64Hi]);
    let small = "(result i64) (i64.rem_u (i64.extend_i32_u (local.get 2)) (i64.const 10))";
    assert_eq!(ops(small)[0], Op::RemU);
    assert_eq!(unknown("rem_u"), [Op::Or, Op::BrEq, Op::RemU64Lo, Op::RemU64Hi]);
    let traps = |op: &str| unknown(op).iter().filter(|op| **op == Op::BrEq).count();
    assert_eq!([traps("div_s"), traps("rem_s")], [2, 1]);
}
