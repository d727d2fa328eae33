//! The machine of circuits: tables whose preprocessed columns are a circuit.
//!
//! `docs/spec/recursion.md`, section 3, is the specification. Of each table a circuit fixes the
//! `Row`s, which are its preprocessed columns, and a prover brings the `Values`, which are its main
//! columns. A table without preprocessed columns is enough to verify: a commitment stands for them.

use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;

use crate::{Val, chips::chips};

pub mod bits;
mod extension;
pub mod fold;
pub mod gate;
pub mod hash;
pub mod hint;
pub mod pack;
pub mod public;
pub mod rows;

pub use self::{
    bits::Bits, fold::Fold, gate::Gate, hash::Hash, hint::Hint, pack::Pack, public::Public,
    rows::Rows,
};

/// Elements of a block.
pub const BLOCK: usize = 8;
/// log2 of the smallest height of a table: a felt's bits take eight rows.
pub const MIN_LOG_HEIGHT: usize = 3;

/// The preprocessed columns of a table, if they are known.
type Fixed = Option<Arc<RowMajorMatrix<Val>>>;

/// A wire or block where a row names it: nothing at all by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its number, from 1 on.
    pub index: u32,
    /// How often it is read, if the row creates it; -1 if the row reads it; or 0.
    pub count: i32,
}

impl Cell {
    /// The two preprocessed columns of a cell.
    pub(crate) fn columns(self) -> [Val; 2] {
        [Val::from_u32(self.index), Val::from_i32(self.count)]
    }
}

chips! { $ ();
    Gate(Gate): |&()| Gate::default(),
    Hint(Hint): |&()| Hint::default(),
    Pack(Pack): |&()| Pack::default(),
    Bits(Bits): |&()| Bits::default(),
    Hash(Hash): |&()| Hash::default(),
    Rows(Rows): |&()| Rows::default(),
    Fold(Fold): |&()| Fold::default(),
    Public(Public): |&()| Public::default(),
}

/// The tables of any circuit, whose rows stay behind a commitment: enough to verify.
pub fn tables() -> Vec<Chip> {
    ChipId::ALL.iter().map(|&id| Chip::make(id, &())).collect()
}

/// Lays items down one behind the other, `per_row` in a row of `width` cells each. Rows that are left
/// are zero. The items must not take more rows than there are.
pub(crate) fn lay<T: Sync>(
    items: &[T],
    per_row: usize,
    width: usize,
    height: usize,
    write: impl Fn(&T, &mut [Val]) + Sync,
) -> RowMajorMatrix<Val> {
    debug_assert!(items.len() <= per_row * height);
    let mut values = Val::zero_vec(per_row * width * height);
    let cells = values.par_chunks_exact_mut(width);
    cells.zip(items).for_each(|(cells, item)| write(item, cells));
    RowMajorMatrix::new(values, per_row * width)
}

#[cfg(test)]
mod deletions;
#[cfg(test)]
mod tester;
#[cfg(test)]
mod tests;
