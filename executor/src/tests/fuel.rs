//! Static and dynamic charges, and running out.

use rwprove_isa::{Exit, Trap, layout::reg, record::Outcome};

use super::*;
use crate::ExecError;

const CHARGED: u64 = 5 + 1000 + 7;

/// Charges 5 with a row, 1000 dynamically, 7 with a row; notes the fuel left after that.
fn charges() -> Program {
    program(|asm| {
        asm.emit(Instr { fuel: 5, ..instr(Op::Mov, None, imm(1000), 0) });
        asm.emit(instr(Op::FuelCharge, Some(9), slot(0), 0));
        asm.emit(Instr { fuel: 7, ..instr(Op::FuelLeftLo, None, Operand::None, 1) });
        asm.emit(instr(Op::FuelLeftHi, None, Operand::None, 2));
        note(asm, 0, 1);
        note(asm, 1, 2);
        done(asm);
    })
}

fn with_limit(limit: u64) -> Input {
    Input { fuel_limit: Some(limit), ..Input::default() }
}

#[test]
fn fuel_is_counted_and_left() {
    let program = charges();
    for (input, left) in [
        (with_limit(CHARGED), 0),
        (with_limit(CHARGED + (3 << 32) + 4), (3 << 32) + 4),
        (Input::default(), u64::MAX - CHARGED),
    ] {
        let found = check(&program, &input);
        assert_eq!((found.report.fuel, found.report.exit), (CHARGED, Exit::Ok));
        assert_eq!(found.results[0] as u64 | (found.results[1] as u64) << 32, left);
    }
}

#[test]
fn every_charge_can_be_refused() {
    let program = charges();
    let exit = Exit::Trap(Trap::OutOfFuel);
    let cases = [(4, 0, 5), (5, 5, 1000), (1004, 5, 1000), (1005, 1005, 7), (1011, 1005, 7)];
    for (limit, consumed, refused) in cases {
        let found = check(&program, &with_limit(limit));
        assert_eq!((found.report.exit, found.report.fuel), (exit, consumed), "limit {limit}");
        let mut run = Run::new(&program, &with_limit(limit), Options::plain(MAX_ROWS)).unwrap();
        run.run_to_end().unwrap();
        assert_eq!(run.memory().word(reg::REFUSED_FUEL_LO), Ok(refused));
        assert_eq!(run.memory().word(reg::REFUSED_FUEL_HI), Ok(0));
        assert_eq!(run.memory().word(reg::RAISED_OUT_OF_FUEL), Ok(0));
        let out = found.records.iter().flat_map(|record| &record.cpu);
        let out = out.filter(|row| row.outcome == Outcome::OutOfFuel).count();
        assert_eq!(out, (refused != 1000) as usize);
    }
}

#[test]
fn a_charge_of_64_bits_does_not_wrap() {
    let program = program(|asm| {
        asm.mov(0, imm(u32::MAX));
        asm.emit(instr(Op::FuelCharge, Some(0), slot(0), 0));
        asm.emit(instr(Op::FuelCharge, Some(0), imm(1), 0));
        done(asm);
    });
    let found = check(&program, &Input::default());
    assert_eq!(found.report.exit, Exit::Trap(Trap::OutOfFuel));
    assert_eq!(found.report.fuel, u64::MAX);
}

#[test]
fn instantiation_counts() {
    let program = Program { fuel: 100, ..charges() };
    let found = check(&program, &with_limit(100 + CHARGED));
    assert_eq!((found.report.fuel, found.report.exit), (100 + CHARGED, Exit::Ok));
    let found = check(&program, &with_limit(100));
    assert_eq!((found.report.fuel, found.report.exit), (100, Exit::Trap(Trap::OutOfFuel)));
    let error = execute(&program, &with_limit(99), MAX_ROWS);
    assert_eq!(error, Err(ExecError::FuelBelowInstantiation { needed: 100, limit: 99 }));
}
