//! The state of a circuit that is being built: steps, numbers, and what is known already.

use std::collections::HashMap;

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{
    Challenge, EXTENSION, Val,
    circuit::{BLOCK, bits::BITS, hash::Step},
};
use thiserror::Error;

use super::{
    arithmetic::Choices,
    classes::Classes,
    form::{Block, Felt, Kind, Wire},
    operation::{From, Gate, Operation, Pack},
    transcript::Transcript,
};
use crate::backend::Rule;

/// Why something cannot be a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// Reads, wires or blocks are as many as the field has elements, or more.
    #[error("{0} reads, wires or blocks")]
    Size(u64),
    /// The circuit says nothing.
    #[error("a circuit without public values")]
    NoPublic,
    /// A challenge is drawn from a transcript without content.
    #[error("a challenge is drawn before anything was absorbed")]
    EmptyTranscript,
    /// A folding step of an arity that the table `fold` does not have.
    #[error("a folding step of 2^{0} values")]
    Arity(usize),
    /// A table is too low for the circuit.
    #[error("{table}: {rows} rows do not fit 2^{log_height}")]
    Height {
        /// The table.
        table: &'static str,
        /// Rows that the circuit needs.
        rows: usize,
        /// What was asked for.
        log_height: usize,
    },
}

/// Builds a circuit: what a backend does becomes a list of steps.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    pub(super) operations: Vec<Operation>,
    pub(super) wires: Classes,
    pub(super) blocks: Classes,
    pub(super) public: Option<Block>,
    /// The first thing that no circuit can do.
    pub(super) error: Option<CircuitError>,
    /// The last output of each group of rows of the table `hash`.
    pub(super) tails: Vec<Option<Block>>,
    /// Which group has the block as its last output.
    pub(super) tail_of: HashMap<Block, usize>,
    /// The segment of rows for a gamma.
    pub(super) segments: HashMap<Wire, usize>,
    pub(super) transcript: Transcript,
    /// The last product of choices.
    pub(super) choices: Option<Choices>,
    gates: HashMap<Gate, Wire>,
    /// Constants outside the base field.
    pub(super) constants: HashMap<Challenge, Wire>,
    /// The first of the eight felts of a block.
    unpacked: HashMap<Block, [Wire; BLOCK]>,
    /// The element of a block that a felt is.
    elements: HashMap<Wire, (Block, usize)>,
    /// The coefficients of a wire.
    split: HashMap<Wire, [Wire; EXTENSION]>,
    /// The first of the bits of a felt.
    bits: HashMap<Wire, Wire>,
}

/// What goes into a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Felt(Felt),
    /// A coefficient of a wire.
    Coefficient(Wire, usize),
    /// An element of a block.
    Element(Block, usize),
}

impl Builder {
    /// A circuit without steps.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn push(&mut self, operation: Operation) {
        self.operations.push(operation);
    }

    pub(super) fn fail(&mut self, error: CircuitError) {
        self.error.get_or_insert(error);
    }

    /// A wire that the next of the stream makes.
    pub(super) fn hint(&mut self, felt: bool) -> Wire {
        let wire = self.wires.more(1);
        self.push(Operation::Hint { wire, felt });
        wire
    }

    /// The result of a gate, which is shared by all that are equal.
    pub(super) fn result_of(&mut self, gate: Gate) -> Wire {
        if let Some(result) = self.gates.get(&gate) {
            return *result;
        }
        let result = self.wires.more(1);
        self.push(Operation::Gate { gate, result });
        self.gates.insert(gate, result);
        result
    }

    /// The next eight elements of the stream.
    pub(super) fn hint_block(&mut self) -> Block {
        let block = self.blocks.more(1);
        let pack = Pack { block: Some(block), ..Pack::default() };
        self.push(Operation::Pack { from: From::Stream, pack });
        block
    }

    /// The elements of a block.
    pub(super) fn unpack(&mut self, block: Block) -> [Wire; BLOCK] {
        if let Some(felts) = self.unpacked.get(&block) {
            return *felts;
        }
        let first = self.wires.more(BLOCK);
        let felts: [Wire; BLOCK] = std::array::from_fn(|i| first + i as u32);
        let pack = Pack { block: Some(block), wire: None, felts: felts.map(Some) };
        self.push(Operation::Pack { from: From::Block, pack });
        self.unpacked.insert(block, felts);
        self.elements.extend(felts.iter().enumerate().map(|(i, felt)| (*felt, (block, i))));
        felts
    }

    /// The coefficients of a wire.
    fn split(&mut self, wire: Wire) -> [Wire; EXTENSION] {
        if let Some(felts) = self.split.get(&wire) {
            return *felts;
        }
        let first = self.wires.more(EXTENSION);
        let felts: [Wire; EXTENSION] = std::array::from_fn(|i| first + i as u32);
        let pack = Pack { block: None, wire: Some(wire), felts: front(felts) };
        self.push(Operation::Pack { from: From::Wire, pack });
        self.split.insert(wire, felts);
        felts
    }

    /// The wire with these coefficients.
    pub(super) fn join(&mut self, felts: [Wire; EXTENSION]) -> Wire {
        let wire = self.wires.more(1);
        let pack = Pack { block: None, wire: Some(wire), felts: front(felts) };
        self.push(Operation::Pack { from: From::Felts, pack });
        self.split.insert(wire, felts);
        wire
    }

    /// The felt as something that goes into a block.
    pub(super) fn item(&self, felt: &Felt) -> Item {
        match felt.0 {
            Kind::Wire { wire, scale: Val::ONE, offset: Val::ZERO } => {
                self.elements.get(&wire).map_or(Item::Felt(*felt), |&(b, i)| Item::Element(b, i))
            }
            _ => Item::Felt(*felt),
        }
    }

    /// A block that starts with these, at most eight, items. Whoever reads it says what is behind.
    pub(super) fn gather(&mut self, items: &[Item]) -> Block {
        if let Some(&Item::Element(block, 0)) = items.first()
            && items.iter().copied().eq((0..BLOCK).map(|i| Item::Element(block, i)))
        {
            return block;
        }
        let mut pack = Pack::default();
        let mut rest = 0;
        if let Some(&Item::Coefficient(wire, 0)) = items.first()
            && !self.split.contains_key(&wire)
            && items
                .iter()
                .copied()
                .take(EXTENSION)
                .eq((0..EXTENSION).map(|i| Item::Coefficient(wire, i)))
        {
            pack.wire = Some(wire);
            rest = EXTENSION;
        }
        for (place, item) in pack.felts.iter_mut().zip(items).skip(rest) {
            *place = Some(match *item {
                Item::Felt(felt) => self.wire(felt.lift()),
                Item::Coefficient(wire, i) => self.split(wire)[i],
                Item::Element(block, i) => self.unpack(block)[i],
            });
        }
        let block = self.blocks.more(1);
        pack.block = Some(block);
        self.push(Operation::Pack { from: From::Felts, pack });
        block
    }

    /// The bits of a felt, from the first of these wires on.
    pub(super) fn bits_of(&mut self, felt: Wire, exact: Option<(usize, Rule)>) -> Wire {
        let known = self.bits.get(&felt).copied();
        if let (Some(bits), None) = (known, exact) {
            return bits;
        }
        let bits = self.wires.more_rigid(BITS);
        self.push(Operation::Bits { felt, bits, exact });
        self.bits.insert(felt, bits);
        bits
    }

    /// A new group of rows of the table `hash`.
    pub(super) fn group(&mut self) -> usize {
        self.tails.push(None);
        self.tails.len() - 1
    }

    /// The next row of a group.
    pub(super) fn hash_row(&mut self, group: usize, step: Step) -> Block {
        let output = self.blocks.more(1);
        self.push(Operation::Hash { group, step, output });
        if let Some(before) = self.tails[group].replace(output) {
            self.tail_of.remove(&before);
        }
        self.tail_of.insert(output, group);
        output
    }

    /// Two wires are the same: whichever step would create the second one reads it.
    pub(super) fn equal(&mut self, rule: Rule, x: Wire, y: Wire) {
        if x == y {
            return;
        }
        let [x, y] = [x, y].map(|wire| self.flexible(wire));
        self.push(Operation::Equal { rule, wires: [x, y] });
        self.wires.unite(x, y);
    }

    /// The same wire, such that the step that creates it could read it.
    fn flexible(&mut self, wire: Wire) -> Wire {
        if self.wires.is_rigid(wire) { self.copy(wire) } else { wire }
    }

    /// A new wire with the value of a wire.
    pub(super) fn copy(&mut self, wire: Wire) -> Wire {
        let result = self.wires.more(1);
        self.copy_to(wire, result);
        result
    }

    /// Gives a new wire the value of a wire.
    pub(super) fn copy_to(&mut self, wire: Wire, result: Wire) {
        let [zero, one] = [Val::ZERO, Val::ONE];
        let gate = Gate { m: zero, p: one, q: zero, r: zero, k: zero, operands: [wire, 0, 0] };
        self.push(Operation::Gate { gate, result });
    }
}

/// The first felts of a row of `pack`.
fn front(felts: [Wire; EXTENSION]) -> [Option<Wire>; BLOCK] {
    std::array::from_fn(|i| felts.get(i).copied())
}
