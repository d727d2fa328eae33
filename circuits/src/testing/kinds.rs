//! Whether two kinds of messages can be the same message: by enumeration of all kinds.

use p3_air::{
    AirBuilder, WindowAccess,
    symbolic::{AirLayout, BaseLeaf, SymbolicExpr, SymbolicExpression},
};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionSymbolicBuilder;
use rwprove_isa::{Instr, Op, layout::TREE_DEPTH};

use crate::{
    Challenge, Val,
    bus::{self, Message},
};

type Builder = InteractionSymbolicBuilder<Val, Challenge>;
type Expression = SymbolicExpression<Val>;

/// A kind of message: on its bus, each element is a constant or may have any value.
struct Kind {
    name: String,
    bus: String,
    elements: Vec<Option<Val>>,
}

/// What the enumeration of all pairs of kinds found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Pairs of different kinds.
    pub pairs: u64,
    /// Pairs that share a message, or that share a bus although they differ in length.
    pub confused: Vec<String>,
}

/// Compares every kind of message with every other: all tags of requests and all levels of nodes
/// count as kinds.
pub fn kinds() -> Kinds {
    let all = all();
    let mut found = Kinds::default();
    for (i, a) in all.iter().enumerate() {
        for b in &all[..i] {
            found.pairs += 1;
            let lengths = a.elements.len() == b.elements.len();
            let mut elements = a.elements.iter().zip(&b.elements);
            let differ = elements.any(|pair| matches!(pair, (Some(x), Some(y)) if x != y));
            if a.bus == b.bus && !(lengths && differ) {
                found.confused.push(format!("{} and {}", a.name, b.name));
            }
        }
    }
    found
}

fn all() -> Vec<Kind> {
    let mut builder = Builder::new(AirLayout { main_width: bus::WIDTH, ..AirLayout::default() });
    let cells: Vec<Expression> =
        builder.main().current_slice().iter().map(|&cell| cell.into()).collect();
    let x = |i: usize| cells[i].clone();
    let pair = |i: usize| [x(i), x(i + 1)];
    let number = |n: u32| Expression::from_u32(n);

    let mut kinds = vec![
        ("range16".to_string(), bus::range16(x(0))),
        ("and".into(), bus::and(x(0), x(1), x(2))),
        ("pair".into(), bus::pair(x(0), x(1))),
        ("pow".into(), bus::pow(x(0), x(1))),
        ("fetch".into(), bus::fetch(x(0), x(1), x(2), pair(3), x(5), x(6), x(7))),
        ("memory".into(), bus::memory(x(0), pair(1), x(3))),
        ("wire".into(), bus::wire(x(0), std::array::from_fn(|i| x(i + 1)))),
        // One stands for the number of any block: it is not zero.
        ("block".into(), bus::block(number(1), std::array::from_fn(|i| x(i + 1)))),
    ];
    let shifts = (0..32).map(|k| Instr { k, ..Instr::new(Op::Fshl) });
    let plain = Op::ALL.iter().filter(|op| **op != Op::Fshl).map(|op| Instr::new(*op));
    for instr in plain.chain(shifts).filter(Instr::may_request) {
        let request = bus::request(number(instr.tag()), x(0), pair(1), pair(3), pair(5));
        kinds.push((format!("request {} {}", instr.op.name(), instr.k), request));
    }
    for (level, phase) in (0..=TREE_DEPTH as u32).flat_map(|level| [(level, 0), (level, 1)]) {
        let digest = std::array::from_fn(|i| x(i + 1));
        let node = bus::node(number(level), phase, x(0), digest);
        kinds.push((format!("node {level} {phase}"), node));
    }
    let (names, messages): (Vec<_>, Vec<Message<Expression>>) = kinds.into_iter().unzip();
    messages.into_iter().for_each(|message| bus::send(&mut builder, message, number(1)));
    let sent = builder.global_interactions().iter().zip(names);
    let kind = |(sent, name): (&p3_lookup::SymbolicInteraction<Val>, _)| {
        let elements = sent.fields.iter().map(constant).collect();
        Kind { name, bus: sent.bus_name.clone(), elements }
    };
    sent.map(kind).collect()
}

/// The value of an expression without variables.
fn constant(expression: &Expression) -> Option<Val> {
    match expression {
        SymbolicExpr::Leaf(BaseLeaf::Constant(value)) => Some(*value),
        SymbolicExpr::Leaf(_) => None,
        SymbolicExpr::Add { x, y, .. } => Some(constant(x)? + constant(y)?),
        SymbolicExpr::Sub { x, y, .. } => Some(constant(x)? - constant(y)?),
        SymbolicExpr::Mul { x, y, .. } => Some(constant(x)? * constant(y)?),
        SymbolicExpr::Neg { x, .. } => Some(-constant(x)?),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::bus::Bus;

    #[test]
    fn no_two_kinds_share_a_message() {
        let kinds = kinds();
        assert_eq!(kinds.confused, [] as [String; 0]);
        assert!(kinds.pairs > 1000);
    }

    #[test]
    fn every_bus_has_a_kind() {
        let buses: BTreeSet<_> = all().into_iter().map(|kind| kind.bus).collect();
        assert_eq!(buses, Bus::ALL.iter().map(|bus| bus.name().to_string()).collect());
    }
}
