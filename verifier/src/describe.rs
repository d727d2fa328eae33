//! A canonical description of tables, hashed into the machine's digest: whoever changes a column,
//! a constraint or a message changes every verification key.

use std::collections::HashMap;

use p3_air::symbolic::{AirLayout, BaseEntry, BaseLeaf, SymbolicExpr, SymbolicExpression};
use p3_field::PrimeField32;
use p3_lookup::InteractionSymbolicBuilder;
use rwprove_circuits::{Challenge, Val};

use crate::{bytes::Writer, layout::Table};

/// Appends the description of one table.
pub fn describe<A: Table>(name: &str, air: &A, out: &mut Writer) {
    let mut numbers = |numbers: &[usize]| numbers.iter().for_each(|n| out.u32(*n as u32));
    numbers(&[name.len(), air.width(), air.preprocessed_width(), air.num_public_values()]);
    for columns in [air.main_next_row_columns(), air.preprocessed_next_row_columns()] {
        numbers(&[columns.len()]);
        numbers(&columns);
    }
    out.bytes(name.as_bytes());

    let layout = AirLayout::from_air(air);
    let builder = InteractionSymbolicBuilder::<Val, Challenge>::from_air(air, layout);
    let constraints = builder.base_constraints();
    let messages = builder.global_interactions();
    out.u32(constraints.len() as u32);
    out.u32(messages.len() as u32);
    let mut nodes = Nodes { out, known: HashMap::new() };
    constraints.iter().for_each(|constraint| nodes.root(constraint));
    for message in messages {
        message.fields.iter().for_each(|field| nodes.root(field));
        nodes.root(&message.count);
        nodes.out.u32(message.count_weight);
    }
}

/// Writes expressions as numbered nodes, each shared one once.
struct Nodes<'a> {
    out: &'a mut Writer,
    known: HashMap<*const SymbolicExpression<Val>, u32>,
}

/// First words of nodes.
mod token {
    pub(super) const ROOT: u32 = 0;
    pub(super) const ADD: u32 = 1;
    pub(super) const SUB: u32 = 2;
    pub(super) const MUL: u32 = 3;
    pub(super) const NEG: u32 = 4;
    pub(super) const MAIN: u32 = 5;
    pub(super) const PREPROCESSED: u32 = 6;
    pub(super) const PERIODIC: u32 = 7;
    pub(super) const PUBLIC: u32 = 8;
    pub(super) const FIRST_ROW: u32 = 9;
    pub(super) const LAST_ROW: u32 = 10;
    pub(super) const TRANSITION: u32 = 11;
    pub(super) const CONSTANT: u32 = 12;
}

impl Nodes<'_> {
    fn root(&mut self, expression: &SymbolicExpression<Val>) {
        let node = self.node(expression);
        self.write([token::ROOT, node, 0]);
    }

    fn write(&mut self, node: [u32; 3]) {
        node.iter().for_each(|word| self.out.u32(*word));
    }

    /// Writes a node after those that it stands on; returns its number.
    fn node(&mut self, expression: &SymbolicExpression<Val>) -> u32 {
        if let Some(number) = self.known.get(&std::ptr::from_ref(expression)) {
            return *number;
        }
        let node = match expression {
            SymbolicExpr::Add { x, y, .. } => [token::ADD, self.node(x), self.node(y)],
            SymbolicExpr::Sub { x, y, .. } => [token::SUB, self.node(x), self.node(y)],
            SymbolicExpr::Mul { x, y, .. } => [token::MUL, self.node(x), self.node(y)],
            SymbolicExpr::Neg { x, .. } => [token::NEG, self.node(x), 0],
            SymbolicExpr::Leaf(leaf) => match leaf {
                BaseLeaf::Variable(v) => {
                    let (kind, offset) = match v.entry {
                        BaseEntry::Main { offset } => (token::MAIN, offset),
                        BaseEntry::Preprocessed { offset } => (token::PREPROCESSED, offset),
                        BaseEntry::Periodic => (token::PERIODIC, 0),
                        BaseEntry::Public => (token::PUBLIC, 0),
                    };
                    [kind, v.index as u32, offset as u32]
                }
                BaseLeaf::IsFirstRow => [token::FIRST_ROW, 0, 0],
                BaseLeaf::IsLastRow => [token::LAST_ROW, 0, 0],
                BaseLeaf::IsTransition => [token::TRANSITION, 0, 0],
                BaseLeaf::Constant(c) => [token::CONSTANT, c.as_canonical_u32(), 0],
            },
        };
        self.write(node);
        let number = self.known.len() as u32;
        self.known.insert(expression, number);
        number
    }
}
