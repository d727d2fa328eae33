//! Branches, calls and the limits of stack and call depth.

use rwprove_isa::{
    Exit, Trap,
    layout::{CALL_LIMIT, STACK_LIMIT},
    record::Outcome,
};

use super::*;

/// Immediate with halves `lo` and `hi`.
fn halves(lo: u32, hi: u32) -> Operand {
    imm(lo | hi << 16)
}

#[test]
fn branches_go_where_the_comparison_says() {
    let ops = [Op::BrEq, Op::BrNe, Op::BrLtU, Op::BrGeU, Op::BrLtS, Op::BrGeS];
    for (a, b) in [(1, 1), (1, 2), (2, 1), (u32::MAX, 1), (1, u32::MAX)] {
        let found = run(|asm| {
            asm.mov(0, imm(a));
            for (i, op) in ops.into_iter().enumerate() {
                let (yes, after) = (asm.label(), asm.label());
                asm.branch(op, 0, imm(b), yes);
                asm.mov(1, imm(0));
                asm.jump(after);
                asm.bind(yes);
                asm.mov(1, imm(1));
                asm.bind(after);
                note(asm, i as u32, 1);
            }
            done(asm);
        });
        let (x, y) = (a as i32, b as i32);
        let truths = [a == b, a != b, a < b, a >= b, x < y, x >= y];
        assert_eq!(found.results[..6], truths.map(u32::from), "{a} {b}");
    }
}

#[test]
fn tables_of_branches() {
    for (index, expected) in [(0, 10), (1, 11), (2, 12), (3, 12), (u32::MAX, 12)] {
        let found = run(|asm| {
            asm.mov(0, imm(index));
            asm.emit(instr(Op::BrTable, Some(0), imm(2), 0));
            let targets = [asm.label(), asm.label(), asm.label()];
            for target in targets {
                asm.jump(target);
            }
            for (i, target) in targets.into_iter().enumerate() {
                asm.bind(target);
                asm.mov(1, imm(10 + i as u32));
                note(asm, 0, 1);
                done(asm);
            }
        });
        assert_eq!(found.results[0], expected);
    }
}

/// A function that adds its two parameters, called with a frame that starts at slot 7.
#[test]
fn calls_and_returns() {
    for indirect in [false, true] {
        let found = run(|asm| {
            let start = asm.here() as i32;
            asm.emit(instr(Op::Jump, None, Operand::None, start + 3));
            asm.op(Op::Add, -2, -2, slot(-1));
            asm.ret();
            asm.mov(5, imm(30));
            asm.mov(6, imm(12));
            asm.mov(0, imm(start as u32 + 1));
            let b = halves(7, CALL_LIMIT);
            if indirect {
                asm.emit(instr(Op::CallReg, Some(0), b, 0));
            } else {
                asm.emit(instr(Op::Call, None, b, start + 1));
            }
            note(asm, 0, 5);
            done(asm);
        });
        assert_eq!(found.results[0], 42);
        assert_eq!(found.report.exit, Exit::Ok);
    }
}

#[test]
fn jumps_move_the_frame() {
    let found = run(|asm| {
        let start = asm.here() as i32;
        asm.mov(0, imm(start as u32 + 4));
        asm.emit(instr(Op::Jump, None, halves(20, 0), start + 2));
        asm.mov(-20 + 1, imm(5)); // slot 1 of the first frame
        asm.emit(instr(Op::JumpReg, Some(-20), halves(3, 23), 0));
        note(asm, 0, 1);
        done(asm);
    });
    assert_eq!(found.results[0], 5);
}

/// Calls itself with a frame of one slot until something stops it.
fn recursion(limit: u32) -> Program {
    program(|asm| {
        let start = asm.here() as i32;
        asm.emit(instr(Op::Call, None, halves(0, CALL_LIMIT), start + 3));
        note(asm, 0, 0);
        done(asm);
        // Slot 0 of the function: how deep it is.
        asm.op(Op::Add, 0, -1, imm(1));
        let leave = asm.label();
        asm.branch(Op::BrGeU, 0, imm(limit), leave);
        asm.emit(instr(Op::Call, None, halves(1, CALL_LIMIT), start + 3));
        asm.bind(leave);
        asm.ret();
    })
}

#[test]
fn call_depth() {
    // The boot frame is not one of rWasm's 1024.
    let mut deepest = recursion(CALL_LIMIT + 1);
    let start = deepest.start;
    deepest.start = start + 20;
    deepest.code.resize(start as usize + 20, Instr::new(Op::Jump));
    // Start with frame base 1, so that slot -1 of the first frame exists.
    deepest.code.push(instr(Op::Jump, None, halves(1, 0), start as i32));
    let ok = check(&deepest, &Input::default());
    assert_eq!(ok.report.exit, Exit::Ok);
    let mut too_deep = deepest.clone();
    for code in &mut too_deep.code {
        if code.op == Op::BrGeU && code.b == imm(CALL_LIMIT + 1) {
            code.b = imm(CALL_LIMIT + 2);
        }
    }
    let trapped = check(&too_deep, &Input::default());
    assert_eq!(trapped.report.exit, Exit::Trap(Trap::StackOverflow));
}

/// The outcome of an `Enter` with these halves at this frame base and depth 0.
fn enter(base: u32, lo: u32, hi: u32) -> Outcome {
    let found = run(|asm| {
        let start = asm.here() as i32;
        asm.emit(instr(Op::Jump, None, halves(base, 0), start + 1));
        asm.emit(instr(Op::Enter, None, halves(lo, hi), start + 4));
        asm.mov(0, imm(1));
        done(asm);
        asm.mov(0, imm(2));
        done(asm);
    });
    let mut rows = found.records.iter().flat_map(|record| &record.cpu);
    rows.nth(1).unwrap().outcome
}

#[test]
fn enter_chooses() {
    let max = STACK_LIMIT;
    assert_eq!(enter(0, 10, 20), Outcome::Plain);
    assert_eq!(enter(max - 20, 10, 20), Outcome::Plain);
    assert_eq!(enter(max - 19, 10, 20), Outcome::Deep);
    assert_eq!(enter(max - 10, 10, 20), Outcome::Deep);
    assert_eq!(enter(max - 9, 10, 20), Outcome::Trap);
}

#[test]
fn limit_checks_the_depth_alone() {
    for (hi, exit) in [(0, Exit::Ok), (1, Exit::Ok)] {
        let found = run(|asm| {
            asm.emit(instr(Op::Limit, None, halves(0, hi), 0));
            done(asm);
        });
        assert_eq!(found.report.exit, exit);
    }
    let found = run(|asm| {
        let start = asm.here() as i32;
        asm.emit(instr(Op::Call, None, halves(0, 0), start + 1));
        asm.emit(instr(Op::Limit, None, halves(0, 0), 0));
        done(asm);
    });
    assert_eq!(found.report.exit, Exit::Trap(Trap::StackOverflow));
}
