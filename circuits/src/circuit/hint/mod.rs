//! Given the numbers of wires as preprocessed columns, this chip creates them with values that the
//! prover chooses: any element of the challenge field, or of the base field.

#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;

use p3_air::WindowAccess;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

use crate::{
    Challenge, EXTENSION, Val, bus,
    circuit::{Cell, Fixed, extension::coefficients, lay},
    table::Table,
};

crate::columns! {
    /// One hint.
    pub struct HintCols {
        /// The value.
        value: [EXTENSION],
    }
}

crate::columns! {
    /// What a circuit fixes of a hint.
    pub struct FixedCols {
        /// The value is an element of the base field.
        felt,
        /// The wire.
        wire,
        /// How often it is read.
        count,
    }
}

/// What a circuit fixes of a hint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The value is an element of the base field.
    pub felt: bool,
    /// The wire.
    pub wire: Cell,
}

/// The table of hints.
#[derive(Clone, Debug, Default)]
pub struct Hint {
    fixed: Fixed,
}

impl Hint {
    /// The table of these rows, in a table of at least as many.
    pub fn new(rows: &[Row], height: usize) -> Self {
        let fixed = lay(rows, 1, FixedCols::<Val>::WIDTH, height, |row, cells| {
            let [wire, count] = row.wire.columns();
            FixedCols { felt: Val::from_bool(row.felt), wire, count }.write_to(cells);
        });
        Self { fixed: Some(Arc::new(fixed)) }
    }
}

/// The main columns of hints.
pub fn fill(values: &[Challenge], height: usize) -> RowMajorMatrix<Val> {
    lay(values, 1, HintCols::<Val>::WIDTH, height, |value, cells| {
        HintCols { value: coefficients(value) }.write_to(cells);
    })
}

impl Table for Hint {
    const NAME: &'static str = "hint";

    fn columns(&self) -> Vec<String> {
        HintCols::<Val>::names()
    }

    fn preprocessed(&self) -> Option<RowMajorMatrix<Val>> {
        self.fixed.as_deref().cloned()
    }

    fn preprocessed_width(&self) -> usize {
        FixedCols::<Val>::WIDTH
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        let (main, fixed) = (builder.main(), builder.preprocessed().clone());
        let row = HintCols::from_row(main.current_slice());
        let fixed = FixedCols::from_row(fixed.current_slice());
        for upper in row.value.into_iter().skip(1) {
            builder.assert_zero(upper * fixed.felt);
        }
        let message = bus::wire(fixed.wire.into(), row.value.map(Into::into));
        bus::exchange(builder, message, fixed.count);
    }
}
