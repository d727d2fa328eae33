//! Constraints and messages of the `rows` table.

use p3_air::{AirBuilder, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;

use super::{FixedCols, PAIRS, RowsCols};
use crate::{
    EXTENSION, Val, bus,
    circuit::{BLOCK, extension::mul},
};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let (main, fixed) = (builder.main(), builder.preprocessed().clone());
    let row = RowsCols::from_row(main.current_slice());
    let next = RowsCols::from_row(main.next_slice());
    let fixed = FixedCols::from_row(fixed.current_slice());
    let element =
        |at: &[AB::Var]| -> [AB::Expr; EXTENSION] { std::array::from_fn(|i| at[i].into()) };
    let not = |flag: AB::Expr| AB::Expr::ONE - flag;

    // No selector for the last row: what follows it is the first one.
    let (gamma, square) = (element(&row.gamma), element(&row.gamma_squared));
    for i in 0..EXTENSION {
        builder.when(not(fixed.last.into())).assert_eq(next.gamma[i], row.gamma[i]);
    }
    for (product, column) in mul(&gamma, &gamma).into_iter().zip(row.gamma_squared) {
        builder.assert_eq(product, column);
    }

    let mut result = gamma.clone().map(|x| x * fixed.last);
    for pair in 0..PAIRS {
        let sum = element(&row.sums[EXTENSION * pair..]);
        let [first, second] = [row.values[2 * pair], row.values[2 * pair + 1]];
        let [end_first, end_second] = [fixed.end[2 * pair], fixed.end[2 * pair + 1]];
        let (following, carry): (_, [AB::Expr; 2]) = match row.sums.get(EXTENSION * (pair + 1)..) {
            Some(sum) if pair + 1 < PAIRS => {
                (element(sum), [not(end_first + end_second), not(end_second.into())])
            }
            _ => (element(&next.sums), fixed.carry.map(Into::into)),
        };
        // Each element in turn: the sum so far is multiplied by gamma, and the element added.
        let (once, twice) = (mul(&gamma, &sum), mul(&square, &sum));
        for i in 0..EXTENSION {
            let constant = |x: AB::Var| if i == 0 { x.into() } else { AB::Expr::ZERO };
            let before = twice[i].clone() + gamma[i].clone() * first;
            result[i] += (once[i].clone() + constant(first)) * end_first;
            result[i] += (before.clone() + constant(second)) * end_second;
            let goes_on = before * carry[0].clone() + constant(second) * carry[1].clone();
            builder.assert_eq(goes_on, following[i].clone());
        }
    }
    for (result, column) in result.into_iter().zip(row.result) {
        builder.assert_eq(result, column);
    }

    let mut ended = AB::Expr::ZERO;
    for i in 0..BLOCK {
        builder.when(fixed.again).assert_eq(next.values[i], ended.clone() * row.values[i]);
        ended += fixed.end[i].into();
    }

    let block = bus::block(fixed.block.into(), row.values.map(Into::into));
    bus::create(builder, block, fixed.created);
    let wire = bus::wire(fixed.wire.into(), element(&row.result));
    bus::exchange(builder, wire, fixed.wire_count);
}
