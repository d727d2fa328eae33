//! The sparse memory tree that the prover keeps from shard to shard.

use std::{collections::HashMap, sync::LazyLock};

use rwprove_isa::{
    Program,
    layout::{CHUNK_WORDS, INPUT, LOG_WORDS, MAX_TAPE_BYTES, REGION_DEPTH, RUN, TREE_DEPTH},
    record::{self, ChunkEvent, Limbs},
};
use thiserror::Error;

use super::{
    Below, MerkleUpdate, Node, RegOpening,
    opening::{OPENED_WORDS, REGIONS, chunk, parent, region_of},
};
use crate::{
    Val,
    poseidon2::{self, Digest, WIDTH},
};

/// Why a tree cannot be built or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TreeError {
    /// Word addresses do not rise.
    #[error("word addresses must rise, found {found} after {before}")]
    WordOrder {
        /// Address before.
        before: u32,
        /// Address that is not larger.
        found: u32,
    },
    /// A word outside of the space.
    #[error("word address {0}, expected less than 2^{LOG_WORDS}")]
    Word(u32),
    /// Chunks do not rise.
    #[error("chunks must rise, found {found} after {before}")]
    ChunkOrder {
        /// Chunk before.
        before: u32,
        /// Chunk that is not larger.
        found: u32,
    },
    /// A chunk outside of the space.
    #[error("chunk {0}, expected less than 2^{TREE_DEPTH}")]
    Chunk(u32),
    /// The words before are not those of the tree.
    #[error("chunk {0} does not start with the words that the tree has")]
    Stale(u32),
    /// The input does not fit its region.
    #[error("input of {0} bytes, expected at most {MAX_TAPE_BYTES}")]
    Input(usize),
}

/// Digests of the subtrees without content, for each level.
static EMPTY: LazyLock<[Digest; TREE_DEPTH + 1]> = LazyLock::new(|| {
    let mut digests = [Digest::default(); TREE_DEPTH + 1];
    let mut node = [Val::default(); WIDTH];
    for digest in digests.iter_mut().rev() {
        *digest = poseidon2::compress(node);
        node = parent(*digest, *digest);
    }
    digests
});

/// The digest of a node at `level` over zero words.
pub(crate) fn empty(level: usize) -> Digest {
    EMPTY.get(level).copied().unwrap_or_default()
}

/// The tree over all of memory. Only digests that were ever written are kept, so its size follows
/// what a run touches.
#[derive(Clone, Debug)]
pub struct MemoryTree {
    levels: Vec<HashMap<u32, Digest>>,
}

/// A node with its digest before and after.
struct Change {
    index: u32,
    before: Digest,
    after: Digest,
}

impl Default for MemoryTree {
    /// The tree of zero words.
    fn default() -> Self {
        Self { levels: vec![HashMap::new(); TREE_DEPTH + 1] }
    }
}

impl MemoryTree {
    /// The tree of the given words, by rising address; all others are zero.
    ///
    /// # Errors
    /// [`TreeError::WordOrder`] and [`TreeError::Word`].
    pub fn new(words: impl IntoIterator<Item = (u32, u32)>) -> Result<Self, TreeError> {
        let mut chunks: Vec<(u32, [Limbs; CHUNK_WORDS])> = Vec::new();
        let mut last = None;
        for (addr, word) in words {
            match last {
                Some(before) if before >= addr => {
                    return Err(TreeError::WordOrder { before, found: addr });
                }
                _ if addr >> LOG_WORDS != 0 => return Err(TreeError::Word(addr)),
                _ => last = Some(addr),
            }
            let (index, place) = (addr / CHUNK_WORDS as u32, addr as usize % CHUNK_WORDS);
            if chunks.last().is_none_or(|(last, _)| *last != index) {
                chunks.push((index, [[0; 2]; CHUNK_WORDS]));
            }
            if let Some((_, limbs)) = chunks.last_mut() {
                limbs[place] = record::limbs(word);
            }
        }
        let leaves: Vec<_> = chunks.iter().map(|(_, words)| chunk(*words)).collect();
        let leaves = poseidon2::compress_all(&leaves).into_iter().zip(&chunks);
        let changes = leaves
            .map(|(after, &(index, _))| Change { index, before: empty(TREE_DEPTH), after })
            .collect();
        let mut tree = Self::default();
        tree.climb(changes, drop);
        Ok(tree)
    }

    /// The tree that a run starts from: the program's image, the input, and the facts of the run
    /// (see [`run_words`](super::opening::run_words)).
    ///
    /// # Errors
    /// [`TreeError::Input`], and the errors of [`MemoryTree::new`] if the image is out of order.
    pub fn start(
        program: &Program,
        input: &[u8],
        run: [u32; CHUNK_WORDS],
    ) -> Result<Self, TreeError> {
        if input.len() > MAX_TAPE_BYTES as usize {
            return Err(TreeError::Input(input.len()));
        }
        // The regions are in this order, and the image has nothing in these two.
        let before = program_image(program, |region| region < region_of(RUN));
        let between = program_image(program, |r| r > region_of(RUN) && r < region_of(INPUT));
        let after = program_image(program, |region| region > region_of(INPUT));
        let run = (RUN..).zip(run);
        let input = (INPUT..).zip(input.chunks(4).map(|bytes| {
            let mut word = [0; 4];
            word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            u32::from_le_bytes(word)
        }));
        Self::new(before.chain(run).chain(between).chain(input).chain(after))
    }

    /// The digest of a node: level 0 is the root, level 27 has the chunks.
    pub fn digest(&self, level: usize, index: u32) -> Digest {
        let known = self.levels.get(level).and_then(|nodes| nodes.get(&index));
        known.copied().unwrap_or_else(|| empty(level))
    }

    /// The root.
    pub fn root(&self) -> Digest {
        self.digest(0, 0)
    }

    /// The digests of all regions.
    pub fn regions(&self) -> [Digest; REGIONS] {
        let mut index = 0..;
        [(); REGIONS].map(|()| self.digest(REGION_DEPTH, index.next().unwrap_or_default()))
    }

    /// The digest of the region of the input, which the verifier takes from the proof.
    pub fn input_digest(&self) -> Digest {
        self.digest(REGION_DEPTH, region_of(INPUT) as u32)
    }

    /// The siblings on the path from a node to the root, the lowest first.
    pub fn path<const N: usize>(&self, level: usize, index: u32) -> [Digest; N] {
        std::array::from_fn(|i| self.digest(level.saturating_sub(i), index >> i ^ 1))
    }

    /// Opens the results of a run, given the words from `REG` on.
    pub fn open_results(&self, words: [u32; OPENED_WORDS]) -> RegOpening {
        RegOpening { words, siblings: self.path(RegOpening::LEVEL, RegOpening::INDEX) }
    }

    /// Applies what a shard did and returns the content of its [`Merkle`](super::Merkle) table.
    ///
    /// # Errors
    /// [`TreeError::ChunkOrder`], [`TreeError::Chunk`] and [`TreeError::Stale`]; the tree is
    /// unchanged then.
    pub fn apply(&mut self, events: &[ChunkEvent]) -> Result<MerkleUpdate, TreeError> {
        let mut last = None;
        for event in events {
            match last {
                Some(before) if before >= event.chunk => {
                    return Err(TreeError::ChunkOrder { before, found: event.chunk });
                }
                _ if event.chunk >> TREE_DEPTH != 0 => return Err(TreeError::Chunk(event.chunk)),
                _ => last = Some(event.chunk),
            }
        }
        let leaves: Vec<Node> = events
            .iter()
            .map(|event| Node {
                level: TREE_DEPTH as u32,
                index: event.chunk,
                before: chunk(event.before),
                after: chunk(event.after),
                below: Below::Words(event.times),
            })
            .collect();
        let compress = |side: fn(&Node) -> [Val; WIDTH]| {
            poseidon2::compress_all(&leaves.iter().map(side).collect::<Vec<_>>())
        };
        let (before, after) = (compress(|leaf| leaf.before), compress(|leaf| leaf.after));
        let digests = before.into_iter().zip(after);
        let changes: Vec<_> = events
            .iter()
            .zip(digests)
            .map(|(event, (before, after))| Change { index: event.chunk, before, after })
            .collect();
        let stale = |change: &&Change| self.digest(TREE_DEPTH, change.index) != change.before;
        if let Some(change) = changes.iter().find(stale) {
            return Err(TreeError::Stale(change.index));
        }
        let root_before = self.root();
        let mut levels = Vec::new();
        self.climb(changes, |nodes| levels.push(nodes));
        let inner = levels.into_iter().rev().flatten();
        let nodes = inner.chain(leaves).collect();
        Ok(MerkleUpdate { nodes, root_before, root_after: self.root() })
    }

    /// Writes changed chunks and all nodes above them; shows those nodes level by level, the root
    /// last. The root is there even if nothing changed.
    fn climb(&mut self, mut changes: Vec<Change>, mut show: impl FnMut(Vec<Node>)) {
        for level in (0..TREE_DEPTH).rev() {
            let mut nodes = self.parents(level, &changes);
            if level == 0 && nodes.is_empty() {
                nodes.extend(self.parents(0, &[self.unchanged(1, 0)]));
                nodes.iter_mut().for_each(|node| node.below = Below::Nodes([false; 2]));
            }
            self.write(level + 1, &changes);
            let inputs: Vec<_> = nodes.iter().map(|node| node.after).collect();
            let digests = poseidon2::compress_all(&inputs).into_iter().zip(&nodes);
            changes = digests
                .map(|(after, node)| Change { after, ..self.unchanged(level, node.index) })
                .collect();
            show(nodes);
        }
        self.write(0, &changes);
    }

    /// The nodes at `level` above changes of the level below, which are not yet written.
    fn parents(&self, level: usize, changes: &[Change]) -> Vec<Node> {
        let same_parent = |a: &Change, b: &Change| a.index / 2 == b.index / 2;
        let node = |children: &[Change]| {
            let index = children.first().map_or(0, |child| child.index / 2);
            let child = |side: u32| {
                let index = 2 * index + side;
                let change = children.iter().find(|child| child.index == index);
                let old = self.digest(level + 1, index);
                (
                    change.map_or(old, |c| c.before),
                    change.map_or(old, |c| c.after),
                    change.is_some(),
                )
            };
            let (left, right) = (child(0), child(1));
            Node {
                level: level as u32,
                index,
                before: parent(left.0, right.0),
                after: parent(left.1, right.1),
                below: Below::Nodes([left.2, right.2]),
            }
        };
        changes.chunk_by(same_parent).map(node).collect()
    }

    fn unchanged(&self, level: usize, index: u32) -> Change {
        let digest = self.digest(level, index);
        Change { index, before: digest, after: digest }
    }

    fn write(&mut self, level: usize, changes: &[Change]) {
        if let Some(nodes) = self.levels.get_mut(level) {
            nodes.extend(changes.iter().map(|change| (change.index, change.after)));
        }
    }
}

/// The words of a program's image in some regions.
fn program_image(
    program: &Program,
    wanted: impl Fn(usize) -> bool,
) -> impl Iterator<Item = (u32, u32)> {
    program.image.iter().copied().filter(move |&(addr, _)| wanted(region_of(addr)))
}

/// The digests of the regions of a program's image, input and facts of the run left out: what a
/// verification key says of the memory that a run starts from.
///
/// # Errors
/// The errors of [`MemoryTree::new`] if the image is out of order.
pub fn program_regions(program: &Program) -> Result<[Digest; REGIONS], TreeError> {
    let own = |region| region != region_of(RUN) && region != region_of(INPUT);
    Ok(MemoryTree::new(program_image(program, own))?.regions())
}
