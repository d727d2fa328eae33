//! Given the steps of sponges, transcripts and Merkle paths as preprocessed columns, this chip
//! proves that every block which it creates is the first half of what the permutation makes of the
//! step's input.
//!
//! # Rows
//! A row is one permutation. Each of its inputs is free, zero, or the same output of the row before;
//! which, the circuit fixes for each of the first eight, and for the others together. Free inputs
//! are a block that the row reads, or private: a sibling on a Merkle path, whose side is a bit.
//! Rows that the circuit does not use permute anything and say nothing.
//!
//! The first row has no row before it: its step must be a first one, or a compression of two blocks.

mod air;
mod columns;
#[cfg(test)]
pub(super) mod tests;
mod trace;

use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use columns::{FixedCols, HashCols};
pub use trace::fill;

use crate::{
    Val,
    circuit::{BLOCK, Cell, Fixed},
    poseidon2::WIDTH,
    table::Table,
};

/// What a circuit fixes of a row.
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

impl Step {
    /// The input, given the outputs of the row before and the blocks that are read as the left and
    /// the right half; of a climb, the sibling as the left one.
    pub fn input(
        self,
        before: &[Val; WIDTH],
        left: [Val; BLOCK],
        right: [Val; BLOCK],
        bit: bool,
    ) -> [Val; WIDTH] {
        let zero = [Val::ZERO; WIDTH];
        let state = |first| if first { zero } else { *before };
        let mut input = match self {
            Step::Sponge { first, .. } | Step::Absorb { first, .. } => state(first),
            Step::Squeeze | Step::Inject { .. } | Step::Climb { .. } => *before,
            Step::Compress { .. } => zero,
        };
        let (low, high) = input.split_at_mut(BLOCK);
        match self {
            Step::Sponge { len, .. } => low.iter_mut().zip(left).take(len).for_each(set),
            Step::Absorb { len, .. } => {
                low.fill(Val::ZERO);
                low.iter_mut().zip(left).take(len).for_each(set);
                high.iter_mut().take(1).for_each(|x| *x += Val::from_usize(len));
            }
            Step::Squeeze => {}
            Step::Compress { .. } => {
                low.copy_from_slice(&left);
                high.copy_from_slice(&right);
            }
            Step::Inject { .. } => high.copy_from_slice(&right),
            Step::Climb { .. } if bit => {
                high.copy_from_slice(low);
                low.copy_from_slice(&left);
            }
            Step::Climb { .. } => high.copy_from_slice(&left),
        }
        input
    }

    /// The blocks that are read, as the left and the right half.
    fn blocks(self) -> [Option<u32>; 2] {
        match self {
            Step::Sponge { block, .. } | Step::Absorb { block, .. } => [Some(block), None],
            Step::Compress { left, right } => [Some(left), Some(right)],
            Step::Inject { right } => [None, Some(right)],
            Step::Squeeze | Step::Climb { .. } => [None, None],
        }
    }
}

fn set((place, value): (&mut Val, Val)) {
    *place = value;
}

/// What a prover puts into a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// The permutation's input.
    pub input: [Val; WIDTH],
    /// The bit of a climb; not set in other rows.
    pub bit: bool,
}

/// The table of permutations.
#[derive(Clone, Debug, Default)]
pub struct Hash {
    fixed: Fixed,
}

impl Hash {
    /// The table of these rows, `height` (a power of two) high.
    pub fn new(rows: &[Row], height: usize) -> Self {
        Self { fixed: Some(Arc::new(trace::fixed(rows, height))) }
    }
}

impl Table for Hash {
    const NAME: &'static str = "hash";
    const READS_NEXT: bool = true;

    fn columns(&self) -> Vec<String> {
        HashCols::<Val>::names()
    }

    fn preprocessed(&self) -> Option<RowMajorMatrix<Val>> {
        self.fixed.as_deref().cloned()
    }

    fn preprocessed_width(&self) -> usize {
        FixedCols::<Val>::WIDTH
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}
