//! Steps that do something else than the program says: control flow, frames, traps, fuel, and
//! instructions that were exchanged or left out.

use rwprove_executor::Moment;
use rwprove_isa::{
    Flag, HALT_PC, Instr, Op,
    Operand::{Imm, Slot},
    record::{Outcome, limbs, word},
};

use super::site::{Fault, NOTHING, Site, now, set};

fn wrong_next(m: &mut Moment, s: &mut Site) {
    let pcs = [m.next + 1, m.pc, m.next.wrapping_sub(1), s.pick(1000) as u32, m.next + 2];
    m.next = pcs[s.pick(5) as usize];
}

fn wrong_base(m: &mut Moment, s: &mut Site) {
    m.fp = match s.pick(4) {
        0 => m.fp.saturating_sub(1),
        1 => m.fp + 1,
        2 => m.fp + 8,
        _ => s.event.fp + 1,
    };
}

fn wrong_depth(m: &mut Moment, s: &mut Site) {
    m.depth = if s.pick(2) == 0 { m.depth + 1 } else { m.depth.saturating_sub(1) };
}

fn wrong_fuel(_: &mut Moment, s: &mut Site) -> Option<Instr> {
    let fuel = match (s.instr.fuel, s.pick(3)) {
        (0, pick) => 1 + pick as u16,
        (_, 0) => 0,
        (fuel, 1) => fuel - 1,
        (fuel, _) => fuel + 1,
    };
    Some(Instr { fuel, ..s.instr })
}

/// The code of the trap that the row could raise, or any.
fn trap_code(s: &Site) -> u32 {
    match s.op() {
        Op::Call | Op::CallReg | Op::Limit | Op::Enter => 7,
        Op::FuelCharge => 9,
        _ if s.any(&[Flag::Load, Flag::Store]) && !s.is(Flag::Priv) => 1,
        _ => s.pick(12) as u32,
    }
}

fn raise_before(m: &mut Moment, s: &mut Site) -> Option<Instr> {
    match s.op() {
        Op::Ret => None,
        // A charge that is refused is written down: the machine itself does that.
        Op::FuelCharge => {
            s.left = m.left;
            m.left = u64::from(s.instr.fuel);
            None
        }
        _ => Some(s.neutral()),
    }
}

fn raise_after(m: &mut Moment, s: &mut Site) {
    match s.op() {
        Op::Ret => (m.fp, m.depth) = (s.event.fp, s.event.depth),
        Op::FuelCharge => m.left = s.left - u64::from(s.instr.fuel),
        _ => {}
    }
    m.event.outcome = Outcome::Trap;
    m.next = trap_code(s);
}

/// Whether the row trapped, and there is a way to go on without.
fn trapped(s: &mut Site) -> bool {
    let offset = if let Imm(imm) = s.instr.b { imm } else { 0 };
    let near = word(s.event.a)
        .checked_add(offset)
        .is_some_and(|last| last / 4 < (s.event.pages + 1) * (1 << 14) - 1);
    s.event.outcome == Outcome::Trap && (near || !s.any(&[Flag::Load, Flag::Store]))
}

fn ignore_before(m: &mut Moment, s: &mut Site) -> Option<Instr> {
    let imm = if let Imm(imm) = s.instr.b { imm } else { 0 };
    match s.op() {
        Op::Call | Op::CallReg | Op::Limit => Some(Instr { b: Imm(imm | 0xffff << 16), ..s.instr }),
        Op::Enter => Some(Instr { b: Imm(0), ..s.instr }),
        Op::FuelCharge => unlimited(m, s),
        _ => {
            m.stretch();
            None
        }
    }
}

fn ignore_after(m: &mut Moment, s: &mut Site) {
    match (s.op(), s.instr.b) {
        (Op::Call | Op::CallReg | Op::Limit | Op::Enter, Imm(imm)) => m.event.b = limbs(imm),
        (Op::FuelCharge, _) => overdrawn(m, s),
        _ => {}
    }
}

/// Any charge fits.
fn unlimited(m: &mut Moment, s: &mut Site) -> Option<Instr> {
    s.left = m.left;
    m.left = u64::MAX;
    None
}

/// What is left is below zero, and as an unsigned number enough for the rest of the run.
fn overdrawn(m: &mut Moment, s: &mut Site) {
    m.left = s.left.wrapping_sub(u64::MAX - m.left);
}

fn refuse_before(m: &mut Moment, s: &mut Site) -> Option<Instr> {
    s.left = m.left;
    m.left = 0;
    (s.instr.fuel == 0).then(|| Instr { fuel: 1023, ..s.neutral() })
}

fn swapped(_: &mut Moment, s: &mut Site) -> Option<Instr> {
    match (s.instr.a, s.instr.b) {
        (Some(a), Slot(b)) => Some(Instr { a: Some(b), b: Slot(a), ..s.instr }),
        _ => None,
    }
}

/// An operation that is easily taken for this one.
fn sibling(op: Op) -> Option<Op> {
    const PAIRS: [(Op, Op); 22] = [
        (Op::Add, Op::Sub),
        (Op::And, Op::Or),
        (Op::Or, Op::Xor),
        (Op::Xor, Op::And),
        (Op::Shl, Op::Rotl),
        (Op::ShrU, Op::ShrS),
        (Op::Rotl, Op::Rotr),
        (Op::Mul, Op::MulHi),
        (Op::DivU, Op::RemU),
        (Op::Clz, Op::Ctz),
        (Op::Popcnt, Op::Clz),
        (Op::Extend8S, Op::Extend16S),
        (Op::SetEq, Op::SetNe),
        (Op::SetLtU, Op::SetLtS),
        (Op::SetGeU, Op::SetGeS),
        (Op::BrEq, Op::BrNe),
        (Op::BrLtU, Op::BrLtS),
        (Op::BrGeU, Op::BrGeS),
        (Op::Load8S, Op::Load8U),
        (Op::Load16S, Op::Load16U),
        (Op::Store8, Op::Store16),
        (Op::FuelLeftLo, Op::FuelLeftHi),
    ];
    PAIRS.into_iter().find_map(|(a, b)| match op {
        _ if op == a => Some(b),
        _ if op == b => Some(a),
        _ => None,
    })
}

fn skipped_write(m: &mut Moment, _: &mut Site) {
    if let Some(addr) = m.ports[2] {
        set(m, addr, m.event.c_before);
    }
}

/// The write goes unnoticed: time and value stay those of the access before.
fn unseen_write(m: &mut Moment, _: &mut Site) {
    if let Some(addr) = m.ports[2] {
        let time = m.event.times[2];
        set(m, addr, m.event.c_before);
        m.stamp(addr, time);
    }
}

fn dropped_read(m: &mut Moment, s: &mut Site) {
    let port = s.memo[0] as usize;
    if let (Some(addr), time) = (m.ports[port], m.event.times[port]) {
        // Still later than the access before, but not when it happened.
        if now(m, port) > time + 1 {
            m.stamp(addr, time + 1);
        }
    }
}

fn writes_slot(s: &mut Site) -> bool {
    s.plain() && s.ports[2].is_some() && s.event.c != s.event.c_before
}

fn calls(s: &mut Site) -> bool {
    s.plain()
        && matches!(s.op(), Op::Call | Op::CallReg | Op::JumpReg)
        && s.other_callee().is_some()
}

pub(super) const NEXT: Fault = Fault { name: "wrong next pc", after: wrong_next, ..NOTHING };
pub(super) const BASE: Fault = Fault { name: "wrong frame base", after: wrong_base, ..NOTHING };
pub(super) const DEPTH: Fault = Fault { name: "wrong depth", after: wrong_depth, ..NOTHING };
pub(super) const PAGES: Fault = Fault {
    name: "wrong number of pages",
    after: |m, _| {
        let _ = m.grow();
    },
    ..NOTHING
};
pub(super) const FUEL: Fault = Fault {
    name: "wrong fuel",
    fits: |s| s.event.outcome != Outcome::OutOfFuel,
    before: wrong_fuel,
    ..NOTHING
};
pub(super) const RAISED: Fault = Fault {
    name: "trap where none is",
    fits: |s| {
        s.plain() && !(s.op() == Op::FuelCharge && s.event.a == [0; 2] && s.event.b == [0; 2])
    },
    before: raise_before,
    after: raise_after,
    ..NOTHING
};
pub(super) const IGNORED: Fault = Fault {
    name: "no trap where one is",
    fits: trapped,
    before: ignore_before,
    after: ignore_after,
    ..NOTHING
};
pub(super) const REFUSED: Fault = Fault {
    name: "out of fuel where it is not",
    fits: |s| s.event.outcome != Outcome::OutOfFuel,
    before: refuse_before,
    after: |m, s| m.left = s.left,
    ..NOTHING
};

/// Faults of runs.
pub(super) const FAULTS: &[Fault] = &[
    Fault { name: "skipped write", fits: writes_slot, after: skipped_write, ..NOTHING },
    Fault { name: "unseen write", fits: writes_slot, after: unseen_write, ..NOTHING },
    Fault {
        name: "read at another time",
        fits: |s| {
            s.memo[0] = s.reader().unwrap_or(9) as u32;
            s.plain() && s.memo[0] < 2
        },
        after: dropped_read,
        ..NOTHING
    },
    Fault {
        name: "swapped operands",
        fits: |s| s.plain() && s.event.a != s.event.b && swapped_fits(s),
        before: swapped,
        ..NOTHING
    },
    Fault {
        name: "another operation",
        fits: |s| s.plain() && sibling(s.op()).is_some(),
        before: |_, s| sibling(s.op()).map(|op| Instr { op, ..s.instr }),
        ..NOTHING
    },
    Fault {
        name: "another constant",
        fits: |s| s.plain() && matches!(s.instr.b, Imm(_)) && s.op() != Op::Enter,
        before: |_, s| {
            let Imm(imm) = s.instr.b else { return None };
            Some(Instr { b: Imm(imm ^ 4 << s.pick(4)), ..s.instr })
        },
        ..NOTHING
    },
    Fault {
        name: "another destination",
        fits: |s| s.plain() && s.is(Flag::CWrite),
        before: |_, s| Some(Instr { c: s.instr.c + 1 + s.pick(3) as i32, ..s.instr }),
        ..NOTHING
    },
    Fault {
        name: "skipped step",
        fits: |s| s.next == s.event.pc + 1,
        after: |m, _| m.next += 1,
        ..NOTHING
    },
    Fault { name: "repeated step", after: |m, _| m.next = m.pc, ..NOTHING },
    Fault {
        name: "branch the wrong way",
        fits: |s| s.plain() && s.op().branches(),
        after: |m, s| {
            let target = s.instr.c as u32;
            m.next = if m.next == target { m.pc + 1 } else { target };
        },
        ..NOTHING
    },
    Fault {
        name: "wrong callee",
        fits: calls,
        after: |m, s| m.next = s.other_callee().unwrap_or(m.next),
        ..NOTHING
    },
    Fault {
        name: "callee from a false slot",
        fits: |s| calls(s) && s.reads_alone(0),
        before: |m, s| {
            let (addr, pc) = (s.ports[0]?, s.other_callee()?);
            set(m, addr, limbs(pc));
            None
        },
        after: |m, s| {
            if let Some(addr) = s.ports[0] {
                set(m, addr, s.event.a);
            }
        },
        ..NOTHING
    },
    Fault {
        name: "wrong entry of a branch table",
        fits: |s| s.plain() && s.op() == Op::BrTable,
        after: |m, s| m.next = m.pc + 1 + (m.next - m.pc + s.pick(4) as u32) % 5,
        ..NOTHING
    },
    Fault {
        name: "wrong return",
        fits: |s| s.plain() && s.op() == Op::Ret,
        after: |m, s| {
            if s.pick(2) == 0 {
                m.next += 1;
                m.event.b[0] += 1;
            } else {
                m.fp += 4;
                m.event.b[1] += 4;
            }
        },
        ..NOTHING
    },
    Fault {
        name: "return by another frame",
        fits: |s| s.op() == Op::Ret && s.plain() && s.event.depth > 1,
        before: |m, _| {
            m.depth -= 1;
            None
        },
        after: |m, s| m.depth = s.event.depth - 1,
        ..NOTHING
    },
    Fault {
        name: "ignored depth limit",
        fits: |s| trapped(s) && matches!(s.op(), Op::Call | Op::CallReg | Op::Limit),
        ..IGNORED
    },
    Fault { name: "ignored stack limit", fits: |s| trapped(s) && s.op() == Op::Enter, ..IGNORED },
    Fault {
        name: "ignored bounds of memory",
        fits: |s| trapped(s) && s.any(&[Flag::Load, Flag::Store]),
        ..IGNORED
    },
    Fault {
        name: "fast body in a deep frame",
        fits: |s| s.event.outcome == Outcome::Deep && s.instr.c as u32 != s.event.pc + 1,
        after: |m, _| {
            m.event.outcome = Outcome::Plain;
            m.next = m.pc + 1;
        },
        ..NOTHING
    },
    Fault { name: "early stop", after: |m, _| m.next = HALT_PC, ..NOTHING },
    Fault { name: "run without an end", ends: true, ..NOTHING },
    Fault { name: "jump to a trap", after: |m, s| m.next = s.pick(12) as u32, ..NOTHING },
    Fault {
        name: "wrong trap code",
        fits: |s| s.event.outcome == Outcome::Trap,
        after: |m, s| m.next = (m.next + 1 + s.pick(11) as u32) % 12,
        ..NOTHING
    },
    Fault {
        name: "ignored fuel limit",
        fits: |s| {
            s.event.outcome == Outcome::OutOfFuel
                || s.op() == Op::FuelCharge && s.event.outcome == Outcome::Trap
        },
        before: unlimited,
        after: overdrawn,
        ..NOTHING
    },
];

fn swapped_fits(s: &Site) -> bool {
    s.instr.a.is_some() && matches!(s.instr.b, Slot(_)) && !s.is(Flag::Store)
}
