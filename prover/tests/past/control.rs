//! Control flow: entries 16, 17, 27, 28 and 34.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{Val, cpu::public, machine::ChipId};
use rwprove_isa::{
    Flag, Instr, Op, Operand, Trap,
    layout::{CALL_LIMIT, GLOBAL, MEM, STACK, STACK_LIMIT},
    record::{Outcome, clock},
};

use crate::case::{Case, START, as_expected, call, halt, imm, mov, op, own_rows, slot, wat};

/// Code in which the operation stands at `START + 2`, with halts all around.
fn around(o: Op) -> Vec<Instr> {
    let target = START + 5;
    let place = |instr: Instr| Instr { c: target as i32, ..instr };
    let instr = op(o, 2, 0, slot(1));
    let flags = Instr::new(o);
    let any = |wanted: &[Flag]| wanted.iter().any(|&flag| flags.has(flag));
    let instr = match o {
        Op::Mov => Instr { a: None, ..instr },
        Op::Jump => place(Instr::new(o)),
        Op::Call => call(target, 3, CALL_LIMIT),
        Op::CallReg => op(o, 0, 0, imm(3 | CALL_LIMIT << 16)),
        Op::JumpReg => op(o, 0, 0, Operand::None),
        Op::BrTable => op(o, 0, 1, imm(2)),
        Op::Limit => Instr { b: imm(7 << 16), ..Instr::new(o) },
        Op::Enter => Instr { b: imm(7 | 9 << 16), ..place(Instr::new(o)) },
        Op::Pages | Op::FuelLeftLo | Op::FuelLeftHi => Instr { c: 2, ..Instr::new(o) },
        Op::KeccakF => Instr::new(o),
        Op::FuelCharge => Instr { b: imm(7), ..Instr::new(o) },
        Op::LoadWord | Op::StoreWord => op(o, 2, 1, imm(GLOBAL)),
        Op::LoadBytes | Op::LoadByte | Op::StoreByte => op(o, 2, 1, imm(4 * GLOBAL + 3)),
        Op::Clz | Op::Ctz | Op::Popcnt | Op::Extend8S | Op::Extend16S => op(o, 2, 0, Operand::None),
        _ if any(&[Flag::Load, Flag::Store]) => op(o, 2, 1, imm(MEM + 7)),
        _ if instr.op.branches() => place(instr),
        _ => instr,
    };
    let after = match o {
        Op::DivU64Lo | Op::RemU64Lo => {
            let high = if o == Op::DivU64Lo { Op::DivU64Hi } else { Op::RemU64Hi };
            op(high, 3, 0, slot(1))
        }
        _ => halt(),
    };
    vec![mov(0, target), mov(1, 4), instr, after, halt(), halt(), halt(), halt(), halt()]
}

/// SP1 v4, item 6: the next pc was free on ECALL. Here: after every operation the run goes to
/// another pc, where the same instruction stands.
#[test]
fn past_16_sp1_next_pc() {
    let mut tried = 0;
    for &o in Op::ALL {
        // `Ret` needs a call (entry 17); second rows of pairs follow their first ones.
        if matches!(o, Op::Ret | Op::DivU64Hi | Op::RemU64Hi) {
            continue;
        }
        let case = Case::run(&around(o));
        let row = if matches!(o, Op::DivU64Lo | Op::RemU64Lo) { 4 } else { 3 };
        assert_eq!(case.instr(row), halt(), "{o:?}");
        let pc = case.record.cpu[row].pc;
        for wrong in [START + 4, START + 5, START + 6, 1, 7].into_iter().filter(|p| *p != pc) {
            let mut forged = case.clone();
            forged.record.cpu[row].pc = wrong;
            forged.fill().refused("cpu, row");
        }
        tried += 1;
    }
    assert_eq!(tried, Op::ALL.len() - 3);
}

/// KALOS 5: operand and frame base were free on jumps. Here: after each kind of jump the frame
/// base differs, or a jump through a register goes to what the register does not hold.
#[test]
fn past_17_kalos_jumps() {
    let ret = [call(START + 2, 3, CALL_LIMIT), halt(), Instr::new(Op::Ret)];
    let codes = [Op::Jump, Op::Call, Op::CallReg, Op::JumpReg, Op::BrTable, Op::Enter].map(around);
    for code in codes.into_iter().chain([ret.to_vec()]) {
        let case = Case::run(&code);
        let last = case.record.cpu.len() - 1;
        for by in [1, 3, u32::MAX] {
            let mut forged = case.clone();
            let fp = forged.record.cpu[last].fp.wrapping_add(by) & 0xffff;
            forged.record.cpu[last].fp = fp;
            forged.record.end.fp = fp;
            forged.fill().refused("cpu, row");
        }
    }
    for o in [Op::CallReg, Op::JumpReg] {
        let mut case = Case::run(&around(o));
        let target = START + 6;
        case.record.cpu[2].a = [target, 0];
        case.record.cpu[3].pc = target;
        case.fill().refused("memory");
    }
    // A return to another place than the call left.
    let mut case = Case::run(&ret);
    case.record.cpu[1].b[0] += 2;
    case.record.cpu[2].pc += 2;
    case.program.code[START as usize + 3] = halt();
    case.fill().refused("memory");
}

/// KALOS 10: clock and pc had no first value. Here: a first row at another pc, clock or fuel than
/// the boundary says, and a first row that is left out.
#[test]
fn past_27_kalos_first_row() {
    let case = Case::run(&[mov(0, 1), mov(1, 2), mov(2, 3)]);
    for (column, by) in [("clk", 4), ("clk", -4), ("pc", 1), ("spent", 1), ("fp", 1), ("depth", 1)]
    {
        let mut tables = case.fill();
        for row in 0..1 << 12 {
            tables.add(ChipId::Cpu, column, row, by);
        }
        tables.refused("cpu, row");
    }
    let mut tables = case.fill();
    tables.table(ChipId::Cpu).publics[public::START] += Val::ONE;
    tables.refused("cpu, row 0");
    // Without the first instruction: its slot keeps what it had.
    let mut skipped = case.clone();
    skipped.record.cpu.remove(0);
    let (word, time) = skipped.word(STACK);
    (*word, *time) = ([0, 0], 0);
    for row in 0..2 {
        *skipped.word(STACK + 1 + row).1 = clock(row as usize) + 3;
    }
    skipped.fill().refused("cpu, row 0");
}

/// Nexus 612: the executed pcs were not bound to the order of execution. Here: two independent
/// instructions change places, with clocks and memory to fit.
#[test]
fn past_28_nexus_order() {
    let mut case = Case::run(&[mov(0, 1), mov(1, 2), mov(2, 3)]);
    case.record.cpu.swap(0, 1);
    for (slot, row) in [(0, 1), (1, 0)] {
        *case.word(STACK + slot).1 = clock(row) + 3;
    }
    case.fill().refused("cpu, row");
}

/// Jolt (n0zom1z0, 2026): a faulting load without a destination was turned into a no-op. Here:
/// code that traps for nothing but the trap traps, and the trap cannot be left out.
#[test]
fn past_34_jolt_trap_parity() {
    let module = |trap: Trap, code: &str| {
        format!(
            ";;! f(-5, 0) => trap {}\n\
             (module (memory 1) (func (export \"f\") (param i32 i32) {code}))",
            trap.code()
        )
    };
    let dead = [
        (Trap::MemoryOutOfBounds, "local.get 0 i32.load drop"),
        (Trap::MemoryOutOfBounds, "local.get 0 i64.load8_u offset=9 drop"),
        (Trap::IntegerDivisionByZero, "local.get 0 local.get 1 i32.rem_u drop"),
        (Trap::IntegerOverflow, "i32.const 0x80000000 i32.const -1 i32.div_s drop"),
        (Trap::UnreachableCodeReached, "unreachable"),
    ];
    for (trap, code) in dead {
        let (program, runs) = wat(&module(trap, code));
        as_expected(&program, &runs);
        if trap != Trap::MemoryOutOfBounds {
            continue;
        }
        let case = Case::of(&program, &runs[0].0);
        let rows = own_rows(&case);
        let traps = |&&row: &&usize| case.record.cpu[row].outcome == Outcome::Trap;
        let row = *rows.iter().find(traps).unwrap();
        let mut forged = case.clone();
        forged.record.cpu[row].outcome = Outcome::Plain;
        forged.record.cpu[row + 1].pc = forged.record.cpu[row].pc + 1;
        forged.fill().refused("");
        let mut tables = case.fill();
        tables.put(ChipId::Cpu, "trap", row, Val::ZERO);
        tables.refused("cpu, row");
    }
    // The other way round: no trap where there is none.
    for (o, b) in [(Op::Limit, imm(CALL_LIMIT << 16)), (Op::Enter, imm(STACK_LIMIT))] {
        let mut case = Case::run(&[Instr { b, c: START as i32 + 1, ..Instr::new(o) }, halt()]);
        case.record.cpu[0].outcome = Outcome::Trap;
        case.record.cpu[1].pc = Trap::StackOverflow as u32;
        case.fill().refused("range16");
    }
}
