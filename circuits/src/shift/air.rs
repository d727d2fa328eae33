//! Constraints of the `shift` table.

use p3_air::WindowAccess;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use rwprove_isa::{Instr, Op};

use super::ShiftCols;
use crate::{
    Val, bus,
    coprocessor::{BYTE, LIMB, at_most_one, limbs_of, tag, weighted},
};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let main = builder.main();
    let row: ShiftCols<AB::Var> = ShiftCols::from_row(main.current_slice());

    let operations = [row.shl, row.shr_u, row.shr_s, row.rotl, row.rotr, row.fshl];
    let real = at_most_one(builder, operations);
    let right = row.shr_u + row.shr_s + row.rotr.into();

    amount(builder, &row, &real, &right);
    select(builder, &row);
    multiply(builder, &row, &real, &right);

    let tag = weighted::<AB, 7>([
        (row.shl, tag(Op::Shl)),
        (row.shr_u, tag(Op::ShrU)),
        (row.shr_s, tag(Op::ShrS)),
        (row.rotl, tag(Op::Rotl)),
        (row.rotr, tag(Op::Rotr)),
        (row.fshl, Instr::new(Op::Fshl).tag()),
        (row.constant, 1),
    ]);
    let (x, y) = (limbs_of::<AB>(row.x), limbs_of::<AB>(row.y));
    let request = bus::request(tag, AB::Expr::ZERO, x, y, row.z.map(Into::into));
    bus::receive(builder, request, real);
}

/// Binds `n`, that is `bits` and `whole`, to the amount, and `sign` to x.
fn amount<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &ShiftCols<AB::Var>,
    real: &AB::Expr,
    right: &AB::Expr,
) {
    builder.assert_bools(row.bits);
    let chosen = at_most_one(builder, row.whole);
    builder.assert_eq(chosen, real.clone());
    let n = weighted::<AB, 6>([
        (row.bits[0], 1),
        (row.bits[1], 2),
        (row.bits[2], 4),
        (row.whole[1], 8),
        (row.whole[2], 16),
        (row.whole[3], 24),
    ]);
    builder.assert_eq(row.constant, n.clone() * row.fshl);

    // The lowest byte of y is 32 wraps + s, as integers: all are bytes.
    let s_without_wraps = row.y[0] - row.wraps * Val::from_u32(32);
    let dynamic = real.clone() - row.fshl;
    let turned = right.clone() * (AB::Expr::from_u32(31) - n.double());
    builder.assert_eq(dynamic * (s_without_wraps - n), turned);

    // x[3] without its sign bit is below 128, as twice it is a byte.
    builder.assert_bool(row.sign);
    let rest = row.x[3] - row.sign * Val::from_u32(128);
    bus::send(builder, bus::pair(rest.double(), row.wraps.into()), real.clone());
    for bytes in [row.x, row.y] {
        for [low, high] in [[bytes[0], bytes[1]], [bytes[2], bytes[3]]] {
            bus::send(builder, bus::pair(low.into(), high.into()), real.clone());
        }
    }
}

/// Of `(hi:lo) << 8 (n / 8)`, selects the four high bytes and the one below them.
fn select<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &ShiftCols<AB::Var>) {
    let lo_is_x = row.shr_u + row.shr_s + row.rotl + row.rotr;
    let hi_is_x = row.shl + row.rotl + row.rotr + row.fshl;
    let fill = row.shr_s * Val::from_u32(255) * row.sign;
    let value: [AB::Expr; 8] = core::array::from_fn(|i| match i {
        0..4 => lo_is_x.clone() * row.x[i] + row.fshl * row.y[i],
        _ => hi_is_x.clone() * row.x[i - 4] + fill.clone(),
    });
    let byte = |i: usize| -> AB::Expr {
        (0..4).map(|whole| value[3 + i - whole].clone() * row.whole[whole]).sum()
    };
    builder.assert_eq(row.selected[0], byte(0));
    builder.assert_eq(row.selected[1], byte(1) + byte(2) * BYTE);
    builder.assert_eq(row.selected[2], byte(3) + byte(4) * BYTE);
}

/// Multiplies the selected bytes by `2^(k mod 8)`, or `2^8` where k is a multiple of 8 to the right.
fn multiply<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &ShiftCols<AB::Var>,
    real: &AB::Expr,
    right: &AB::Expr,
) {
    let factor = |i: usize, more: u32| row.bits[i] * Val::from_u32(more) + AB::Expr::ONE;
    // Minus one so that padding is zero.
    let power = row.power_less_one + real.clone();
    let product = factor(0, 1) * factor(1, 3) * factor(2, 15);
    builder.assert_eq(product, row.power_less_one + AB::Expr::ONE);

    let power = power * (right.clone() + AB::Expr::ONE);
    let times = |i: usize| power.clone() * row.selected[i];
    builder.assert_eq(times(0), row.carry[0] * BYTE + row.dropped);
    builder.assert_eq(times(1) + row.carry[0], row.carry[1] * LIMB + row.z[0]);
    builder.assert_eq(times(2) + row.carry[1], row.carry[2] * LIMB + row.z[1]);
    // Both sides are below 2^25, so the parts are unique.
    for [a, b] in [[row.dropped, row.carry[0]], [row.carry[1], row.carry[2]]] {
        bus::send(builder, bus::pair(a.into(), b.into()), real.clone());
    }
    for limb in row.z {
        bus::send(builder, bus::range16(limb.into()), real.clone());
    }
}
