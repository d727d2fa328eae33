//! Constraints of the `bits` table.

use p3_air::{AirBuilder, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;

use super::{BitsCols, FixedCols, PART};
use crate::{Val, bus};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let (main, fixed) = (builder.main(), builder.preprocessed().clone());
    let row: BitsCols<AB::Var> = BitsCols::from_row(main.current_slice());
    let next: BitsCols<AB::Var> = BitsCols::from_row(main.next_slice());
    let fixed = FixedCols::from_row(fixed.current_slice());
    let number = |bits: [AB::Var; PART]| -> AB::Expr {
        bits.into_iter().enumerate().map(|(i, bit)| bit * Val::from_u32(1 << i)).sum()
    };
    let ones: AB::Expr = row.bits.into_iter().map(Into::into).sum();

    builder.assert_bools(row.bits);
    let mut first = builder.when(fixed.first);
    // There is no bit 31.
    first.assert_zero(row.bits[PART - 1]);
    first.assert_eq(row.value, number(row.bits));
    first.assert_zero(row.ones);
    // `more` is zero in the table's last row.
    let mut more = builder.when(fixed.more);
    more.assert_eq(next.value, row.value * Val::from_u32(1 << PART) + number(next.bits));
    builder.assert_eq((next.ones - row.ones) * fixed.more, ones.clone() * fixed.high);
    // After seven ones there are no more; `ones` never exceeds seven.
    let below_seven = AB::Expr::from(Val::from_u32(7)) - row.ones;
    builder.assert_zero(ones * (below_seven * row.inverse - Val::ONE));

    bus::receive(builder, bus::felt(fixed.felt.into(), row.value.into()), fixed.read);
    for (i, (bit, count)) in row.bits.into_iter().zip(fixed.counts).enumerate() {
        let index = fixed.bits + Val::from_usize(i);
        bus::create(builder, bus::felt(index, bit.into()), count);
    }
}
