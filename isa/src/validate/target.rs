//! Runs the lowered rows of a block symbolically, as `docs/spec/machine.md` defines them.

use std::collections::BTreeSet;

use super::ValidateError;
use super::labels::{Label, Labels};
use super::source::{constant_address, table_case};
use super::state::{Callee, Effect, Key, PAGES, Path, Run};
use super::term::{Fun, Term, Terms};
use super::wide::Wide;
use crate::layout::CALL_LIMIT;
use crate::runtime::asm::NO_LIMIT;
use crate::{HALT_PC, Instr, Op, Operand, Pc, Slot};

/// Largest slot that code may use: scratch above the highest frame that the check of heights
/// allows. Frames and scratch together stay within the stack's region.
const MAX_SLOT: Slot = 1 << 15;
/// Rows that a block may run through besides its own: out-of-line code.
const MORE_ROWS: usize = 256;
/// How deep out-of-line code may branch to more of it.
const MAX_DEPTH: usize = 8;

/// What the rows of a block start from.
pub(super) struct Start<'a> {
    /// The program's code.
    pub(super) code: &'a [Instr],
    pub(super) labels: &'a Labels,
    /// The block.
    pub(super) label: Label,
    pub(super) pc: Pc,
    /// Number of its rows.
    pub(super) rows: usize,
    /// Lowest slot of the frame.
    pub(super) low: Slot,
    /// Slots that hold what rWasm has in them; nothing may depend on the others.
    pub(super) live: &'a BTreeSet<Slot>,
    /// The block's rWasm run: it says how many slots a call takes and leaves.
    pub(super) source: &'a Run,
}

/// The rows' run.
pub(super) struct Target {
    pub(super) run: Run,
    /// Room above the frame base that entering the fast version guarantees.
    pub(super) room: Option<u32>,
}

/// What a chained row takes from the row before.
#[derive(Clone, Copy)]
enum Link {
    /// The carry of an addition.
    Sum(Term),
    /// Borrow of a difference, and whether all words so far were equal.
    Difference { borrow: Term, equal: Term },
}

pub(super) fn run(start: &Start<'_>, terms: &mut Terms) -> Result<Target, ValidateError> {
    let run = Run::knowing(start.live.clone());
    let mut machine = Machine { start, terms, run, room: None, rows: 0, depth: 0 };
    let always = machine.terms.constant(1);
    machine.path(start.pc, always, Path::default(), true)?;
    Ok(Target { run: machine.run, room: machine.room })
}

struct Machine<'a> {
    start: &'a Start<'a>,
    terms: &'a mut Terms,
    run: Run,
    room: Option<u32>,
    rows: usize,
    depth: usize,
}

impl Machine<'_> {
    fn refuse<T>(&self, pc: Pc, why: &'static str) -> Result<T, ValidateError> {
        Err(ValidateError::Row { block: self.start.label.source, pc, why })
    }

    fn get(&mut self, path: &Path, slot: Slot) -> Term {
        self.run.slot(self.terms, path, slot)
    }

    fn set(&self, pc: Pc, path: &mut Path, slot: Slot, term: Term) -> Result<(), ValidateError> {
        if !(self.start.low..MAX_SLOT).contains(&slot) {
            return self.refuse(pc, "writes a slot outside its frame");
        }
        path.slots.insert(slot, term);
        Ok(())
    }

    /// Effects other than leaving must happen on every path that gets here.
    fn certain(&self, pc: Pc, guard: Term) -> Result<(), ValidateError> {
        if self.terms.value(guard) == Some(1) {
            return Ok(());
        }
        self.refuse(pc, "has an effect under a condition")
    }

    fn leave(&mut self, pc: Pc, guard: Term, target: Pc) -> Result<(), ValidateError> {
        if target == HALT_PC {
            return self.refuse(pc, "halts");
        }
        self.run.leave(self.terms, guard, target);
        Ok(())
    }

    /// Runs what a branch leads to.
    fn branch(&mut self, pc: Pc, guard: Term, path: Path) -> Result<(), ValidateError> {
        if self.depth == MAX_DEPTH {
            return self.refuse(pc, "is reached by too many branches");
        }
        self.depth += 1;
        self.path(pc, guard, path, false)?;
        self.depth -= 1;
        Ok(())
    }

    /// Runs on from `pc` to all exits. A `fresh` path stands at its block's own label.
    fn path(
        &mut self,
        mut pc: Pc,
        mut guard: Term,
        mut path: Path,
        mut fresh: bool,
    ) -> Result<(), ValidateError> {
        let mut link: Option<Link> = None;
        loop {
            if !fresh && let Some(key) = self.boundary(pc) {
                self.exit(key, guard, path);
                return Ok(());
            }
            fresh = false;
            if pc <= HALT_PC {
                return self.leave(pc, guard, pc);
            }
            self.rows += 1;
            let instr = match self.start.code.get(pc as usize) {
                Some(instr) if self.rows <= self.start.rows + MORE_ROWS => *instr,
                _ => return self.refuse(pc, "runs on without end"),
            };
            if !well_formed(&instr) {
                return self.refuse(pc, "has operands that its operation does not take");
            }
            if instr.fuel > 0 {
                if instr.chain {
                    return self.refuse(pc, "charges fuel in a chained row");
                }
                self.certain(pc, guard)?;
                let (low, high) = (self.terms.constant(instr.fuel.into()), self.terms.constant(0));
                self.run.effects.push(Effect::Fuel { low, high });
            }
            let before = link.take();
            if instr.op.branches() {
                let taken = self.comparison(pc, &instr, &path, before)?;
                let both = self.terms.and(guard, taken);
                let exits = self.run.exits.len();
                if instr.c as Pc <= HALT_PC {
                    self.leave(pc, both, instr.c as Pc)?;
                } else {
                    self.branch(instr.c as Pc, both, path.clone())?;
                }
                // A way that only leaves for the fixed pcs needs no condition after it.
                if self.run.exits.len() > exits || self.terms.value(taken) == Some(1) {
                    let not = self.terms.not(taken);
                    guard = self.terms.and(guard, not);
                }
                if self.terms.value(guard) == Some(0) {
                    return Ok(());
                }
                pc += 1;
                continue;
            }
            match self.step(pc, &instr, guard, &mut path, before)? {
                Step::Next(made) => (link, pc) = (made, pc + 1),
                Step::Go(target) => pc = target,
                Step::Skip => pc += 2,
                Step::Done => return Ok(()),
            }
        }
    }

    /// The exit that the pc means when another block's label stands there.
    fn boundary(&self, pc: Pc) -> Option<Key> {
        let here = self.start.label;
        let labels = self.start.labels.at(pc);
        if let Some(entry) = labels.iter().find(|l| l.entry) {
            return Some(Key::Tail(Callee::Function(entry.source), 0));
        }
        // From the fast version to the deep one is always right; the other way only in the head
        // of the function, before the check that the fast version relies on.
        let own = labels.iter().filter(|l| l.function == here.function);
        let own = own.filter(|l| l.deep || !here.deep || l.head);
        own.map(|l| Key::Block(l.source)).next()
    }

    fn exit(&mut self, key: Key, guard: Term, path: Path) {
        self.run.exit(self.terms, key, guard, path);
    }

    fn a(&mut self, instr: &Instr, path: &Path) -> Term {
        match instr.a {
            Some(slot) => self.get(path, slot),
            None => self.terms.constant(0),
        }
    }

    fn b(&mut self, instr: &Instr, path: &Path) -> Term {
        match instr.b {
            Operand::Slot(slot) => self.get(path, slot),
            Operand::Imm(value) => self.terms.constant(value),
            Operand::None => self.terms.constant(0),
        }
    }

    fn imm(&self, pc: Pc, instr: &Instr) -> Result<u32, ValidateError> {
        match instr.b {
            Operand::Imm(value) => Ok(value),
            Operand::None => Ok(0),
            Operand::Slot(_) => self.refuse(pc, "has a slot where a constant belongs"),
        }
    }

    /// The truth value of a `Set…` or `Br…` row.
    fn comparison(
        &mut self,
        pc: Pc,
        instr: &Instr,
        path: &Path,
        before: Option<Link>,
    ) -> Result<Term, ValidateError> {
        let (a, b) = (self.a(instr, path), self.b(instr, path));
        let (borrow, equal) = self.difference(pc, instr, before)?;
        let t = &mut *self.terms;
        let truth = match instr.op {
            Op::SetEq | Op::SetNe | Op::BrEq | Op::BrNe => {
                // While all words before are equal there is no borrow.
                let same = t.eq(a, b);
                t.and(equal, same)
            }
            Op::SetLtU | Op::SetGeU | Op::BrLtU | Op::BrGeU => t.app(Fun::LtU, &[a, b, borrow]),
            _ => t.app(Fun::LtS, &[a, b, borrow]),
        };
        use Op::{BrGeS, BrGeU, BrNe, SetGeS, SetGeU, SetNe};
        let negated = matches!(instr.op, SetNe | SetGeU | SetGeS | BrNe | BrGeU | BrGeS);
        Ok(if negated { t.not(truth) } else { truth })
    }

    /// Borrow and equality that a difference or comparison starts from.
    fn difference(
        &mut self,
        pc: Pc,
        instr: &Instr,
        before: Option<Link>,
    ) -> Result<(Term, Term), ValidateError> {
        match (instr.chain, before) {
            (false, _) => Ok((self.terms.constant(0), self.terms.constant(1))),
            (true, Some(Link::Difference { borrow, equal })) => Ok((borrow, equal)),
            _ => self.refuse(pc, "is chained to a row of another kind"),
        }
    }

    fn step(
        &mut self,
        pc: Pc,
        instr: &Instr,
        guard: Term,
        path: &mut Path,
        before: Option<Link>,
    ) -> Result<Step, ValidateError> {
        use Op::*;
        let chains =
            matches!(instr.op, Add | Sub | Cmp | SetEq | SetNe | SetLtU | SetGeU | SetLtS | SetGeS);
        if instr.chain && !chains {
            return self.refuse(pc, "cannot be chained");
        }
        let mut link = None;
        let result = match instr.op {
            Mov => self.b(instr, path),
            Cmov => {
                let (a, b) = (self.a(instr, path), self.b(instr, path));
                let old = self.get(path, instr.c);
                let when = self.terms.truth(a);
                self.terms.ite(when, b, old)
            }
            Add => {
                let (a, b) = (self.a(instr, path), self.b(instr, path));
                let sum = self.terms.op(Add, a, b);
                let carry = self.terms.lt_u(sum, a);
                let (sum, carry) = match (instr.chain, before) {
                    (false, _) => (sum, carry),
                    (true, Some(Link::Sum(before))) => {
                        let all = self.terms.op(Add, sum, before);
                        let second = self.terms.lt_u(all, before);
                        (all, self.terms.or(carry, second))
                    }
                    _ => return self.refuse(pc, "is chained to a row of another kind"),
                };
                link = Some(Link::Sum(carry));
                sum
            }
            Sub | Cmp => {
                let (a, b) = (self.a(instr, path), self.b(instr, path));
                let (borrow, equal) = self.difference(pc, instr, before)?;
                let less = self.terms.app(Fun::LtU, &[a, b, borrow]);
                let same = self.terms.eq(a, b);
                let equal = self.terms.and(equal, same);
                link = Some(Link::Difference { borrow: less, equal });
                if instr.op == Cmp {
                    return Ok(Step::Next(link));
                }
                let difference = self.terms.op(Sub, a, b);
                self.terms.op(Sub, difference, borrow)
            }
            SetEq | SetNe | SetLtU | SetGeU | SetLtS | SetGeS => {
                self.comparison(pc, instr, path, before)?
            }
            Load | Load8S | Load8U | Load16S | Load16U => {
                self.certain(pc, guard)?;
                let (address, offset) = (self.a(instr, path), self.imm(pc, instr)?);
                let (address, offset) = constant_address(self.terms, address, offset);
                let result = self.run.result(self.terms, 0);
                self.run.effects.push(Effect::Load { op: instr.op, address, offset });
                result
            }
            Store | Store8 | Store16 => {
                self.certain(pc, guard)?;
                let (address, offset) = (self.a(instr, path), self.imm(pc, instr)?);
                let (address, offset) = constant_address(self.terms, address, offset);
                let value = self.get(path, instr.c);
                self.run.effects.push(Effect::Store { op: instr.op, address, offset, value });
                return Ok(Step::Next(None));
            }
            LoadWord => {
                let (index, base) = (self.a(instr, path), self.imm(pc, instr)?);
                self.run.word(self.terms, path, base, index)
            }
            StoreWord => {
                self.certain(pc, guard)?;
                let (index, base) = (self.a(instr, path), self.imm(pc, instr)?);
                let value = self.get(path, instr.c);
                if !self.run.set_word(self.terms, path, (base, index), value) {
                    return self.refuse(pc, "stores to a region that is not its own");
                }
                return Ok(Step::Next(None));
            }
            And | Or | Xor | Shl | ShrU | ShrS | Rotl | Rotr | Fshl | Mul | MulHi | DivU | RemU
            | Clz | Ctz | Popcnt | Extend8S | Extend16S => {
                let (a, b) = (self.a(instr, path), self.b(instr, path));
                self.terms.app(Fun::Alu(instr.op, instr.k), &[a, b])
            }
            DivU64Lo | RemU64Lo => {
                self.divide64(pc, instr, path)?;
                return Ok(Step::Skip);
            }
            Pages => {
                let zero = self.terms.constant(0);
                let pages = self.run.word(self.terms, path, PAGES, zero);
                if instr.b != Operand::None {
                    self.certain(pc, guard)?;
                    let new = self.b(instr, path);
                    self.run.set_word(self.terms, path, (PAGES, zero), new);
                }
                pages
            }
            FuelCharge => {
                self.certain(pc, guard)?;
                let (high, low) = (self.a(instr, path), self.b(instr, path));
                self.run.effects.push(Effect::Fuel { low, high });
                return Ok(Step::Next(None));
            }
            Limit => {
                self.certain(pc, guard)?;
                let imm = self.imm(pc, instr)?;
                if imm & 0xffff != 0 {
                    return self.refuse(pc, "has operands that its operation does not take");
                }
                self.run.effects.push(Effect::Depth(imm >> 16));
                return Ok(Step::Next(None));
            }
            Enter => return self.enter(pc, instr, guard, path),
            Jump | JumpReg | BrTable | Call | CallReg | Ret => {
                return self.control(pc, instr, guard, path);
            }
            DivU64Hi | RemU64Hi => return self.refuse(pc, "lacks the row before it"),
            LoadBytes | LoadByte | StoreByte | FuelLeftLo | FuelLeftHi | KeccakF => {
                return self.refuse(pc, "is for the library alone");
            }
            BrEq | BrNe | BrLtU | BrGeU | BrLtS | BrGeS => {
                return self.refuse(pc, "is no step");
            }
        };
        self.set(pc, path, instr.c, result)?;
        Ok(Step::Next(link))
    }

    /// The two rows of a 64-bit division.
    fn divide64(&mut self, pc: Pc, low: &Instr, path: &mut Path) -> Result<(), ValidateError> {
        let (second, wide) = match low.op {
            Op::DivU64Lo => (Op::DivU64Hi, Wide::DivU),
            _ => (Op::RemU64Hi, Wide::RemU),
        };
        let high = match self.start.code.get(pc as usize + 1) {
            Some(high) if high.op == second && !high.chain && high.fuel == 0 => *high,
            _ => return self.refuse(pc, "lacks the row after it"),
        };
        if !self.start.labels.at(pc + 1).is_empty() {
            return self.refuse(pc + 1, "can be reached without the row before it");
        }
        if high.a == Some(low.c) || high.b == Operand::Slot(low.c) {
            return self.refuse(pc + 1, "reads what the row before it wrote");
        }
        let a = [self.a(low, path), self.a(&high, path)];
        let b = [self.b(low, path), self.b(&high, path)];
        let words = [a[0], a[1], b[0], b[1]];
        for (part, row) in [low, &high].into_iter().enumerate() {
            let word = self.terms.app(Fun::Wide(wide, part as u8), &words);
            self.set(pc, path, row.c, word)?;
        }
        Ok(())
    }

    fn enter(
        &mut self,
        pc: Pc,
        instr: &Instr,
        guard: Term,
        path: &Path,
    ) -> Result<Step, ValidateError> {
        self.certain(pc, guard)?;
        let imm = self.imm(pc, instr)?;
        if imm & 0xffff != 0 {
            self.run.effects.push(Effect::Stack(imm & 0xffff));
        }
        if instr.c as Pc != pc + 1 {
            let here = self.start.label;
            let twin = self.start.labels.at(instr.c as Pc).iter();
            let twin = twin.copied().find(|l| l.deep && l.function == here.function && !here.deep);
            let Some(twin) = twin else {
                return self.refuse(pc, "enters something that is not its deep version");
            };
            self.exit(Key::Deep(twin.source), guard, path.clone());
            self.room = Some(imm >> 16);
        }
        Ok(Step::Next(None))
    }

    fn control(
        &mut self,
        pc: Pc,
        instr: &Instr,
        guard: Term,
        path: &mut Path,
    ) -> Result<Step, ValidateError> {
        let imm = self.imm(pc, instr)?;
        let (low, high) = ((imm & 0xffff) as Slot, imm >> 16);
        let shift = low - high as Slot;
        match instr.op {
            Op::Ret => self.exit(Key::Return, guard, path.clone()),
            Op::BrTable => {
                let index = self.a(instr, path);
                for i in 0..=imm {
                    let case = table_case(self.terms, index, i, imm);
                    let case = self.terms.and(guard, case);
                    self.branch(pc + 1 + i, case, path.clone())?;
                }
            }
            Op::JumpReg => {
                let callee = Callee::Indirect(self.a(instr, path));
                self.exit(Key::Tail(callee, shift), guard, path.clone());
            }
            Op::Jump => {
                let target = instr.c as Pc;
                if let Some(routine) = self.start.labels.routine(target) {
                    if !routine.is_exit() {
                        return self.refuse(pc, "jumps to a routine that returns");
                    }
                    self.certain(pc, guard)?;
                    self.routine_call(routine, shift, path);
                } else if shift != 0 {
                    let label = self.start.labels.at(target).iter().find(|l| l.entry);
                    let Some(label) = label else {
                        return self.refuse(pc, "moves the frame without entering a function");
                    };
                    let key = Key::Tail(Callee::Function(label.source), shift);
                    self.exit(key, guard, path.clone());
                } else {
                    return Ok(Step::Go(target));
                }
            }
            Op::Call | Op::CallReg => return self.call(pc, instr, guard, path, (low, high)),
            _ => return self.refuse(pc, "is no control flow"),
        }
        Ok(Step::Done)
    }

    fn routine_call(&mut self, routine: crate::runtime::Routine, base: Slot, path: &mut Path) {
        let (params, results) = routine.slots();
        let args = (0..params as Slot).map(|i| self.get(path, base + i)).collect();
        let leaves: Vec<Term> = (0..results).map(|k| self.run.result(self.terms, k)).collect();
        let callee = Callee::Routine(routine);
        self.run.call(path, (callee, 0), args, Some(results));
        self.after_call(base, &leaves, path);
    }

    /// Nothing survives at `first` or above but the results.
    fn after_call(&self, first: Slot, results: &[Term], path: &mut Path) {
        path.slots.split_off(&first);
        path.lost = Some(path.lost.map_or(first, |from| from.min(first)));
        path.slots.extend((first..).zip(results.iter().copied()));
    }

    fn call(
        &mut self,
        pc: Pc,
        instr: &Instr,
        guard: Term,
        path: &mut Path,
        (base, limit): (Slot, u32),
    ) -> Result<Step, ValidateError> {
        self.certain(pc, guard)?;
        let target = instr.c as Pc;
        if instr.op == Op::Call
            && let Some(routine) = self.start.labels.routine(target)
        {
            if limit != NO_LIMIT {
                return self.refuse(pc, "calls a routine with a depth limit");
            }
            self.routine_call(routine, base, path);
            return Ok(if routine.is_exit() { Step::Done } else { Step::Next(None) });
        }
        let callee = if instr.op == Op::CallReg {
            Callee::Indirect(self.a(instr, path))
        } else {
            let label = self.start.labels.at(target).iter().find(|l| l.entry);
            match label {
                Some(label) => Callee::Function(label.source),
                None => return self.refuse(pc, "calls something that is no function"),
            }
        };
        if limit != CALL_LIMIT {
            return self.refuse(pc, "calls a function with another depth limit");
        }
        self.run.effects.push(Effect::Depth(limit));
        let at = self.run.effects.len();
        let Some(Effect::Call { args, results, .. }) = self.start.source.effects.get(at) else {
            return self.refuse(pc, "calls where rWasm does not");
        };
        let (params, results) = (args.len() as Slot, *results);
        let first = base - params;
        let args = (first..base).map(|slot| self.get(path, slot)).collect();
        let count = results.unwrap_or(0);
        let leaves: Vec<Term> = (0..count).map(|k| self.run.result(self.terms, k)).collect();
        self.run.call(path, (callee, base), args, results);
        self.after_call(first, &leaves, path);
        Ok(if results.is_some() { Step::Next(None) } else { Step::Done })
    }
}

/// Whether a row has only the operands that its operation is defined for.
fn well_formed(instr: &Instr) -> bool {
    use Op::*;
    let no_a = instr.a.is_none();
    let (no_b, no_slot) = (instr.b == Operand::None, !matches!(instr.b, Operand::Slot(_)));
    let operands = match instr.op {
        Mov | Pages => no_a,
        Clz | Ctz | Popcnt | Extend8S | Extend16S => no_b,
        Load | Load8S | Load8U | Load16S | Load16U | LoadWord => no_slot,
        Store | Store8 | Store16 | StoreWord => no_slot,
        Jump | Call | Limit | Enter => no_a && no_slot,
        JumpReg | CallReg | BrTable => !no_a && no_slot,
        Ret => no_a && no_b,
        _ => true,
    };
    operands && if instr.op == Fshl { instr.k < 32 } else { instr.k == 0 }
}

/// Where a path goes after a row.
enum Step {
    /// To the next row, which may be chained.
    Next(Option<Link>),
    Go(Pc),
    /// Past the next row.
    Skip,
    Done,
}
