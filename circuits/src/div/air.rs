//! Constraints of the `div` table.

use p3_air::{AirBuilder, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use rwprove_isa::{Op, record::clock};

use super::DivCols;
use crate::{
    Val, bus,
    coprocessor::{
        LIMB, at_most_one, byte_products, limb_product, small_carries, tag, two_bytes, weighted,
    },
};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let main = builder.main();
    let row: DivCols<AB::Var> = DivCols::from_row(main.current_slice());

    let real = at_most_one(builder, [row.div32, row.rem32, row.div64, row.rem64]);
    let limbs = |bytes: [AB::Var; 8]| -> [AB::Expr; 4] {
        core::array::from_fn(|i| two_bytes::<AB>(bytes[2 * i], bytes[2 * i + 1]))
    };
    let (b, q) = (limbs(row.b), limbs(row.q));
    for bytes in [row.b, row.q] {
        for i in 0..4 {
            let pair = bus::pair(bytes[2 * i].into(), bytes[2 * i + 1].into());
            bus::send(builder, pair, real.clone());
        }
    }
    for limb in row.r {
        bus::send(builder, bus::range16(limb.into()), real.clone());
    }

    // Of 32-bit operands nobody else says the high words.
    let mut narrow = builder.when(row.div32 + row.rem32);
    narrow.assert_zeros([row.a[2], row.a[3]]);
    narrow.assert_zeros([b[2].clone(), b[3].clone()]);

    equation(builder, &row, &real);
    remainder_is_less(builder, &row, &b, &real);
    let (div, rem) = (row.div32 + row.div64, row.rem32 + row.rem64);
    for ((z, q), r) in row.z.into_iter().zip(q).zip(row.r) {
        builder.assert_eq(z, div.clone() * q + rem.clone() * r);
    }
    requests(builder, &row, b, real);
}

/// `q b + r = a` as integers.
fn equation<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &DivCols<AB::Var>,
    real: &AB::Expr,
) {
    // Both sides are below 2^29, as bytes, limbs and carries are bounded.
    let mut carry = AB::Expr::ZERO;
    for i in 0..4 {
        let sum = limb_product::<AB>(&row.q, &row.b, i) + row.r[i] + carry;
        carry = row.carry.get(i).map_or(AB::Expr::ZERO, |&c| c.into());
        builder.assert_eq(sum, carry.clone() * LIMB + row.a[i]);
    }
    small_carries(builder, row.carry, real.clone());
    // A sum of numbers that are not negative, and too small to wrap around: each is zero.
    let above: AB::Expr = (8..15).map(|i| byte_products::<AB>(&row.q, &row.b, i)).sum();
    builder.assert_zero(above);
}

/// `r < b`, shown at the highest limb in which they differ.
fn remainder_is_less<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &DivCols<AB::Var>,
    b: &[AB::Expr; 4],
    real: &AB::Expr,
) {
    let chosen = at_most_one(builder, row.top);
    builder.assert_eq(chosen, real.clone());
    let difference = |i: usize| b[i].clone() - row.r[i];
    for i in 1..4 {
        // Limb i is above the chosen one.
        let above: AB::Expr = row.top[..i].iter().map(|&top| top.into()).sum();
        builder.assert_zero(above * difference(i));
    }
    let at_top: AB::Expr = (0..4).map(|i| difference(i) * row.top[i]).sum();
    builder.assert_eq(row.rest + real.clone(), at_top);
    bus::send(builder, bus::range16(row.rest.into()), real.clone());
}

fn requests<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &DivCols<AB::Var>,
    b: [AB::Expr; 4],
    real: AB::Expr,
) {
    let [a0, a1, a2, a3] = row.a.map(Into::into);
    let [b0, b1, b2, b3] = b;
    let [z0, z1, z2, z3] = row.z.map(Into::into);
    let low = weighted::<AB, 4>([
        (row.div32, tag(Op::DivU)),
        (row.rem32, tag(Op::RemU)),
        (row.div64, tag(Op::DivU64Lo)),
        (row.rem64, tag(Op::RemU64Lo)),
    ]);
    let high = weighted::<AB, 2>([(row.div64, tag(Op::DivU64Hi)), (row.rem64, tag(Op::RemU64Hi))]);
    // The cpu row directly after the first one.
    let next = row.clk + AB::Expr::from_u32(clock(1) - clock(0));
    let first = bus::request(low, row.clk.into(), [a0, a1], [b0, b1], [z0, z1]);
    let second = bus::request(high, next, [a2, a3], [b2, b3], [z2, z3]);
    bus::receive(builder, first, real);
    bus::receive(builder, second, row.div64 + row.rem64);
}
