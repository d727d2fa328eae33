//! Host calls about the tapes, the ways a run ends, and boot code.

use super::*;
use crate::layout::{ENTRY_BYTES, INPUT, MAX_TAPE_BYTES, OUTPUT, REG, reg, run};
use crate::runtime::{BootKind, asm::Asm, boot};
use crate::{Exit, Instr, Op, Operand, STUCK_PC, Trap};

fn with_input(input: &[u8]) -> Machine {
    let mut m = machine();
    m.set_bytes(INPUT * 4, input);
    m.words.insert(run::INPUT_LEN, input.len() as u32);
    m.words.insert(run::STATE, 1);
    m
}

fn output(m: &Machine) -> Vec<u8> {
    m.bytes(OUTPUT * 4, m.word(reg::OUTPUT_LEN) as usize)
}

fn exit(m: &Machine) -> Option<Exit> {
    Exit::from_parts(m.word(reg::EXIT_KIND), m.word(reg::EXIT_CODE))
}

fn check_digests(m: &Machine, input: &[u8]) {
    assert_eq!(m.bytes(reg::INPUT_DIGEST * 4, 32), crate::keccak256(input));
    assert_eq!(m.bytes(reg::OUTPUT_DIGEST * 4, 32), crate::keccak256(&output(m)));
}

#[test]
fn every_trap_has_its_stub() {
    for &trap in Trap::ALL {
        let mut m = with_input(b"input");
        m.pc = trap.code() as u32;
        finish(&mut m);
        assert_eq!(exit(&m), Some(Exit::Trap(trap)));
        check_digests(&m, b"input");
        assert_eq!(m.word(reg::RAISED_OUT_OF_FUEL), 0);
    }
    let code = &Library::get().code;
    for pc in [12, 13, 14] {
        assert_eq!(code[pc], Instr { c: STUCK_PC as i32, ..Instr::new(Op::Jump) });
    }
    assert_eq!(code[15], Instr { c: 15, ..Instr::new(Op::Jump) });
}

#[test]
fn exits() {
    for code in [0, 7, -1, i32::MIN] {
        let mut m = with_input(&pattern(500));
        assert_eq!(call(&mut m, Routine::Write, &[3, 301]), End::Returned);
        call(&mut m, Routine::Exit, &[code as u32]);
        finish(&mut m);
        assert_eq!(exit(&m), Some(Exit::Code(code)));
        assert_eq!(output(&m), m.bytes(3, 301));
        check_digests(&m, &pattern(500));
    }
    let mut m = with_input(&[]);
    assert_eq!(call(&mut m, Routine::RaiseOutOfFuel, &[]), End::At(9));
    finish(&mut m);
    assert_eq!((exit(&m), m.word(reg::RAISED_OUT_OF_FUEL)), (Some(Exit::Trap(Trap::OutOfFuel)), 1));
}

#[test]
fn reading_the_input() {
    let input = pattern(90);
    for skip in [0, 8] {
        let mut m = with_input(&input);
        m.words.insert(ENTRY_BYTES, skip as u32);
        let guest = &input[skip..];
        assert_eq!(result(&mut m, Routine::InputSize, &[]), guest.len() as u32);
        for (dst, off, n) in [(300, 0, guest.len()), (301, 7, 60), (302, guest.len(), 0)] {
            let args = [dst, off as u32, n as u32];
            assert_eq!(call(&mut m, Routine::Read, &args), End::Returned);
            assert_eq!(m.bytes(dst, n), guest[off..off + n]);
        }
        // The input's bounds come first, also for a bad pointer; then the pointer, also for n = 0.
        for (off, n) in [(0, guest.len() + 1), (guest.len() + 1, 0), (usize::MAX, 2), (80, 80)] {
            let mut m = m.clone();
            call(&mut m, Routine::Read, &[u32::MAX, off as u32, n as u32]);
            finish(&mut m);
            assert_eq!(exit(&m), Some(Exit::Code(-1007)), "{off} {n}");
        }
        assert_eq!(call(&mut m, Routine::Read, &[(2 << 16) - 3, 0, 4]), End::At(1));
        assert_eq!(call(&mut m, Routine::Read, &[(2 << 16) + 1, 0, 0]), End::At(1));
    }
}

#[test]
fn writing_the_output() {
    let mut m = with_input(&[]);
    let mut expected = Vec::new();
    for (at, n) in [(0, 5), (3, 0), (9, 40), (100, 33), (4, 4)] {
        assert_eq!(call(&mut m, Routine::Write, &[at, n]), End::Returned);
        expected.extend(m.bytes(at, n as usize));
        assert_eq!(output(&m), expected);
    }
    m.words.insert(reg::OUTPUT_LEN, MAX_TAPE_BYTES - 4);
    assert_eq!(call(&mut m, Routine::Write, &[0, 5]), End::At(STUCK_PC));
    assert_eq!(call(&mut m, Routine::Write, &[0, 4]), End::Returned);
    assert_eq!(m.word(reg::OUTPUT_LEN), MAX_TAPE_BYTES);
    assert_eq!(m.word(REG), 0);
}

#[test]
fn small_host_calls() {
    let mut m = with_input(&[]);
    assert_eq!(result(&mut m, Routine::State, &[]), 1);
    assert_eq!(result(&mut m, Routine::OutputSize, &[]), 0);
    assert_eq!(call(&mut m, Routine::Nothing, &[]), End::Returned);
    assert_eq!(call(&mut m, Routine::ReadOutput, &[0, 0, 0]), End::Returned);
    assert_eq!(call(&mut m, Routine::ReadOutput, &[(2 << 16) + 1, 0, 0]), End::At(1));
    assert_eq!(call(&mut m, Routine::ForwardOutput, &[0, 0]), End::Returned);
    for (routine, args) in
        [(Routine::ReadOutput, &[0, 1, 0][..]), (Routine::ForwardOutput, &[0, 1])]
    {
        let mut m = m.clone();
        call(&mut m, routine, args);
        finish(&mut m);
        assert_eq!(exit(&m), Some(Exit::Code(-1007)));
    }
    m.limit = 5 << 32;
    m.fuel = 7;
    assert_eq!(call(&mut m, Routine::ChargeFuel, &[3, 2]), End::Returned);
    assert_eq!(m.fuel, (2 << 32) + 10);
    assert_eq!(result(&mut m, Routine::Fuel, &[]), (1u32 << 31).wrapping_mul(2).wrapping_sub(10));
    assert_eq!(m.slot(1), 2);
    assert_eq!(call(&mut m, Routine::ChargeFuel, &[0, 3]), End::At(9));
}

/// A program of boot code and a function that swaps its two arguments, or writes if it has none.
fn booted(kind: BootKind, init: bool, body: impl Fn(&mut Asm)) -> (Vec<Instr>, u32) {
    let mut code = Library::get().code.clone();
    let mut function = Asm::at(code.len() as u32);
    let entry = function.here();
    body(&mut function);
    code.extend(function.finish());
    let start = code.len() as u32;
    code.extend(boot(kind, start, entry, init.then_some(entry)));
    (code, start)
}

fn run_boot(kind: BootKind, input: &[u8], body: impl Fn(&mut Asm)) -> Machine {
    let (code, start) = booted(kind, false, body);
    let mut m = Machine { fp: 0, pc: start, ..with_input(input) };
    assert_eq!(m.run(&code, |_| false), End::At(crate::HALT_PC));
    m
}

#[test]
fn a_named_entry_takes_arguments_and_gives_results() {
    let swap = |asm: &mut Asm| {
        asm.mov(0, Operand::Slot(-1));
        asm.mov(-1, Operand::Slot(-2));
        asm.mov(-2, Operand::Slot(0));
        asm.ret();
    };
    let kind = BootKind::Entry { args: 2, results: 2 };
    let input = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    let m = run_boot(kind, &input, swap);
    assert_eq!((exit(&m), output(&m)), (Some(Exit::Ok), vec![5, 6, 7, 8, 1, 2, 3, 4]));
    check_digests(&m, &input);
    assert_eq!(m.word(ENTRY_BYTES), 8);
    let m = run_boot(kind, &input[..7], swap);
    assert_eq!((exit(&m), output(&m)), (Some(Exit::Code(-1007)), vec![]));
}

#[test]
fn a_contract_writes_and_returns() {
    let m = run_boot(BootKind::Contract, b"abc", |asm| {
        asm.mov(0, Operand::Imm(5));
        asm.mov(1, Operand::Imm(10));
        let write = asm.pc_label(Library::get().entry(Routine::Write));
        asm.call(write, 0);
        asm.ret();
    });
    assert_eq!((exit(&m), output(&m)), (Some(Exit::Ok), pattern(15)[5..].to_vec()));
    check_digests(&m, b"abc");
    assert!(m.frames.is_empty());
}

#[test]
fn the_prologue_comes_first() {
    let (code, start) = booted(BootKind::Contract, true, |asm| {
        // Both init and entry: count in a memory word.
        asm.get(0, 1000);
        asm.bump(0, 1);
        asm.put(1000, 0);
        asm.ret();
    });
    for (pc, count) in [(start, 2), (start + 1, 1)] {
        let mut m = Machine { fp: 0, pc, ..with_input(b"") };
        assert_eq!(m.run(&code, |_| false), End::At(crate::HALT_PC));
        assert_eq!((m.word(1000), exit(&m)), (count, Some(Exit::Ok)));
    }
}

#[test]
fn every_routine_is_in_the_library() {
    let library = Library::get();
    for &routine in Routine::ALL {
        let pc = library.entry(routine);
        assert!(pc > 15 && (pc as usize) < library.code.len(), "{}", routine.name());
    }
    for instr in &library.code {
        let target = instr.op.branches() || matches!(instr.op, Op::Jump | Op::Call);
        assert!(!target || (instr.c as usize) < library.code.len());
        assert_eq!(instr.fuel, 0);
    }
    println!("library: {} instructions", library.code.len());
}
