//! Where shards are cut, what bridges long gaps, and that the audit sees what is wrong.

use rwprove_isa::record::{MAX_GAP, RefreshEvent, word};

use super::*;
use crate::{AuditError, cold, instantiate};

/// A loop with a 64-bit sum, memory traffic and most coprocessors, `n` times.
fn busy(n: u32) -> Program {
    program(|asm| {
        asm.mov(0, imm(n));
        let again = asm.here_label();
        asm.op(Op::Add, 1, 1, imm(0xffff_fff1));
        asm.emit(Instr { chain: true, ..instr(Op::Add, Some(2), imm(0), 2) });
        asm.op(Op::Mul, 3, 1, slot(0));
        asm.op(Op::Xor, 3, 3, slot(2));
        asm.op(Op::Rotl, 4, 3, imm(7));
        asm.op(Op::Popcnt, 5, 4, Operand::None);
        asm.op(Op::DivU64Lo, 6, 1, slot(0));
        asm.op(Op::DivU64Hi, 7, 2, imm(0));
        asm.access(Op::Store, 6, Some(5), 3);
        asm.access(Op::Load16U, 8, Some(5), 2);
        asm.op(Op::Shl, 9, 0, imm(6));
        asm.op(Op::And, 9, 9, imm(0xff80));
        asm.access(Op::Store, 6, Some(9), 3);
        asm.emit(Instr { fuel: 3, ..instr(Op::FuelCharge, None, slot(5), 0) });
        asm.op(Op::Sub, 0, 0, imm(1));
        asm.branch(Op::BrNe, 0, imm(0), again);
        note(asm, 0, 2);
        note(asm, 1, 8);
        done(asm);
    })
}

#[test]
fn every_limit_is_kept_and_changes_nothing() {
    let program = busy(500);
    let plain = Report { seconds: 0.0, ..execute(&program, &Input::default(), MAX_ROWS).unwrap() };
    let mut end = Run::new(&program, &Input::default(), Options::plain(MAX_ROWS)).unwrap();
    end.run_to_end().unwrap();
    let some = 300;
    let limits = [
        Rows { cpu: some, ..WIDE },
        Rows { bitwise: some, ..WIDE },
        Rows { shift: some, ..WIDE },
        Rows { mul: some, ..WIDE },
        Rows { div: some, ..WIDE },
        Rows { bits: some, ..WIDE },
        Rows { access: some, ..WIDE },
        Rows { refresh: some, ..WIDE },
        Rows { keccak: 3, ..WIDE },
        Rows { fuel: some, ..WIDE },
        Rows { merkle: some, ..WIDE },
    ];
    for limits in limits {
        let records = recorded(&program, &Input::default(), limits, &plain, &end);
        for record in &records {
            let fits = [
                ((record.cpu.len() + 1) as u64, limits.cpu),
                (record.bitwise.len() as u64, limits.bitwise),
                (record.shift.len() as u64, limits.shift),
                (record.mul.len() as u64, limits.mul),
                (record.div.len() as u64, limits.div),
                (record.bits.len() as u64, limits.bits),
                (record.access.len() as u64, limits.access),
                (record.refresh.len() as u64, limits.refresh),
                (record.keccak.len() as u64, limits.keccak),
                (record.fuel.len() as u64, limits.fuel),
                (distinct_nodes(record), limits.merkle),
            ];
            assert!(fits.iter().all(|(have, max)| have <= max), "{fits:?}");
        }
        let whole = limits.keccak == 3 || limits.refresh == some;
        assert!(records.len() > 1 || whole, "{limits:?}");
    }
}

#[test]
fn groups_are_never_cut() {
    let program = busy(20);
    let mut sizes = Vec::new();
    for cpu in 4..40 {
        let mut run = Run::new(&program, &Input::default(), options(Rows { cpu, ..WIDE })).unwrap();
        for record in run.by_ref() {
            let record = record.unwrap();
            audit(&record, &program).unwrap(); // refuses a chained first row
            sizes.push(record.cpu.len());
        }
        assert!(run.report().is_ok());
    }
    assert!(sizes.contains(&2), "the smallest table holds one group");
}

#[test]
fn long_gaps_are_bridged() {
    let loops = MAX_GAP / 8;
    let program = program(|asm| {
        asm.mov(0, imm(loops));
        asm.mov(30, imm(99));
        let again = asm.here_label();
        asm.op(Op::Sub, 0, 0, imm(1));
        asm.branch(Op::BrNe, 0, imm(0), again);
        asm.mov(1, slot(30));
        note(asm, 0, 1);
        done(asm);
    });
    let mut run = Run::new(&program, &Input::default(), options(WIDE)).unwrap();
    let record = run.next().unwrap().unwrap();
    audit(&record, &program).unwrap();
    let addr = rwprove_isa::layout::STACK + 30;
    let found: Vec<_> = record.refresh.iter().filter(|event| event.addr == addr).collect();
    let row = record.cpu.iter().position(|row| word(row.b) == 99 && row.pc != program.start + 1);
    let time = 4 * (row.unwrap() as u32 + 1);
    let expected = RefreshEvent { addr, value: [99, 0], before: 8 + 3, time };
    assert_eq!(found, [&expected]);
    let early = record.refresh.iter().filter(|event| event.before == 0).count();
    assert!(early > 0, "words first seen late are carried from the shard's start");
}

#[test]
fn exact_gaps() {
    // `n` rows between the write (time 7) and the read (time 4 (n + 2) + 1) of slot 30.
    for n in [MAX_GAP / 4 - 1, MAX_GAP / 4] {
        let program = program(|asm| {
            asm.mov(30, imm(99));
            for _ in 0..n {
                asm.mov(0, imm(0));
            }
            asm.mov(1, slot(30));
            done(asm);
        });
        let mut run = Run::new(&program, &Input::default(), options(WIDE)).unwrap();
        let record = run.next().unwrap().unwrap();
        audit(&record, &program).unwrap();
        let addr = rwprove_isa::layout::STACK + 30;
        let gap = 4 * (n + 2) + 1 - 7 - 1;
        let refreshed = record.refresh.iter().any(|event| event.addr == addr);
        assert_eq!(refreshed, gap >= MAX_GAP);
    }
}

#[test]
fn the_audit_refuses_altered_records() {
    let program = busy(20);
    let run = Run::new(&program, &Input::default(), options(WIDE)).unwrap();
    let records: Vec<Record> = run.map(|record| record.unwrap()).collect();
    let record = &records[0];
    audit(record, &program).unwrap();
    let alterations: [fn(&mut Record); 14] = [
        |r| r.cpu[5].b[0] ^= 1,
        |r| r.cpu[3].c[1] ^= 1,
        |r| r.cpu[4].times[0] += 1,
        |r| r.cpu[20].c_before[0] ^= 1,
        |r| r.cpu[7].fp += 1,
        |r| r.cpu[9].spent += 1,
        |r| r.cpu.truncate(30),
        |r| r.access[2].before[0] ^= 1,
        |r| r.access[2].times[0] += 1,
        |r| r.mul.truncate(3),
        |r| r.chunks[1].after[0][0] ^= 1,
        |r| r.chunks[1].before[0][0] ^= 1,
        |r| r.chunks.swap(0, 1),
        |r| r.end.fuel += 1,
    ];
    for (i, alter) in alterations.into_iter().enumerate() {
        let mut altered = record.clone();
        alter(&mut altered);
        assert!(audit(&altered, &program).is_err(), "alteration {i}");
    }
    let mut missing = record.clone();
    missing.chunks.pop();
    assert!(matches!(audit(&missing, &program), Err(AuditError::Word { .. })));
}

/// A program with a prologue: `init` is where cold runs start, and the one row before `start`.
fn with_prologue(build: impl FnOnce(&mut Asm)) -> (Program, u32) {
    let mut program = program(|asm| {
        let prologue = asm.here() as i32;
        build(asm);
        let start = asm.here() as i32 + 2;
        asm.emit(instr(Op::Jump, None, Operand::None, start));
        asm.emit(instr(Op::Jump, None, Operand::None, prologue));
        asm.mov(0, imm(1000));
        asm.mov(0, imm(1000));
        asm.get(0, GLOBAL + 7);
        note(asm, 0, 0);
        done(asm);
    });
    program.start = program.code.len() as u32 - 5;
    let init = program.start - 1;
    (program, init)
}

#[test]
fn instantiation_runs_once() {
    let (program, init) = with_prologue(|asm| {
        asm.emit(Instr { fuel: 40, ..instr(Op::Mov, None, imm(77), 3) });
        asm.put(GLOBAL + 7, 3);
        asm.emit(instr(Op::Pages, None, imm(2), 0));
        asm.access(Op::Store, 3, None, 65536 + 3);
    });
    let warm = instantiate(&program, init).unwrap();
    assert_eq!((warm.start, warm.pages, warm.fuel), (program.start, 2, 40));
    assert_eq!(warm.image, [(1 << 14, 77), (GLOBAL + 7, 77)]);
    let warm = check(&warm, &Input::default());
    let cold = check(&cold(&program, init), &Input::default());
    assert_eq!(warm.results, cold.results);
    assert_eq!((warm.report.fuel, warm.report.pages), (cold.report.fuel, cold.report.pages));
    assert!(warm.report.rows < cold.report.rows);
}

#[test]
fn prologues_that_depend_on_the_run_stay() {
    use rwprove_isa::layout::{INPUT, run};
    let dependent: [fn(&mut Asm); 6] = [
        |asm| asm.get(0, INPUT),
        |asm| asm.get(0, run::STATE),
        |asm| asm.emit(instr(Op::FuelLeftLo, None, Operand::None, 0)),
        |asm| asm.emit(instr(Op::Jump, None, Operand::None, 0)), // a trap
        |asm| asm.access(Op::Load, 0, None, 65536),
        |asm| asm.emit(instr(Op::Jump, None, imm(4), asm.here() as i32 + 1)), // frame moved
    ];
    for build in dependent {
        let (program, init) = with_prologue(build);
        assert_eq!(instantiate(&program, init).unwrap(), cold(&program, init));
    }
}
