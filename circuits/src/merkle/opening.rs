//! What a verifier computes of memory trees: the first root, and the results opened from the last.

use rwprove_isa::{
    layout::{
        CHUNK_WORDS, INPUT, LOG_WORDS, REG, REGION_DEPTH, REGION_WORDS, RUN, TREE_DEPTH, reg, run,
    },
    record,
};

use super::tree::empty;
use crate::{
    Val,
    poseidon2::{self, Digest, WIDTH},
};
use p3_field::PrimeCharacteristicRing;

/// Nodes that cover a region each (linear memory counts as 16).
pub const REGIONS: usize = 1 << REGION_DEPTH;
/// Words that [`RegOpening`] opens.
pub const OPENED_WORDS: usize = reg::OPENED_CHUNKS * CHUNK_WORDS;

const OPENED_LEVEL: usize = TREE_DEPTH - reg::OPENED_CHUNKS.ilog2() as usize;
const _: () = assert!(1 << (OPENED_LEVEL + 2) == 1 << TREE_DEPTH && OPENED_WORDS == 32);
const _: () = assert!(REGION_WORDS as usize == 1 << (LOG_WORDS - REGION_DEPTH));

/// The node of a region among the [`REGIONS`], by the region's first word.
pub(crate) const fn region_of(word: u32) -> usize {
    (word / REGION_WORDS) as usize
}

/// The node above two nodes.
pub(crate) fn parent(left: Digest, right: Digest) -> [Val; WIDTH] {
    std::array::from_fn(|i| if i < left.len() { left[i] } else { right[i - left.len()] })
}

/// What the leaf of eight words compresses.
pub(crate) fn chunk(words: [record::Limbs; CHUNK_WORDS]) -> [Val; WIDTH] {
    std::array::from_fn(|i| Val::from_u32(words[i / 2][i % 2]))
}

/// Who computes nodes: a verifier, or a circuit that is one.
pub trait Nodes {
    /// A node's digest.
    type Node: Clone;

    /// A constant.
    fn constant(&mut self, digest: Digest) -> Self::Node;
    /// The node above two nodes.
    fn parent(&mut self, left: &Self::Node, right: &Self::Node) -> Self::Node;

    /// The root over a power of two of nodes, at least one.
    fn root(&mut self, nodes: &[Self::Node]) -> Self::Node {
        if let [node] = nodes {
            return node.clone();
        }
        let (left, right) = nodes.split_at(nodes.len() / 2);
        let (left, right) = (self.root(left), self.root(right));
        self.parent(&left, &right)
    }

    /// The node of a region in which only the first chunk, with this leaf, is not zero.
    fn region_of_one_chunk(&mut self, leaf: Self::Node) -> Self::Node {
        (REGION_DEPTH + 1..=TREE_DEPTH).rev().fold(leaf, |node, level| {
            let empty = self.constant(empty(level));
            self.parent(&node, &empty)
        })
    }

    /// The root that a run starts from: the program's regions, the node of the input's region, and
    /// the leaf of the run's facts.
    fn initial_root(
        &mut self,
        program: &[Self::Node; REGIONS],
        input: Self::Node,
        run: Self::Node,
    ) -> Self::Node {
        let mut regions = program.clone();
        regions[const { region_of(INPUT) }] = input;
        regions[const { region_of(RUN) }] = self.region_of_one_chunk(run);
        self.root(&regions)
    }

    /// The root above the opened leaves, with the siblings on the way, the lowest first.
    fn results_root(
        &mut self,
        leaves: &[Self::Node; reg::OPENED_CHUNKS],
        siblings: &[Self::Node; OPENED_LEVEL],
    ) -> Self::Node {
        let node = self.root(leaves);
        let siblings = siblings.iter().enumerate();
        siblings.fold(node, |node, (i, sibling)| match RegOpening::INDEX >> i & 1 {
            0 => self.parent(&node, sibling),
            _ => self.parent(sibling, &node),
        })
    }
}

/// A verifier.
struct Native;

impl Nodes for Native {
    type Node = Digest;

    fn constant(&mut self, digest: Digest) -> Digest {
        digest
    }

    fn parent(&mut self, left: &Digest, right: &Digest) -> Digest {
        poseidon2::compress(parent(*left, *right))
    }
}

/// The leaf of a chunk.
fn leaf(words: [u32; CHUNK_WORDS]) -> Digest {
    poseidon2::compress(chunk(words.map(record::limbs)))
}

/// The root over the digests of all regions.
pub fn root_of_regions(regions: &[Digest; REGIONS]) -> Digest {
    Native.root(regions)
}

/// The words of the run's facts, from [`RUN`] on.
pub fn run_words(input_bytes: u32, state: u32) -> [u32; CHUNK_WORDS] {
    let mut words = [0; CHUNK_WORDS];
    words[(run::INPUT_LEN - RUN) as usize] = input_bytes;
    words[(run::STATE - RUN) as usize] = state;
    words
}

/// The digest of a region in which only the first chunk is not zero.
pub fn region_of_one_chunk(words: [u32; CHUNK_WORDS]) -> Digest {
    Native.region_of_one_chunk(leaf(words))
}

/// The root that a run starts from: the program's regions, the input's digest as the prover says,
/// and the facts of the run.
pub fn initial_root(program: &[Digest; REGIONS], input: Digest, run: [u32; CHUNK_WORDS]) -> Digest {
    Native.initial_root(program, input, leaf(run))
}

/// The results of a run with the path from their chunks to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegOpening {
    /// The words from [`REG`] on.
    pub words: [u32; OPENED_WORDS],
    /// The siblings on the path, the lowest first.
    pub siblings: [Digest; OPENED_LEVEL],
}

impl RegOpening {
    /// Level of the node above the opened chunks.
    pub const LEVEL: usize = OPENED_LEVEL;
    /// Place of that node in its level.
    pub const INDEX: u32 = REG / OPENED_WORDS as u32;

    /// The root of the tree that has these words and siblings. The opening is right exactly if it
    /// is the root that was proved.
    pub fn root(&self) -> Digest {
        let words: [[u32; CHUNK_WORDS]; reg::OPENED_CHUNKS] =
            std::array::from_fn(|c| std::array::from_fn(|i| self.words[CHUNK_WORDS * c + i]));
        Native.results_root(&words.map(leaf), &self.siblings)
    }
}
