//! Constraints of the `bitwise` table.

use p3_air::WindowAccess;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use rwprove_isa::Op;

use super::BitwiseCols;
use crate::{
    Val, bus,
    coprocessor::{at_most_one, limbs_of, tag, weighted},
};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let main = builder.main();
    let row: BitwiseCols<AB::Var> = BitwiseCols::from_row(main.current_slice());

    let real = at_most_one(builder, [row.and, row.or, row.xor]);
    for i in 0..4 {
        // The lookup bounds the bytes of the operands too.
        let lookup = bus::and(row.x[i].into(), row.y[i].into(), row.both[i].into());
        bus::send(builder, lookup, real.clone());
    }

    let (x, y, both) = (limbs_of::<AB>(row.x), limbs_of::<AB>(row.y), limbs_of::<AB>(row.both));
    for i in 0..2 {
        let or = x[i].clone() + y[i].clone() - both[i].clone();
        let xor = or.clone() - both[i].clone();
        let result = both[i].clone() * row.and + or * row.or + xor * row.xor;
        builder.assert_eq(row.z[i], result);
    }

    let tag = weighted::<AB, 3>([
        (row.and, tag(Op::And)),
        (row.or, tag(Op::Or)),
        (row.xor, tag(Op::Xor)),
    ]);
    let request = bus::request(tag, AB::Expr::ZERO, x, y, row.z.map(Into::into));
    bus::receive(builder, request, real);
}
