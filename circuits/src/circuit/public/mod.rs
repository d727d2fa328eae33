//! Given the number of a block as preprocessed column, this chip proves that the block has the
//! public values.

#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;

use p3_air::WindowAccess;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

use crate::{
    Val, bus,
    circuit::{BLOCK, Fixed, lay},
    table::Table,
};

crate::columns! {
    /// The block.
    pub struct PublicCols {
        /// Its elements.
        elements: [BLOCK],
    }
}

crate::columns! {
    /// What a circuit fixes of the block.
    pub struct FixedCols {
        /// The block.
        block,
        /// Whether it is read.
        read,
    }
}

/// The table of public values.
#[derive(Clone, Debug, Default)]
pub struct Public {
    fixed: Fixed,
}

impl Public {
    /// The table for a block, which its first row reads.
    pub fn new(block: u32, height: usize) -> Self {
        let fixed = lay(&[block], 1, FixedCols::<Val>::WIDTH, height, |&block, cells| {
            FixedCols { block: Val::from_u32(block), read: Val::ONE }.write_to(cells);
        });
        Self { fixed: Some(Arc::new(fixed)) }
    }
}

/// The main columns. The elements stand in every row, as nothing else would be any better.
pub fn fill(elements: [Val; BLOCK], height: usize) -> RowMajorMatrix<Val> {
    lay(&vec![elements; height], 1, BLOCK, height, |&elements, cells| {
        PublicCols { elements }.write_to(cells);
    })
}

impl Table for Public {
    const NAME: &'static str = "public";

    fn columns(&self) -> Vec<String> {
        PublicCols::<Val>::names()
    }

    fn public_values(&self) -> usize {
        BLOCK
    }

    fn preprocessed(&self) -> Option<RowMajorMatrix<Val>> {
        self.fixed.as_deref().cloned()
    }

    fn preprocessed_width(&self) -> usize {
        FixedCols::<Val>::WIDTH
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        let (main, fixed) = (builder.main(), builder.preprocessed().clone());
        let row = PublicCols::from_row(main.current_slice());
        let fixed = FixedCols::from_row(fixed.current_slice());
        let publics: [AB::PublicVar; BLOCK] = std::array::from_fn(|i| builder.public_values()[i]);
        for (element, public) in row.elements.into_iter().zip(publics) {
            builder.assert_eq(element, public);
        }
        let message = bus::block(fixed.block.into(), row.elements.map(Into::into));
        bus::receive(builder, message, fixed.read);
    }
}
