//! Given steps of folding as preprocessed columns, this chip proves that every wire which it creates
//! is the value at beta of the polynomial through the values in the blocks which it creates, and
//! that one of these values is a wire.
//!
//! # Rows
//! A row is a step of `2^k` values, for `k` up to 3. Two values `y` and `z` at `x` and `-x` are those
//! of `(y + z)/2 + (y - z) X/2x`; in bit-reversed order they stand next to each other. So a level
//! folds each two of them to one value at `x^2`, of a polynomial that is wanted at `beta^2`. After
//! `k` levels one value is left. Only `beta/x` matters, and the next level has its square.
//!
//! All rows fold all eight values. The points of the first `2^k` do not depend on how many there
//! are, and what a row makes of the others goes nowhere. Rows that the circuit does not use say
//! nothing. What the last block has behind the values is free here: the hash binds it.

mod air;
mod columns;
#[cfg(test)]
pub(super) mod tests;
mod trace;

use std::sync::{Arc, LazyLock};

use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing, TwoAdicField};
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

pub use columns::{FixedCols, FoldCols};
pub use trace::fill;

use crate::{
    Challenge, EXTENSION, Val,
    circuit::{BLOCK, Cell, Fixed},
    table::Table,
};

/// The largest `k`.
pub const LEVELS: usize = 3;
/// Values of the largest step.
const VALUES: usize = 1 << LEVELS;
/// Blocks of the largest step.
const BLOCKS: usize = blocks(LEVELS);

/// Blocks that the values of a step are in.
const fn blocks(k: usize) -> usize {
    (EXTENSION << k).div_ceil(BLOCK)
}

/// What a level multiplies the difference of each pair with, besides `beta/x`: a half, divided by
/// `w^rev(i)`, where `w` generates the group of eight. The values of the next level are at the
/// squares of every second point, and the generator of their group is the square too: so each level
/// has the same factors.
static TWIDDLES: LazyLock<[Val; VALUES / 2]> = LazyLock::new(|| {
    let generator = Val::two_adic_generator(LEVELS).inverse();
    [0, 2, 1, 3].map(|exponent| generator.exp_u64(exponent).halve())
});

/// What a circuit fixes of a step of folding of `2^k` values. Value `j` is at the point
/// `x w^rev(j)`, where `w` generates the group of `2^k` and `rev` reverses `k` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// 1, 2 or 3.
    pub k: usize,
    /// Wire of the value that is known.
    pub value: u32,
    /// Wire of the lowest of the `k` bits of its position; the others follow.
    pub position: u32,
    /// Wire of `1/x`, a felt.
    pub x_inverse: u32,
    /// Wire of beta.
    pub beta: u32,
    /// The block of the first eight coefficients of the values; the others follow. Each is read
    /// once.
    pub block: u32,
    /// The value at beta.
    pub result: Cell,
}

impl Row {
    /// Number of blocks; the last one may be partial, and then has anything behind the elements.
    pub fn blocks(&self) -> usize {
        blocks(self.k)
    }
}

/// What a prover puts into a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// The blocks: the coefficients of the `2^k` values, then anything. Only the first 2, 3 or 5
    /// blocks are created.
    pub blocks: [[Val; BLOCK]; BLOCKS],
    /// Position of the value that is known, below `2^k`.
    pub position: usize,
    /// `1/x`.
    pub x_inverse: Val,
    /// Beta.
    pub beta: Challenge,
}

/// What the levels make of eight values.
struct Folded {
    once: [Challenge; VALUES / 2],
    twice: [Challenge; VALUES / 4],
    all: Challenge,
}

impl Values {
    /// The value at the position.
    pub fn value(&self) -> Challenge {
        self.values().get(self.position).copied().unwrap_or_default()
    }

    /// The value at beta of a step of `2^k` values.
    pub fn result(&self, k: usize) -> Challenge {
        let Folded { once: [one, ..], twice: [two, ..], all } = self.folded();
        [one, two, all].get(k.wrapping_sub(1)).copied().unwrap_or_default()
    }

    fn values(&self) -> [Challenge; VALUES] {
        let cells = self.blocks.as_flattened();
        std::array::from_fn(|value| {
            Challenge::from_basis_coefficients_fn(|i| cells[EXTENSION * value + i])
        })
    }

    /// `beta/x`, its square, and the square of that.
    fn ratios(&self) -> [Challenge; LEVELS] {
        let ratio = self.beta * self.x_inverse;
        [ratio, ratio.square(), ratio.square().square()]
    }

    fn folded(&self) -> Folded {
        folded(&self.values(), &self.ratios())
    }
}

fn folded(values: &[Challenge; VALUES], ratios: &[Challenge; LEVELS]) -> Folded {
    let pair = |values: &[Challenge], i: usize, level: usize| {
        let [y, z] = [values[2 * i], values[2 * i + 1]];
        (y + z).halve() + (y - z) * ratios[level] * TWIDDLES[i]
    };
    let once: [_; VALUES / 2] = std::array::from_fn(|i| pair(values, i, 0));
    let twice: [_; VALUES / 4] = std::array::from_fn(|i| pair(&once, i, 1));
    Folded { once, twice, all: pair(&twice, 0, 2) }
}

/// The table of folding.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    fixed: Fixed,
}

impl Fold {
    /// The table of these steps, of at least as many rows.
    pub fn new(rows: &[Row], height: usize) -> Self {
        Self { fixed: Some(Arc::new(trace::fixed(rows, height))) }
    }
}

impl Table for Fold {
    const NAME: &'static str = "fold";

    fn columns(&self) -> Vec<String> {
        FoldCols::<Val>::names()
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
