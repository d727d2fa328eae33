//! Constraints and messages of the `hash` table.

use p3_air::{AirBuilder, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;

use super::{FixedCols, HashCols};
use crate::{
    Val, bus,
    circuit::BLOCK,
    poseidon2::{self, WIDTH},
};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let (main, fixed) = (builder.main(), builder.preprocessed().clone());
    let row = HashCols::from_row(main.current_slice());
    let next = HashCols::from_row(main.next_slice());
    let fixed = FixedCols::from_row(fixed.current_slice());

    poseidon2::eval_permutation(builder, &row.permutation);
    let outputs = poseidon2::outputs(&row.permutation);
    let [input, following] = [row, next].map(|row| poseidon2::input(&row.permutation));

    // No selector for the last row: what follows it is the first one, where nothing is carried to.
    for i in 0..WIDTH {
        let way = fixed.rate.get(i).copied().unwrap_or(fixed.capacity);
        let mut free: AB::Expr = following[i].into();
        if i == BLOCK {
            free -= fixed.detail.into();
        }
        // Twice the input is twice the output if the way is 1, and zero if it is -1.
        builder.when(way).assert_zero(free.double() - (way + AB::Expr::ONE) * outputs[i]);
    }

    // Whatever does not climb has the bit zero.
    builder.assert_zero(row.bit * (row.bit - fixed.climb));
    for i in 0..BLOCK {
        let (left, right) = (following[i], following[i + BLOCK]);
        let place = row.bit * (right - left) + left;
        builder.when(fixed.climb).assert_eq(outputs[i], place);
    }

    bus::receive(builder, bus::felt(fixed.detail.into(), row.bit.into()), fixed.climb);
    let half = |from: &[AB::Var; WIDTH], at: usize| -> [AB::Expr; BLOCK] {
        std::array::from_fn(|i| from[at + i].into())
    };
    bus::receive(builder, bus::block(fixed.left.into(), half(&input, 0)), fixed.left_read);
    bus::receive(builder, bus::block(fixed.right.into(), half(&input, BLOCK)), fixed.right_read);
    bus::exchange(builder, bus::block(fixed.output.into(), half(&outputs, 0)), fixed.output_count);
}
