//! Evaluation of a circuit.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use rwprove_circuits::{
    Challenge, EXTENSION, Val,
    circuit::{
        BLOCK,
        bits::BITS,
        fold,
        hash::{self, Step},
    },
    poseidon2,
};

use super::{
    Circuit,
    arithmetic::{coefficients, element},
    form::{Block, Wire},
    operation::{From, Gate, Operation, Pack},
};
use crate::backend::Rule;

/// All values of a circuit.
#[derive(Clone, Debug)]
pub struct Execution {
    pub(super) wires: Vec<Challenge>,
    pub(super) blocks: Vec<[Val; BLOCK]>,
    /// Of the rows of `hash`, in their order.
    pub(super) hashes: Vec<hash::Values>,
    /// The public values.
    pub(super) publics: [Val; BLOCK],
}

impl Execution {
    /// The public values.
    pub const fn publics(&self) -> &[Val; BLOCK] {
        &self.publics
    }
}

impl Circuit {
    /// Evaluates the circuit on a stream.
    ///
    /// # Errors
    /// The [`Rule`] that is broken.
    pub fn run(&self, stream: &[Val]) -> Result<Execution, Rule> {
        let mut run = Run {
            stream,
            wires: vec![Challenge::ZERO; self.wires],
            blocks: vec![[Val::ZERO; BLOCK]; self.blocks],
            states: vec![[Val::ZERO; poseidon2::WIDTH]; self.groups.len()],
            next: self.groups.clone(),
            hashes: vec![hash::Values::default(); self.rows.hashes.len()],
        };
        self.operations.iter().try_for_each(|operation| run.step(operation))?;
        if !run.stream.is_empty() {
            return Err(Rule::Stream);
        }
        let publics = run.blocks[self.rows.public as usize];
        let Run { wires, blocks, hashes, .. } = run;
        Ok(Execution { wires, blocks, hashes, publics })
    }
}

struct Run<'a> {
    stream: &'a [Val],
    wires: Vec<Challenge>,
    blocks: Vec<[Val; BLOCK]>,
    /// The last outputs of each group of rows of `hash`.
    states: Vec<[Val; poseidon2::WIDTH]>,
    /// The next row of each group.
    next: Vec<usize>,
    hashes: Vec<hash::Values>,
}

impl Run<'_> {
    fn take<const N: usize>(&mut self) -> Result<[Val; N], Rule> {
        let (taken, rest) = self.stream.split_first_chunk().ok_or(Rule::Stream)?;
        self.stream = rest;
        Ok(*taken)
    }

    fn wire(&self, wire: Wire) -> Challenge {
        self.wires[wire as usize]
    }

    fn set(&mut self, wire: Wire, value: Challenge) {
        self.wires[wire as usize] = value;
    }

    fn felt(&self, wire: Wire) -> Val {
        coefficients(&self.wire(wire))[0]
    }

    fn step(&mut self, operation: &Operation) -> Result<(), Rule> {
        match *operation {
            Operation::Hint { wire, felt: true } => {
                let [value] = self.take()?;
                self.set(wire, value.into());
            }
            Operation::Hint { wire, felt: false } => {
                let value = self.take::<EXTENSION>()?;
                self.set(wire, element(value));
            }
            Operation::Inverse { wire, of, scale, offset } => {
                let value = self.wire(of) * scale + offset;
                self.set(wire, value.try_inverse().ok_or(Rule::Inverse)?);
            }
            Operation::Gate { gate, result } => {
                let value = self.gate(&gate);
                self.set(result, value);
            }
            Operation::Pack { from, pack } => self.pack(from, &pack)?,
            Operation::Bits { felt, bits, exact } => self.bits(felt, bits, exact)?,
            Operation::Hash { group, step, output } => self.hash(group, step, output)?,
            Operation::Rows { gamma, block, ref sums, .. } => self.rows(gamma, block, sums)?,
            Operation::Fold { k, value, position, x_inverse, beta, block, result } => {
                let value = self.wire(value);
                let place = (0..k)
                    .map(|i| (self.felt(position + i as u32).as_canonical_u32() as usize & 1) << i);
                let position = place.sum();
                let values = fold::Values {
                    blocks: self.siblings(k, position, value)?,
                    position,
                    x_inverse: self.felt(x_inverse),
                    beta: self.wire(beta),
                };
                let blocks = (EXTENSION << k).div_ceil(BLOCK);
                self.blocks[block as usize..][..blocks].copy_from_slice(&values.blocks[..blocks]);
                self.set(result, values.result(k));
            }
            Operation::Equal { rule, wires: [x, y] } => {
                return holds(rule, self.wire(x) == self.wire(y));
            }
            Operation::EqualBlocks { rule, blocks: [x, y] } => {
                return holds(rule, self.blocks[x as usize] == self.blocks[y as usize]);
            }
        }
        Ok(())
    }

    fn gate(&self, gate: &Gate) -> Challenge {
        let [a, b, c] = gate.operands.map(|wire| self.wire(wire));
        let mut sum = a * gate.p + b * gate.q + c * gate.r + gate.k;
        if gate.m != Val::ZERO {
            sum += a * b * gate.m;
        }
        sum
    }

    fn pack(&mut self, from: From, pack: &Pack) -> Result<(), Rule> {
        let mut elements = [Val::ZERO; BLOCK];
        match (from, pack.block) {
            (From::Stream, _) => elements = self.take()?,
            (From::Block, Some(block)) => elements = self.blocks[block as usize],
            (From::Block, None) => {}
            (From::Felts, _) => {
                if let Some(wire) = pack.wire {
                    elements[..EXTENSION].copy_from_slice(&coefficients(&self.wire(wire)));
                }
                for (element, felt) in elements.iter_mut().zip(pack.felts) {
                    if let Some(felt) = felt {
                        *element = self.felt(felt);
                    }
                }
            }
            (From::Wire, _) => {
                let wire = pack.wire.unwrap_or_default();
                elements[..EXTENSION].copy_from_slice(&coefficients(&self.wire(wire)));
            }
        }
        if from != From::Block
            && let Some(block) = pack.block
        {
            self.blocks[block as usize] = elements;
        }
        if from != From::Felts {
            for (element, felt) in elements.into_iter().zip(pack.felts) {
                felt.into_iter().for_each(|felt| self.set(felt, element.into()));
            }
        } else if pack.block.is_none()
            && let Some(wire) = pack.wire
        {
            let [first @ .., _, _, _] = elements;
            self.set(wire, element(first));
        }
        Ok(())
    }

    fn bits(&mut self, felt: Wire, bits: Wire, exact: Option<(usize, Rule)>) -> Result<(), Rule> {
        let value = self.felt(felt).as_canonical_u32();
        for i in 0..BITS as u32 {
            self.set(bits + i, Challenge::from(Val::from_u32(value >> i & 1)));
        }
        exact.map_or(Ok(()), |(count, rule)| holds(rule, u64::from(value) >> count == 0))
    }

    fn hash(&mut self, group: usize, step: Step, output: Block) -> Result<(), Rule> {
        let zero = [Val::ZERO; BLOCK];
        let block = |block: Block| self.blocks[block as usize];
        let (left, right, bit) = match step {
            Step::Sponge { block: left, .. } | Step::Absorb { block: left, .. } => {
                (block(left), zero, false)
            }
            Step::Compress { left, right } => (block(left), block(right), false),
            Step::Inject { right } => (zero, block(right), false),
            Step::Squeeze => (zero, zero, false),
            Step::Climb { bit } => (self.take()?, zero, self.felt(bit) != Val::ZERO),
        };
        let input = step.input(&self.states[group], left, right, bit);
        if let Step::Sponge { block, .. } | Step::Absorb { block, .. } = step {
            // What is behind the elements of a partial block.
            self.blocks[block as usize].copy_from_slice(&input[..BLOCK]);
        }
        let state = poseidon2::permuted(input);
        self.blocks[output as usize].copy_from_slice(&state[..BLOCK]);
        self.states[group] = state;
        self.hashes[self.next[group]] = hash::Values { input, bit };
        self.next[group] += 1;
        Ok(())
    }

    fn rows(&mut self, gamma: Wire, block: Block, sums: &[(usize, Wire)]) -> Result<(), Rule> {
        let count = sums.iter().map(|(width, _)| width).sum();
        let (taken, rest) = self.stream.split_at_checked(count).ok_or(Rule::Stream)?;
        self.stream = rest;
        let blocks = &mut self.blocks[block as usize..];
        for (block, elements) in blocks.iter_mut().zip(taken.chunks(BLOCK)) {
            block[..elements.len()].copy_from_slice(elements);
        }
        let gamma = self.wire(gamma);
        let mut elements = taken.iter();
        for &(width, sum) in sums {
            let row = elements.by_ref().take(width);
            let value = row.fold(Challenge::ZERO, |sum, element| sum * gamma + *element);
            self.set(sum, value);
        }
        Ok(())
    }

    /// The blocks of `2^k` values, of which one is known and the others are in the stream.
    fn siblings(
        &mut self,
        k: usize,
        position: usize,
        value: Challenge,
    ) -> Result<[[Val; BLOCK]; 5], Rule> {
        let mut blocks = [[Val::ZERO; BLOCK]; 5];
        let places = blocks.as_flattened_mut().chunks_exact_mut(EXTENSION);
        for (i, place) in places.enumerate().take(1 << k) {
            let value = if i == position { coefficients(&value) } else { self.take()? };
            place.copy_from_slice(&value);
        }
        Ok(blocks)
    }
}

fn holds(rule: Rule, condition: bool) -> Result<(), Rule> {
    if condition { Ok(()) } else { Err(rule) }
}
