//! Given the steps of sponges, transcripts and Merkle paths as preprocessed columns, this chip
//! proves that every block which it creates is what the permutation makes of its inputs.

use crate::{Val, circuit::Cell, poseidon2::WIDTH};

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where the input comes from.
    pub step: Step,
    /// The first eight outputs, as a block.
    pub output: Cell,
}

/// What a row does with the outputs of the row before and with blocks, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next block of a sponge overwrites the first `len` elements (1 to 8) of the state: of the
    /// outputs of the row before, or of zeros if it is the `first` block. The block itself has the
    /// elements of the state behind the `len` ones, that is, **the whole block is the input's first
    /// half**.
    Sponge {
        /// Whether the sponge begins.
        first: bool,
        /// Block read.
        block: u32,
        /// Elements that count.
        len: usize,
    },
    /// The transcript absorbs the first `len` elements (1 to 8) of a block, whose others are zero.
    Absorb {
        /// Whether the transcript begins.
        first: bool,
        /// Block read.
        block: u32,
        /// Elements that count.
        len: usize,
    },
    /// The outputs of the row before once more: a transcript is squeezed.
    Squeeze,
    /// Compresses two blocks.
    Compress {
        /// Block read.
        left: u32,
        /// Block read.
        right: u32,
    },
    /// Compresses the first half of the outputs of the row before with a block.
    Inject {
        /// Block read.
        right: u32,
    },
    /// Compresses the first half of the outputs of the row before, which is the right half of the
    /// input if the bit is set and the left one otherwise, with a sibling that nobody else knows.
    Climb {
        /// Wire of the bit.
        bit: u32,
    },
}

/// What a prover puts into a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// The permutation's input.
    pub input: [Val; WIDTH],
    /// The bit of a climb.
    pub bit: bool,
}
