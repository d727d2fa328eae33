//! The constraints of one table, folded into one by a challenge, as a list of gates.
//!
//! Symbolic expressions share nodes, and the lookup argument repeats those of messages; equal
//! expressions become one gate here, whatever the number of places that mention them.

use std::{collections::HashMap, ptr::from_ref};

use p3_air::symbolic::{
    BaseEntry, BaseLeaf, ExtEntry, ExtLeaf, SymbolicExpr, SymbolicExpression, SymbolicExpressionExt,
};
use p3_field::{ExtensionField, PrimeCharacteristicRing};
use rwprove_circuits::{Challenge, Val};
use rwprove_verifier::layout::TableLayout;

use crate::{
    backend::Backend,
    verify::{
        gates::{Gate, Gates, Step, Value, scaled},
        stark::StarkError,
    },
};

/// What constraints are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Leaf {
    Main {
        next: bool,
        column: usize,
    },
    Preprocessed {
        next: bool,
        column: usize,
    },
    Lookup {
        next: bool,
        column: usize,
    },
    Public(usize),
    Prefix(usize),
    Beta,
    Terminal,
    FirstRow,
    LastRow,
    Transition,
    /// What folds constraints.
    Alpha,
}

/// The constraints of one table: the steps to `sum_i alpha^(n - 1 - i) c_i` over all `n`.
#[derive(Clone, Debug)]
pub(super) struct Constraints {
    steps: Vec<Step<Leaf>>,
    sum: Value,
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
    pub(super) alpha: &'a E,
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
        let mut compiler = Compiler {
            table,
            gates: Gates::new(),
            base: HashMap::new(),
            extension: HashMap::new(),
        };
        let alpha = compiler.gates.leaf(Leaf::Alpha);
        let mut sum = Value::Constant(Val::ZERO);
        for constraint in &table.constraints {
            let value = compiler.extension(constraint)?;
            sum = compiler.gates.mul(sum, alpha);
            sum = compiler.gates.add(sum, value);
        }
        let sum = compiler.gates.close_value(sum);
        Ok(Self { steps: compiler.gates.into_steps(), sum })
    }

    /// All constraints folded into one.
    pub(super) fn folded<B: Backend>(&self, b: &mut B, row: &Row<'_, B::Ext>) -> B::Ext {
        let mut values: Vec<B::Ext> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let value = match step {
                Step::Leaf(leaf) => row.leaf(b, *leaf),
                Step::Gate(Gate { m, p, q, r, x, y, z }) => {
                    let coefficients = [*m, *p, *q, *r, Val::ZERO];
                    b.gate(coefficients, &values[*x], &values[*y], &values[*z])
                }
            };
            values.push(value);
        }
        match self.sum {
            Value::Affine { p, x, k } => {
                let (value, none) = (&values[x], Val::ZERO);
                b.gate([none, p, none, none, k], value, value, value)
            }
            Value::Constant(k) => b.ext(k.into()),
            // It was closed.
            Value::Open { k, .. } => b.ext(k.into()),
        }
    }
}

impl<E: Clone> Row<'_, E> {
    fn leaf<B: Backend<Ext = E>>(&self, b: &mut B, leaf: Leaf) -> E {
        let zero = |b: &mut B| b.ext(Challenge::ZERO);
        match leaf {
            Leaf::Main { next, column } => self.main[usize::from(next)][column].clone(),
            Leaf::Preprocessed { next, column } => {
                self.preprocessed[usize::from(next)][column].clone()
            }
            Leaf::Lookup { next, column } => self.lookup[usize::from(next)][column].clone(),
            Leaf::Public(index) => self.publics[index].clone(),
            Leaf::Prefix(column) => self.prefixes[column].clone(),
            Leaf::Beta => self.beta.cloned().unwrap_or_else(|| zero(b)),
            Leaf::Terminal => self.terminal.cloned().unwrap_or_else(|| zero(b)),
            Leaf::FirstRow => self.selectors.first.clone(),
            Leaf::LastRow => self.selectors.last.clone(),
            Leaf::Transition => self.selectors.transition.clone(),
            Leaf::Alpha => self.alpha.clone(),
        }
    }
}

/// Turns expressions into gates. Addresses stay valid, because the table outlives it.
struct Compiler<'a> {
    table: &'a TableLayout,
    gates: Gates<Leaf>,
    base: HashMap<*const SymbolicExpression<Val>, Value>,
    extension: HashMap<*const SymbolicExpressionExt<Val, Challenge>, Value>,
}

impl Compiler<'_> {
    fn extension(
        &mut self,
        expression: &SymbolicExpressionExt<Val, Challenge>,
    ) -> Result<Value, StarkError> {
        if let Some(value) = self.extension.get(&from_ref(expression)) {
            return Ok(*value);
        }
        let value = match expression {
            SymbolicExpr::Add { x, y, .. } => {
                let (x, y) = (self.extension(x)?, self.extension(y)?);
                self.gates.add(x, y)
            }
            SymbolicExpr::Sub { x, y, .. } => {
                let (x, y) = (self.extension(x)?, self.extension(y)?);
                self.gates.sub(x, y)
            }
            SymbolicExpr::Mul { x, y, .. } => {
                let (x, y) = (self.extension(x)?, self.extension(y)?);
                self.gates.mul(x, y)
            }
            SymbolicExpr::Neg { x, .. } => scaled(Val::NEG_ONE, self.extension(x)?),
            SymbolicExpr::Leaf(ExtLeaf::Base(expression)) => self.base(expression)?,
            SymbolicExpr::Leaf(ExtLeaf::ExtConstant(constant)) => {
                Value::Constant(constant.as_base().ok_or(StarkError::Constant)?)
            }
            SymbolicExpr::Leaf(ExtLeaf::ExtVariable(variable)) => {
                let index = variable.index;
                self.gates.leaf(match variable.entry {
                    ExtEntry::Permutation { offset } => {
                        Leaf::Lookup { next: offset > 0, column: index }
                    }
                    // Each column of messages has two: where its bus starts, and the same beta.
                    ExtEntry::Challenge if index % 2 == 0 => Leaf::Prefix(index / 2),
                    ExtEntry::Challenge => Leaf::Beta,
                    ExtEntry::PermutationValue => Leaf::Terminal,
                })
            }
        };
        self.extension.insert(expression, value);
        Ok(value)
    }

    fn base(&mut self, expression: &SymbolicExpression<Val>) -> Result<Value, StarkError> {
        if let Some(value) = self.base.get(&from_ref(expression)) {
            return Ok(*value);
        }
        let value = match expression {
            SymbolicExpr::Add { x, y, .. } => {
                let (x, y) = (self.base(x)?, self.base(y)?);
                self.gates.add(x, y)
            }
            SymbolicExpr::Sub { x, y, .. } => {
                let (x, y) = (self.base(x)?, self.base(y)?);
                self.gates.sub(x, y)
            }
            SymbolicExpr::Mul { x, y, .. } => {
                let (x, y) = (self.base(x)?, self.base(y)?);
                self.gates.mul(x, y)
            }
            SymbolicExpr::Neg { x, .. } => scaled(Val::NEG_ONE, self.base(x)?),
            SymbolicExpr::Leaf(leaf) => self.leaf(leaf)?,
        };
        self.base.insert(expression, value);
        Ok(value)
    }

    fn leaf(&mut self, leaf: &BaseLeaf<Val>) -> Result<Value, StarkError> {
        let table = self.table;
        let leaf = match leaf {
            BaseLeaf::Constant(value) => return Ok(Value::Constant(*value)),
            BaseLeaf::IsFirstRow => Leaf::FirstRow,
            BaseLeaf::IsLastRow => Leaf::LastRow,
            BaseLeaf::IsTransition => Leaf::Transition,
            BaseLeaf::Variable(variable) => match (variable.entry, variable.index) {
                // A row that is not opened counts as zero.
                (BaseEntry::Main { offset }, _) if offset > 0 && !table.reads_next => {
                    return Ok(Value::Constant(Val::ZERO));
                }
                (BaseEntry::Preprocessed { offset }, _)
                    if offset > 0 && !table.preprocessed_reads_next =>
                {
                    return Ok(Value::Constant(Val::ZERO));
                }
                (BaseEntry::Main { offset }, column) => Leaf::Main { next: offset > 0, column },
                (BaseEntry::Preprocessed { offset }, column) => {
                    Leaf::Preprocessed { next: offset > 0, column }
                }
                (BaseEntry::Public, index) => Leaf::Public(index),
                (BaseEntry::Periodic, _) => return Err(StarkError::Periodic),
            },
        };
        Ok(self.gates.leaf(leaf))
    }
}
