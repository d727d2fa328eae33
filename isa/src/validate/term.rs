//! Values as terms: what a slot holds, as a function of what was there at the block's start.
//!
//! Terms are hash-consed, so equal terms have equal numbers and a term's parts have smaller
//! numbers than the term. The constructors fold constants and apply a few rewrite rules, each of
//! which is an identity of 32-bit arithmetic.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};

use super::wide::Wide;
use crate::alu::{self, Link};
use crate::{Instr, Op};

/// Number of a term in its [`Terms`].
pub(super) type Term = u32;

/// What is not known further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Leaf {
    /// A slot at the block's start.
    Slot(i32),
    /// A private word after that many calls of the block.
    Word(u32, u32),
    /// Result `k` of effect number `n`.
    Result(u32, u32),
    /// A slot of unknown contents after that many calls: nothing may depend on it.
    Junk(i32, u32),
}

/// What is applied to arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fun {
    /// An operation of the lowered instruction set on one or two words; with the shift of `Fshl`.
    Alu(Op, u8),
    /// a == b
    Eq,
    /// a < b + c, unsigned, with c = 0 or 1
    LtU,
    /// a < b + c, signed, with c = 0 or 1
    LtS,
    /// 1 - a, of a truth value
    Not,
    /// a = 1 ? b : c, of a truth value a
    Ite,
    /// a / b signed; b ≠ 0 and no overflow
    DivS,
    /// a mod b signed; b ≠ 0
    RemS,
    /// A word of the result of an operation on several words.
    Wide(Wide, u8),
    /// The word at constant address + a, after that many writes and calls.
    Read(u32, u32),
}

/// A term.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Leaf(Leaf),
    Const(u32),
    App(Fun, Box<[Term]>),
}

/// Most terms of a block.
const MAX_TERMS: usize = 1 << 22;
/// What a new term costs, where looking at one costs 1.
const NEW_TERM: u64 = 32;
/// Most rewritings inside each other: deeper terms stay as they are.
const MAX_DEPTH: u32 = 64;
/// Most parts of one conjunction that is put into order.
const MAX_CONJUNCTION: usize = 128;

/// All terms of a block.
pub(super) struct Terms {
    nodes: Vec<Node>,
    /// Whether each is a truth value.
    truths: Vec<bool>,
    index: HashMap<Node, Term>,
    /// What was found to be equal to a term's being a constant: parts may be shared many times.
    parts: HashMap<(Term, u32), Option<Term>>,
    /// Rewritings that are going on.
    depth: u32,
    /// Work that may still be done. Whoever made the module also chose how much there is; at 0 all
    /// results are meaningless, and the program is refused.
    left: Cell<u64>,
}

impl Terms {
    /// No terms, and so much work to do.
    pub(super) fn new(work: u64) -> Self {
        Self {
            nodes: Vec::new(),
            truths: Vec::new(),
            index: HashMap::new(),
            parts: HashMap::new(),
            depth: 0,
            left: Cell::new(work),
        }
    }

    /// Work that may still be done.
    pub(super) fn left(&self) -> u64 {
        self.left.get()
    }

    /// Does work; whether any is left.
    pub(super) fn spend(&self, work: u64) -> bool {
        let left = self.left.get().saturating_sub(work);
        self.left.set(left);
        left > 0
    }

    /// The term's node.
    pub(super) fn node(&self, term: Term) -> &Node {
        &self.nodes[term as usize]
    }

    /// Number of terms: the number of the next new one.
    pub(super) fn len(&self) -> Term {
        self.nodes.len() as Term
    }

    fn intern(&mut self, node: Node) -> Term {
        if let Some(&term) = self.index.get(&node) {
            self.spend(1);
            return term;
        }
        if self.nodes.len() >= MAX_TERMS {
            self.left.set(0);
        }
        if !self.spend(NEW_TERM) && !self.nodes.is_empty() {
            return 0;
        }
        let term = self.nodes.len() as Term;
        self.truths.push(self.makes_truth(&node));
        self.nodes.push(node.clone());
        self.index.insert(node, term);
        term
    }

    pub(super) fn leaf(&mut self, leaf: Leaf) -> Term {
        self.intern(Node::Leaf(leaf))
    }

    pub(super) fn constant(&mut self, value: u32) -> Term {
        self.intern(Node::Const(value))
    }

    /// The value, if it is constant.
    pub(super) fn value(&self, term: Term) -> Option<u32> {
        match self.node(term) {
            Node::Const(value) => Some(*value),
            _ => None,
        }
    }

    /// Whether the value is 0 or 1 whatever the leaves are.
    pub(super) fn is_truth(&self, term: Term) -> bool {
        self.truths[term as usize]
    }

    fn makes_truth(&self, node: &Node) -> bool {
        match node {
            Node::Const(value) => *value <= 1,
            Node::App(Fun::Eq | Fun::LtU | Fun::LtS | Fun::Not, _) => true,
            Node::App(Fun::Alu(Op::And | Op::Or | Op::Xor, _), args) => {
                args.iter().all(|&a| self.is_truth(a))
            }
            Node::App(Fun::Ite, args) => self.is_truth(args[1]) && self.is_truth(args[2]),
            _ => false,
        }
    }

    pub(super) fn op(&mut self, op: Op, a: Term, b: Term) -> Term {
        self.app(Fun::Alu(op, 0), &[a, b])
    }

    /// Applies a function: folded, rewritten, or as a new term.
    pub(super) fn app(&mut self, fun: Fun, args: &[Term]) -> Term {
        let values: Option<Vec<u32>> = args.iter().map(|&a| self.value(a)).collect();
        if let Some(value) = values.and_then(|values| eval(fun, &values)) {
            return self.constant(value);
        }
        if self.depth < MAX_DEPTH && self.left() > 0 {
            self.depth += 1;
            let rewritten = self.rewrite(fun, args);
            self.depth -= 1;
            if let Some(term) = rewritten {
                return term;
            }
        }
        let node = self.application(fun, args);
        self.intern(node)
    }

    fn application(&self, fun: Fun, args: &[Term]) -> Node {
        let mut args: Box<[Term]> = args.into();
        if commutes(fun) {
            // Constants last, otherwise by number.
            args.sort_by_key(|&a| (self.value(a).is_some(), a));
        }
        Node::App(fun, args)
    }

    /// The term for a function of these arguments, if there is one.
    pub(super) fn find(&self, fun: Fun, args: &[Term]) -> Option<Term> {
        self.index.get(&self.application(fun, args)).copied()
    }

    fn rewrite(&mut self, fun: Fun, args: &[Term]) -> Option<Term> {
        use Fun::*;
        let (a, b) = (args[0], args.get(1).copied().unwrap_or(args[0]));
        let (x, y) = (self.value(a), args.get(1).and_then(|&b| self.value(b)));
        match fun {
            Alu(Op::Add, _) if x.is_some() => Some(self.op(Op::Add, b, a)),
            Alu(Op::Sub, _) if a == b => Some(self.constant(0)),
            Alu(Op::Sub, _) if y.is_some() => {
                let minus = self.constant(y?.wrapping_neg());
                Some(self.op(Op::Add, a, minus))
            }
            Alu(Op::Add, _) => match (y?, self.node(a)) {
                (0, _) => Some(a),
                (y, &Node::App(Alu(Op::Add, _), ref inner)) => {
                    let (inner, z) = (inner[0], self.value(inner[1])?);
                    let sum = self.constant(z.wrapping_add(y));
                    Some(self.op(Op::Add, inner, sum))
                }
                _ => None,
            },
            Alu(Op::And, _)
                if x.is_none() && y.is_none() && self.is_truth(a) && self.is_truth(b) =>
            {
                self.conjunction(a, b)
            }
            Alu(Op::And | Op::Or, _) if a == b => Some(a),
            Alu(Op::Xor, _) if a == b => Some(self.constant(0)),
            Alu(op @ (Op::And | Op::Or | Op::Xor | Op::Mul | Op::MulHi), _) => {
                let (term, constant) = if x.is_some() { (b, x?) } else { (a, y?) };
                match (op, constant) {
                    (Op::And | Op::Mul | Op::MulHi, 0) | (Op::MulHi, 1) => Some(self.constant(0)),
                    (Op::And, u32::MAX) | (Op::Or | Op::Xor, 0) | (Op::Mul, 1) => Some(term),
                    (Op::And, 1) if self.is_truth(term) => Some(term),
                    (Op::Or, 1) if self.is_truth(term) => Some(self.constant(1)),
                    (Op::Xor, 1) if self.is_truth(term) => Some(self.app(Not, &[term])),
                    _ => None,
                }
            }
            Alu(Op::Shl, _) if y.map(|y| y % 32) == Some(1) => Some(self.op(Op::Add, a, a)),
            Alu(Op::Shl | Op::ShrU | Op::ShrS | Op::Rotl | Op::Rotr, _) if x == Some(0) => Some(a),
            Alu(Op::Shl | Op::ShrU | Op::ShrS | Op::Rotl | Op::Rotr, _) => {
                (y? % 32 == 0).then_some(a)
            }
            Alu(Op::Fshl, 0) => Some(a),
            Alu(Op::Fshl, k) if y == Some(0) => {
                let by = self.constant(k.into());
                Some(self.op(Op::Shl, a, by))
            }
            Alu(Op::Fshl, k) if x == Some(0) => {
                let by = self.constant(32 - u32::from(k));
                Some(self.op(Op::ShrU, b, by))
            }
            Eq if a == b => Some(self.constant(1)),
            Eq => {
                let (term, constant) = if x.is_some() { (b, x?) } else { (a, y?) };
                match constant {
                    0 if self.is_truth(term) => Some(self.app(Not, &[term])),
                    1 if self.is_truth(term) => Some(term),
                    _ => self.equal_parts(term, constant),
                }
            }
            LtU if self.value(args[2]) == Some(0) => {
                let zero = self.constant(0);
                match (x, y) {
                    (_, Some(0)) => Some(zero),
                    (_, Some(1)) => Some(self.app(Eq, &[a, zero])),
                    (_, Some(_)) if self.is_truth(a) => Some(self.constant(1)),
                    (Some(0), _) => {
                        let eq = self.app(Eq, &[b, zero]);
                        Some(self.app(Not, &[eq]))
                    }
                    // c < b is b >= c + 1
                    (Some(c), _) if c != u32::MAX => {
                        let next = self.constant(c + 1);
                        let less = self.lt_u(b, next);
                        Some(self.not(less))
                    }
                    _ if a == b => Some(zero),
                    _ => None,
                }
            }
            LtS if self.value(args[2]) == Some(0) => match x {
                Some(c) if c != i32::MAX as u32 => {
                    let next = self.constant(c.wrapping_add(1));
                    let less = self.lt_s(b, next);
                    Some(self.not(less))
                }
                _ if a == b => Some(self.constant(0)),
                _ if self.is_truth(a) => match y? as i32 {
                    1 => Some(self.not(a)),
                    y => Some(self.constant((y > 1).into())),
                },
                _ => None,
            },
            Not => match self.node(a) {
                Node::App(Not, inner) => Some(inner[0]),
                _ => None,
            },
            Ite => {
                let (when, then, other) = (args[0], args[1], args[2]);
                match (self.value(when), self.node(when)) {
                    (Some(1), _) => Some(then),
                    (Some(_), _) => Some(other),
                    _ if then == other => Some(then),
                    (_, Node::App(Not, inner)) => {
                        let inner = inner[0];
                        Some(self.app(Ite, &[inner, other, then]))
                    }
                    _ => match (self.value(then), self.value(other)) {
                        (Some(1), Some(0)) => Some(when),
                        (Some(0), Some(1)) => Some(self.app(Not, &[when])),
                        _ => None,
                    },
                }
            }
            Fun::Wide(wide, word) => {
                let zero = |i: usize| self.value(args[i]) == Some(0);
                wide.is_zero(word, zero).then(|| self.constant(0))
            }
            _ => None,
        }
    }

    /// `term == constant` said of the operands of the logical operation that `term` is.
    fn equal_parts(&mut self, term: Term, constant: u32) -> Option<Term> {
        if let Some(&known) = self.parts.get(&(term, constant)) {
            return known;
        }
        let parts = self.find_equal_parts(term, constant);
        self.parts.insert((term, constant), parts);
        parts
    }

    fn find_equal_parts(&mut self, term: Term, constant: u32) -> Option<Term> {
        let &Node::App(Fun::Alu(op, _), ref args) = self.node(term) else { return None };
        let (x, y) = (args[0], *args.get(1)?);
        match (op, constant) {
            (Op::Or, 0) | (Op::And, u32::MAX) => {
                let constant = self.constant(constant);
                let (x, y) = (self.eq(x, constant), self.eq(y, constant));
                Some(self.and(x, y))
            }
            (Op::Xor, _) => {
                let y = self.constant(self.value(y)? ^ constant);
                Some(self.eq(x, y))
            }
            _ => None,
        }
    }

    /// The conjunction of truth values, if it is not too long: without doubles, in one order.
    fn conjunction(&mut self, a: Term, b: Term) -> Option<Term> {
        let mut all = BTreeSet::new();
        let mut work = vec![a, b];
        let mut looked_at = 0;
        while let Some(term) = work.pop() {
            looked_at += 1;
            if looked_at > MAX_CONJUNCTION {
                return None;
            }
            match self.node(term) {
                Node::App(Fun::Alu(Op::And, _), args) => work.extend(args.iter().copied()),
                _ => _ = all.insert(term),
            }
        }
        let mut all = all.into_iter();
        let first = all.next().unwrap_or(a);
        let and = Fun::Alu(Op::And, 0);
        Some(all.fold(first, |whole, term| self.intern(Node::App(and, [whole, term].into()))))
    }

    pub(super) fn eq(&mut self, a: Term, b: Term) -> Term {
        self.app(Fun::Eq, &[a, b])
    }

    pub(super) fn lt_u(&mut self, a: Term, b: Term) -> Term {
        let zero = self.constant(0);
        self.app(Fun::LtU, &[a, b, zero])
    }

    pub(super) fn lt_s(&mut self, a: Term, b: Term) -> Term {
        let zero = self.constant(0);
        self.app(Fun::LtS, &[a, b, zero])
    }

    pub(super) fn not(&mut self, a: Term) -> Term {
        self.app(Fun::Not, &[a])
    }

    pub(super) fn and(&mut self, a: Term, b: Term) -> Term {
        self.op(Op::And, a, b)
    }

    pub(super) fn or(&mut self, a: Term, b: Term) -> Term {
        self.op(Op::Or, a, b)
    }

    pub(super) fn ite(&mut self, when: Term, then: Term, other: Term) -> Term {
        self.app(Fun::Ite, &[when, then, other])
    }

    /// The truth value "a ≠ 0".
    pub(super) fn truth(&mut self, a: Term) -> Term {
        let zero = self.constant(0);
        let eq = self.eq(a, zero);
        self.not(eq)
    }
}

/// Whether the two arguments may change places.
pub(super) fn commutes(fun: Fun) -> bool {
    use Op::*;
    matches!(fun, Fun::Eq | Fun::Alu(Add | And | Or | Xor | Mul | MulHi, _))
}

/// The function's value. `None` where it has none (division by zero) or is not known.
pub(super) fn eval(fun: Fun, v: &[u32]) -> Option<u32> {
    let signed = |x: u32| i64::from(x as i32);
    Some(match fun {
        Fun::Alu(op, k) => {
            let instr = Instr { k, ..Instr::new(op) };
            let (a, b) = (v[0], v.get(1).copied().unwrap_or(0));
            match alu::inline(&instr, a, b, Link::default()) {
                Some((result, _)) => result,
                None => alu::coprocessor(&instr, a, b)?,
            }
        }
        Fun::Eq => (v[0] == v[1]) as u32,
        Fun::LtU => ((v[0] as u64) < v[1] as u64 + v[2] as u64) as u32,
        Fun::LtS => (signed(v[0]) < signed(v[1]) + v[2] as i64) as u32,
        Fun::Not => 1 - v[0].min(1),
        Fun::Ite => v[if v[0] == 1 { 1 } else { 2 }],
        Fun::DivS => (v[0] as i32).checked_div(v[1] as i32)? as u32,
        Fun::RemS if v[1] == 0 => return None,
        Fun::RemS => (v[0] as i32).wrapping_rem(v[1] as i32) as u32,
        Fun::Wide(wide, part) => *wide.eval(v)?.get(part as usize)?,
        Fun::Read(..) => return None,
    })
}
