//! This chip provides the small facts that other tables look up: numbers below 2^16, conjunctions
//! and pairs of bytes, powers of two. Row `x + 256 y` has the bytes `x` and `y` preprocessed.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use p3_air::WindowAccess;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;

use crate::{
    Val, bus, columns,
    counts::Counts,
    table::{Fill, Shard, Table},
};

#[cfg(test)]
mod tests;

/// log2 of the height.
pub const LOG_HEIGHT: usize = 16;

columns! {
    /// Preprocessed columns.
    pub struct BytesFixed {
        /// Low byte of the row's number.
        x,
        /// High byte of the row's number.
        y,
        /// `x & y`.
        and,
        /// `2^x` on rows 0 to 16, elsewhere 0.
        power,
        /// Whether the row has a power.
        has_power,
    }
}

columns! {
    /// How often each fact is looked up. Free: lookups are bounded where they are sent.
    pub struct BytesCols {
        /// The row's number is below 2^16.
        range16,
        /// `x & y`.
        and,
        /// `x` and `y` are bytes.
        pair,
        /// `2^x`; counts only on rows that have a power.
        pow,
    }
}

/// The table of bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bytes;

impl Table for Bytes {
    const NAME: &'static str = "bytes";

    fn columns(&self) -> Vec<String> {
        BytesCols::<()>::names()
    }

    fn preprocessed(&self) -> Option<RowMajorMatrix<Val>> {
        let width = BytesFixed::<Val>::WIDTH;
        let mut values = Val::zero_vec(width << LOG_HEIGHT);
        for (i, row) in (0u32..).zip(values.chunks_exact_mut(width)) {
            let (x, y) = (i & 0xff, i >> 8);
            let has_power = i <= 16;
            let fixed = BytesFixed {
                x: Val::from_u32(x),
                y: Val::from_u32(y),
                and: Val::from_u32(x & y),
                power: if has_power { Val::from_u32(1 << i) } else { Val::ZERO },
                has_power: Val::from_bool(has_power),
            };
            fixed.write_to(row);
        }
        Some(RowMajorMatrix::new(values, width))
    }

    fn preprocessed_width(&self) -> usize {
        BytesFixed::<Val>::WIDTH
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        let fixed = builder.preprocessed().clone();
        let fixed = BytesFixed::from_row(fixed.current_slice());
        let main = builder.main();
        let counts = BytesCols::from_row(main.current_slice());
        let [x, y, and, power]: [AB::Expr; 4] =
            [fixed.x, fixed.y, fixed.and, fixed.power].map(Into::into);
        let number = x.clone() + y.clone() * AB::Expr::from_u32(256);
        bus::provide(builder, bus::range16(number), counts.range16);
        bus::provide(builder, bus::and(x.clone(), y.clone(), and), counts.and);
        bus::provide(builder, bus::pair(x.clone(), y), counts.pair);
        bus::provide(builder, bus::pow(x, power), counts.pow * fixed.has_power);
    }
}

impl Fill for Bytes {
    fn rows(&self, _shard: &Shard<'_>) -> usize {
        1 << LOG_HEIGHT
    }

    /// To be filled after all other tables.
    fn fill(&self, _shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
        let mut values = Val::zero_vec(height * BytesCols::<Val>::WIDTH);
        fill(counts, &mut values);
        RowMajorMatrix::new(values, BytesCols::<Val>::WIDTH)
    }
}

fn fill(counts: &Counts, values: &mut [Val]) {
    let count = |of: &[AtomicU32], i: usize| {
        Val::from_u32(of.get(i).map_or(0, |count| count.load(Relaxed)))
    };
    for (i, row) in values.chunks_exact_mut(BytesCols::<Val>::WIDTH).enumerate() {
        let columns = BytesCols {
            range16: count(&counts.range16, i),
            and: count(&counts.and, i),
            pair: count(&counts.pair, i),
            pow: count(&counts.pow, i),
        };
        columns.write_to(row);
    }
}
