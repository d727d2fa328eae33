//! A plain interpreter of lowered code, for tests of this crate alone: no times, no records.

use std::collections::HashMap;

use crate::alu::{Link, coprocessor, inline};
use crate::layout::{SPONGE, STACK, STACK_LIMIT};
use crate::{Flag, HALT_PC, Instr, Op, Operand, Pc, STUCK_PC};

/// How a run of code ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It returned from the first frame.
    Returned,
    /// It reached one of the fixed pcs.
    At(Pc),
}

/// The state of the machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine {
    pub(crate) words: HashMap<u32, u32>,
    pub(crate) frames: Vec<(Pc, u32)>,
    pub(crate) pc: Pc,
    pub(crate) fp: u32,
    pub(crate) pages: u32,
    pub(crate) fuel: u64,
    pub(crate) limit: u64,
    pub(crate) steps: u64,
}

impl Machine {
    pub(crate) fn word(&self, at: u32) -> u32 {
        self.words.get(&at).copied().unwrap_or(0)
    }

    pub(crate) fn byte(&self, at: u32) -> u8 {
        self.word(at / 4).to_le_bytes()[at as usize % 4]
    }

    pub(crate) fn set_byte(&mut self, at: u32, value: u8) {
        let mut bytes = self.word(at / 4).to_le_bytes();
        bytes[at as usize % 4] = value;
        self.words.insert(at / 4, u32::from_le_bytes(bytes));
    }

    pub(crate) fn bytes(&self, at: u32, n: usize) -> Vec<u8> {
        (0..n as u32).map(|i| self.byte(at + i)).collect()
    }

    pub(crate) fn set_bytes(&mut self, at: u32, bytes: &[u8]) {
        for (i, &b) in bytes.iter().enumerate() {
            self.set_byte(at + i as u32, b);
        }
    }

    pub(crate) fn slot(&self, slot: i32) -> u32 {
        self.word((STACK + self.fp).wrapping_add_signed(slot))
    }

    pub(crate) fn set_slot(&mut self, slot: i32, value: u32) {
        self.words.insert((STACK + self.fp).wrapping_add_signed(slot), value);
    }

    /// Runs until the frame that is innermost now returns or one of the fixed pcs `stop` accepts
    /// is reached.
    pub(crate) fn run(&mut self, code: &[Instr], stop: impl Fn(Pc) -> bool) -> End {
        let depth = self.frames.len();
        let mut link = Link::default();
        loop {
            if stop(self.pc) || matches!(self.pc, STUCK_PC | HALT_PC) {
                return End::At(self.pc);
            }
            let instr = code[self.pc as usize];
            if instr.op == Op::Ret && self.frames.len() == depth {
                return End::Returned;
            }
            self.steps += 1;
            assert!(self.steps < 50_000_000, "endless");
            link =
                self.step(&instr, code.get(self.pc as usize + 1).copied().unwrap_or(instr), link);
        }
    }

    fn load(&self, last: u32, size: u32) -> u32 {
        (0..size).fold(0, |v, i| v << 8 | self.byte(last - i) as u32)
    }

    /// One instruction; a trap makes the pc its code.
    fn step(&mut self, i: &Instr, second: Instr, link: Link) -> Link {
        let mut new_link = Link::default();
        if self.fuel + i.fuel as u64 > self.limit {
            self.pc = 9;
            return new_link;
        }
        self.fuel += i.fuel as u64;
        let a = i.a.map_or(0, |slot| self.slot(slot));
        let (b, imm) = match i.b {
            Operand::None => (0, 0),
            Operand::Slot(slot) => (self.slot(slot), 0),
            Operand::Imm(imm) => (imm, imm),
        };
        let (lo, hi) = (imm & 0xffff, imm >> 16);
        let mut next = self.pc + 1;
        let flag = |f: Flag| i.has(f);
        if let Some((r, l)) = inline(i, a, b, link) {
            new_link = l;
            if i.op.branches() {
                if r == 1 {
                    next = i.c as u32;
                }
            } else if i.op != Op::Cmp {
                self.set_slot(i.c, r);
            }
        } else if let Some(r) = coprocessor(i, a, b) {
            self.set_slot(i.c, r);
        } else if flag(Flag::Load) || flag(Flag::Store) {
            next = self.access(i, a, imm).unwrap_or(1);
        } else {
            match i.op {
                Op::Cmov if a != 0 => self.set_slot(i.c, b),
                Op::Cmov => {}
                Op::Jump | Op::JumpReg => {
                    self.fp = self.fp + lo - hi;
                    next = if i.op == Op::Jump { i.c as u32 } else { a };
                }
                Op::BrTable => next = self.pc + 1 + a.min(b),
                Op::Call | Op::CallReg | Op::Limit => {
                    if self.frames.len() as u32 > hi {
                        next = 7;
                    } else if i.op != Op::Limit {
                        self.frames.push((self.pc + 1, self.fp));
                        self.fp += lo;
                        next = if i.op == Op::Call { i.c as u32 } else { a };
                    }
                }
                Op::Ret => (next, self.fp) = self.frames.pop().expect("a frame"),
                Op::Enter => {
                    if self.fp + lo > STACK_LIMIT {
                        next = 7;
                    } else if self.fp + hi > STACK_LIMIT || self.frames.len() > 1023 {
                        next = i.c as u32;
                    }
                }
                Op::Pages => {
                    let old = self.pages;
                    if i.b != Operand::None {
                        self.pages = b;
                    }
                    self.set_slot(i.c, old);
                }
                Op::FuelCharge => {
                    let charge = (a as u64) << 32 | b as u64;
                    match self.fuel.checked_add(charge).filter(|&f| f <= self.limit) {
                        Some(fuel) => self.fuel = fuel,
                        None => next = 9,
                    }
                }
                Op::FuelLeftLo => self.set_slot(i.c, (self.limit - self.fuel) as u32),
                Op::FuelLeftHi => self.set_slot(i.c, ((self.limit - self.fuel) >> 32) as u32),
                Op::DivU64Lo | Op::RemU64Lo => {
                    let operand = |b| match b {
                        Operand::None => 0,
                        Operand::Slot(slot) => self.slot(slot),
                        Operand::Imm(imm) => imm,
                    };
                    let a = a as u64 | (second.a.map_or(0, |s| self.slot(s)) as u64) << 32;
                    let b = b as u64 | (operand(second.b) as u64) << 32;
                    let r = if i.op == Op::DivU64Lo { a / b } else { a % b };
                    self.set_slot(i.c, r as u32);
                    self.set_slot(second.c, (r >> 32) as u32);
                    next += 1;
                }
                Op::KeccakF => {
                    let mut lanes: [u64; 25] = std::array::from_fn(|l| {
                        let at = SPONGE + 2 * l as u32;
                        self.word(at) as u64 | (self.word(at + 1) as u64) << 32
                    });
                    tiny_keccak::keccakf(&mut lanes);
                    for (l, lane) in lanes.into_iter().enumerate() {
                        self.set_bytes(4 * (SPONGE + 2 * l as u32), &lane.to_le_bytes());
                    }
                }
                op => unreachable!("{op:?}"),
            }
        }
        self.pc = next;
        new_link
    }

    /// The next pc, nothing for a trap.
    fn access(&mut self, i: &Instr, a: u32, imm: u32) -> Option<Pc> {
        let size = match i.op {
            Op::Load | Op::Store | Op::LoadBytes => 4,
            Op::Load16S | Op::Load16U | Op::Store16 => 2,
            _ => 1,
        };
        let at = a.checked_add(imm);
        if !i.has(Flag::Priv) && at.is_none_or(|e| e >> 16 >= self.pages) {
            return None;
        }
        let at = at.expect("unchecked addresses never wrap");
        match i.op {
            Op::LoadWord => self.set_slot(i.c, self.word(at)),
            Op::StoreWord => _ = self.words.insert(at, self.slot(i.c)),
            _ if i.has(Flag::Store) => {
                let value = self.slot(i.c).to_le_bytes();
                self.set_bytes(at - (size - 1), &value[..size as usize]);
            }
            op => {
                let value = self.load(at, size);
                let value = match op {
                    Op::Load8S => value as i8 as u32,
                    Op::Load16S => value as i16 as u32,
                    _ => value,
                };
                self.set_slot(i.c, value);
            }
        }
        Some(self.pc + 1)
    }
}
