//! Constraints of the `gate` table.

use p3_air::WindowAccess;
use p3_lookup::InteractionBuilder;

use super::{FixedCols, GateCols, LANES};
use crate::{EXTENSION, Val, bus, circuit::extension};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let (main, fixed) = (builder.main(), builder.preprocessed().clone());
    let gates = main.current_slice().chunks_exact(GateCols::<AB::Var>::WIDTH);
    let fixed = fixed.current_slice().chunks_exact(FixedCols::<AB::Var>::WIDTH);
    debug_assert_eq!((gates.len(), fixed.len()), (LANES, LANES));
    for (gate, fixed) in gates.zip(fixed) {
        eval_gate(builder, &GateCols::from_row(gate), &FixedCols::from_row(fixed));
    }
}

fn eval_gate<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    gate: &GateCols<AB::Var>,
    fixed: &FixedCols<AB::Var>,
) {
    let element = |x: [AB::Var; EXTENSION]| -> [AB::Expr; EXTENSION] { x.map(Into::into) };
    let product = extension::mul(&element(gate.a), &element(gate.b));
    for (i, product) in product.into_iter().enumerate() {
        let linear = gate.a[i] * fixed.p + gate.b[i] * fixed.q + gate.c[i] * fixed.r;
        let constant: AB::Expr = if i == 0 { fixed.k.into() } else { Val::default().into() };
        builder.assert_eq(product * fixed.m + linear + constant, gate.d[i]);
    }
    for (index, value) in [(fixed.a, gate.a), (fixed.b, gate.b), (fixed.c, gate.c)] {
        bus::receive(builder, bus::wire(index.into(), element(value)), Val::new(1));
    }
    bus::exchange(builder, bus::wire(fixed.d.into(), element(gate.d)), fixed.count);
}
