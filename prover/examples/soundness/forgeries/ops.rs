//! Programs made for single instructions: every operation on operands at the edges, every trap,
//! and the operations that only the runtime library uses.

use rwprove_executor::Input;
use rwprove_isa::{
    Instr, Op,
    Operand::{self, Imm, Slot},
    Program,
    layout::GLOBAL,
    runtime::{Library, Routine, asm::Asm},
};

use rwprove_prover::testing::assembled;

use super::subject::Subject;

const PAIRS: [(u32, u32); 8] = [
    (0, 1),
    (0xffff, 0x1_0000),
    (0x7fff_ffff, 0x8000_0000),
    (0x8000_0000, 0x7fff_ffff),
    (u32::MAX, u32::MAX),
    (1, u32::MAX),
    (0x8000_0000, 1),
    (0x1_0000, 0xffff),
];

/// Operations on two values with a result in a slot.
const VALUES: [Op; 29] = [
    Op::Cmov,
    Op::Add,
    Op::Sub,
    Op::SetEq,
    Op::SetNe,
    Op::SetLtU,
    Op::SetGeU,
    Op::SetLtS,
    Op::SetGeS,
    Op::And,
    Op::Or,
    Op::Xor,
    Op::Shl,
    Op::ShrU,
    Op::ShrS,
    Op::Rotl,
    Op::Rotr,
    Op::Fshl,
    Op::Mul,
    Op::MulHi,
    Op::DivU,
    Op::RemU,
    Op::Clz,
    Op::Ctz,
    Op::Popcnt,
    Op::Extend8S,
    Op::Extend16S,
    Op::Mov,
    Op::Cmp,
];
const BRANCHES: [Op; 6] = [Op::BrEq, Op::BrNe, Op::BrLtU, Op::BrGeU, Op::BrLtS, Op::BrGeS];
const LOADS: [(Op, u32); 5] =
    [(Op::Load, 4), (Op::Load8S, 1), (Op::Load8U, 1), (Op::Load16S, 2), (Op::Load16U, 2)];
const STORES: [(Op, u32); 3] = [(Op::Store, 4), (Op::Store8, 1), (Op::Store16, 2)];

fn done(asm: &mut Asm) {
    let done = asm.pc_label(Library::get().entry(Routine::Done));
    asm.jump(done);
}

fn instr(op: Op, a: i32, b: Operand, c: i32) -> Instr {
    let a = (op != Op::Mov).then_some(a);
    Instr { a, b, c, ..Instr::new(op) }
}

/// All operations on values, comparisons and branches.
fn values(asm: &mut Asm) {
    let at = |asm: &Asm, ahead: u32| (asm.here() + ahead) as i32;
    for (i, (a, b)) in PAIRS.into_iter().enumerate() {
        asm.mov(1, Imm(a));
        asm.mov(2, Imm(b));
        for (j, op) in VALUES.into_iter().enumerate() {
            let (fuel, k) = ((i + j) as u16 % 3, if op == Op::Fshl { 5 * i as u8 % 32 } else { 0 });
            let operand = match op {
                Op::Clz | Op::Ctz | Op::Popcnt | Op::Extend8S | Op::Extend16S => Operand::None,
                _ if i % 4 == 3 => Imm(b),
                _ => Slot(2),
            };
            asm.emit(Instr { fuel, k, ..instr(op, 1, operand, 3) });
        }
        for (j, op) in BRANCHES.into_iter().enumerate() {
            let target = at(asm, 2);
            asm.emit(Instr { fuel: (i + j) as u16 % 2, ..instr(op, 1, Slot(2), target) });
            asm.mov(4, Imm(j as u32));
        }
        // Words of 64-bit numbers: the first row hands over to the second.
        for (first, second) in [
            (Op::Add, Op::Add),
            (Op::Sub, Op::Sub),
            (Op::Cmp, Op::SetEq),
            (Op::Cmp, Op::SetNe),
            (Op::Cmp, Op::SetLtU),
            (Op::Cmp, Op::SetGeU),
            (Op::Cmp, Op::SetLtS),
            (Op::Cmp, Op::SetGeS),
        ] {
            asm.emit(instr(first, 1, Slot(2), 3));
            asm.emit(Instr { chain: true, ..instr(second, 2, Imm(b), 5) });
        }
        for (first, second) in [(Op::DivU64Lo, Op::DivU64Hi), (Op::RemU64Lo, Op::RemU64Hi)] {
            asm.emit(instr(first, 1, Slot(2), 5));
            asm.emit(instr(second, 2, Imm(i as u32 % 3), 6));
        }
    }
    done(asm);
}

/// Accesses to memory of all kinds, and everything that moves registers.
fn control(asm: &mut Asm) {
    asm.mov(1, Imm(0x100));
    asm.mov(2, Imm(0x8081_f2f3));
    for round in 0..4 {
        for (op, _) in STORES {
            for offset in [3, 5, 4, 0x20 + round] {
                asm.emit(Instr { fuel: round as u16, ..instr(op, 1, Imm(offset), 2) });
            }
        }
        for (op, _) in LOADS {
            for offset in [3, 5, 4, 0x20 + round] {
                asm.emit(Instr { fuel: round as u16, ..instr(op, 1, Imm(offset), 3) });
            }
        }
        asm.bump(2, -12_345);
        asm.access(Op::StoreWord, 2, None, GLOBAL + 5);
        asm.access(Op::LoadWord, 3, None, GLOBAL + 5);
        for last in [23, 22, 21] {
            asm.access(Op::StoreByte, 2, None, GLOBAL * 4 + last);
            asm.access(Op::LoadBytes, 3, None, GLOBAL * 4 + last);
            asm.access(Op::LoadByte, 3, None, GLOBAL * 4 + last);
        }
    }
    frames(asm);
    rest(asm);
    done(asm);
}

/// Jumps, calls and entries.
fn frames(asm: &mut Asm) {
    let (over, function) = (asm.label(), asm.label());
    asm.jump(over);
    asm.bind(function);
    let here = asm.here() as i32;
    asm.emit(Instr { b: Imm(4 | 4 << 16), c: here + 1, fuel: 2, ..Instr::new(Op::Enter) });
    let here = asm.here() as i32;
    // No room for the fast body.
    asm.emit(Instr { b: Imm(4 | 9000 << 16), c: here + 2, ..Instr::new(Op::Enter) });
    asm.mov(1, Imm(1));
    asm.emit(Instr { b: Imm(1024 << 16), ..Instr::new(Op::Limit) });
    asm.mov(2, Imm(2));
    asm.ret();
    // Another function.
    let second = asm.here();
    asm.mov(3, Imm(3));
    asm.ret();
    asm.bind(over);
    let first = asm.pc(function);
    for round in 0..3 {
        for (frame, pc) in [(16, first), (24, second)] {
            let b = Imm(frame | 1024 << 16);
            let call = Instr { b, c: pc as i32, fuel: round, ..Instr::new(Op::Call) };
            asm.emit(call);
            asm.mov(5, Imm(pc));
            asm.emit(instr(Op::CallReg, 5, b, 0));
        }
        let next = asm.here() as i32 + 1;
        asm.emit(Instr { b: Imm(16), c: next, fuel: round, ..Instr::new(Op::Jump) });
        asm.mov(0, Imm(asm.here() + 2));
        asm.emit(Instr { fuel: round, ..instr(Op::JumpReg, 0, Imm(16 << 16), 0) });
        for a in [0, 1, 5] {
            asm.mov(6, Imm(a));
            asm.emit(Instr { fuel: round, ..instr(Op::BrTable, 6, Imm(2), 0) });
            let after = asm.here() as i32 + 3;
            for _ in 0..3 {
                asm.emit(Instr { c: after, ..Instr::new(Op::Jump) });
            }
        }
    }
}

/// Pages, fuel and the sponge.
fn rest(asm: &mut Asm) {
    for pages in [2, 3] {
        asm.emit(Instr { c: 7, fuel: 1, ..Instr::new(Op::Pages) });
        asm.emit(Instr { b: Imm(pages), c: 7, ..Instr::new(Op::Pages) });
        asm.mov(8, Imm(70_000));
        asm.mov(9, Imm(0));
        asm.emit(Instr { fuel: 3, ..instr(Op::FuelCharge, 9, Slot(8), 0) });
        asm.emit(Instr { c: 7, fuel: 1, ..Instr::new(Op::FuelLeftLo) });
        asm.emit(Instr { c: 7, ..Instr::new(Op::FuelLeftHi) });
        asm.emit(Instr { fuel: 5, ..Instr::new(Op::KeccakF) });
    }
}

/// Runs that end in a trap of one instruction.
fn traps() -> Vec<(String, Program)> {
    let mut runs = Vec::new();
    let mut run = |name: String, program| runs.push((name, program));
    for (op, size) in LOADS.into_iter().chain(STORES) {
        for (place, offset) in [("aligned", 3), ("unaligned", 1)] {
            let name = format!("{} past the end, {place}", op.name());
            let last = 0x1_0000 + offset + if size == 4 { 0 } else { 1 };
            run(
                name,
                assembled(0, |asm| {
                    asm.mov(1, Imm(last - 1));
                    asm.emit(Instr { fuel: 1, ..instr(op, 1, Imm(1), 2) });
                    done(asm);
                }),
            );
        }
    }
    // A call at depth 1 whose limit is 0.
    let nested = |build: &dyn Fn(&mut Asm, i32)| {
        assembled(0, |asm| {
            let function = asm.label();
            asm.call(function, 8);
            done(asm);
            let last = asm.here() as i32;
            asm.mov(1, Imm(1));
            asm.ret();
            asm.bind(function);
            build(asm, last);
            asm.ret();
        })
    };
    run(
        "Call too deep".into(),
        nested(&|asm, last| {
            asm.emit(Instr { b: Imm(8), c: last, fuel: 1, ..Instr::new(Op::Call) });
        }),
    );
    run(
        "CallReg too deep".into(),
        nested(&|asm, last| {
            asm.mov(5, Imm(last as u32));
            asm.emit(instr(Op::CallReg, 5, Imm(8), 0));
        }),
    );
    run(
        "Limit too deep".into(),
        nested(&|asm, _| {
            asm.emit(Instr { b: Imm(0), ..Instr::new(Op::Limit) });
        }),
    );
    run(
        "Enter without room".into(),
        nested(&|asm, _| {
            let next = asm.here() as i32 + 1;
            asm.emit(Instr { b: Imm(9000 | 9000 << 16), c: next, ..Instr::new(Op::Enter) });
        }),
    );
    run(
        "FuelCharge of more than there is".into(),
        assembled(0, |asm| {
            asm.mov(1, Imm(3));
            asm.emit(instr(Op::FuelCharge, 1, Imm(9), 0));
            done(asm);
        }),
    );
    run(
        "out of fuel".into(),
        assembled(0, |asm| {
            let again = asm.here_label();
            asm.mov(1, Imm(3));
            asm.emit(Instr { fuel: 1000, ..instr(Op::Add, 1, Slot(1), 1) });
            asm.jump(again);
        }),
    );
    runs
}

/// All these runs.
pub(crate) fn subjects() -> Vec<Subject> {
    let named = [("ops/values", assembled(0, values)), ("ops/control", assembled(0, control))];
    let traps = traps().into_iter().map(|(name, program)| (format!("ops/{name}"), program));
    let all = named.into_iter().map(|(name, program)| (name.to_owned(), program)).chain(traps);
    let input = Input { bytes: b"forgeries".to_vec(), state: 1, fuel_limit: Some(1_000_000) };
    let subject = |(name, program): (String, Program)| {
        Subject::new(&name, program, input.clone()).unwrap_or_else(|| panic!("{name} does not run"))
    };
    all.map(subject).collect()
}
