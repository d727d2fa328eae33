//! Hashes: groups of rows of the table `hash`, each of which goes on with the outputs of the row
//! before.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{
    Val,
    circuit::{BLOCK, hash::Step},
};

use super::{
    builder::{Builder, Item},
    form::{Block, Ext, Felt, Form},
    operation::Operation,
};

impl Builder {
    /// The block of a constant digest.
    fn constant_block(&mut self, value: [Val; BLOCK]) -> Block {
        self.gather(&value.map(|value| Item::Felt(Felt::constant(value))))
    }

    /// The digest of so many elements in these blocks. The last block may be partial.
    fn sponge(&mut self, blocks: impl IntoIterator<Item = Block>, elements: usize) -> Block {
        let group = self.group();
        let mut left = elements;
        let mut output = None;
        for block in blocks {
            let step = Step::Sponge { first: output.is_none(), block, len: left.min(BLOCK) };
            output = Some(self.hash_row(group, step));
            left = left.saturating_sub(BLOCK);
        }
        // Without elements there is no permutation.
        output.unwrap_or_else(|| self.constant_block([Val::ZERO; BLOCK]))
    }

    /// The digest of elements.
    pub(super) fn sponge_of(&mut self, elements: &[Felt]) -> Block {
        let items: Vec<_> = elements.iter().map(|felt| self.item(felt)).collect();
        let blocks: Vec<_> = items.chunks(BLOCK).map(|items| self.gather(items)).collect();
        self.sponge(blocks, elements.len())
    }

    /// The parent of two digests.
    pub(super) fn parent(&mut self, left: Block, right: Block) -> Block {
        let group = self.group();
        self.hash_row(group, Step::Compress { left, right })
    }

    /// The root above a leaf.
    pub(super) fn path(&mut self, leaf: Block, bits: &[Felt], inject: &[Option<Block>]) -> Block {
        let mut node = leaf;
        for (i, bit) in bits.iter().enumerate() {
            node = match self.tail_of.get(&node).copied() {
                Some(group) => {
                    let bit = self.wire(bit.lift());
                    self.hash_row(group, Step::Climb { bit })
                }
                None => self.first_step(node, bit),
            };
            if let Some(right) = inject.get(i).copied().flatten()
                && let Some(&group) = self.tail_of.get(&node)
            {
                node = self.hash_row(group, Step::Inject { right });
            }
        }
        node
    }

    /// The parent of a node that is not at the end of its group, and of a sibling from the stream.
    fn first_step(&mut self, node: Block, bit: &Felt) -> Block {
        let sibling = self.hint_block();
        let (node, sibling) = (self.unpack(node), self.unpack(sibling));
        let mut sides = [[Item::Felt(*bit); BLOCK]; 2];
        for i in 0..BLOCK {
            let [node, sibling] = [node[i], sibling[i]].map(Ext::wire);
            // left = node + bit (sibling - node), and both together are the same.
            let difference = self.combine([(Val::ONE, sibling), (Val::NEG_ONE, node)]);
            let left = self.times(bit.lift(), difference, node);
            let all = [(Val::ONE, node), (Val::ONE, sibling), (Val::NEG_ONE, left)];
            let right = self.combine(all);
            for (side, x) in sides.iter_mut().zip([left, right]) {
                side[i] = Item::Felt(Form::wire(self.wire(x)));
            }
        }
        let [left, right] = sides.map(|side| self.gather(&side));
        self.parent(left, right)
    }

    /// A leaf of opened rows: its digest and the sums of the rows.
    pub(super) fn opened(&mut self, widths: &[usize], gamma: &Ext) -> (Block, Vec<Ext>) {
        let elements = widths.iter().sum::<usize>();
        let rows = widths.iter().filter(|width| **width > 0);
        let sums: Vec<_> = rows.map(|width| (*width, self.wires.more(1))).collect();
        let mut wires = sums.iter().map(|(_, sum)| Form::wire(*sum));
        let zero = Form::constant(Default::default());
        // The sum of nothing is zero.
        let of_row = |width: &usize| match width {
            0 => zero,
            _ => wires.next().unwrap_or(zero),
        };
        let values = widths.iter().map(of_row).collect();
        if elements == 0 {
            return (self.constant_block([Val::ZERO; BLOCK]), values);
        }
        let gamma = self.wire(*gamma);
        let next = self.segments.len();
        let segment = *self.segments.entry(gamma).or_insert(next);
        let first = segment == next;
        let blocks = elements.div_ceil(BLOCK);
        let block = self.blocks.more_rigid(blocks);
        self.push(Operation::Rows { segment, first, gamma, block, sums });
        let digest = self.sponge((block..).take(blocks), elements);
        (digest, values)
    }

    /// A step of folding: the value at beta, and the digest of the row.
    pub(super) fn folded(
        &mut self,
        value: &Ext,
        position: &[Felt],
        x_inverse: &Felt,
        beta: &Ext,
    ) -> (Ext, Block) {
        let k = position.len();
        if !(1..=3).contains(&k) {
            self.fail(super::builder::CircuitError::Arity(k));
            return (*value, self.constant_block([Val::ZERO; BLOCK]));
        }
        let [value, x_inverse, beta] = [*value, x_inverse.lift(), *beta].map(|x| self.wire(x));
        let position = self.neighbours(position);
        let elements = rwprove_circuits::EXTENSION << k;
        let blocks = elements.div_ceil(BLOCK);
        let block = self.blocks.more_rigid(blocks);
        let result = self.wires.more(1);
        self.push(Operation::Fold { k, value, position, x_inverse, beta, block, result });
        (Ext::wire(result), self.sponge((block..).take(blocks), elements))
    }

    /// The first of wires that follow each other, and will keep their numbers, with these felts.
    fn neighbours(&mut self, felts: &[Felt]) -> u32 {
        let wires: Vec<_> = felts.iter().map(|felt| self.wire(felt.lift())).collect();
        if let [first, ..] = wires[..]
            && wires.iter().copied().eq((first..).take(wires.len()))
            && wires.iter().all(|wire| self.wires.is_rigid(*wire))
        {
            return first;
        }
        let first = self.wires.more_rigid(wires.len());
        for (wire, result) in wires.into_iter().zip(first..) {
            self.copy_to(wire, result);
        }
        first
    }

    /// The digest is the circuit's public one.
    pub(super) fn publish(&mut self, digest: Block) {
        match self.public {
            None => self.public = Some(digest),
            Some(public) => {
                let rule = crate::backend::Rule::Between("one public digest");
                self.equal_blocks(rule, public, digest);
            }
        }
    }

    /// Two blocks are the same: whichever step would create the second one reads it.
    pub(super) fn equal_blocks(&mut self, rule: crate::backend::Rule, x: Block, y: Block) {
        if x != y {
            self.push(Operation::EqualBlocks { rule, blocks: [x, y] });
            self.blocks.unite(x, y);
        }
    }
}
