//! Constraints of the `fuel` table.

use p3_air::{AirBuilder, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use rwprove_isa::{Op, layout::reg, record::COPROCESSOR_TIME};

use super::FuelCols;
use crate::{
    Val, bus,
    coprocessor::{LIMB, at_most_one, tag, weighted},
};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let main = builder.main();
    let row: FuelCols<AB::Var> = FuelCols::from_row(main.current_slice());
    let next: FuelCols<AB::Var> = FuelCols::from_row(main.next_slice());

    let real = at_most_one(builder, [row.charge, row.left_low, row.left_high]);
    builder.assert_bool(row.refused);
    builder.when(row.refused).assert_one(row.charge);

    order(builder, &row, &next, &real);
    sums(builder, &row, &next);
    left(builder, &row);
    refusal(builder, &row);

    let [y0, y1, x0, x1] = row.amount.map(Into::into);
    let tag = weighted::<AB, 3>([
        (row.charge, tag(Op::FuelCharge)),
        (row.left_low, tag(Op::FuelLeftLo)),
        (row.left_high, tag(Op::FuelLeftHi)),
    ]);
    let z = row.z.map(Into::into);
    bus::receive(builder, bus::request(tag, row.clk.into(), [x0, x1], [y0, y1], z), real);
}

/// Real rows come first, and their clocks rise.
fn order<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &FuelCols<AB::Var>,
    next: &FuelCols<AB::Var>,
    real: &AB::Expr,
) {
    let next_real = next.charge + next.left_low + next.left_high;
    let mut step = builder.when_transition();
    step.when(next_real.clone()).assert_one(real.clone());
    let skipped = row.gap[1] * LIMB + row.gap[0];
    step.when(next_real).assert_eq(next.clk - row.clk - AB::Expr::ONE, skipped);
    // The gap is below 2^24, and so are clocks: it is no negative number.
    bus::send(builder, bus::range16(row.gap[0].into()), real.clone());
    bus::send(builder, bus::pair(row.gap[1].into(), AB::Expr::ZERO), real.clone());
}

/// The running sums, from zero to the public ones.
fn sums<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &FuelCols<AB::Var>,
    next: &FuelCols<AB::Var>,
) {
    let charged: [AB::Expr; 4] = core::array::from_fn(|i| builder.public_values()[8 + i].into());
    for (i, charged) in charged.into_iter().enumerate() {
        let after = (row.charge - row.refused) * row.amount[i] + row.sums[i];
        builder.when_first_row().assert_zero(row.sums[i]);
        builder.when_transition().assert_eq(next.sums[i], after.clone());
        builder.when_last_row().assert_eq(after, charged);
    }
}

/// Of a question: `start + sums + spent + left = limit` as integers.
fn left<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &FuelCols<AB::Var>) {
    let question = row.left_low + row.left_high;
    let spent = row.spent[1] * LIMB + row.spent[0];
    builder.when(question.clone()).assert_eq(row.amount[2], spent);
    bus::send(builder, bus::range16(row.spent[0].into()), question.clone());
    below_32512(builder, row.spent[1], &question);

    // Left side: below 2^30 + 2^18. Right side: below p, as 2^16 · 32512 is p - 1.
    let mut carry = AB::Expr::ZERO;
    for i in 0..4 {
        let start: AB::Expr = builder.public_values()[i].into();
        let limit: AB::Expr = builder.public_values()[4 + i].into();
        let spent = row.spent.get(i).map_or(AB::Expr::ZERO, |&s| s.into());
        let sum = start + row.sums[i] + spent + row.left[i] + carry;
        carry = row.carry.get(i).map_or(AB::Expr::ZERO, |&c| c.into());
        builder.when(question.clone()).assert_eq(sum, carry.clone() * LIMB + limit);
        bus::send(builder, bus::range16(row.left[i].into()), question.clone());
    }
    for carry in row.carry {
        below_32512(builder, carry, &question);
    }

    for (i, answer) in row.z.into_iter().enumerate() {
        let words = row.left_low * row.left[i] + row.left_high * row.left[2 + i];
        let refused = if i == 0 { row.refused.into() } else { AB::Expr::ZERO };
        builder.assert_eq(answer, words + refused);
    }
}

/// `x` is a number below 2^16, and so is `2 x + 512`, which does not wrap around.
fn below_32512<AB: InteractionBuilder<F = Val>>(builder: &mut AB, x: AB::Var, count: &AB::Expr) {
    bus::send(builder, bus::range16(x.into()), count.clone());
    bus::send(builder, bus::range16(x * Val::TWO + Val::from_u32(512)), count.clone());
}

/// A refused charge is written down; nothing was there before.
fn refusal<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &FuelCols<AB::Var>) {
    let now = row.clk + AB::Expr::from_u32(COPROCESSOR_TIME);
    let [a, b, c, d] = row.amount.map(Into::into);
    let words =
        [(reg::REFUSED_FUEL_LO, [a, b], row.time[0]), (reg::REFUSED_FUEL_HI, [c, d], row.time[1])];
    for (address, limbs, time) in words {
        let address = AB::Expr::from_u32(address);
        let empty = [AB::Expr::ZERO, AB::Expr::ZERO];
        bus::receive(builder, bus::memory(address.clone(), empty, time.into()), row.refused);
        bus::send(builder, bus::memory(address, limbs, now.clone()), row.refused);
        bus::send(builder, bus::range16(now.clone() - time - AB::Expr::ONE), row.refused);
    }
}
