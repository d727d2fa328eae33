//! Constraints of the `bits` table.

use p3_air::WindowAccess;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use rwprove_isa::Op;

use super::BitsCols;
use crate::{
    Val, bus,
    coprocessor::{BYTE, at_most_one, tag, weighted},
};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let main = builder.main();
    let row: BitsCols<AB::Var> = BitsCols::from_row(main.current_slice());

    let operations = [row.clz, row.ctz, row.popcnt, row.extend8_s, row.extend16_s];
    let real = at_most_one(builder, operations);
    builder.assert_bools(row.bits);
    let byte = |i: usize| -> AB::Expr {
        (0..8).map(|j| row.bits[8 * i + j] * Val::from_u32(1 << j)).sum()
    };
    let half = |i: usize| byte(2 * i) + byte(2 * i + 1) * BYTE;
    let ones: AB::Expr = row.bits.into_iter().map(Into::into).sum();
    first_one(builder, &row, byte, &ones);

    // Counted before the picked byte, and what a place in it counts.
    let before_clz = weighted::<AB, 4>([
        (row.pick[0], 31),
        (row.pick[1], 23),
        (row.pick[2], 15),
        (row.pick[3], 7),
    ]);
    let before_ctz = weighted::<AB, 3>([(row.pick[1], 8), (row.pick[2], 16), (row.pick[3], 24)]);
    let sign8 = row.extend8_s * row.bits[7];
    let sign16 = row.extend16_s * row.bits[15];
    let z0 = (before_clz - row.place) * row.clz
        + (before_ctz + row.place) * row.ctz
        + row.zero * Val::from_u32(32)
        + ones * row.popcnt
        + byte(0) * row.extend8_s
        + sign8.clone() * Val::from_u32(0xff00)
        + half(0) * row.extend16_s;
    builder.assert_eq(row.z[0], z0);
    builder.assert_eq(row.z[1], (sign8 + sign16) * Val::from_u32(0xffff));

    let tag = weighted::<AB, 5>([
        (row.clz, tag(Op::Clz)),
        (row.ctz, tag(Op::Ctz)),
        (row.popcnt, tag(Op::Popcnt)),
        (row.extend8_s, tag(Op::Extend8S)),
        (row.extend16_s, tag(Op::Extend16S)),
    ]);
    let none = [AB::Expr::ZERO, AB::Expr::ZERO];
    let x = [half(0), half(1)];
    let request = bus::request(tag, AB::Expr::ZERO, x, none, row.z.map(Into::into));
    bus::receive(builder, request, real);
}

/// Of a row that counts zeros at an end: either x is zero or `8 pick + place` is where its first
/// one is, seen from that end.
fn first_one<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &BitsCols<AB::Var>,
    byte: impl Fn(usize) -> AB::Expr,
    ones: &AB::Expr,
) {
    let picked = at_most_one(builder, row.pick);
    builder.assert_bool(row.zero);
    builder.assert_eq(picked.clone() + row.zero, row.clz + row.ctz);
    builder.assert_zero(ones.clone() * row.zero);
    builder.assert_zero(row.zero * row.place);

    // Bytes nearer to the end than the picked one are zero: their ones are too few to wrap around.
    let ones_of = |bits: &[AB::Var]| -> AB::Expr { bits.iter().map(|&b| b.into()).sum() };
    for (i, pick) in row.pick.into_iter().enumerate() {
        let (below, above) = (ones_of(&row.bits[..8 * i]), ones_of(&row.bits[8 * i + 8..]));
        builder.assert_zero((above * row.clz + below * row.ctz) * pick);
    }
    let chosen: AB::Expr = (0..4).map(|i| byte(i) * row.pick[i]).sum();
    builder.assert_eq(row.byte, chosen);

    // The byte is not zero, as no power of two is at most 0 and 256 is no byte.
    bus::send(builder, bus::pow(row.place.into(), row.power.into()), picked.clone());
    let (over, under) = (row.byte - row.power, row.power * Val::TWO - AB::Expr::ONE - row.byte);
    bus::send(builder, bus::pair(over, under), picked.clone() * row.clz);
    let negative = AB::Expr::from(BYTE) - row.byte;
    let lowest = bus::and(row.byte.into(), negative, row.power.into());
    bus::send(builder, lowest, picked * row.ctz);
}
