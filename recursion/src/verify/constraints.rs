//! The constraints of one table as a list of steps, each of which is done once.
//!
//! Symbolic expressions share nodes, and the lookup argument repeats those of messages; equal
//! expressions become one step here, whatever the number of places that mention them.

use std::{collections::HashMap, ptr::from_ref};

use p3_air::symbolic::{
    BaseEntry, BaseLeaf, ExtEntry, ExtLeaf, SymbolicExpr, SymbolicExpression, SymbolicExpressionExt,
};
use p3_field::{ExtensionField, PrimeCharacteristicRing};
use rwprove_circuits::{Challenge, Val};
use rwprove_verifier::layout::TableLayout;

use crate::{backend::Backend, verify::stark::StarkError};

/// One step; numbers are those of earlier steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Constant(Challenge),
    Main { next: bool, column: usize },
    Preprocessed { next: bool, column: usize },
    Lookup { next: bool, column: usize },
    Public(usize),
    Prefix(usize),
    Beta,
    Terminal,
    FirstRow,
    LastRow,
    Transition,
    Add(usize, usize),
    Sub(usize, usize),
    Scale(Val, usize),
    Mul(usize, usize),
    MulAdd(usize, usize, usize),
}

impl Step {
    /// The same step with other numbers.
    fn renumbered(self, mut number: impl FnMut(usize) -> usize) -> Self {
        match self {
            Step::Add(x, y) => Step::Add(number(x), number(y)),
            Step::Sub(x, y) => Step::Sub(number(x), number(y)),
            Step::Scale(k, x) => Step::Scale(k, number(x)),
            Step::Mul(x, y) => Step::Mul(number(x), number(y)),
            Step::MulAdd(x, y, z) => Step::MulAdd(number(x), number(y), number(z)),
            leaf => leaf,
        }
    }
}

/// The constraints of one table.
#[derive(Clone, Debug)]
pub(super) struct Constraints {
    steps: Vec<Step>,
    /// The step of each constraint, in the order in which they are folded.
    roots: Vec<usize>,
}

/// Everything that constraints read, at the out-of-domain point. Pairs are this row and the next.
pub(super) struct Row<'a, E> {
    pub(super) main: [&'a [E]; 2],
    pub(super) preprocessed: [&'a [E]; 2],
    /// The columns of the lookup argument, over the challenge field.
    pub(super) lookup: [&'a [E]; 2],
    pub(super) publics: &'a [E],
    /// For each column of messages, where its bus starts.
    pub(super) prefixes: &'a [E],
    pub(super) beta: Option<&'a E>,
    pub(super) terminal: Option<&'a E>,
    pub(super) selectors: &'a Selectors<E>,
}

/// What is nonzero in the first row, in the last, and in all but the last.
pub(super) struct Selectors<E> {
    pub(super) first: E,
    pub(super) last: E,
    pub(super) transition: E,
}

impl Constraints {
    /// The constraints of a table.
    pub(super) fn new(table: &TableLayout) -> Result<Self, StarkError> {
        let mut compiler = Compiler::of(table);
        let roots =
            table.constraints.iter().map(|c| compiler.extension(c)).collect::<Result<_, _>>()?;
        Ok(Self { steps: compiler.steps, roots }.without_unused())
    }

    /// Leaves out what no constraint stands on: products that became part of a sum.
    fn without_unused(self) -> Self {
        let mut used = vec![false; self.steps.len()];
        self.roots.iter().for_each(|root| used[*root] = true);
        for (number, step) in self.steps.iter().enumerate().rev() {
            if used[number] {
                let _ = step.renumbered(|operand| {
                    used[operand] = true;
                    operand
                });
            }
        }
        let mut places = Vec::with_capacity(self.steps.len());
        let mut steps = Vec::new();
        for (step, used) in self.steps.iter().zip(used) {
            places.push(steps.len());
            if used {
                steps.push(step.renumbered(|operand| places[operand]));
            }
        }
        let roots = self.roots.into_iter().map(|root| places[root]).collect();
        Self { steps, roots }
    }

    /// `sum_i alpha^(n - 1 - i) c_i` over the `n` constraints.
    pub(super) fn folded<B: Backend>(
        &self,
        b: &mut B,
        row: &Row<'_, B::Ext>,
        alpha: &B::Ext,
    ) -> B::Ext {
        let mut values: Vec<B::Ext> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let value = evaluate(b, step, row, &values);
            values.push(value);
        }
        let mut sum = None;
        for root in &self.roots {
            let value = &values[*root];
            sum = Some(match sum {
                None => value.clone(),
                Some(sum) => b.mul_add(&sum, alpha, value),
            });
        }
        sum.unwrap_or_else(|| b.ext(Challenge::ZERO))
    }
}

fn evaluate<B: Backend>(
    b: &mut B,
    step: &Step,
    row: &Row<'_, B::Ext>,
    values: &[B::Ext],
) -> B::Ext {
    let zero = |b: &mut B| b.ext(Challenge::ZERO);
    match *step {
        Step::Constant(value) => b.ext(value),
        Step::Main { next, column } => row.main[usize::from(next)][column].clone(),
        Step::Preprocessed { next, column } => row.preprocessed[usize::from(next)][column].clone(),
        Step::Lookup { next, column } => row.lookup[usize::from(next)][column].clone(),
        Step::Public(index) => row.publics[index].clone(),
        Step::Prefix(column) => row.prefixes[column].clone(),
        Step::Beta => row.beta.cloned().unwrap_or_else(|| zero(b)),
        Step::Terminal => row.terminal.cloned().unwrap_or_else(|| zero(b)),
        Step::FirstRow => row.selectors.first.clone(),
        Step::LastRow => row.selectors.last.clone(),
        Step::Transition => row.selectors.transition.clone(),
        Step::Add(x, y) => b.add(&values[x], &values[y]),
        Step::Sub(x, y) => b.sub(&values[x], &values[y]),
        Step::Scale(k, x) => b.scale(k, &values[x]),
        Step::Mul(x, y) => b.mul(&values[x], &values[y]),
        Step::MulAdd(x, y, z) => b.mul_add(&values[x], &values[y], &values[z]),
    }
}

/// Turns expressions into steps. Addresses stay valid, because the table outlives it.
struct Compiler<'a> {
    table: &'a TableLayout,
    steps: Vec<Step>,
    known: HashMap<Step, usize>,
    base: HashMap<*const SymbolicExpression<Val>, usize>,
    extension: HashMap<*const SymbolicExpressionExt<Val, Challenge>, usize>,
}

impl<'a> Compiler<'a> {
    fn of(table: &'a TableLayout) -> Self {
        Self {
            table,
            steps: Vec::new(),
            known: HashMap::new(),
            base: HashMap::new(),
            extension: HashMap::new(),
        }
    }

    fn step(&mut self, step: Step) -> usize {
        *self.known.entry(step).or_insert_with(|| {
            self.steps.push(step);
            self.steps.len() - 1
        })
    }

    fn constant(&self, step: usize) -> Option<Challenge> {
        match self.steps[step] {
            Step::Constant(value) => Some(value),
            _ => None,
        }
    }

    fn mul(&mut self, x: usize, y: usize) -> usize {
        let base = |value: Option<Challenge>| value.and_then(|value| value.as_base());
        match (base(self.constant(x)), base(self.constant(y))) {
            (Some(k), _) => self.scale(k, y),
            (_, Some(k)) => self.scale(k, x),
            _ => self.step(Step::Mul(x.min(y), x.max(y))),
        }
    }

    fn scale(&mut self, k: Val, x: usize) -> usize {
        match (k, self.steps[x]) {
            (Val::ONE, _) => x,
            (_, Step::Constant(value)) => self.step(Step::Constant(value * k)),
            (_, Step::Scale(inner, y)) => self.scale(k * inner, y),
            _ => self.step(Step::Scale(k, x)),
        }
    }

    /// A sum; a product in it, unless a constant's, is done in the same step.
    fn add(&mut self, x: usize, y: usize) -> usize {
        match (self.steps[x], self.steps[y]) {
            (Step::Constant(a), Step::Constant(c)) => self.step(Step::Constant(a + c)),
            (Step::Mul(a, c), _) => self.step(Step::MulAdd(a, c, y)),
            (_, Step::Mul(a, c)) => self.step(Step::MulAdd(a, c, x)),
            _ => self.step(Step::Add(x.min(y), x.max(y))),
        }
    }

    fn sub(&mut self, x: usize, y: usize) -> usize {
        match (self.steps[x], self.steps[y]) {
            (Step::Constant(a), Step::Constant(c)) => self.step(Step::Constant(a - c)),
            (_, Step::Constant(c)) => {
                let negated = self.step(Step::Constant(-c));
                self.add(x, negated)
            }
            _ => self.step(Step::Sub(x, y)),
        }
    }

    fn extension(
        &mut self,
        expression: &SymbolicExpressionExt<Val, Challenge>,
    ) -> Result<usize, StarkError> {
        if let Some(step) = self.extension.get(&from_ref(expression)) {
            return Ok(*step);
        }
        let step = match expression {
            SymbolicExpr::Add { x, y, .. } => {
                let (x, y) = (self.extension(x)?, self.extension(y)?);
                self.add(x, y)
            }
            SymbolicExpr::Sub { x, y, .. } => {
                let (x, y) = (self.extension(x)?, self.extension(y)?);
                self.sub(x, y)
            }
            SymbolicExpr::Mul { x, y, .. } => {
                let (x, y) = (self.extension(x)?, self.extension(y)?);
                self.mul(x, y)
            }
            SymbolicExpr::Neg { x, .. } => {
                let x = self.extension(x)?;
                self.scale(Val::NEG_ONE, x)
            }
            SymbolicExpr::Leaf(ExtLeaf::Base(expression)) => self.base(expression)?,
            SymbolicExpr::Leaf(ExtLeaf::ExtConstant(value)) => self.step(Step::Constant(*value)),
            SymbolicExpr::Leaf(ExtLeaf::ExtVariable(variable)) => self.step(match variable.entry {
                ExtEntry::Permutation { offset } => {
                    Step::Lookup { next: offset > 0, column: variable.index }
                }
                // Each column of messages has two: where its bus starts, and the same beta.
                ExtEntry::Challenge if variable.index % 2 == 0 => Step::Prefix(variable.index / 2),
                ExtEntry::Challenge => Step::Beta,
                ExtEntry::PermutationValue => Step::Terminal,
            }),
        };
        self.extension.insert(expression, step);
        Ok(step)
    }

    fn base(&mut self, expression: &SymbolicExpression<Val>) -> Result<usize, StarkError> {
        if let Some(step) = self.base.get(&from_ref(expression)) {
            return Ok(*step);
        }
        let step = match expression {
            SymbolicExpr::Add { x, y, .. } => {
                let (x, y) = (self.base(x)?, self.base(y)?);
                self.add(x, y)
            }
            SymbolicExpr::Sub { x, y, .. } => {
                let (x, y) = (self.base(x)?, self.base(y)?);
                self.sub(x, y)
            }
            SymbolicExpr::Mul { x, y, .. } => {
                let (x, y) = (self.base(x)?, self.base(y)?);
                self.mul(x, y)
            }
            SymbolicExpr::Neg { x, .. } => {
                let x = self.base(x)?;
                self.scale(Val::NEG_ONE, x)
            }
            SymbolicExpr::Leaf(leaf) => {
                let step = self.leaf(leaf)?;
                self.step(step)
            }
        };
        self.base.insert(expression, step);
        Ok(step)
    }

    fn leaf(&self, leaf: &BaseLeaf<Val>) -> Result<Step, StarkError> {
        let table = self.table;
        Ok(match leaf {
            BaseLeaf::Constant(value) => Step::Constant((*value).into()),
            BaseLeaf::IsFirstRow => Step::FirstRow,
            BaseLeaf::IsLastRow => Step::LastRow,
            BaseLeaf::IsTransition => Step::Transition,
            BaseLeaf::Variable(variable) => match (variable.entry, variable.index) {
                // A row that is not opened counts as zero.
                (BaseEntry::Main { offset }, _) if offset > 0 && !table.reads_next => {
                    Step::Constant(Challenge::ZERO)
                }
                (BaseEntry::Preprocessed { offset }, _)
                    if offset > 0 && !table.preprocessed_reads_next =>
                {
                    Step::Constant(Challenge::ZERO)
                }
                (BaseEntry::Main { offset }, column) => Step::Main { next: offset > 0, column },
                (BaseEntry::Preprocessed { offset }, column) => {
                    Step::Preprocessed { next: offset > 0, column }
                }
                (BaseEntry::Public, index) => Step::Public(index),
                (BaseEntry::Periodic, _) => return Err(StarkError::Periodic),
            },
        })
    }
}
