//! What the library sees of a table: the degrees that proving costs, and which columns a
//! constraint reads.

use std::collections::{BTreeSet, HashSet};

use p3_air::symbolic::{AirLayout, BaseEntry, BaseLeaf, SymbolicExpr, SymbolicExpression};
use p3_lookup::InteractionSymbolicBuilder;

use crate::{Challenge, Val, table::Table};

/// The largest degrees of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Degrees {
    /// Of a constraint: at most 3.
    pub constraint: usize,
    /// Of a field of a message: at most 1, so that two messages fit one LogUp column of degree 3.
    pub field: usize,
    /// Of a message's multiplicity: at most 2, for the same reason.
    pub count: usize,
}

impl Degrees {
    /// Whether the table keeps to what two messages in a column of degree 3 allow.
    pub const fn allowed(&self) -> bool {
        self.constraint <= 3 && self.field <= 1 && self.count <= 2
    }
}

/// All constraints and messages of a table as expressions.
pub(crate) fn build<T: Table>(table: &T) -> InteractionSymbolicBuilder<Val, Challenge> {
    let mut builder = InteractionSymbolicBuilder::new(AirLayout {
        preprocessed_width: table.preprocessed_width(),
        main_width: table.columns().len(),
        num_public_values: table.public_values(),
        ..AirLayout::default()
    });
    table.eval(&mut builder);
    builder
}

/// The degrees of a table.
pub fn degrees<T: Table>(table: &T) -> Degrees {
    let builder = build(table);
    let largest = |all: &mut dyn Iterator<Item = usize>| all.max().unwrap_or(0);
    let messages = builder.global_interactions();
    Degrees {
        constraint: largest(&mut builder.base_constraints().iter().map(|c| c.degree_multiple())),
        field: largest(&mut messages.iter().flat_map(|m| &m.fields).map(|f| f.degree_multiple())),
        count: largest(&mut messages.iter().map(|m| m.count.degree_multiple())),
    }
}

/// Sum of the bounds of all messages of one row: `height * weight`, over all tables, must stay
/// below the field's order, or multiplicities of lookups could wrap around.
pub fn weight<T: Table>(table: &T) -> u64 {
    build(table).global_interactions().iter().map(|m| u64::from(m.count_weight)).sum()
}

/// Names of the columns that a constraint reads; those of the next row end with `'`, preprocessed
/// ones are `fixed[i]`, public values `public[i]`.
pub(crate) fn columns_of<T: Table>(table: &T, constraint: usize) -> Vec<String> {
    let names = table.columns();
    let mut found = BTreeSet::new();
    // Expressions share parts; without this, hash permutations would take for ever.
    let mut seen = HashSet::new();
    let constraints = build(table).base_constraints();
    let mut stack: Vec<&SymbolicExpression<Val>> =
        constraints.get(constraint).into_iter().collect();
    while let Some(expression) = stack.pop() {
        if !seen.insert(std::ptr::from_ref(expression)) {
            continue;
        }
        match expression {
            SymbolicExpr::Leaf(BaseLeaf::Variable(v)) => {
                let name = match v.entry {
                    BaseEntry::Main { .. } => names.get(v.index).cloned().unwrap_or_default(),
                    BaseEntry::Preprocessed { .. } => format!("fixed[{}]", v.index),
                    BaseEntry::Public => format!("public[{}]", v.index),
                    BaseEntry::Periodic => format!("periodic[{}]", v.index),
                };
                let next = matches!(
                    v.entry,
                    BaseEntry::Main { offset: 1 } | BaseEntry::Preprocessed { offset: 1 }
                );
                found.insert(if next { format!("{name}'") } else { name });
            }
            SymbolicExpr::Leaf(_) => {}
            SymbolicExpr::Add { x, y, .. }
            | SymbolicExpr::Sub { x, y, .. }
            | SymbolicExpr::Mul { x, y, .. } => stack.extend([&**x, &**y]),
            SymbolicExpr::Neg { x, .. } => stack.push(x),
        }
    }
    found.into_iter().collect()
}
