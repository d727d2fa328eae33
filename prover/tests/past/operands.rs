//! Results of operations: entries 1 to 12, 23 and 25.

use p3_field::{Field, PrimeCharacteristicRing};
use rwprove_circuits::{Val, machine::ChipId};
use rwprove_isa::{Flag, Instr, Op, alu, record::limbs};

use crate::case::{Case, P, START, Tables, as_expected, halt, imm, mov, op, own_rows, slot, wat};

/// Operands at which divisions go wrong if they do.
const EDGES: [u32; 8] = [0, 1, 2, 3, 0x7fff_ffff, 0x8000_0000, P, u32::MAX];

/// `c2 = a op b`.
fn binary(o: Op, a: u32, b: u32) -> Case {
    Case::run(&[mov(0, a), mov(1, b), op(o, 2, 0, slot(1))])
}

/// Fills the columns of a division that says `a = q b + r`, all carries fitting.
fn divide(tables: &mut Tables, q: u64, b: u64, r: u64, wanted: u64) {
    let bytes = |x: u64| x.to_le_bytes().map(u64::from);
    let limb = |x: u64, i: usize| x >> (16 * i) & 0xffff;
    let mut put = |column: String, value: Val| tables.put(ChipId::Div, &column, 0, value);
    for i in 0..8 {
        put(format!("q[{i}]"), Val::from_u64(bytes(q)[i]));
        put(format!("b[{i}]"), Val::from_u64(bytes(b)[i]));
    }
    let product = |place: usize| -> u64 {
        let terms = (0..=place).filter(|&j| j < 8 && place - j < 8);
        terms.map(|j| bytes(q)[j] * bytes(b)[place - j]).sum()
    };
    let mut carry = 0;
    for i in 0..4 {
        carry += product(2 * i) + 256 * product(2 * i + 1) + limb(r, i);
        carry >>= 16;
        put(format!("r[{i}]"), Val::from_u64(limb(r, i)));
        put(format!("z[{i}]"), Val::from_u64(limb(wanted, i)));
        if i < 3 {
            put(format!("carry[{i}]"), Val::from_u64(carry));
        }
    }
    let top = (0..4).rev().find(|&i| limb(r, i) != limb(b, i)).unwrap_or(0);
    for i in 0..4 {
        put(format!("top[{i}]"), Val::from_bool(i == top));
    }
    put("rest".into(), Val::from_u64(limb(b, top)) - Val::from_u64(limb(r, top)) - Val::ONE);
}

/// RISC Zero, GHSA-f6rc-24x4-ppxp: wrong quotients passed. Here: a quotient one too small, with
/// the remainder that makes the equation hold.
#[test]
fn past_01_risc_zero_quotient() {
    for a in EDGES {
        for b in EDGES.into_iter().filter(|&b| b != 0 && a >= b) {
            for o in [Op::DivU, Op::RemU] {
                let (q, r) = (u64::from(a / b) - 1, u64::from(a % b) + u64::from(b));
                let wanted = if o == Op::DivU { q } else { r };
                let mut tables = binary(o, a, b).with_result(2, wanted as u32);
                divide(&mut tables, q, b.into(), r, wanted);
                tables.refused("range16");
            }
        }
    }
}

/// Every decision of the module's own rows taken the other way, helpers included.
fn decisions_are_bound(case: &Case) {
    let mut tried = 0;
    for row in own_rows(case) {
        let instr = case.instr(row);
        let any = |flags: &[Flag]| flags.iter().any(|&flag| instr.has(flag));
        if !any(&[Flag::Ne, Flag::Lt, Flag::Slt, Flag::Cmov]) {
            continue;
        }
        let mut tables = case.fill();
        let truth = if any(&[Flag::Lt, Flag::Slt]) { "k1" } else { "cond" };
        tables.flip(ChipId::Cpu, truth, row);
        if !any(&[Flag::Cmov]) {
            tables.flip(ChipId::Cpu, "c[0]", row);
        }
        tables.refused("cpu");
        tried += 1;
    }
    assert!(tried > 0);
}

const SIGNED: [i32; 7] = [-7, 7, -1, 1, 0, 3, i32::MIN];

fn signed_cases(operation: &str, expected: impl Fn(i32, i32) -> String) -> String {
    let cases = SIGNED.iter().flat_map(|&a| SIGNED.map(|b| (a, b)));
    let lines: String =
        cases.map(|(a, b)| format!(";;! f({a}, {b}) => {}\n", expected(a, b))).collect();
    format!(
        "{lines}(module (func (export \"f\") (param i32 i32) (result i32) \
         local.get 0 local.get 1 i32.{operation}))"
    )
}

/// `ZisK`, GHSA-qjgg-fcj3-p9x3: the remainder's sign was free, REM(-7, 3) = +1. Here signs are
/// rows of the lowered code: all sign cases give what they must, and no decision is free.
#[test]
fn past_02_zisk_remainder_sign() {
    let (program, runs) = wat(&signed_cases("rem_s", |a, b| match b {
        0 => "trap 4".into(),
        _ => format!("ok {}", a.wrapping_rem(b)),
    }));
    as_expected(&program, &runs);
    assert!(runs[5].1.name.contains("(-7, 3)"));
    decisions_are_bound(&Case::of(&program, &runs[5].0));
}

/// `ZisK` PR 1228: the quotient's sign was free, DIV(1, -1) = +1. The same for division.
#[test]
fn past_03_zisk_quotient_sign() {
    let (program, runs) = wat(&signed_cases("div_s", |a, b| match (a, b) {
        (_, 0) => "trap 4".into(),
        (i32::MIN, -1) => "trap 5".into(),
        _ => format!("ok {}", a / b),
    }));
    as_expected(&program, &runs);
    assert!(runs[23].1.name.contains("(1, -1)"));
    decisions_are_bound(&Case::of(&program, &runs[23].0));
}

/// `ZisK` 477: a sign template lacked a constraint. Here: a signed comparison with a sign bit
/// turned and everything that follows from it.
#[test]
fn past_05_zisk_sign_template() {
    // The opposite of the truth, with each claim about the operands' signs, and with all other
    // columns as they must be then.
    let half = Val::from_u32(1 << 15);
    for (a, b) in [(u32::MAX, 1), (1, u32::MAX), (1, 2), (2, 1), (-1_i32 as u32, -2_i32 as u32)] {
        let mut case = binary(Op::SetLtS, a, b);
        let lie = u32::from(a as i32 >= b as i32);
        case.set_result(2, lie);
        let (lie, [high_a, high_b]) =
            (Val::from_u32(lie), [a, b].map(|x| Val::from_u32(limbs(x)[1])));
        for [negative, differ] in [[0, 0], [1, 0], [1, 1], [0, 1]].map(|c| c.map(Val::from_u32)) {
            let mut tables = case.fill();
            let mut put = |column, value| tables.put(ChipId::Cpu, column, 2, value);
            let larger = high_a + lie * (high_b - high_a);
            let (below, above) = (high_a + high_b - larger - half, half - Val::ONE - larger);
            put("t", if negative == Val::ONE { below } else { above });
            ["k1", "c[0]"].into_iter().for_each(|column| put(column, lie));
            put("cond", negative);
            put("u", differ);
            put("v", larger);
            let k0 = tables.get(ChipId::Cpu, "k0", 2);
            let order = high_a - high_b - k0 + lie * half.double();
            tables.put(ChipId::Cpu, "r[1]", 2, if differ == Val::ONE { above } else { order });
            // Signs that differ, but the smaller operand is not negative: there is a rule for that.
            let rule = if negative == differ || differ == Val::ZERO { "range16" } else { "cpu" };
            tables.refused(rule);
        }
    }
}

/// Nexus 611: results of MULH and divisions were not bound. Here: another result of each, in the
/// asking row, in memory and in the coprocessor's answer.
#[test]
fn past_06_nexus_results() {
    for o in [Op::Mul, Op::MulHi, Op::DivU, Op::RemU] {
        let case = binary(o, 0x8765_4321, 0x1234);
        let honest = alu::coprocessor(&case.instr(2), 0x8765_4321, 0x1234).unwrap();
        for value in [honest ^ 1, honest ^ 1 << 16, 0] {
            case.with_result(2, value).refused(if o == Op::Mul || o == Op::MulHi {
                "mul, row"
            } else {
                "div, row"
            });
        }
    }
    for (low, high) in [(Op::DivU64Lo, Op::DivU64Hi), (Op::RemU64Lo, Op::RemU64Hi)] {
        let pair = [op(low, 2, 0, slot(1)), op(high, 3, 1, imm(0))];
        let case = Case::run(&[&[mov(0, 0x8765_4321), mov(1, 0x1234)][..], &pair].concat());
        case.with_result(2, 77).refused("div, row");
        case.with_result(3, 77).refused("div, row");
    }
}

/// Ceno 1345: a carry was range-checked after scaling by the inverse of 2^16, so small negative
/// numbers passed. Here: limbs one too large, with the field's solution for the carries.
#[test]
fn past_07_ceno_scaled_carry() {
    let (a, b) = (0x8765_4321_u32, 0x1234_5678);
    let product = a.wrapping_mul(b);
    let inverse = Val::from_u32(1 << 16).inverse();
    for limb in 0..2 {
        let mut tables =
            binary(Op::Mul, a, b).with_result(2, product.wrapping_add(1 << (16 * limb)));
        tables.add(ChipId::Mul, &format!("product[{limb}]"), 0, 1);
        let mut wrong = inverse;
        for carry in limb..3 {
            *tables.cell(ChipId::Mul, &format!("carry[{carry}]"), 0) -= wrong;
            wrong *= inverse;
        }
        tables.refused("range16");
    }
}

/// Ceno 1345: only the recombined halves of a register were bound, not its bytes. Here: bytes
/// beyond 255 with the same sum.
#[test]
fn past_08_ceno_bytes() {
    let (a, b) = (0x8765_4321, 0x1234_5678);
    for (chip, o) in [(ChipId::Bitwise, Op::Xor), (ChipId::Shift, Op::Shl), (ChipId::Mul, Op::Mul)]
    {
        for (low, high) in [("x[0]", "x[1]"), ("x[2]", "x[3]")] {
            let mut tables = binary(o, a, b).fill();
            tables.add(chip, low, 0, 256);
            tables.add(chip, high, 0, -1);
            if (chip, low) == (ChipId::Mul, "x[0]") {
                // The product of such bytes is the same number, with these carries.
                for (carry, byte) in [("carry[0]", "y[1]"), ("carry[1]", "y[3]")] {
                    let more = tables.get(chip, byte, 0);
                    *tables.cell(chip, carry, 0) += more;
                }
                tables.refused("pair");
            }
            tables.refused("");
        }
    }
}

/// Ceno 1345: a comparison of 32 bits over a field of 31. Here: operands that the field does not
/// tell apart, and others near its order, compared the other way round.
#[test]
fn past_09_ceno_comparison_near_the_order() {
    for (a, b) in [(P, 0), (P + 5, 6), (5, P + 4), (P - 1, P + 1), (u32::MAX, P), (P, P)] {
        let mut case = binary(Op::SetLtU, a, b);
        let forged = u32::from(a >= b);
        case.set_result(2, forged);
        let mut tables = case.fill();
        let borrow = Val::from_u32(forged);
        for column in ["k1", "c[0]"] {
            tables.put(ChipId::Cpu, column, 2, borrow);
        }
        let [high_a, high_b] = [limbs(a), limbs(b)].map(|x| Val::from_u32(x[1]));
        let k0 = tables.get(ChipId::Cpu, "k0", 2);
        let r = high_a - high_b - k0 + borrow * Val::from_u32(1 << 16);
        tables.put(ChipId::Cpu, "r[1]", 2, r);
        tables.refused("range16");
    }
}

/// One of everything that has a result, each in a slot of its own.
fn everything() -> Vec<Instr> {
    let mut code = vec![mov(0, 0x1234), mov(1, 0x8765_4321)];
    let mut c = 2;
    let mut with = |o: Op, a: i32, b| {
        c += 1;
        code.push(op(o, c, a, b));
    };
    for &o in Op::ALL {
        let flags = Instr::new(o);
        let wide = matches!(o, Op::DivU64Lo | Op::DivU64Hi | Op::RemU64Lo | Op::RemU64Hi);
        match o {
            _ if !flags.has(Flag::CWrite) || flags.has(Flag::Pages) => {}
            _ if wide => with(o, 1, slot(0)),
            _ if flags.has(Flag::Load) && !flags.has(Flag::Priv) => with(o, 0, imm(7)),
            _ if flags.has(Flag::Load) => with(o, 0, imm(0x100)),
            Op::Clz | Op::Ctz | Op::Popcnt | Op::Extend8S | Op::Extend16S => {
                with(o, 1, rwprove_isa::Operand::None);
            }
            _ => with(o, 1, slot(0)),
        }
    }
    for instr in &mut code {
        match instr.op {
            Op::FuelLeftLo | Op::FuelLeftHi => {
                (instr.a, instr.b) = (None, rwprove_isa::Operand::None)
            }
            Op::Mov => instr.a = None,
            _ => {}
        }
    }
    code
}

/// `lambda_vm` 652: constraints of LT and MUL existed but were never wired in. Here: another
/// result of every operation that has one, in all tables that speak of it.
#[test]
fn past_10_lambda_vm_unwired() {
    let case = Case::run(&everything());
    let rows: Vec<_> = (2..case.record.cpu.len() - 1).collect();
    assert!(rows.len() > 40);
    for row in rows {
        let [low, high] = case.record.cpu[row].c;
        let table = case.answer(row).map_or("cpu", |(chip, ..)| chip.name());
        for value in [(low ^ 1) | high << 16, low | (high ^ 1) << 16] {
            case.with_result(row, value).refused(&format!("{table}, row"));
        }
    }
}

/// `lambda_vm` 652: a shift's input halves were unchecked and its sign was free. Here: an
/// arithmetic shift answered as a logical one, and the reverse.
#[test]
fn past_11_lambda_vm_shift_sign() {
    let (a, b) = (0x8765_4321, 5);
    for (asked, given, fill) in [(Op::ShrS, Op::ShrU, 0), (Op::ShrU, Op::ShrS, 1)] {
        let other = binary(given, a, b);
        let value = alu::coprocessor(&other.instr(2), a, b).unwrap();
        let mut tables = binary(asked, a, b).with_result(2, value);
        let mut other = other.fill();
        let row = other.table(ChipId::Shift).trace.values.clone();
        tables.table(ChipId::Shift).trace.values = row;
        tables.flip(ChipId::Shift, "shr_u", 0);
        tables.flip(ChipId::Shift, "shr_s", 0);
        // On the arithmetic shift the sign must say that zeros come in.
        tables.put(ChipId::Shift, "sign", 0, Val::from_u32(fill));
        tables.refused(if asked == Op::ShrS { "pair" } else { "shift, row" });
    }
    let mut tables = binary(Op::ShrU, a, b).fill();
    tables.flip(ChipId::Shift, "sign", 0);
    tables.refused("pair");
}

/// `OpenVM`, GHSA-jf2r-x3j4-23m7: the bytes of a pc could overflow the field. Here: the index of
/// a jump table is a word beyond the field's order and passes for a small one.
#[test]
fn past_12_openvm_pc_overflow() {
    for index in 0..2 {
        let mut case =
            Case::run(&[mov(0, P + index), op(Op::BrTable, 0, 0, imm(2)), halt(), halt(), halt()]);
        assert_eq!(case.record.cpu[2].pc, START + 4);
        case.record.cpu[2].pc = START + 2 + index;
        let mut tables = case.fill();
        tables.put(ChipId::Cpu, "k1", 1, Val::ONE);
        *tables.cell(ChipId::Cpu, "r[1]", 1) += Val::from_u32(1 << 16);
        tables.refused("range16");
    }
}

/// `OpenVM` 1.6: a length was compared without range checks, so it could wrap around the field.
/// Here: the test `size < length` of the library with a length beyond the field's order.
#[test]
fn past_23_openvm_length_wraps() {
    for length in [P + 8, u32::MAX, P] {
        let mut case = Case::run(&[
            mov(0, 2 << 16),
            mov(1, length),
            op(Op::BrLtU, START as i32 + 5, 0, slot(1)),
            halt(),
            halt(),
            halt(),
        ]);
        assert_eq!(case.record.cpu[3].pc, START + 5);
        case.record.cpu[3].pc = START + 3;
        let mut tables = case.fill();
        for column in ["k1", "c[0]"] {
            tables.put(ChipId::Cpu, column, 2, Val::ZERO);
        }
        *tables.cell(ChipId::Cpu, "r[1]", 2) -= Val::from_u32(1 << 16);
        tables.refused("range16");
    }
}

/// KALOS 8: 0 / 0 could be anything. Here: a divisor turned to zero, with any quotient.
#[test]
fn past_25_kalos_zero_by_zero() {
    for (a, q) in [(0, 0), (0, 7), (9, u32::MAX)] {
        let mut case = binary(Op::DivU, a, 1);
        case.program.code[START as usize + 1] = mov(1, 0);
        (case.record.cpu[1].b, case.record.cpu[2].b) = ([0, 0], [0, 0]);
        case.set_result(1, 0);
        let mut tables = case.with_result(2, q);
        tables.put(ChipId::Div, "div32", 0, Val::ONE);
        for (i, limb) in limbs(a).into_iter().enumerate() {
            tables.put(ChipId::Div, &format!("a[{i}]"), 0, Val::from_u32(limb));
        }
        divide(&mut tables, q.into(), 0, a.into(), q.into());
        tables.refused("range16");
    }
}
