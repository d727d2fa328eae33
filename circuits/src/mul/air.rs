//! Constraints of the `mul` table.

use p3_air::WindowAccess;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use rwprove_isa::Op;

use super::MulCols;
use crate::{
    Val, bus,
    coprocessor::{LIMB, at_most_one, limb_product, limbs_of, small_carries, tag, weighted},
};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let main = builder.main();
    let row: MulCols<AB::Var> = MulCols::from_row(main.current_slice());

    let real = at_most_one(builder, [row.low_word, row.high_word]);
    for bytes in [row.x, row.y] {
        for [low, high] in [[bytes[0], bytes[1]], [bytes[2], bytes[3]]] {
            bus::send(builder, bus::pair(low.into(), high.into()), real.clone());
        }
    }

    // Each side is below 2^29, as bytes, limbs and carries are bounded.
    let mut carry = AB::Expr::ZERO;
    for i in 0..3 {
        let sum = limb_product::<AB>(&row.x, &row.y, i) + carry;
        builder.assert_eq(sum, row.carry[i] * LIMB + row.product[i]);
        bus::send(builder, bus::range16(row.product[i].into()), real.clone());
        carry = row.carry[i].into();
    }
    small_carries(builder, row.carry, real.clone());
    // The other limbs are right, so the highest is below 2^16 by itself.
    let highest = limb_product::<AB>(&row.x, &row.y, 3) + carry;

    let [low, middle, high] = row.product;
    builder.assert_eq(row.z[0], row.low_word * low + row.high_word * high);
    builder.assert_eq(row.z[1], row.low_word * middle + highest * row.high_word);

    let tag = weighted::<AB, 2>([(row.low_word, tag(Op::Mul)), (row.high_word, tag(Op::MulHi))]);
    let (x, y) = (limbs_of::<AB>(row.x), limbs_of::<AB>(row.y));
    let request = bus::request(tag, AB::Expr::ZERO, x, y, row.z.map(Into::into));
    bus::receive(builder, request, real);
}
