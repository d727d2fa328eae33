use p3_field::PrimeCharacteristicRing;
use p3_matrix::Matrix;
use rwprove_isa::{MAX_FUEL, Op, Operand::Imm, STUCK_PC};

use super::{Code, FIXED, LOG_HEIGHTS, at, fields};
use crate::{
    Val,
    harness::{accepts, charged, mov, op, program},
    machine::{Chip, ChipId, check},
    symbolic,
    table::Table,
};

#[test]
fn degrees_fit_two_messages_a_column() {
    assert!(symbolic::degrees(&Code::default()).allowed());
}

#[test]
fn rows_beyond_the_code_are_stuck() {
    let program = program(&[mov(0, 1)], 1);
    let code = Code::new(&program);
    let height = 1 << LOG_HEIGHTS[0];
    let fixed = code.preprocessed().unwrap();
    assert_eq!((fixed.width, fixed.height()), (FIXED, height));
    for pc in [program.code.len() as u32, height as u32 - 1, u32::MAX] {
        let instr = at(&program, pc);
        assert_eq!((instr.op, instr.c), (Op::Jump, STUCK_PC as i32));
    }
    let last = &fixed.values[(height - 1) * FIXED..];
    assert_eq!(last[0], Val::from_usize(height - 1));
    assert_eq!(last[1..], fields(&at(&program, u32::MAX)));
}

#[test]
fn the_height_holds_the_code() {
    let long = |len: usize| {
        let mut program = program(&[], 1);
        program.code.resize(len, mov(0, 0));
        Code::log_height(&program)
    };
    for pair in LOG_HEIGHTS.windows(2) {
        assert_eq!(long(1 << pair[0]), pair[0]);
        assert_eq!(long((1 << pair[0]) + 1), pair[1]);
    }
}

#[test]
fn negative_slots_are_negative_in_the_field() {
    let instr = charged(op(Op::Add, -3, -2, Imm(0x8001_0002)), MAX_FUEL);
    let [_, a, b0, b1, c, fuel, tag] = fields(&instr);
    assert_eq!([a, c], [-Val::TWO, -Val::from_u32(3)]);
    assert_eq!([b0, b1], [2, 0x8001].map(Val::from_u32));
    assert_eq!([fuel, tag], [u32::from(MAX_FUEL), 0].map(Val::from_u32));
}

#[test]
fn other_instructions_are_not_the_program() {
    // A run of one program does not pass with the table of another.
    let (_, mut instances) = accepts(&[mov(0, 1), mov(1, 2)]);
    let others = [
        [mov(0, 1), mov(1, 3)],
        [mov(0, 1), charged(mov(1, 2), 1)],
        [mov(0, 1), mov(2, 2)],
        [mov(1, 2), mov(0, 1)],
    ];
    for other in others {
        let code = instances.iter_mut().find(|i| i.chip.id() == ChipId::Program).unwrap();
        code.chip = Chip::Program(Code::new(&program(&other, 2)));
        assert!(check(&instances).is_err());
    }
}
