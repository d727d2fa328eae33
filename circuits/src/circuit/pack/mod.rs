//! Given the numbers of wires and blocks as preprocessed columns, this chip proves that eight
//! elements are the same as a block, as eight felts, and the first five of them as one element of
//! the challenge field; each of these is created, read, or not there.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use p3_air::WindowAccess;
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

use crate::{
    EXTENSION, Val, bus,
    circuit::{BLOCK, Cell, Fixed, lay},
    table::Table,
};

crate::columns! {
    /// Eight elements.
    pub struct PackCols {
        /// The elements.
        elements: [BLOCK],
    }
}

crate::columns! {
    /// What a circuit fixes of eight elements.
    pub struct FixedCols {
        /// The block.
        block,
        /// How often it is read, or -1.
        block_count,
        /// The wire of the first five.
        wire,
        /// How often it is read, or -1.
        wire_count,
        /// The felts.
        felts: [BLOCK],
        /// How often they are read, or -1.
        felt_counts: [BLOCK],
    }
}

/// What a circuit fixes of eight elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// All as a block.
    pub block: Cell,
    /// The first five as a wire.
    pub wire: Cell,
    /// Each as a wire.
    pub felts: [Cell; BLOCK],
}

/// The table of blocks and their elements.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    fixed: Fixed,
}

impl Pack {
    /// The table of these rows, in a table of at least as many.
    pub fn new(rows: &[Row], height: usize) -> Self {
        let fixed = lay(rows, 1, FixedCols::<Val>::WIDTH, height, |row, cells| {
            let [block, block_count] = row.block.columns();
            let [wire, wire_count] = row.wire.columns();
            let felts = row.felts.map(Cell::columns);
            let (felts, felt_counts) = (felts.map(|[felt, _]| felt), felts.map(|[_, count]| count));
            let columns = FixedCols { block, block_count, wire, wire_count, felts, felt_counts };
            columns.write_to(cells);
        });
        Self { fixed: Some(Arc::new(fixed)) }
    }
}

/// The main columns of rows.
pub fn fill(values: &[[Val; BLOCK]], height: usize) -> RowMajorMatrix<Val> {
    lay(values, 1, PackCols::<Val>::WIDTH, height, |&elements, cells| {
        PackCols { elements }.write_to(cells);
    })
}

impl Table for Pack {
    const NAME: &'static str = "pack";

    fn columns(&self) -> Vec<String> {
        PackCols::<Val>::names()
    }

    fn preprocessed(&self) -> Option<RowMajorMatrix<Val>> {
        self.fixed.as_deref().cloned()
    }

    fn preprocessed_width(&self) -> usize {
        FixedCols::<Val>::WIDTH
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        let (main, fixed) = (builder.main(), builder.preprocessed().clone());
        let row = PackCols::from_row(main.current_slice());
        let fixed = FixedCols::from_row(fixed.current_slice());
        let elements: [AB::Expr; BLOCK] = row.elements.map(Into::into);
        for ((element, wire), count) in elements.iter().zip(fixed.felts).zip(fixed.felt_counts) {
            bus::exchange(builder, bus::felt(wire.into(), element.clone()), count);
        }
        let first: [AB::Expr; EXTENSION] = std::array::from_fn(|i| elements[i].clone());
        bus::exchange(builder, bus::wire(fixed.wire.into(), first), fixed.wire_count);
        bus::exchange(builder, bus::block(fixed.block.into(), elements), fixed.block_count);
    }
}
