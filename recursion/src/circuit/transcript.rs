//! The transcript: the duplex sponge of `p3_challenger`, as a group of rows of the table `hash`.

use rwprove_circuits::circuit::{BLOCK, hash::Step};

use super::{
    builder::{Builder, CircuitError, Item},
    form::{Block, Ext, Felt, Kind, Wire},
};

/// What was absorbed and can be drawn.
#[derive(Clone, Debug, Default)]
pub(super) struct Transcript {
    /// The rows, if anything was absorbed.
    group: Option<usize>,
    /// What the next row absorbs, fewer than eight.
    inputs: Vec<Item>,
    /// The outputs of the last row, and how many of them are left.
    outputs: Option<(Block, usize)>,
}

impl Builder {
    pub(super) fn begin_transcript(&mut self) {
        self.transcript = Transcript::default();
    }

    pub(super) fn absorb(&mut self, item: Item) {
        self.transcript.outputs = None;
        self.transcript.inputs.push(item);
        if self.transcript.inputs.len() == BLOCK {
            self.duplex();
        }
    }

    pub(super) fn absorb_ext(&mut self, x: &Ext) {
        match x.0 {
            Kind::Constant(value) => {
                for value in super::arithmetic::coefficients(&value) {
                    self.absorb(Item::Felt(Felt::constant(value)));
                }
            }
            Kind::Wire { .. } => {
                let wire = self.wire(*x);
                (0..rwprove_circuits::EXTENSION)
                    .for_each(|i| self.absorb(Item::Coefficient(wire, i)));
            }
        }
    }

    /// Draws an element.
    pub(super) fn draw(&mut self) -> Wire {
        let left = self.transcript.outputs.filter(|_| self.transcript.inputs.is_empty());
        let (block, left) = left.filter(|(_, left)| *left > 0).unwrap_or_else(|| {
            self.duplex();
            // Nothing was absorbed ever: any block will do, as there is no such circuit.
            self.transcript.outputs.unwrap_or_default()
        });
        // From the last one on.
        let place = left.saturating_sub(1);
        self.transcript.outputs = Some((block, place));
        self.unpack(block)[place]
    }

    /// Absorbs what there is, or permutes once more.
    fn duplex(&mut self) {
        let inputs = std::mem::take(&mut self.transcript.inputs);
        let step = match (inputs.len(), self.transcript.group) {
            (0, None) => return self.fail(CircuitError::EmptyTranscript),
            (0, Some(_)) => Step::Squeeze,
            (len, group) => {
                Step::Absorb { first: group.is_none(), block: self.gather(&inputs), len }
            }
        };
        let group = self.transcript.group.unwrap_or_else(|| self.group());
        self.transcript.group = Some(group);
        let output = self.hash_row(group, step);
        // No path starts here, even from a digest of these very elements: the next row of the group
        // is the transcript's.
        self.tail_of.remove(&output);
        self.transcript.outputs = Some((output, BLOCK));
    }
}
