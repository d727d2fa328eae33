//! Coprocessors as part of the whole machine: what the executor records is what they accept.

use rwprove_isa::{
    Instr, Op, Operand, Trap,
    layout::{self, CHUNK_WORDS, reg},
};

use super::tester::EDGES;
use crate::harness::{accepts, charged, mov, op, program, run, slot};

const BINARY: [Op; 12] = [
    Op::And,
    Op::Or,
    Op::Xor,
    Op::Shl,
    Op::ShrU,
    Op::ShrS,
    Op::Rotl,
    Op::Rotr,
    Op::Mul,
    Op::MulHi,
    Op::DivU,
    Op::RemU,
];
const UNARY: [Op; 5] = [Op::Clz, Op::Ctz, Op::Popcnt, Op::Extend8S, Op::Extend16S];
const PAIRS: [[Op; 2]; 2] = [[Op::DivU64Lo, Op::DivU64Hi], [Op::RemU64Lo, Op::RemU64Hi]];

#[test]
fn operations_on_values() {
    let mut code = Vec::new();
    for (i, a) in EDGES.into_iter().enumerate() {
        let b = EDGES[(5 * i + 3) % EDGES.len()] | 1;
        code.extend([mov(0, a), mov(1, b)]);
        for binary in BINARY {
            code.extend([op(binary, 2, 0, slot(1)), op(binary, 3, 1, Operand::Imm(a | 4))]);
        }
        code.extend([0, 1, 8, 31].map(|k| Instr { k, ..op(Op::Fshl, 2, 0, slot(1)) }));
        code.extend(UNARY.map(|unary| op(unary, 2, 0, Operand::None)));
        for [low, high] in PAIRS {
            code.extend([op(low, 2, 0, slot(1)), op(high, 3, 1, slot(0))]);
        }
    }
    accepts(&code);
}

/// Every access at every alignment: in the first word, across words, chunks and pages.
#[test]
fn accesses() {
    let mut code = vec![mov(1, 0x89ab_cdef)];
    for address in [0, 4, 5, 6, 31, 32, 33, 65534] {
        code.push(mov(0, address));
        for (store, imm) in [(Op::Store, 3), (Op::Store16, 1), (Op::Store8, 0)] {
            code.push(op(store, 1, 0, Operand::Imm(imm)));
        }
        for (load, imm) in [
            (Op::Load, 3),
            (Op::Load16S, 1),
            (Op::Load16U, 1),
            (Op::Load8S, 0),
            (Op::Load8U, 0),
            (Op::LoadBytes, 3),
            (Op::LoadByte, 0),
        ] {
            code.push(op(load, 2, 0, Operand::Imm(imm)));
        }
        let global = 4 * layout::GLOBAL;
        code.push(op(Op::StoreByte, 1, 0, Operand::Imm(global)));
        code.push(op(Op::LoadBytes, 2, 0, Operand::Imm(global + 3)));
    }
    accepts(&code);
}

/// Charges and questions, until a charge does not fit.
#[test]
fn fuel() {
    let charge = Instr { a: Some(0), b: slot(1), ..Instr::new(Op::FuelCharge) };
    let low = Instr { c: 2, ..Instr::new(Op::FuelLeftLo) };
    let high = Instr { c: 3, ..Instr::new(Op::FuelLeftHi) };
    let code = [
        [mov(0, 1), mov(1, 0xffff_fff0), charged(charge, 9)],
        [low, high, charged(charge, 1000)],
        [charged(low, 5), charged(high, 5), charge],
    ]
    .concat();
    let cases = run(&program(&code, 0), Some(0x5_0000_0000), 1 << 12);
    let record = &cases[0].record;
    cases[0].accepted();
    assert_eq!(record.end.fuel, 2 * 0x1_ffff_fff0 + 1019, "two charges fit");
    assert_eq!(record.cpu.last().map(|row| row.pc), Some(u32::from(Trap::OutOfFuel.code())));

    let chunk_words = CHUNK_WORDS as u32;
    let chunk = record.chunks.iter().find(|c| c.chunk == reg::REFUSED_FUEL_LO / chunk_words);
    let place = (reg::REFUSED_FUEL_LO % chunk_words) as usize;
    assert_eq!(chunk.unwrap().after[place..place + 2], [[0xfff0, 0xffff], [1, 0]]);
}
