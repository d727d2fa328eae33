//! Expressions as straight-line programs, so that one constraint can be evaluated by itself, often
//! and quickly.

use std::collections::{BTreeSet, HashMap};

use p3_air::symbolic::{BaseEntry, BaseLeaf, SymbolicExpr, SymbolicExpression};
use p3_field::PrimeCharacteristicRing;

use crate::Val;

/// A cell as an expression names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Read {
    /// A column of the row itself.
    Current(usize),
    /// A column of the next row.
    Next(usize),
    /// A public value.
    Public(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Read(Read),
    First,
    Last,
    Transition,
    Constant(Val),
    Add(usize, usize),
    Sub(usize, usize),
    Mul(usize, usize),
    Neg(usize),
}

/// What an expression is evaluated on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'a> {
    pub(super) current: &'a [Val],
    pub(super) next: &'a [Val],
    pub(super) publics: &'a [Val],
    pub(super) first: bool,
    pub(super) last: bool,
}

/// One or more expressions; equal parts are computed once.
#[derive(Clone, Debug)]
pub(super) struct Tape {
    steps: Vec<Step>,
    results: Vec<usize>,
}

impl Tape {
    pub(super) fn new<'a>(
        expressions: impl IntoIterator<Item = &'a SymbolicExpression<Val>>,
    ) -> Self {
        let mut writer = Writer::default();
        let results = expressions.into_iter().map(|e| writer.place(e)).collect();
        Self { steps: writer.steps, results }
    }

    /// The cells that are read.
    pub(super) fn reads(&self) -> BTreeSet<Read> {
        let read = |step: &Step| if let Step::Read(read) = step { Some(*read) } else { None };
        self.steps.iter().filter_map(read).collect()
    }

    /// The result, if it does not depend on any cell.
    pub(super) fn constant(&self, result: usize) -> Option<Val> {
        match self.steps[self.results[result]] {
            Step::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Evaluates all results.
    pub(super) fn eval(&self, window: Window<'_>, results: &mut Vec<Val>) {
        let mut values: Vec<Val> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            values.push(match *step {
                Step::Read(Read::Current(column)) => window.current[column],
                Step::Read(Read::Next(column)) => window.next[column],
                Step::Read(Read::Public(at)) => window.publics[at],
                Step::First => Val::from_bool(window.first),
                Step::Last => Val::from_bool(window.last),
                Step::Transition => Val::from_bool(!window.last),
                Step::Constant(value) => value,
                Step::Add(x, y) => values[x] + values[y],
                Step::Sub(x, y) => values[x] - values[y],
                Step::Mul(x, y) => values[x] * values[y],
                Step::Neg(x) => -values[x],
            });
        }
        results.clear();
        results.extend(self.results.iter().map(|&at| values[at]));
    }
}

#[derive(Default)]
struct Writer {
    steps: Vec<Step>,
    known: HashMap<Step, usize>,
    /// Expressions share parts; without this, hash permutations would take for ever.
    seen: HashMap<*const SymbolicExpression<Val>, usize>,
}

impl Writer {
    fn place(&mut self, expression: &SymbolicExpression<Val>) -> usize {
        let pointer = std::ptr::from_ref(expression);
        if let Some(&at) = self.seen.get(&pointer) {
            return at;
        }
        let step = match expression {
            SymbolicExpr::Leaf(leaf) => leaf_step(leaf),
            SymbolicExpr::Add { x, y, .. } => Step::Add(self.place(x), self.place(y)),
            SymbolicExpr::Sub { x, y, .. } => Step::Sub(self.place(x), self.place(y)),
            SymbolicExpr::Mul { x, y, .. } => Step::Mul(self.place(x), self.place(y)),
            SymbolicExpr::Neg { x, .. } => Step::Neg(self.place(x)),
        };
        let steps = &mut self.steps;
        let at = *self.known.entry(step).or_insert_with(|| {
            steps.push(step);
            steps.len() - 1
        });
        self.seen.insert(pointer, at);
        at
    }
}

fn leaf_step(leaf: &BaseLeaf<Val>) -> Step {
    match leaf {
        BaseLeaf::Variable(v) => match v.entry {
            BaseEntry::Main { offset: 0 } => Step::Read(Read::Current(v.index)),
            BaseEntry::Main { .. } => Step::Read(Read::Next(v.index)),
            BaseEntry::Public => Step::Read(Read::Public(v.index)),
            // Tables with such columns have no constraints, see the suite.
            BaseEntry::Preprocessed { .. } | BaseEntry::Periodic => Step::Constant(Val::ZERO),
        },
        BaseLeaf::IsFirstRow => Step::First,
        BaseLeaf::IsLastRow => Step::Last,
        BaseLeaf::IsTransition => Step::Transition,
        BaseLeaf::Constant(value) => Step::Constant(*value),
    }
}
