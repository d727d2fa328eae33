//! Given a word's value at one time, this chip proves that it has the same value at a later time.
//! It bridges gaps that are too long for the access tables, whose own gaps are below 2^16.

use p3_air::WindowAccess;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use rwprove_isa::record::{RefreshEvent, limbs};

use crate::{
    Val,
    bus::{self, receive, send},
    columns,
    counts::Counts,
    table::{Fill, Shard, Table},
};

#[cfg(test)]
mod tests;

columns! {
    /// One word carried to a later time.
    pub struct RefreshCols {
        /// Whether the row is used.
        real,
        /// Word address.
        addr,
        /// Value.
        value: [2],
        /// The new time: low 16 bits and a byte.
        time: [2],
        /// New time − time of the access before − 1: low 16 bits and a byte.
        gap: [2],
    }
}

/// The table of refreshes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refresh;

/// New time and gap are both numbers of 24 bits; all other times are below 2^23. So a time is a
/// small integer, `before = time - gap - 1` holds over the integers, and time rises.
fn number<E: PrimeCharacteristicRing>([low, high]: [E; 2]) -> E {
    low + high * E::from_u32(1 << 16)
}

impl Table for Refresh {
    const NAME: &'static str = "refresh";

    fn columns(&self) -> Vec<String> {
        RefreshCols::<()>::names()
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        let main = builder.main();
        let c = RefreshCols::from_row(main.current_slice());
        builder.assert_bool(c.real);
        let [value, time, gap]: [[AB::Expr; 2]; 3] =
            [c.value, c.time, c.gap].map(|pair| pair.map(Into::into));
        let addr: AB::Expr = c.addr.into();
        let now = number(time.clone());
        let before = now.clone() - number(gap.clone()) - AB::Expr::ONE;
        receive(builder, bus::memory(addr.clone(), value.clone(), before), c.real);
        send(builder, bus::memory(addr, value, now), c.real);
        let ([time_low, time_high], [gap_low, gap_high]) = (time, gap);
        send(builder, bus::range16(time_low), c.real);
        send(builder, bus::range16(gap_low), c.real);
        send(builder, bus::pair(time_high, gap_high), c.real);
    }
}

impl Fill for Refresh {
    fn rows(&self, shard: &Shard<'_>) -> usize {
        shard.record.refresh.len()
    }

    fn fill(&self, shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
        let width = RefreshCols::<Val>::WIDTH;
        let mut values = Val::zero_vec(height * width);
        let rows = values.par_chunks_exact_mut(width).zip(&shard.record.refresh);
        rows.for_each(|(row, event)| filled(event, counts).write_to(row));
        RowMajorMatrix::new(values, width)
    }
}

fn filled(event: &RefreshEvent, counts: &Counts) -> RefreshCols<Val> {
    let time = limbs(event.time);
    let gap = limbs(event.time.wrapping_sub(event.before).wrapping_sub(1));
    counts.range16(time[0]);
    counts.range16(gap[0]);
    counts.pair(time[1], gap[1]);
    RefreshCols {
        real: Val::ONE,
        addr: Val::from_u32(event.addr),
        value: event.value.map(Val::from_u32),
        time: time.map(Val::from_u32),
        gap: gap.map(Val::from_u32),
    }
}
