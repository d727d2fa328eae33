//! What has no meaning ends with a typed error, and never with a panic.

use rwprove_isa::layout::{
    FRAME, GLOBAL, GLOBAL_WORDS, MAX_TAPE_BYTES, REG, REGION_WORDS, RUN, STACK,
};

use super::*;
use crate::{ExecError, Fault};

/// The fault of one instruction after slot 0 was set to `a`.
fn fault(a: u32, instr: Instr) -> Fault {
    let program = program(|asm| {
        asm.mov(0, imm(a));
        asm.emit(instr);
        done(asm);
    });
    let plain = execute(&program, &Input::default(), MAX_ROWS);
    let recorded = Run::new(&program, &Input::default(), options(WIDE)).unwrap().next();
    match (plain, recorded) {
        (Err(ExecError::Fault { pc, fault }), Some(Err(again))) => {
            assert_eq!(again, ExecError::Fault { pc, fault });
            fault
        }
        (plain, _) => panic!("{instr:?}: {plain:?}"),
    }
}

#[test]
fn addresses_that_are_not_in_use() {
    let outside = [
        1 << 14, // one page
        STACK - 1,
        FRAME,
        FRAME + 1,
        RUN + 8,
        GLOBAL + 8 * GLOBAL_WORDS,
        REG + 32,
        REG + 2 * REGION_WORDS,
        1 << 30,
        u32::MAX,
    ];
    for addr in outside {
        for op in [Op::LoadWord, Op::StoreWord] {
            assert_eq!(fault(addr, instr(op, Some(0), Operand::None, 1)), Fault::Address(addr));
        }
        if let Some(byte) = addr.checked_mul(4) {
            let op = instr(Op::LoadByte, Some(0), Operand::None, 1);
            assert_eq!(fault(byte, op), Fault::Address(addr));
        }
    }
}

#[test]
fn sums_do_not_wrap() {
    for op in [Op::LoadWord, Op::StoreWord, Op::LoadBytes, Op::LoadByte, Op::StoreByte] {
        let found = fault(u32::MAX, instr(op, Some(0), imm(1), 1));
        assert_eq!(found, Fault::AddressSum(u32::MAX, 1));
    }
    // A word whose last byte is byte 2 would start before the space.
    assert_eq!(fault(2, instr(Op::Load, Some(0), imm(0), 1)), Fault::AddressSum(2, 0));
}

#[test]
fn slots_frames_and_pcs() {
    let far = instr(Op::Mov, None, imm(1), -1);
    assert_eq!(fault(0, far), Fault::Address(STACK - 1));
    let far = instr(Op::Mov, None, slot(1 << 16), 1);
    assert_eq!(fault(0, far), Fault::Address(STACK + (1 << 16)));
    assert_eq!(fault(0, Instr::new(Op::Ret)), Fault::Depth(0));
    assert_eq!(fault(0, instr(Op::Jump, None, imm(1 << 16), 0)), Fault::FrameBase(-1));
    let code = fault(0, instr(Op::Jump, None, imm(0), i32::MAX));
    assert_eq!(code, Fault::Pc);
    assert_eq!(fault(u32::MAX, instr(Op::CallReg, Some(0), imm(0xffff << 16), 0)), Fault::Pc);
    assert_eq!(fault(0, instr(Op::Jump, None, imm(0), 14)), Fault::Stuck);
    assert_eq!(fault(0, instr(Op::Jump, None, imm(0), 12)), Fault::Stuck);
}

#[test]
fn recursion_without_limit_runs_out_of_frames() {
    let program = program(|asm| {
        let start = asm.here() as i32;
        asm.emit(instr(Op::Call, None, imm(0xffff << 16), start));
    });
    let pc = program.start;
    let error = ExecError::Fault { pc, fault: Fault::Depth(1 << 12) };
    assert_eq!(execute(&program, &Input::default(), MAX_ROWS), Err(error));
}

#[test]
fn divisions_without_meaning() {
    for op in [Op::DivU, Op::RemU] {
        assert_eq!(fault(1, instr(op, Some(0), imm(0), 1)), Fault::Division);
    }
    for op in [Op::DivU64Lo, Op::DivU64Hi, Op::RemU64Lo, Op::RemU64Hi] {
        assert_eq!(fault(1, instr(op, Some(0), imm(1), 1)), Fault::Division);
    }
    // The low half of the result overwrites the high half of an operand.
    let program = program(|asm| {
        asm.mov(0, imm(7));
        asm.op(Op::DivU64Lo, 1, 0, imm(2));
        asm.op(Op::DivU64Hi, 2, 1, imm(0));
        done(asm);
    });
    let pc = program.start + 2;
    let error = ExecError::Fault { pc, fault: Fault::Division };
    assert_eq!(execute(&program, &Input::default(), MAX_ROWS), Err(error));
}

#[test]
fn linked_rows_come_after_their_first() {
    let program = program(|asm| {
        let start = asm.here() as i32;
        asm.op(Op::Cmp, 0, 0, imm(0));
        asm.emit(Instr { chain: true, ..instr(Op::BrEq, Some(0), imm(0), start + 1) });
    });
    let mut run = Run::new(&program, &Input::default(), options(WIDE)).unwrap();
    let error = ExecError::Fault { pc: program.start + 1, fault: Fault::Link };
    assert_eq!(run.next().map(|record| record.err()), Some(Some(error)));
}

#[test]
fn pages_only_grow() {
    assert_eq!(fault(0, instr(Op::Pages, None, imm(0), 1)), Fault::Pages(0, 1));
    assert_eq!(fault(0, instr(Op::Pages, None, imm(32769), 1)), Fault::Pages(32769, 1));
}

#[test]
fn programs_and_inputs_that_cannot_start() {
    let empty = Input::default();
    let good = program(done);
    let image = Program { image: vec![(FRAME, 1)], ..good.clone() };
    assert_eq!(execute(&image, &empty, MAX_ROWS), Err(ExecError::Image(FRAME)));
    let pages = Program { pages: 32769, ..good.clone() };
    let error = ExecError::StartPages { found: 32769, max: 32768 };
    assert_eq!(execute(&pages, &empty, MAX_ROWS), Err(error));
    let found = MAX_TAPE_BYTES as usize + 1;
    let long = Input { bytes: vec![0; found], ..Input::default() };
    let error = ExecError::InputLength { found, max: found - 1 };
    assert_eq!(execute(&good, &long, MAX_ROWS), Err(error));
    let error = Run::new(&good, &empty, options(Rows { merkle: 112, ..WIDE })).unwrap().next();
    assert_eq!(error.map(|r| r.err()), Some(Some(ExecError::ShardLimits)));
    let halted = Program { start: 15, ..good };
    let error = ExecError::Exit { kind: 0, code: 0 };
    assert_eq!(execute(&halted, &empty, MAX_ROWS), Err(error));
}

#[test]
fn endless_runs_are_given_up() {
    let program = program(|asm| {
        let here = asm.here_label();
        asm.jump(here);
    });
    assert_eq!(execute(&program, &Input::default(), 1000), Err(ExecError::RowLimit(1000)));
    let options = Options { limits: vec![Rows { cpu: 100, ..WIDE }], max_rows: 1000 };
    let mut run = Run::new(&program, &Input::default(), options).unwrap();
    let ends: Vec<_> = run.by_ref().map(|record| record.map(|r| r.cpu.len())).collect();
    assert_eq!(ends.last(), Some(&Err(ExecError::RowLimit(1000))));
    assert!(ends.len() > 10 && ends[..10].iter().all(Result::is_ok));
    assert!(run.next().is_none());
}
