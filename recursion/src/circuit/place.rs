//! From steps to rows: who creates each wire and block, and how often it is read.
//!
//! Of all places that name a wire and could create it, the first one does, and the others read it.
//! Wires that are the same have one number, so that it costs nothing to assert that they are.

use std::collections::{HashMap, HashSet};

use p3_field::PrimeField32;
use rwprove_circuits::{
    Val,
    circuit::{bits, fold, gate, hash, hash::Step, hint, pack, rows},
};

use super::{
    Circuit,
    builder::{Builder, CircuitError},
    form::Block,
    names::Names,
    operation::{self, Operation, Pack, Site},
};

/// The rows of all tables.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) gates: Vec<gate::Row>,
    pub(super) hints: Vec<hint::Row>,
    pub(super) packs: Vec<pack::Row>,
    pub(super) bits: Vec<bits::Row>,
    pub(super) hashes: Vec<hash::Row>,
    pub(super) segments: Vec<rows::Segment>,
    pub(super) folds: Vec<fold::Row>,
    pub(super) public: Block,
    /// How often wire 0 is read, but for operands of gates.
    pub(super) zeros: usize,
}

impl Builder {
    /// The circuit of all steps so far.
    ///
    /// # Errors
    /// [`CircuitError`] if no circuit can do these steps.
    pub fn finish(self) -> Result<Circuit, CircuitError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let public = self.public.ok_or(CircuitError::NoPublic)?;
        let (wires, blocks) = (self.wires.all(), self.blocks.all());
        let operations = without_unused(self.operations, &wires);
        let steps = placed(&operations);
        let mut places = Places {
            wires: Names::new(wires),
            blocks: Names::new(blocks),
            hashes: vec![Vec::new(); self.tails.len()],
            segments: vec![None; self.segments.len()],
            rows: Rows::default(),
        };
        steps.iter().for_each(|step| places.mention(step));
        places.blocks.mention(public);
        steps.iter().for_each(|step| places.place(step));
        places.finish(public, operations)
    }
}

/// Leaves out gates whose results nobody reads.
fn without_unused(operations: Vec<Operation>, classes: &[u32]) -> Vec<Operation> {
    let mut mentions = vec![0_u32; classes.len()];
    let each = |operation: &Operation, mentions: &mut Vec<u32>, add: fn(u32) -> u32| {
        operation.sites(|site| {
            if let Site::Read(wire) | Site::Either(wire) | Site::Create(wire) = site {
                let count = &mut mentions[classes[wire as usize] as usize];
                *count = add(*count);
            }
        });
    };
    operations.iter().for_each(|operation| each(operation, &mut mentions, |n| n + 1));
    let used = |operation: &Operation| match operation {
        Operation::Gate { result, .. } => {
            let used = mentions[classes[*result as usize] as usize] > 1;
            if !used {
                each(operation, &mut mentions, |n| n - 1);
            }
            used
        }
        _ => true,
    };
    // From the last one on, as the operands of an unused gate may then be unused too.
    let used: Vec<_> = operations.iter().rev().map(used).collect();
    let all = operations.into_iter().zip(used.into_iter().rev());
    all.filter_map(|(operation, used)| used.then_some(operation)).collect()
}

/// The steps that take rows: names of one block share a row of `pack` where they do not collide, and
/// what such a row creates needs no hint.
fn placed(operations: &[Operation]) -> Vec<Operation> {
    let mut steps: Vec<Operation> = Vec::with_capacity(operations.len());
    let mut rows: HashMap<Block, usize> = HashMap::new();
    for operation in operations {
        if let Operation::Pack { pack, .. } = operation
            && let Some(block) = pack.block
        {
            let place = *rows.entry(block).or_insert(steps.len());
            if let Some(Operation::Pack { pack: row, .. }) = steps.get_mut(place)
                && merge(row, pack)
            {
                continue;
            }
        }
        steps.push(operation.clone());
    }
    let mut felts = HashSet::new();
    let mut wires = HashSet::new();
    for step in &steps {
        if let Operation::Pack { pack, .. } = step {
            felts.extend(pack.felts.iter().flatten().copied());
            wires.extend(pack.wire);
        }
    }
    steps.retain(|step| match step {
        // The first five elements of a row may be anything, so they are no felt.
        Operation::Hint { wire, felt } => !felts.contains(wire) && (*felt || !wires.contains(wire)),
        _ => true,
    });
    steps
}

/// Adds the names of a row to another row of the same block, if they do not collide.
fn merge(row: &mut Pack, more: &Pack) -> bool {
    let free = |pack: &Pack| pack.wire.is_none() && pack.felts == Pack::default().felts;
    match (free(row), free(more)) {
        (_, true) => true,
        (true, false) => {
            *row = Pack { block: row.block, ..*more };
            true
        }
        (false, false) => false,
    }
}

/// Rows while they are made.
#[derive(Debug)]
struct Places {
    wires: Names,
    blocks: Names,
    /// The rows of each group.
    hashes: Vec<Vec<hash::Row>>,
    segments: Vec<Option<rows::Segment>>,
    rows: Rows,
}

impl Places {
    /// Counts what a step names.
    fn mention(&mut self, step: &Operation) {
        step.sites(|site| match site {
            Site::Read(wire) | Site::Either(wire) | Site::Create(wire) => self.wires.mention(wire),
            Site::ReadBlock(block) | Site::EitherBlock(block) => self.blocks.mention(block),
        });
    }

    /// Makes the row of a step.
    fn place(&mut self, step: &Operation) {
        let Self { wires, blocks, rows, .. } = self;
        match step {
            &Operation::Hint { wire, felt } => {
                rows.hints.push(hint::Row { felt, wire: wires.cell(wire) });
            }
            &Operation::Inverse { wire, .. } => {
                rows.hints.push(hint::Row { felt: false, wire: wires.cell(wire) });
            }
            Operation::Gate { gate, result } => {
                let operation::Gate { m, p, q, r, k, operands } = *gate;
                let operands = operands.map(|wire| wires.class(wire));
                rows.gates.push(gate::Row { m, p, q, r, k, operands, result: wires.cell(*result) });
            }
            Operation::Pack { pack, .. } => rows.packs.push(pack::Row {
                block: pack.block.map(|block| blocks.cell(block)).unwrap_or_default(),
                wire: pack.wire.map(|wire| wires.cell(wire)).unwrap_or_default(),
                felts: pack.felts.map(|felt| felt.map(|f| wires.cell(f)).unwrap_or_default()),
            }),
            &Operation::Bits { felt, bits, .. } => rows.bits.push(bits::Row {
                felt: wires.class(felt),
                bits,
                counts: std::array::from_fn(|i| wires.cell(bits + i as u32).count),
            }),
            Operation::Hash { group, step, output } => {
                let row = hash::Row { step: self.step(*step), output: self.blocks.cell(*output) };
                self.hashes[*group].push(row);
            }
            Operation::Rows { segment, gamma, block, sums, .. } => {
                let sums = sums.iter().map(|(width, sum)| (*width, wires.cell(*sum))).collect();
                let gamma = wires.class(*gamma);
                let new = || rows::Segment { gamma, leaves: Vec::new() };
                let segment = self.segments[*segment].get_or_insert_with(new);
                segment.leaves.push(rows::Leaf { block: *block, sums });
            }
            &Operation::Fold { k, value, position, x_inverse, beta, block, result } => {
                let [value, x_inverse, beta] = [value, x_inverse, beta].map(|w| wires.class(w));
                let result = wires.cell(result);
                rows.folds.push(fold::Row { k, value, position, x_inverse, beta, block, result });
            }
            Operation::Equal { .. } | Operation::EqualBlocks { .. } => {}
        }
    }

    /// The step with the numbers of classes.
    fn step(&self, step: Step) -> Step {
        let class = |block: Block| self.blocks.class(block);
        match step {
            Step::Sponge { first, block, len } => Step::Sponge { first, block: class(block), len },
            Step::Absorb { first, block, len } => Step::Absorb { first, block: class(block), len },
            Step::Compress { left, right } => {
                Step::Compress { left: class(left), right: class(right) }
            }
            Step::Inject { right } => Step::Inject { right: class(right) },
            Step::Climb { bit } => Step::Climb { bit: self.wires.class(bit) },
            Step::Squeeze => Step::Squeeze,
        }
    }

    fn finish(self, public: Block, operations: Vec<Operation>) -> Result<Circuit, CircuitError> {
        let Self { wires, blocks, hashes, segments, mut rows } = self;
        let reads = wires.reads() + blocks.reads();
        // Numbers are elements of the field, too.
        let largest = reads.max(wires.len() as u64).max(blocks.len() as u64);
        if largest >= Val::ORDER_U32.into() {
            return Err(CircuitError::Size(largest));
        }
        let operands = rows.gates.iter().flat_map(|gate| gate.operands);
        let of_gates = operands.filter(|wire| *wire == 0).count();
        rows.zeros = wires.mentions(0) as usize - of_gates;
        rows.public = blocks.class(public);
        let mut groups = Vec::with_capacity(hashes.len());
        for group in hashes {
            groups.push(rows.hashes.len());
            rows.hashes.extend(group);
        }
        rows.segments = segments.into_iter().flatten().collect();
        Ok(Circuit { operations, wires: wires.len(), blocks: blocks.len(), groups, rows })
    }
}
