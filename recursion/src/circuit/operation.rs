//! The steps of a circuit, in the order in which they are evaluated.

use rwprove_circuits::{
    Val,
    circuit::{BLOCK, bits::BITS, hash::Step},
};

use super::form::{Block, Wire};
use crate::backend::Rule;

/// A step.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// The next of the stream: five elements, or one.
    Hint {
        wire: Wire,
        felt: bool,
    },
    /// The inverse of `scale of + offset`.
    Inverse {
        wire: Wire,
        of: Wire,
        scale: Val,
        offset: Val,
    },
    Gate {
        gate: Gate,
        result: Wire,
    },
    /// A row of the table `pack`.
    Pack {
        from: From,
        pack: Pack,
    },
    /// The bits of a felt, from the wire `bits` on. Those from `count` on must be zero if there is a
    /// rule.
    Bits {
        felt: Wire,
        bits: Wire,
        exact: Option<(usize, Rule)>,
    },
    /// The next row of a group of the table `hash`. A climb reads its sibling from the stream.
    Hash {
        group: usize,
        step: Step,
        output: Block,
    },
    /// A leaf of opened rows from the stream, in the blocks from `block` on.
    Rows {
        segment: usize,
        /// The first leaf of its segment, which reads gamma for all.
        first: bool,
        gamma: Wire,
        block: Block,
        sums: Vec<(usize, Wire)>,
    },
    /// A step of folding of `2^k` values, whose siblings come from the stream.
    Fold {
        k: usize,
        value: Wire,
        position: Wire,
        x_inverse: Wire,
        beta: Wire,
        block: Block,
        result: Wire,
    },
    /// Two wires are the same.
    Equal {
        rule: Rule,
        wires: [Wire; 2],
    },
    /// Two blocks are the same.
    EqualBlocks {
        rule: Rule,
        blocks: [Block; 2],
    },
}

/// `m a b + p a + q b + r c + k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Gate {
    pub(super) m: Val,
    pub(super) p: Val,
    pub(super) q: Val,
    pub(super) r: Val,
    pub(super) k: Val,
    pub(super) operands: [Wire; 3],
}

/// Where the elements of a row of `pack` come from. The other names of the row follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// The stream.
    Stream,
    /// The block.
    Block,
    /// The wire of the first five.
    Wire,
    /// The felts, and the wire of the first five where they are not there.
    Felts,
}

/// Eight elements and their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pack {
    pub(super) block: Option<Block>,
    pub(super) wire: Option<Wire>,
    pub(super) felts: [Option<Wire>; BLOCK],
}

/// A wire or block where a step names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// The step reads the wire.
    Read(Wire),
    /// The step can create the wire or read it.
    Either(Wire),
    /// The step creates the wire and cannot read it.
    Create(Wire),
    ReadBlock(Block),
    EitherBlock(Block),
}

impl Operation {
    /// Everything that the step names, but for the blocks of opened and folded rows: each has one
    /// reader by construction.
    pub(super) fn sites(&self, mut site: impl FnMut(Site)) {
        match self {
            &Operation::Hint { wire, .. } | &Operation::Inverse { wire, .. } => {
                site(Site::Either(wire));
            }
            Operation::Gate { gate, result } => {
                gate.operands.iter().for_each(|wire| site(Site::Read(*wire)));
                site(Site::Either(*result));
            }
            Operation::Pack { pack, .. } => {
                pack.block.iter().for_each(|block| site(Site::EitherBlock(*block)));
                let felts = pack.felts.iter().flatten();
                pack.wire.iter().chain(felts).for_each(|wire| site(Site::Either(*wire)));
            }
            &Operation::Bits { felt, bits, .. } => {
                site(Site::Read(felt));
                (bits..).take(BITS).for_each(|bit| site(Site::Create(bit)));
            }
            Operation::Hash { step, output, .. } => {
                match *step {
                    Step::Sponge { block, .. } | Step::Absorb { block, .. } => {
                        site(Site::ReadBlock(block));
                    }
                    Step::Compress { left, right } => {
                        site(Site::ReadBlock(left));
                        site(Site::ReadBlock(right));
                    }
                    Step::Inject { right } => site(Site::ReadBlock(right)),
                    Step::Climb { bit } => site(Site::Read(bit)),
                    Step::Squeeze => {}
                }
                site(Site::EitherBlock(*output));
            }
            Operation::Rows { first, gamma, sums, .. } => {
                first.then(|| site(Site::Read(*gamma)));
                sums.iter().for_each(|(_, sum)| site(Site::Either(*sum)));
            }
            &Operation::Fold { k, value, position, x_inverse, beta, result, .. } => {
                [value, x_inverse, beta].into_iter().for_each(|wire| site(Site::Read(wire)));
                (position..).take(k).for_each(|bit| site(Site::Read(bit)));
                site(Site::Either(result));
            }
            Operation::Equal { .. } | Operation::EqualBlocks { .. } => {}
        }
    }
}
