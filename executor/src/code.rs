//! Instructions as the interpreter wants them: operand modes resolved into masks, so that reading
//! an operand takes no branch.

use rwprove_isa::{HALT_PC, Instr, Op, Operand, Pc, Program, STUCK_PC, alu};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An operation.
    Op(Op),
    /// The run is over.
    Halt,
    /// The program loops for ever.
    Stuck,
}

/// One decoded instruction. A slot operand has mask `!0`; an absent one reads slot 0 of the frame
/// under mask 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) a: u32,
    pub(crate) a_mask: u32,
    pub(crate) b: u32,
    pub(crate) b_mask: u32,
    /// The constant of operand b, 0 without one. Stores and loads have it beside a slot.
    pub(crate) imm: u32,
    pub(crate) c: u32,
    pub(crate) fuel: u16,
    pub(crate) weight: u16,
    pub(crate) kind: Kind,
    pub(crate) k: u8,
    pub(crate) chain: bool,
    pub(crate) b_given: bool,
}

impl Step {
    pub(crate) fn new(instr: &Instr, weight: u16) -> Self {
        let store = instr.op.flags() & rwprove_isa::Flag::Store.bit() != 0;
        let slot = match instr.b {
            _ if store => Some(instr.c),
            Operand::Slot(slot) => Some(slot),
            _ => None,
        };
        let mask = |slot: Option<i32>| if slot.is_some() { u32::MAX } else { 0 };
        Self {
            a: instr.a.unwrap_or(0) as u32,
            a_mask: mask(instr.a),
            b: slot.unwrap_or(0) as u32,
            b_mask: mask(slot),
            imm: if let Operand::Imm(imm) = instr.b { imm } else { 0 },
            c: instr.c as u32,
            fuel: instr.fuel,
            weight,
            kind: Kind::Op(instr.op),
            k: instr.k,
            chain: instr.chain,
            b_given: instr.b != Operand::None,
        }
    }

    /// Whether the row before must be in the same shard.
    #[inline]
    pub(crate) fn linked(&self) -> bool {
        self.chain || matches!(self.kind, Kind::Op(Op::DivU64Hi | Op::RemU64Hi))
    }
}

/// A decoded program.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) steps: Vec<Step>,
    /// Instructions in the longest group that must not be cut.
    pub(crate) group: u64,
}

impl Code {
    /// Decodes; running stops at `HALT_PC` and, if given, at `stop`.
    pub(crate) fn new(program: &Program, stop: Option<Pc>) -> Self {
        let weights = program.weights.iter().copied().chain(std::iter::repeat(0));
        let mut steps: Vec<_> =
            program.code.iter().zip(weights).map(|(i, weight)| Step::new(i, weight)).collect();
        for (pc, kind) in
            [(Some(HALT_PC), Kind::Halt), (Some(STUCK_PC), Kind::Stuck), (stop, Kind::Halt)]
        {
            if let Some(step) = pc.and_then(|pc| steps.get_mut(pc as usize)) {
                step.kind = kind;
                step.chain = false;
            }
        }
        let (mut group, mut run) = (1, 0);
        for step in &steps {
            run = if step.linked() { run + 1 } else { 1 };
            group = group.max(run);
        }
        Self { steps, group }
    }
}

/// The instruction of a step as [`alu`] wants it. With a constant operation the compiler keeps
/// nothing of it.
#[inline(always)]
pub(crate) fn instr(op: Op, step: &Step) -> Instr {
    Instr { chain: step.chain, k: step.k, ..Instr::new(op) }
}

/// Result and link of an operation of the cpu table.
#[inline(always)]
pub(crate) fn inline(op: Op, step: &Step, a: u32, b: u32, link: alu::Link) -> (u32, alu::Link) {
    alu::inline(&instr(op, step), a, b, link).unwrap_or_default()
}
