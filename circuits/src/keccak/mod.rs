//! The sponge: a row that asks for `KeccakF` gets the 50 words at `SPONGE` permuted.
//!
//! The rows are those of the library's AIR, 24 a permutation, with the cells of
//! [`KeccakCols`] to their right. That AIR counts the rounds from the first
//! row on, so every 24th row is the last of a whole permutation of `preimage`; a tail that the
//! table's height cuts off never reaches its last round. It lets `export` be 1 on last rounds
//! alone. A row with `export` receives one request, and exchanges each word of the sponge: the
//! words before are the preimage, the words after its output.
//!
//! Permutations without `export` say nothing: they fill the table.
//!
//! # What bounds each value
//! - Limbs after: the AIR computes them from bits. Limbs before: likewise, the AIR recomposes the
//!   first round's input from bits and compares it with `preimage`.
//! - `clock` is the asking row's, by the request; `time` is that of the access before, by the
//!   memory message, and it is smaller because the difference is range-checked.
//! - One request is answered once: both sides have a count of 0 or 1, and clocks differ.

mod air;
mod columns;
#[cfg(test)]
mod tests;
mod trace;

pub use columns::KeccakCols;

/// The table of Keccak-f permutations.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keccak;
