//! Builds the nodes of one block: a symbolic stack, and operations that fold constants.

use std::collections::HashMap;

use super::ir::{Dest, Exit, Id, Kind, Node, Row, Source, Target, Val, Value};
use super::{Context, LowerError};
use crate::alu::{self, Link};
use crate::front::heights::Function;
use crate::{Instr, Op, Pc, STUCK_PC, Slot, Trap};

/// A comparison; the others are these with operands exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cond {
    Eq,
    Ne,
    LtU,
    GeU,
    LtS,
    GeS,
}

impl Cond {
    pub(super) fn negate(self) -> Self {
        match self {
            Cond::Eq => Cond::Ne,
            Cond::Ne => Cond::Eq,
            Cond::LtU => Cond::GeU,
            Cond::GeU => Cond::LtU,
            Cond::LtS => Cond::GeS,
            Cond::GeS => Cond::LtS,
        }
    }

    pub(super) fn set(self) -> Op {
        match self {
            Cond::Eq => Op::SetEq,
            Cond::Ne => Op::SetNe,
            Cond::LtU => Op::SetLtU,
            Cond::GeU => Op::SetGeU,
            Cond::LtS => Op::SetLtS,
            Cond::GeS => Op::SetGeS,
        }
    }

    pub(super) fn branch(self) -> Op {
        match self {
            Cond::Eq => Op::BrEq,
            Cond::Ne => Op::BrNe,
            Cond::LtU => Op::BrLtU,
            Cond::GeU => Op::BrGeU,
            Cond::LtS => Op::BrLtS,
            Cond::GeS => Op::BrGeS,
        }
    }

    fn of_set(op: Op) -> Option<Self> {
        [Cond::Eq, Cond::Ne, Cond::LtU, Cond::GeU, Cond::LtS, Cond::GeS]
            .into_iter()
            .find(|cond| cond.set() == op)
    }
}

/// A branch condition: known, or rows of which the last one can branch.
pub(super) enum Test {
    Known(bool),
    Rows(Vec<Row>),
}

pub(super) struct Builder<'m> {
    pub context: &'m Context<'m>,
    pub function: &'m Function,
    /// Whether native operations must first make the checks of the snippet calls they replace.
    pub deep: bool,
    pub pc: u32,
    pub height: i32,
    pub low: Slot,
    pub nodes: Vec<Node>,
    pub values: Vec<Value>,
    pub stack: Vec<Option<Val>>,
    pub last: Vec<Row>,
    pub exit: Exit,
    pub falls: Option<u32>,
    /// rWasm instructions that no node stands for yet.
    pub weight: u16,
    /// Constants that a value holds.
    consts: HashMap<u32, Id>,
    /// Nodes before this one are on the other side of a call: what they read may be gone.
    barrier: usize,
    /// Values from here on belong to the present instruction.
    fresh: Id,
}

impl<'m> Builder<'m> {
    pub(super) fn new(
        context: &'m Context<'m>,
        function: &'m Function,
        deep: bool,
        pc: u32,
        height: i32,
    ) -> Self {
        Self {
            context,
            function,
            deep,
            pc,
            height,
            low: -(function.params as Slot),
            nodes: Vec::new(),
            values: Vec::new(),
            stack: Vec::new(),
            last: Vec::new(),
            exit: Exit::Nobody,
            falls: None,
            weight: 0,
            consts: HashMap::new(),
            barrier: 0,
            fresh: 0,
        }
    }

    /// Starts the instruction at `pc`.
    pub(super) fn instruction(&mut self, pc: u32) {
        self.pc = pc;
        self.weight = self.weight.saturating_add(1);
        self.fresh = self.values.len();
    }

    // The stack.

    fn cell(&mut self, slot: Slot) -> Result<&mut Option<Val>, LowerError> {
        let index =
            usize::try_from(slot - self.low).map_err(|_| LowerError::Slot { pc: self.pc, slot })?;
        if index >= self.stack.len() {
            self.stack.resize(index + 1, None);
        }
        self.stack.get_mut(index).ok_or(LowerError::Slot { pc: self.pc, slot })
    }

    pub(super) fn get(&mut self, slot: Slot) -> Result<Val, LowerError> {
        if let Some(val) = *self.cell(slot)? {
            return Ok(val);
        }
        let val = Val::Id(self.values.len());
        self.values.push(Value { source: Source::Entry(slot), home: slot });
        // It is older than this instruction.
        self.fresh = self.values.len();
        *self.cell(slot)? = Some(val);
        Ok(val)
    }

    pub(super) fn set(&mut self, slot: Slot, val: Val) -> Result<(), LowerError> {
        *self.cell(slot)? = Some(val);
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Result<Val, LowerError> {
        let val = self.get(self.height - 1)?;
        self.height -= 1;
        Ok(val)
    }

    /// Pops a 64-bit value: low word, high word.
    pub(super) fn pop64(&mut self) -> Result<[Val; 2], LowerError> {
        let high = self.pop()?;
        Ok([self.pop()?, high])
    }

    pub(super) fn push(&mut self, val: Val) -> Result<(), LowerError> {
        let slot = self.height;
        if let Val::Id(id) = val
            && id >= self.fresh
            && let Some(value) = self.values.get_mut(id)
        {
            value.home = slot;
        }
        self.height += 1;
        self.set(slot, val)
    }

    pub(super) fn push64(&mut self, [low, high]: [Val; 2]) -> Result<(), LowerError> {
        self.push(low)?;
        self.push(high)
    }

    // Nodes.

    /// A new value, to be defined by the next node.
    pub(super) fn out(&mut self) -> Id {
        self.values
            .push(Value { source: Source::Node(self.nodes.len()), home: self.height.max(0) });
        self.values.len() - 1
    }

    pub(super) fn node(&mut self, kind: Kind, rows: Vec<Row>, pure: bool) {
        let weight = std::mem::take(&mut self.weight);
        self.nodes.push(Node { kind, rows, pure, weight });
    }

    pub(super) fn rows(&mut self, rows: Vec<Row>) {
        self.node(Kind::Rows, rows, false);
    }

    /// One pure row with a result.
    pub(super) fn row(&mut self, op: Op, k: u8, a: Option<Val>, b: Option<Val>) -> Val {
        let a = a.and_then(|a| self.operand_a(a));
        let out = self.out();
        self.node(Kind::Rows, vec![Row { k, ..Row::new(op, a, b, Dest::Out(out)) }], true);
        Val::Id(out)
    }

    /// A value for operand a: absent for 0, a slot for another constant.
    pub(super) fn operand_a(&mut self, val: Val) -> Option<Val> {
        match val {
            Val::Const(0) => None,
            Val::Const(_) => Some(self.in_slot(val)),
            Val::Id(_) => Some(val),
        }
    }

    /// A value that is in a slot.
    pub(super) fn in_slot(&mut self, val: Val) -> Val {
        let Val::Const(c) = val else { return val };
        if let Some(&id) = self.consts.get(&c) {
            return Val::Id(id);
        }
        let out = self.out();
        self.node(Kind::Rows, vec![Row::new(Op::Mov, None, Some(val), Dest::Out(out))], true);
        self.consts.insert(c, out);
        Val::Id(out)
    }

    /// Values in slots above do not survive what was just emitted.
    pub(super) fn call_barrier(&mut self) {
        self.consts.clear();
        self.barrier = self.nodes.len();
    }

    /// A 32-bit operation.
    pub(super) fn op(&mut self, op: Op, a: Val, b: Val) -> Val {
        self.op_k(op, 0, a, b)
    }

    /// `Fshl` by `k` or any other operation.
    pub(super) fn op_k(&mut self, op: Op, k: u8, mut a: Val, mut b: Val) -> Val {
        use Val::{Const, Id};
        if let (Const(x), Const(y)) = (a, b) {
            let instr = Instr { k, ..Instr::new(op) };
            let folded = alu::inline(&instr, x, y, Link::default()).map(|r| r.0);
            if let Some(result) = folded.or_else(|| alu::coprocessor(&instr, x, y)) {
                return Const(result);
            }
        }
        let commutes = matches!(op, Op::Add | Op::And | Op::Or | Op::Xor | Op::Mul | Op::MulHi);
        if commutes && matches!(a, Const(_)) {
            (a, b) = (b, a);
        }
        match (op, a, b) {
            (Op::Add | Op::Sub | Op::Or | Op::Xor, a, Const(0)) => return a,
            (Op::Shl | Op::ShrU | Op::ShrS | Op::Rotl | Op::Rotr, a, Const(n)) if n % 32 == 0 => {
                return a;
            }
            (Op::Shl | Op::ShrU | Op::ShrS | Op::Rotl | Op::Rotr, Const(0), _) => return Const(0),
            (Op::And | Op::Mul | Op::MulHi, _, Const(0)) => return Const(0),
            (Op::And, a, Const(u32::MAX)) | (Op::Mul, a, Const(1)) => return a,
            (Op::MulHi, _, Const(1)) => return Const(0),
            (Op::Xor | Op::Sub, Id(x), Id(y)) if x == y => return Const(0),
            (Op::And | Op::Or, Id(x), Id(y)) if x == y => return a,
            // Additions need no coprocessor.
            (Op::Shl, a, Const(n)) if n % 32 == 1 => return self.op(Op::Add, a, a),
            (Op::Fshl, a, _) if k == 0 => return a,
            (Op::Fshl, a, Const(0)) => return self.op(Op::Shl, a, Const(k as u32)),
            (Op::Fshl, Const(0), b) => return self.op(Op::ShrU, b, Const(32 - k as u32)),
            _ => {}
        }
        self.row(op, k, Some(a), Some(b))
    }

    /// An operation with one operand.
    pub(super) fn unary(&mut self, op: Op, a: Val) -> Val {
        if let Val::Const(x) = a
            && let Some(result) = alu::coprocessor(&Instr::new(op), x, 0)
        {
            return Val::Const(result);
        }
        self.row(op, 0, Some(a), None)
    }

    /// `if cond ≠ 0 then b else old`.
    pub(super) fn cmov(&mut self, cond: Val, b: Val, old: Val) -> Val {
        match cond {
            Val::Const(0) => old,
            Val::Const(_) => b,
            Val::Id(_) if b == old => b,
            Val::Id(_) => {
                let out = self.out();
                let row = Row::new(Op::Cmov, Some(cond), Some(b), Dest::Out(out));
                self.node(Kind::Cmov(old), vec![row], true);
                Val::Id(out)
            }
        }
    }

    // Comparisons.

    /// Exchanges operands so that a constant comes second where that is possible.
    fn order(&mut self, cond: Cond, a: Val, b: Val) -> (Cond, Option<Val>, Val) {
        let swapped = match (cond, a, b) {
            (Cond::Eq | Cond::Ne, Val::Const(_), _) => Some((cond, b, a)),
            // c < x is x >= c + 1, unless c is the largest
            (Cond::LtU, Val::Const(c), _) if c != u32::MAX => {
                Some((Cond::GeU, b, Val::Const(c + 1)))
            }
            (Cond::GeU, Val::Const(c), _) if c != u32::MAX => {
                Some((Cond::LtU, b, Val::Const(c + 1)))
            }
            (Cond::LtS, Val::Const(c), _) if c != i32::MAX as u32 => {
                Some((Cond::GeS, b, Val::Const(c.wrapping_add(1))))
            }
            (Cond::GeS, Val::Const(c), _) if c != i32::MAX as u32 => {
                Some((Cond::LtS, b, Val::Const(c.wrapping_add(1))))
            }
            _ => None,
        };
        let (cond, a, b) = swapped.unwrap_or((cond, a, b));
        (cond, self.operand_a(a), b)
    }

    fn known(cond: Cond, a: Val, b: Val) -> Option<bool> {
        match (a, b) {
            (Val::Const(x), Val::Const(y)) => {
                alu::inline(&Instr::new(cond.set()), x, y, Link::default()).map(|r| r.0 != 0)
            }
            _ if a == b => Some(matches!(cond, Cond::Eq | Cond::GeU | Cond::GeS)),
            _ => None,
        }
    }

    /// The truth value of a comparison.
    pub(super) fn compare(&mut self, cond: Cond, a: Val, b: Val) -> Val {
        if let Some(known) = Self::known(cond, a, b) {
            return Val::Const(known as u32);
        }
        if let (Cond::Eq | Cond::Ne, Val::Const(0)) = (cond, b)
            && let Some(rows) = self.comparison(a)
        {
            return self.set_rows(rows, cond == Cond::Eq);
        }
        let (cond, a, b) = self.order(cond, a, b);
        let out = self.out();
        let row = Row::new(cond.set(), a, Some(b), Dest::Out(out));
        self.node(Kind::Rows, vec![row], true);
        Val::Id(out)
    }

    /// The rows of the comparison that made a value, if they can be repeated here.
    fn comparison(&self, val: Val) -> Option<Vec<Row>> {
        let Val::Id(id) = val else { return None };
        let Source::Node(index) = self.values.get(id)?.source else { return None };
        let node = self.nodes.get(index).filter(|_| index >= self.barrier)?;
        let last = node.rows.last()?;
        (last.out() == Some(id) && Cond::of_set(last.op).is_some()).then(|| node.rows.clone())
    }

    /// Repeats a comparison with a new result.
    fn set_rows(&mut self, mut rows: Vec<Row>, negate: bool) -> Val {
        let out = self.out();
        if let Some(last) = rows.last_mut()
            && let Some(cond) = Cond::of_set(last.op)
        {
            last.op = if negate { cond.negate() } else { cond }.set();
            last.c = Dest::Out(out);
        }
        self.node(Kind::Rows, rows, true);
        Val::Id(out)
    }

    /// The rows that go to `target` if `val` is not 0 (or, negated, is 0).
    pub(super) fn test(&mut self, val: Val, negate: bool, target: Target) -> Test {
        if let Some(mut rows) = self.comparison(val) {
            if let Some(last) = rows.last_mut()
                && let Some(cond) = Cond::of_set(last.op)
            {
                last.op = if negate { cond.negate() } else { cond }.branch();
                last.c = Dest::Goto(target);
            }
            return Test::Rows(rows);
        }
        let cond = if negate { Cond::Eq } else { Cond::Ne };
        self.test_that(cond, val, Val::Const(0), target)
    }

    /// The rows that go to `target` if the comparison holds.
    pub(super) fn test_that(&mut self, cond: Cond, a: Val, b: Val, target: Target) -> Test {
        if let Some(known) = Self::known(cond, a, b) {
            return Test::Known(known);
        }
        let (cond, a, b) = self.order(cond, a, b);
        Test::Rows(vec![Row::new(cond.branch(), a, Some(b), Dest::Goto(target))])
    }

    /// Leaves for a fixed pc if the comparison holds.
    pub(super) fn leave_if(&mut self, cond: Cond, a: Val, b: Val, pc: Pc) {
        match self.test_that(cond, a, b, Target::Pc(pc)) {
            Test::Known(false) => {}
            Test::Known(true) => self.rows(vec![jump(Target::Pc(pc))]),
            Test::Rows(rows) => self.rows(rows),
        }
    }

    /// Traps if the comparison holds.
    pub(super) fn trap_if(&mut self, cond: Cond, a: Val, b: Val, trap: Trap) {
        self.leave_if(cond, a, b, trap.code() as Pc);
    }

    // Memory.

    /// The word at `base + a` of the whole space.
    pub(super) fn load_word(&mut self, base: u32, a: Val) -> Val {
        match a {
            Val::Const(c) => {
                self.row(Op::LoadWord, 0, None, Some(Val::Const(base.wrapping_add(c))))
            }
            Val::Id(_) => self.row(Op::LoadWord, 0, Some(a), Some(Val::Const(base))),
        }
    }

    /// Stores a word at `base + a` of the whole space.
    pub(super) fn store_word(&mut self, base: u32, a: Val, val: Val) {
        let stored = Dest::Stored(self.in_slot(val));
        let (a, b) = match a {
            Val::Const(c) => (None, base.wrapping_add(c)),
            Val::Id(_) => (Some(a), base),
        };
        self.rows(vec![Row::new(Op::StoreWord, a, Some(Val::Const(b)), stored)]);
    }

    // Ends.

    /// The block ends here and never comes back.
    pub(super) fn end_at(&mut self, pc: Pc) {
        self.last = vec![jump(Target::Pc(pc))];
        self.exit = Exit::Nobody;
    }

    pub(super) fn end_with(&mut self, trap: Trap) {
        self.end_at(trap.code() as Pc);
    }

    /// The path ends at a call that never returns.
    pub(super) fn end_stuck(&mut self) {
        self.end_at(STUCK_PC);
    }
}

/// An unconditional jump.
pub(super) fn jump(target: Target) -> Row {
    Row::new(Op::Jump, None, None, Dest::Goto(target))
}
