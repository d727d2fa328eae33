//! Memory accesses, selectors, padding and coprocessors: entries 4, 13 to 16, 18 to 22 and 24.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::Matrix;
use rwprove_circuits::{Val, machine::ChipId};
use rwprove_isa::{
    Flag, Instr, Op, Operand,
    layout::{self, STACK},
    record::{Outcome, clock},
};

use crate::case::{Case, START, halt, imm, mov, op, slot};

fn access(o: Op, c: i32, a: i32, last: u32) -> Instr {
    op(o, c, a, imm(last))
}

/// Two words of memory with all bytes different, then the access at byte `at`.
fn memory(at: u32, instr: Instr) -> Case {
    Case::run(&[
        mov(0, 64),
        mov(1, 0xfedc_ba98),
        access(Op::Store, 1, 0, 3),
        access(Op::Store, 1, 0, 7),
        mov(2, 64 + at),
        mov(3, 0x8182_8384),
        instr,
    ])
}

/// `ZisK` 1188: the upper part of a narrow load was not bound to zero. Here: every load at every
/// offset with each half of its result changed.
#[test]
fn past_04_zisk_zero_extension() {
    for (o, size) in
        [(Op::Load8U, 1), (Op::Load8S, 1), (Op::Load16U, 2), (Op::Load16S, 2), (Op::Load, 4)]
    {
        for at in 0..4 {
            let case = memory(at, access(o, 4, 2, size - 1));
            let honest = case.record.cpu[6].c;
            let table = if case.answer(6).is_some() { "access" } else { "cpu" };
            for [low, high] in [[0x100, 0], [0, 1], [0, 0xffff]] {
                let value = (honest[0] ^ low) | (honest[1] ^ high) << 16;
                case.with_result(6, value).refused(&format!("{table}, row"));
            }
        }
    }
}

/// `OpenVM`, internal audit: bytes that a half-word store leaves alone were free. Here: every
/// narrow store at every offset changes one more bit of its word, in memory too.
#[test]
fn past_13_openvm_store_neighbours() {
    for (o, size) in [(Op::Store8, 1), (Op::Store16, 2)] {
        for at in 0..=4 - size {
            let mut case = memory(at, access(o, 3, 2, size - 1));
            for bit in 0..32 {
                if (at..at + size).contains(&(bit / 8)) {
                    continue;
                }
                let mut forged = case.clone();
                forged.record.access[0].after[1] ^= 1 << bit;
                let (word, _) = forged.word(layout::MEM + 16);
                word[bit as usize / 16] ^= 1 << (bit % 16);
                forged.fill().refused("access, row");
            }
            // What is stored is bound as well.
            let (word, _) = case.word(layout::MEM + 16);
            word[at as usize / 2] ^= 1 << (8 * (at % 2));
            case.record.access[0].after[1] ^= 1 << (8 * at);
            case.fill().refused("access, row");
        }
    }
}

/// `OpenVM`, internal audit: loads were not held to their address space. Here: a guest's load
/// beyond its memory reads a word of every region, instead of its trap.
#[test]
fn past_14_openvm_address_space() {
    for region in 0..16 {
        let (row, target) = (1, layout::region(region));
        let mut case = Case::run(&[mov(0, 4 * target), access(Op::Load, 1, 0, 4 * 6 + 3)]);
        let load = &mut case.record.cpu[row];
        assert_eq!(load.outcome, Outcome::Trap);
        load.outcome = Outcome::Plain;
        case.record.cpu[row + 1].pc = START + 2;
        // Slot 1 gets the word, which is zero like the slot before.
        *case.word(STACK + 1).1 = clock(row) + 3;
        case.touch(target + 6, clock(row) + 1);
        case.fill().refused("range16");
    }
}

/// A few rows with most flags.
fn tour() -> Case {
    Case::run(&[
        mov(0, 64),
        op(Op::Add, 1, 0, slot(0)),
        access(Op::Store, 1, 0, 3),
        access(Op::Load16U, 2, 0, 1),
        op(Op::BrLtS, START as i32 + 6, 0, slot(1)),
        halt(),
        op(Op::Xor, 2, 0, slot(1)),
        op(Op::SetNe, 2, 0, imm(4)),
    ])
}

/// SP1 v4, item 5: the selector `is_memory` was not bound. Here: every selector of every row
/// turned, which turns the packed word that is fetched.
#[test]
fn past_15_sp1_selectors() {
    let case = tour();
    let honest = case.fill();
    for row in 0..case.record.cpu.len() {
        for flag in Flag::ALL {
            let mut tables = honest.clone();
            tables.flip(ChipId::Cpu, flag.name(), row);
            tables.refused("");
        }
    }
}

/// KALOS 7: selectors could be on in padding rows. Here: every flag on the first padding row.
#[test]
fn past_18_kalos_padding_selectors() {
    let case = tour();
    let (honest, padding) = (case.fill(), case.record.cpu.len());
    for flag in Flag::ALL.iter().map(|flag| flag.name()).chain(["oof", "trap"]) {
        let mut tables = honest.clone();
        tables.put(ChipId::Cpu, flag, padding, Val::ONE);
        tables.refused("cpu, row");
    }
}

/// A run through every coprocessor.
fn coprocessors() -> Case {
    let charge = Instr { b: imm(5), ..Instr::new(Op::FuelCharge) };
    Case::run(&[
        mov(0, 77),
        op(Op::Xor, 1, 0, imm(5)),
        op(Op::Shl, 1, 0, imm(5)),
        op(Op::Mul, 1, 0, imm(5)),
        op(Op::DivU, 1, 0, imm(5)),
        op(Op::Clz, 1, 0, Operand::None),
        access(Op::Load8U, 1, 0, 0),
        Instr::new(Op::KeccakF),
        charge,
    ])
}

/// The columns that say how often a row speaks, with a row where it does.
fn multiplicities(case: &Case) -> Vec<(ChipId, &'static str, usize)> {
    let leaf = case.fill().table(ChipId::Merkle).trace.height() - 1;
    let mut tables = case.fill();
    let is_leaf = |row: &usize| tables.get(ChipId::Merkle, "leaf", *row) == Val::ONE;
    let leaf = (0..leaf).find(is_leaf).unwrap();
    vec![
        (ChipId::Cpu, "real", 0),
        (ChipId::Bitwise, "xor", 0),
        (ChipId::Shift, "shl", 0),
        (ChipId::Mul, "low_word", 0),
        (ChipId::Div, "div32", 0),
        (ChipId::Bits, "clz", 0),
        (ChipId::Access, "load8_u", 0),
        (ChipId::Keccak, "export", 23),
        (ChipId::Fuel, "charge", 0),
        (ChipId::Merkle, "leaf", leaf),
        (ChipId::Merkle, "branch", 1),
        (ChipId::Merkle, "touched[0]", 0),
    ]
}

/// SP1 v4, item 4: a padding row could send. Here: in every table a row that speaks is repeated
/// where padding begins.
#[test]
fn past_19_sp1_padding_sends() {
    let case = coprocessors();
    let honest = case.fill();
    for (chip, column, row) in multiplicities(&case) {
        let mut tables = honest.clone();
        let height = tables.table(chip).trace.height();
        let padding = (0..height).rev().find(|&r| tables.get(chip, column, r) == Val::ZERO);
        tables.copy(chip, row, padding.unwrap());
        tables.refused("");
    }
}

/// `OpenVM` 1.6: multiplicities of two tables were not boolean. Here: 2 and -1 for each column
/// that says how often a row speaks.
#[test]
fn past_20_openvm_multiplicities() {
    let case = coprocessors();
    let honest = case.fill();
    for (chip, column, row) in multiplicities(&case) {
        for value in [Val::TWO, Val::NEG_ONE] {
            let mut tables = honest.clone();
            tables.put(chip, column, row, value);
            tables.refused(&format!("{}, row", chip.name()));
        }
    }
}

/// `OpenVM` 1.6: the tail of the Keccak table, shorter than a permutation, could be enabled. Here:
/// `export` on each row but the last of the permutation.
#[test]
fn past_21_openvm_keccak_tail() {
    let case = coprocessors();
    let honest = case.fill();
    for row in (0..32).filter(|&row| row != 23) {
        let mut tables = honest.clone();
        assert_eq!(tables.table(ChipId::Keccak).trace.height(), 32);
        tables.put(ChipId::Keccak, "export", row, Val::ONE);
        tables.refused("keccak, row");
    }
}

/// `OpenVM` 1.6: a SHA-256 block could be appended after the last one. Here: a whole permutation
/// that nobody asked for is exported, or answers in place of one that was asked.
#[test]
fn past_22_openvm_extra_block() {
    let case = Case::run(&[Instr::new(Op::KeccakF); 3]);
    // The row after the third permutation does something else, but the sponge changes once more.
    let (mut extra, four) = (case.clone(), Case::run(&[Instr::new(Op::KeccakF); 4]));
    extra.record.keccak = four.record.keccak;
    extra.record.chunks = four.record.chunks;
    extra.fill().refused("KeccakF");
    // The table has room for five: the fourth one, of zeros, answers instead of the third.
    let mut tables = case.fill();
    tables.put(ChipId::Keccak, "export", 24 * 4 - 1, Val::ONE);
    let clock = tables.get(ChipId::Keccak, "clock", 71);
    tables.put(ChipId::Keccak, "clock", 24 * 4 - 1, clock);
    tables.put(ChipId::Keccak, "export", 71, Val::ZERO);
    tables.refused("memory");
}

/// KALOS 1: the round flags of Poseidon2 were free, which gave arbitrary writes to memory. Here:
/// a round of Keccak, or a node of the tree, poses as another kind of row.
#[test]
fn past_24_kalos_round_flags() {
    let case = coprocessors();
    let honest = case.fill();
    for round in 0..23 {
        let mut tables = honest.clone();
        tables.flip(ChipId::Keccak, &format!("step_flags[{round}]"), round);
        tables.flip(ChipId::Keccak, "step_flags[23]", round);
        tables.put(ChipId::Keccak, "export", round, Val::ONE);
        tables.refused("keccak, row");
    }
    // A branch that poses as a leaf would write eight words of memory.
    let mut tables = case.fill();
    tables.flip(ChipId::Merkle, "branch", 1);
    tables.flip(ChipId::Merkle, "leaf", 1);
    tables.refused("merkle, row");
}
