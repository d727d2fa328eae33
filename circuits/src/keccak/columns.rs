//! Columns of the sponge's table: the library's, then ours.

use p3_keccak_air::{NUM_KECCAK_COLS, NUM_ROUNDS};
use rwprove_isa::layout::SPONGE_WORDS;

use crate::columns;

/// Words of the sponge.
pub(super) const WORDS: usize = SPONGE_WORDS as usize;
/// Rows of one permutation.
pub(super) const ROUNDS: usize = NUM_ROUNDS;
/// Columns of the library's AIR.
pub(super) const INNER: usize = NUM_KECCAK_COLS;
/// All columns.
pub(super) const WIDTH: usize = INNER + KeccakCols::<u8>::WIDTH;

columns! {
    /// The cells that bind a permutation to the machine; they mean something on exported rows.
    pub struct KeccakCols {
        /// Clock of the row that asked.
        clock,
        /// Time of the access before, of each word.
        time: [WORDS],
    }
}

/// The library's columns: name and number.
const INNER_NAMES: [(&str, usize); 10] = [
    ("step_flags", ROUNDS),
    ("export", 1),
    ("preimage", 100),
    ("a", 100),
    ("c", 320),
    ("c_prime", 320),
    ("a_prime", 1600),
    ("a_prime_prime", 100),
    ("a_prime_prime_0_0_bits", 64),
    ("a_prime_prime_prime_0_0_limbs", 4),
];

pub(super) fn names() -> Vec<String> {
    let inner = |(name, n): (&str, usize)| match n {
        1 => vec![name.to_string()],
        _ => (0..n).map(|i| format!("{name}[{i}]")).collect(),
    };
    INNER_NAMES.into_iter().flat_map(inner).chain(KeccakCols::<u8>::names()).collect()
}

/// Where the two limbs of a word are in the state as the library lays it out: row, column, and
/// the lower limb of the lane.
pub(super) const fn place(word: usize) -> (usize, usize, usize) {
    let lane = word / 2;
    (lane / 5, lane % 5, word % 2 * 2)
}
