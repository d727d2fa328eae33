use p3_field::PrimeCharacteristicRing;
use rwprove_isa::{
    Instr, MAX_FUEL, Op,
    Operand::{self, Imm},
    layout,
    record::{CpuEvent, Outcome, Registers},
};

use super::{Cpu, CpuCols, public};
use crate::{
    Val,
    check::{Check, Lookups},
    counts::Counts,
    harness::{self, Case, START, accepts, chained, charged, halt, mov, op, program, slot},
    machine::{ChipId, Instance, gather},
    symbolic,
    table::{Fill, Table},
    testing,
};

const EDGES: [u32; 9] =
    [0, 1, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0x8000_ffff, 0xffff_0000, u32::MAX];

fn cpu(instances: &[Instance]) -> &Instance {
    instances.iter().find(|i| i.chip.id() == ChipId::Cpu).unwrap()
}

/// What the tables other than cpu say.
fn others(instances: &[Instance]) -> Check {
    let others: Vec<_> = instances.iter().filter(|i| i.chip.id() != ChipId::Cpu).cloned().collect();
    gather(&others).unwrap()
}

fn jump(c: i32) -> Instr {
    Instr { c, ..Instr::new(Op::Jump) }
}

fn call(target: u32, frame: u32, limit: u32) -> Instr {
    Instr { b: Imm(frame | limit << 16), c: target as i32, ..Instr::new(Op::Call) }
}

fn access(op: Op, c: i32, a: i32, imm: u32) -> Instr {
    Instr { a: Some(a), b: Imm(imm), c, ..Instr::new(op) }
}

// POSITIVE

#[test]
fn degrees_fit_two_messages_a_column() {
    let degrees = symbolic::degrees(&Cpu);
    assert!(degrees.allowed(), "{degrees:?}");
}

#[test]
fn columns_are_named_after_flags() {
    let names = Cpu.columns();
    assert_eq!(names.len(), CpuCols::<Val>::WIDTH);
    assert!(names.contains(&"BrTable".into()) && names.contains(&"c_before[1]".into()));
    assert!(!names.iter().any(|n| n.starts_with("flag[")));
}

#[test]
fn arithmetic_and_comparisons_at_the_edges() {
    use Op::{Add, Cmov, Mov, SetEq, SetGeS, SetGeU, SetLtS, SetLtU, SetNe, Sub};
    let mut code = Vec::new();
    for x in EDGES {
        for y in EDGES {
            code.extend([mov(0, x), mov(1, y)]);
            for o in [Add, Sub, SetEq, SetNe, SetLtU, SetGeU, SetLtS, SetGeS, Cmov] {
                code.push(op(o, 2, 0, slot(1)));
                code.push(op(o, 2, 0, Imm(y)));
            }
        }
    }
    code.push(Instr { b: slot(2), c: 3, ..Instr::new(Mov) });
    accepts(&code);
}

#[test]
fn chains_of_64_bits() {
    use Op::{Add, Cmp, SetEq, SetGeS, SetGeU, SetLtS, SetLtU, SetNe, Sub};
    let mut code = Vec::new();
    for low in [0, 1, u32::MAX] {
        for high in [0, 1, 0x8000_0000, u32::MAX] {
            code.extend([mov(0, low), mov(1, high), mov(2, 1), mov(3, u32::MAX)]);
            code.push(op(Add, 4, 0, slot(2)));
            code.push(chained(op(Add, 5, 1, slot(3))));
            for first in [op(Sub, 4, 0, slot(2)), op(Cmp, 0, 0, slot(2))] {
                for o in [Sub, SetEq, SetNe, SetLtU, SetGeU, SetLtS, SetGeS] {
                    code.extend([first, chained(op(o, 5, 1, slot(3)))]);
                }
            }
        }
    }
    accepts(&code);
}

#[test]
fn branches_both_ways() {
    use Op::{BrEq, BrGeS, BrGeU, BrLtS, BrLtU, BrNe, BrTable};
    let mut code = Vec::new();
    for (x, y) in [(0, 0), (1, 2), (2, 1), (u32::MAX, 1), (1, u32::MAX), (1 << 31, 1 << 31)] {
        code.extend([mov(0, x), mov(1, y)]);
        for o in [BrEq, BrNe, BrLtU, BrGeU, BrLtS, BrGeS] {
            let target = START as i32 + code.len() as i32 + 2;
            code.extend([op(o, target, 0, slot(1)), mov(2, 7)]);
        }
    }
    for index in [0, 1, 2, 3, u32::MAX] {
        code.push(mov(0, index));
        code.push(op(BrTable, 0, 0, Imm(2)));
        let end = START as i32 + code.len() as i32 + 3;
        code.extend([jump(end), jump(end), jump(end)]);
    }
    accepts(&code);
}

#[test]
fn words_of_memory_and_of_the_whole_space() {
    let code = [
        mov(0, 100),
        mov(1, 0xdead_beef),
        access(Op::Store, 1, 0, 3),
        access(Op::Load, 2, 0, 3),
        access(Op::StoreWord, 2, 0, layout::GLOBAL),
        access(Op::LoadWord, 3, 0, layout::GLOBAL),
        mov(0, 2 << 16),
        mov(4, layout::FUNC),
        access(Op::LoadWord, 3, 4, 9),
        // The last word of two pages; nothing is in bounds beyond it, see `traps`.
        mov(0, (2 << 16) - 4),
        access(Op::Load, 2, 0, 3),
    ];
    let (_, instances) = accepts(&code);
    assert!(instances.iter().all(|i| i.chip.id().name() != "access"));
}

/// The last row that ran and the pc it led to.
fn trap_of(code: &[Instr], fuel_limit: Option<u64>) -> (Outcome, u32) {
    let program = program(code, 2);
    let cases = harness::run(&program, fuel_limit, 1 << 12);
    let case = &cases[0];
    case.accepted();
    let stub = case.record.cpu.last().unwrap();
    let trapped = &case.record.cpu[case.record.cpu.len() - 2];
    (trapped.outcome, stub.pc)
}

#[test]
fn traps() {
    for (base, imm) in [(2 << 16, 3), ((2 << 16) - 3, 3), (u32::MAX, 3), (0, u32::MAX)] {
        for o in [Op::Load, Op::Store, Op::Load8U, Op::Store16] {
            let code = [mov(0, base), access(o, 1, 0, imm)];
            assert_eq!(trap_of(&code, None), (Outcome::Trap, 1), "{o:?} {base} {imm}");
        }
    }
    let forever = [call(START, 0, 5)];
    assert_eq!(trap_of(&forever, None), (Outcome::Trap, 7));
    let limit = [call(START + 1, 0, 9), Instr { b: Imm(0), ..Instr::new(Op::Limit) }];
    assert_eq!(trap_of(&limit, None), (Outcome::Trap, 7));
    let enter = |lo: u32| [Instr { b: Imm(lo), c: 17, ..Instr::new(Op::Enter) }];
    assert_eq!(trap_of(&enter(layout::STACK_LIMIT + 1), None), (Outcome::Trap, 7));
    assert_eq!(trap_of(&enter(0xffff), None), (Outcome::Trap, 7));
}

#[test]
fn fast_and_deep_entry() {
    let limit = layout::STACK_LIMIT;
    let target = START as i32 + 2;
    for (lo, hi, deep) in [(limit, limit, false), (limit, limit + 1, true), (0, 0xffff, true)] {
        let enter = Instr { b: Imm(lo | hi << 16), c: target, ..Instr::new(Op::Enter) };
        let (case, _) = accepts(&[enter, mov(0, 1), mov(0, 2)]);
        assert_eq!(case.record.cpu[0].outcome == Outcome::Deep, deep);
        assert_eq!(case.record.cpu.len(), if deep { 3 } else { 4 });
    }
    // The deepest fast entry, and one call deeper.
    let body = START + 2;
    let code = [
        call(body, 0, 0xffff),
        halt(),
        Instr { b: Imm(0), c: body as i32 + 2, ..Instr::new(Op::Enter) },
        call(body, 0, 0xffff),
        Instr { c: 15, ..Instr::new(Op::Jump) },
    ];
    let (case, _) = accepts(&code);
    let depth = case.record.cpu.iter().find(|e| e.outcome == Outcome::Deep).unwrap().depth;
    assert_eq!(depth, layout::CALL_LIMIT);
}

#[test]
fn calls_and_returns() {
    let body = START + 5;
    let code = [
        mov(0, body),
        call(body, 3, layout::CALL_LIMIT),
        Instr { a: Some(0), b: Imm(4 | 1024 << 16), ..Instr::new(Op::CallReg) },
        mov(0, body + 2),
        Instr { a: Some(0), b: Imm(5), ..Instr::new(Op::JumpReg) },
        mov(0, 9),
        Instr::new(Op::Ret),
        Instr { b: Imm(5 << 16), c: 15, ..Instr::new(Op::Jump) },
    ];
    let (case, _) = accepts(&code);
    assert_eq!((case.record.end.fp, case.record.end.depth), (0, 0));
    assert_eq!(case.record.cpu.iter().map(|e| e.fp).max(), Some(5));
}

#[test]
fn pages_are_read_and_set() {
    let pages = |c, b| Instr { b, c, ..Instr::new(Op::Pages) };
    let code = [
        pages(0, Operand::None),
        pages(1, Imm(3)),
        mov(2, 4),
        pages(3, slot(2)),
        pages(4, Operand::None),
    ];
    let (case, _) = accepts(&code);
    assert_eq!(case.record.end.pages, 4);
    assert_eq!(case.record.cpu.iter().map(|e| e.c[0]).collect::<Vec<_>>()[..5], [2, 2, 4, 3, 4]);
}

fn spends() -> [Instr; 4] {
    [charged(mov(0, 1), MAX_FUEL), charged(mov(1, 2), 7), mov(2, 3), charged(mov(1, 2), 1)]
}

#[test]
fn static_fuel() {
    let (case, instances) = accepts(&spends());
    let total = u32::from(MAX_FUEL) + 8;
    assert_eq!(case.record.end.fuel, total.into());
    assert_eq!(cpu(&instances).publics[public::SPENT], Val::from_u32(total));
    // Just enough, and one less than that.
    assert_eq!(trap_of(&spends(), Some(total.into())).0, Outcome::Plain);
    assert_eq!(trap_of(&spends(), Some(u64::from(total) - 1)), (Outcome::OutOfFuel, 9));
    assert_eq!(trap_of(&spends(), Some(u64::from(MAX_FUEL))), (Outcome::OutOfFuel, 9));
}

#[test]
fn shards_hand_over() {
    let count = START as i32 + 2;
    let code =
        [mov(0, 0), mov(1, 0), op(Op::Add, 0, 0, Imm(3)), op(Op::BrLtU, count, 0, Imm(12_000))];
    let cases = harness::run(&program(&code, 1), None, 1 << 12);
    assert_eq!(cases.len(), 2);
    let publics = cases.iter().map(|case| Cpu.publics(&case.shard()));
    let publics: Vec<_> = publics.collect();
    assert_eq!(publics[0][public::END..][..4], publics[1][public::START..][..4]);
    cases.iter().for_each(|case| {
        case.accepted();
    });
}

// NEGATIVE

/// A short run through all that the table does by itself.
fn tour() -> Vec<Instr> {
    let at = |i: usize| START + i as u32;
    let (body, high) = (at(40), u32::MAX);
    let mut code = vec![
        mov(0, 0x8000_0001),
        mov(1, 0x0001_8000),
        op(Op::Add, 2, 0, slot(1)),
        chained(op(Op::Add, 3, 0, slot(0))),
        op(Op::Sub, 2, 1, slot(0)),
        chained(op(Op::SetEq, 3, 0, slot(0))),
        op(Op::SetLtU, 2, 0, slot(1)),
        op(Op::SetGeS, 2, 0, slot(1)),
        op(Op::SetNe, 2, 0, Imm(high)),
        op(Op::SetEq, 2, 0, slot(0)),
        op(Op::Cmov, 2, 0, slot(1)),
        op(Op::Cmov, 2, 2, Imm(0)),
        op(Op::Cmov, 2, 2, Imm(5)),
        op(Op::BrEq, at(15) as i32, 0, slot(0)),
        halt(),
        op(Op::BrLtS, 15, 1, slot(0)),
        op(Op::BrTable, 0, 0, Imm(1)),
        halt(),
        mov(4, 8),
        op(Op::BrTable, 0, 4, Imm(9)),
    ];
    code.resize(28, halt());
    code.extend([
        access(Op::Store, 0, 4, 3),
        access(Op::Load, 5, 4, 3),
        access(Op::StoreWord, 0, 4, layout::GLOBAL),
        access(Op::LoadWord, 5, 4, layout::GLOBAL),
        Instr { b: Imm(3), c: 6, ..Instr::new(Op::Pages) },
        mov(7, body),
        call(body, 8, 9),
        Instr { a: Some(7), b: Imm(8 | 9 << 16), ..Instr::new(Op::CallReg) },
        Instr { a: Some(7), ..Instr::new(Op::JumpReg) },
    ]);
    code.resize(40, halt());
    code.extend([
        Instr { b: Imm(20 | 30 << 16), c: at(0) as i32, ..Instr::new(Op::Enter) },
        Instr { b: Imm(7 << 16), ..Instr::new(Op::Limit) },
        charged(op(Op::BrEq, at(44) as i32, -1, Imm(body)), 9),
        Instr::new(Op::Ret),
        Instr { b: Imm(0xffff << 16), c: at(46) as i32, ..Instr::new(Op::Enter) },
        halt(),
        access(Op::Load, 1, 4, 0x8000_0000),
    ]);
    code
}

#[test]
fn single_changes_are_refused() {
    let (case, instances) = accepts(&tour());
    let Instance { trace, publics, .. } = cpu(&instances);
    let rows = case.record.cpu.len() + 2;
    let mutations = testing::mutate(&Cpu, trace, publics, 0..rows, &others(&instances), 1).unwrap();
    assert_eq!(mutations.survivors, []);
}

/// Whether the rows of a shard follow the rules on their own, memory aside.
fn plausible(case: &Case) -> bool {
    let height = (case.record.cpu.len() + 1).next_power_of_two();
    let trace = Cpu.fill(&case.shard(), height, &Counts::default());
    let mut check = Check::default();
    check.table(&Cpu, &trace, &Cpu.publics(&case.shard())).is_ok() && check.lookups_hold()
}

/// The shard up to its first row with the operation, ending right after it.
fn until(code: &[Instr], op: Op) -> Case {
    let mut case = harness::run(&program(code, 2), None, 1 << 12).remove(0);
    let is_it = |e: &CpuEvent| case.program.code[e.pc as usize].op == op;
    let row = case.record.cpu.iter().position(is_it).unwrap();
    if let Some(next) = case.record.cpu.get(row + 1).copied() {
        let CpuEvent { pc, fp, depth, pages, .. } = next;
        case.record.end = Registers { pc, fp, depth, pages, fuel: 0 };
    }
    case.record.cpu.truncate(row + 1);
    case
}

/// Forges the last row, with all helper columns filled to fit.
fn forged(code: &[Instr], op: Op, change: impl Fn(&mut CpuEvent, &mut Registers)) -> bool {
    let mut case = until(code, op);
    assert!(plausible(&case), "{op:?}");
    change(case.record.cpu.last_mut().unwrap(), &mut case.record.end);
    plausible(&case)
}

#[test]
fn false_traps_and_missed_traps_are_refused() {
    let trap = |pc| {
        move |event: &mut CpuEvent, end: &mut Registers| {
            event.outcome = Outcome::Trap;
            *end = Registers { pc, fp: event.fp, depth: event.depth, ..*end };
        }
    };
    let plain = |outcome| {
        move |event: &mut CpuEvent, end: &mut Registers| {
            event.outcome = outcome;
            end.pc = event.pc + 1;
        }
    };
    let load = |base, imm| [mov(0, base), access(Op::Load, 1, 0, imm)];
    for aligned in [0, 4, (2 << 16) - 4] {
        assert!(!forged(&load(aligned, 3), Op::Load, trap(1)), "{aligned}");
    }
    for (base, imm) in [(2 << 16, 3), (u32::MAX, 4), (u32::MAX - 3, 3), (3, u32::MAX - 3)] {
        for outcome in [Outcome::Plain, Outcome::Unaligned] {
            assert!(!forged(&load(base, imm), Op::Load, plain(outcome)), "{base} {imm}");
        }
    }
    let limit = |limit: u32| [Instr { b: Imm(limit << 16), ..Instr::new(Op::Limit) }];
    assert!(!forged(&limit(0), Op::Limit, trap(7)));
    let limited = [call(START + 1, 0, 9), limit(0)[0]];
    assert!(!forged(&limited, Op::Limit, plain(Outcome::Plain)));
    let called = [call(START + 1, 0, 9), call(START, 0, 0)];
    assert!(!forged(&called[..1], Op::Call, trap(7)));
    let max = layout::STACK_LIMIT;
    let enter = |lo: u32, hi: u32| [Instr { b: Imm(lo | hi << 16), ..Instr::new(Op::Enter) }];
    assert!(!forged(&enter(max, max), Op::Enter, trap(7)));
    assert!(!forged(&enter(max + 1, 0), Op::Enter, plain(Outcome::Plain)));
    assert!(!forged(&enter(max, max + 1), Op::Enter, plain(Outcome::Plain)));
    // The deep twin is always allowed.
    assert!(forged(&enter(0, 0), Op::Enter, |event, end| {
        event.outcome = Outcome::Deep;
        end.pc = 0;
    }));
}

#[test]
fn only_a_charge_can_be_refused() {
    let refuse = |event: &mut CpuEvent, end: &mut Registers| {
        event.outcome = Outcome::OutOfFuel;
        event.c = [7, 0];
        end.pc = 9;
    };
    // The verifier compares with the limit: the table allows to refuse any charge.
    assert!(forged(&[charged(mov(0, 1), 7)], Op::Mov, refuse));
    assert!(!forged(&[mov(0, 1)], Op::Mov, refuse));
    assert!(!forged(&[charged(mov(0, 1), 8)], Op::Mov, refuse));
}

#[test]
fn wrong_results_and_registers_are_refused() {
    use Op::{Add, BrLtU, Call, Cmov, Mov, Ret, SetEq, Store, Sub};
    let operands = [mov(0, 5), mov(1, 9)];
    for o in [Add, Sub, Cmov] {
        let code = [operands[0], operands[1], op(o, 2, 0, slot(1))];
        for limb in [0, 1] {
            assert!(!forged(&code, o, |event, _| event.c[limb] ^= 1), "{o:?}");
        }
    }
    assert!(!forged(&operands, Mov, |event, _| event.c[0] ^= 1));
    let store = [mov(0, 5), access(Store, 0, 0, 2)];
    assert!(!forged(&store, Store, |event, _| event.c[0] ^= 1));
    let set = [operands[0], operands[1], op(SetEq, 2, 0, slot(1))];
    let branch = [operands[0], operands[1], op(BrLtU, 15, 0, slot(1))];
    let calls = [call(START + 2, 3, 9), halt(), Instr::new(Ret)];
    type Change = fn(&mut Registers);
    let changes: [Change; 4] =
        [|end| end.pc += 1, |end| end.fp += 1, |end| end.depth += 1, |end| end.pages += 1];
    for change in changes {
        assert!(!forged(&set, SetEq, |_, end| change(end)));
        assert!(!forged(&branch, BrLtU, |_, end| change(end)));
        assert!(!forged(&calls, Call, |_, end| change(end)));
        assert!(!forged(&calls, Ret, |_, end| change(end)));
    }
    assert!(!forged(&branch, BrLtU, |event, end| end.pc = event.pc + 1));
    assert!(!forged(&calls, Call, |event, _| event.c[0] += 1));
}

#[test]
fn a_shard_does_not_start_with_a_chained_row() {
    let code = [mov(0, 1), op(Op::Add, 1, 0, slot(0)), chained(op(Op::Add, 1, 0, slot(0)))];
    let mut case = harness::run(&program(&code, 2), None, 1 << 12).remove(0);
    assert!(plausible(&case));
    case.record.cpu.drain(..2);
    case.record.start.pc = START + 2;
    assert!(!plausible(&case));
}

#[test]
fn lookups_are_counted() {
    let (_, instances) = accepts(&tour());
    assert!(gather(&instances).unwrap().finish(Lookups::Free).is_ok());
}
