//! A tiny assembler for the lowered instruction set: it appends instructions and fills in labels.

use crate::{Instr, Op, Operand, Pc, STUCK_PC, Slot};

/// A place in the code whose pc may not be known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(usize);

/// The `hi` half of a library call's immediate: no depth limit.
pub const NO_LIMIT: u32 = 0xffff;

/// Collects code that starts at a given pc.
#[derive(Clone, Debug, Default)]
pub struct Asm {
    base: Pc,
    code: Vec<Instr>,
    labels: Vec<Pc>,
    fixups: Vec<(usize, Label)>,
}

impl Asm {
    /// Code whose first instruction will stand at pc `base`.
    pub fn at(base: Pc) -> Self {
        Self { base, ..Self::default() }
    }

    /// The pc of the next instruction.
    pub fn here(&self) -> Pc {
        self.base + self.code.len() as Pc
    }

    /// A label to be bound later. One that never is leads to `STUCK_PC`, which has no proof.
    pub fn label(&mut self) -> Label {
        self.labels.push(STUCK_PC);
        Label(self.labels.len() - 1)
    }

    /// Binds the label to the next instruction.
    pub fn bind(&mut self, label: Label) {
        let here = self.here();
        if let Some(pc) = self.labels.get_mut(label.0) {
            *pc = here;
        }
    }

    /// A label of the next instruction.
    pub fn here_label(&mut self) -> Label {
        self.pc_label(self.here())
    }

    /// A label of a known pc.
    pub fn pc_label(&mut self, pc: Pc) -> Label {
        self.labels.push(pc);
        Label(self.labels.len() - 1)
    }

    /// The pc that a label is bound to.
    pub fn pc(&self, label: Label) -> Pc {
        self.labels.get(label.0).copied().unwrap_or(STUCK_PC)
    }

    /// The code with all labels filled in.
    pub fn finish(mut self) -> Vec<Instr> {
        for (at, label) in std::mem::take(&mut self.fixups) {
            let pc = self.pc(label);
            if let Some(instr) = self.code.get_mut(at) {
                instr.c = pc as i32;
            }
        }
        self.code
    }

    /// Appends any instruction.
    pub fn emit(&mut self, instr: Instr) {
        self.code.push(instr);
    }

    fn emit_to(&mut self, instr: Instr, target: Label) {
        self.fixups.push((self.code.len(), target));
        self.emit(instr);
    }

    /// `c = a op b`.
    pub fn op(&mut self, op: Op, c: Slot, a: Slot, b: Operand) {
        self.emit(Instr { a: Some(a), b, c, ..Instr::new(op) });
    }

    /// `c = b`.
    pub fn mov(&mut self, c: Slot, b: Operand) {
        self.emit(Instr { b, c, ..Instr::new(Op::Mov) });
    }

    /// `c += constant`, which may be negative.
    pub fn bump(&mut self, c: Slot, constant: i32) {
        self.op(Op::Add, c, c, Operand::Imm(constant as u32));
    }

    /// Goes to `target` if the comparison `op` of a and b holds.
    pub fn branch(&mut self, op: Op, a: Slot, b: Operand, target: Label) {
        self.emit_to(Instr { a: Some(a), b, ..Instr::new(op) }, target);
    }

    /// Goes to `target`.
    pub fn jump(&mut self, target: Label) {
        self.emit_to(Instr::new(Op::Jump), target);
    }

    /// Calls code of the library with the callee's frame base at slot `frame`.
    pub fn call(&mut self, target: Label, frame: Slot) {
        let b = Operand::Imm(NO_LIMIT << 16 | frame as u32);
        self.emit_to(Instr { b, ..Instr::new(Op::Call) }, target);
    }

    /// Returns.
    pub fn ret(&mut self) {
        self.emit(Instr::new(Op::Ret));
    }

    /// A load or store by `op` with address `a + imm` and the value in (or to) slot `c`.
    pub fn access(&mut self, op: Op, c: Slot, a: Option<Slot>, imm: u32) {
        self.emit(Instr { a, b: Operand::Imm(imm), c, ..Instr::new(op) });
    }

    /// `c =` the word at the constant word address.
    pub fn get(&mut self, c: Slot, word: u32) {
        self.access(Op::LoadWord, c, None, word);
    }

    /// The word at the constant word address `=` slot `c`.
    pub fn put(&mut self, word: u32, c: Slot) {
        self.access(Op::StoreWord, c, None, word);
    }
}
