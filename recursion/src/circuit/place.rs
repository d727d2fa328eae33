//! From steps to rows: who creates each wire and block, and how often it is read.
//!
//! Of all places that name a wire and could create it, the first one does, and the others read it.
//! Wires that are the same have one number, so that it costs nothing to assert that they are.

use std::collections::HashMap;

use p3_field::PrimeField32;
use rwprove_circuits::{
    Val,
    circuit::{Cell, bits, fold, gate, hash, hash::Step, hint, pack, rows},
};

use super::{
    Circuit,
    builder::{Builder, CircuitError},
    form::Block,
    operation::{Operation, Pack, Site},
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
    /// How often anything is read, but for wire 0 by rows of `gate` that the circuit does not use.
    pub(super) reads: u64,
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
        let mut groups = vec![0_usize; self.tails.len()];
        for operation in &operations {
            if let Operation::Hash { group, .. } = operation {
                groups[*group] += 1;
            }
        }
        // The first row of each group.
        let mut next = 0;
        for group in &mut groups {
            next += std::mem::replace(group, next);
        }
        let steps = placed(&operations);
        let mut places = Places::new(wires, blocks, &steps, public);
        let hashes = vec![None; next];
        let mut rows = Rows { public: places.blocks.class(public), ..Rows::default() };
        let segments = vec![None; self.segments.len()];
        let (hashes, segments) = places.rows(&steps, &mut rows, hashes, segments, groups.clone());
        rows.hashes = hashes;
        rows.segments = segments;
        let operands = rows.gates.iter().flat_map(|gate| gate.operands);
        let of_gates = operands.filter(|wire| *wire == 0).count();
        rows.zeros = places.wires.mentions[0] as usize - of_gates;
        rows.reads = places.reads();
        if rows.reads >= Val::ORDER_U32.into() {
            return Err(CircuitError::Reads(rows.reads));
        }
        Ok(Circuit {
            operations,
            wires: places.wires.classes.len(),
            blocks: places.blocks.classes.len(),
            groups,
            rows,
        })
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
    let mut felts = std::collections::HashSet::new();
    let mut wires = std::collections::HashSet::new();
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

/// Numbers of wires or blocks while rows are made.
#[derive(Debug)]
struct Names {
    classes: Vec<u32>,
    /// How often each class is named.
    mentions: Vec<u32>,
    created: Vec<bool>,
}

impl Names {
    fn new(classes: Vec<u32>) -> Self {
        let (mentions, mut created) = (vec![0; classes.len()], vec![false; classes.len()]);
        // Wire 0 is made by the table `gate`; there is no block 0.
        created[0] = true;
        Self { classes, mentions, created }
    }

    fn class(&self, number: u32) -> u32 {
        self.classes[number as usize]
    }

    fn mention(&mut self, number: u32) {
        let class = self.class(number);
        self.mentions[class as usize] += 1;
    }

    /// The cell of a place that could create it.
    fn cell(&mut self, number: u32) -> Cell {
        let index = self.class(number);
        let created = std::mem::replace(&mut self.created[index as usize], true);
        // Whoever creates it does not read it.
        let count = if created { -1 } else { self.mentions[index as usize] as i32 - 1 };
        Cell { index, count }
    }

    fn option(&mut self, number: Option<u32>) -> Cell {
        number.map(|number| self.cell(number)).unwrap_or_default()
    }

    /// Reads of all, which is one less than mentions for what is created by one of them.
    fn reads(&self) -> u64 {
        let [zero, others @ ..] = &self.mentions[..] else { return 0 };
        u64::from(*zero) + others.iter().map(|n| u64::from(n.saturating_sub(1))).sum::<u64>()
    }
}

#[derive(Debug)]
struct Places {
    wires: Names,
    blocks: Names,
}

impl Places {
    fn new(wires: Vec<u32>, blocks: Vec<u32>, steps: &[Operation], public: Block) -> Self {
        let mut places = Self { wires: Names::new(wires), blocks: Names::new(blocks) };
        for step in steps {
            step.sites(|site| match site {
                Site::Read(wire) | Site::Either(wire) | Site::Create(wire) => {
                    places.wires.mention(wire);
                }
                Site::ReadBlock(block) | Site::EitherBlock(block) => places.blocks.mention(block),
            });
        }
        places.blocks.mention(public);
        places
    }

    fn reads(&self) -> u64 {
        self.wires.reads() + self.blocks.reads()
    }

    /// Makes the rows of all steps.
    fn rows(
        &mut self,
        steps: &[Operation],
        rows: &mut Rows,
        mut hashes: Vec<Option<hash::Row>>,
        mut segments: Vec<Option<rows::Segment>>,
        mut groups: Vec<usize>,
    ) -> (Vec<hash::Row>, Vec<rows::Segment>) {
        for step in steps {
            match step {
                &Operation::Hint { wire, felt } => {
                    rows.hints.push(hint::Row { felt, wire: self.wires.cell(wire) });
                }
                &Operation::Inverse { wire, .. } => {
                    rows.hints.push(hint::Row { felt: false, wire: self.wires.cell(wire) });
                }
                Operation::Gate { gate, result } => {
                    let super::operation::Gate { m, p, q, r, k, operands } = *gate;
                    let operands = operands.map(|wire| self.wires.class(wire));
                    let result = self.wires.cell(*result);
                    rows.gates.push(gate::Row { m, p, q, r, k, operands, result });
                }
                Operation::Pack { pack, .. } => rows.packs.push(pack::Row {
                    block: self.blocks.option(pack.block),
                    wire: self.wires.option(pack.wire),
                    felts: pack.felts.map(|felt| self.wires.option(felt)),
                }),
                &Operation::Bits { felt, bits, .. } => rows.bits.push(bits::Row {
                    felt: self.wires.class(felt),
                    bits,
                    counts: std::array::from_fn(|i| self.wires.cell(bits + i as u32).count),
                }),
                Operation::Hash { group, step, output } => {
                    let row =
                        hash::Row { step: self.step(*step), output: self.blocks.cell(*output) };
                    if let Some(place) = hashes.get_mut(groups[*group]) {
                        *place = Some(row);
                    }
                    groups[*group] += 1;
                }
                Operation::Rows { segment, gamma, block, sums, .. } => {
                    let sums = sums.iter().map(|(width, sum)| (*width, self.wires.cell(*sum)));
                    let leaf = rows::Leaf { block: *block, sums: sums.collect() };
                    let gamma = self.wires.class(*gamma);
                    if let Some(place) = segments.get_mut(*segment) {
                        let new = || rows::Segment { gamma, leaves: Vec::new() };
                        place.get_or_insert_with(new).leaves.push(leaf);
                    }
                }
                &Operation::Fold { k, value, position, x_inverse, beta, block, result } => {
                    rows.folds.push(fold::Row {
                        k,
                        value: self.wires.class(value),
                        position,
                        x_inverse: self.wires.class(x_inverse),
                        beta: self.wires.class(beta),
                        block,
                        result: self.wires.cell(result),
                    });
                }
                Operation::Equal { .. } | Operation::EqualBlocks { .. } => {}
            }
        }
        (hashes.into_iter().flatten().collect(), segments.into_iter().flatten().collect())
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
}
