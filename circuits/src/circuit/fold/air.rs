//! Constraints and messages of the `fold` table.

use p3_air::{AirBuilder, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;

use super::{BLOCKS, FixedCols, FoldCols, LEVELS, TWIDDLES, VALUES, blocks};
use crate::{
    EXTENSION, Val, bus,
    circuit::{BLOCK, extension::mul},
};

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let (main, fixed) = (builder.main(), builder.preprocessed().clone());
    let row = FoldCols::from_row(main.current_slice());
    let fixed = FixedCols::from_row(fixed.current_slice());

    known_value(builder, &row, &fixed);
    folding(builder, &row, &fixed);
    messages(builder, &row, &fixed);
}

type Element<E> = [E; EXTENSION];

fn element<V: Copy + Into<E>, E>(columns: &[V], number: usize) -> Element<E> {
    std::array::from_fn(|i| columns[EXTENSION * number + i].into())
}

fn assert_equal<AB: AirBuilder>(builder: &mut AB, x: Element<AB::Expr>, y: Element<AB::Expr>) {
    for (x, y) in x.into_iter().zip(y) {
        builder.assert_eq(x, y);
    }
}

/// The value at the position is the one that is known.
fn known_value<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &FoldCols<AB::Var>,
    fixed: &FixedCols<AB::Var>,
) {
    // A bit of a level that is not there is zero.
    for (&bit, level) in row.position.iter().zip(fixed.levels) {
        builder.assert_zero(bit * (bit - level));
    }
    let [low, middle, high] = row.position;
    builder.assert_eq(middle * high, row.both);
    let pairs: [AB::Expr; VALUES / 2] = [
        AB::Expr::ONE - middle - high + row.both,
        middle - row.both,
        high - row.both,
        row.both.into(),
    ];
    for (i, &value) in row.value.iter().enumerate() {
        let terms = pairs.iter().enumerate().map(|(pair, here)| {
            let at = |number: usize| row.values[EXTENSION * number + i];
            let (first, second) = (at(2 * pair), at(2 * pair + 1));
            here.clone() * (low * (second - first) + first)
        });
        builder.assert_eq(terms.sum::<AB::Expr>(), value);
    }
}

/// The result is the value at beta.
fn folding<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &FoldCols<AB::Var>,
    fixed: &FixedCols<AB::Var>,
) {
    let ratios: [Element<AB::Expr>; LEVELS] = std::array::from_fn(|i| element(&row.ratios, i));
    let first = row.beta.map(|x| x * row.x_inverse);
    assert_equal(builder, first, ratios[0].clone());
    for (ratio, square) in ratios.iter().zip(&ratios[1..]) {
        assert_equal(builder, mul(ratio, ratio), square.clone());
    }

    // What a level makes of its values `2 i` and `2 i + 1`.
    let pair = |values: &[Element<AB::Expr>], i: usize, ratio| -> Element<AB::Expr> {
        let [y, z] = [&values[2 * i], &values[2 * i + 1]];
        let slope = std::array::from_fn(|i| y[i].clone() - z[i].clone());
        let slope = mul(&slope, ratio);
        let mean = |i: usize| (y[i].clone() + z[i].clone()) * Val::ONE.halve();
        std::array::from_fn(|at| mean(at) + slope[at].clone() * TWIDDLES[i])
    };
    let values: [Element<AB::Expr>; VALUES] = std::array::from_fn(|i| element(&row.values, i));
    let once: [Element<AB::Expr>; VALUES / 2] =
        std::array::from_fn(|i| pair(&values, i, &ratios[0]));
    let twice: [Element<AB::Expr>; VALUES / 4] = std::array::from_fn(|i| element(&row.folded, i));
    for (i, folded) in twice.iter().enumerate() {
        assert_equal(builder, pair(&once, i, &ratios[1]), folded.clone());
    }
    let all = pair(&twice, 0, &ratios[2]);

    let [first, second, third] = fixed.levels;
    let result = std::array::from_fn(|i| {
        once[0][i].clone() * (first - second)
            + twice[0][i].clone() * (second - third)
            + all[i].clone() * third
    });
    assert_equal(builder, result, row.result.map(Into::into));
}

fn messages<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    row: &FoldCols<AB::Var>,
    fixed: &FixedCols<AB::Var>,
) {
    let [always, ..] = fixed.levels;
    bus::receive(builder, bus::wire(fixed.value.into(), row.value.map(Into::into)), always);
    bus::receive(builder, bus::wire(fixed.beta.into(), row.beta.map(Into::into)), always);
    bus::receive(builder, bus::felt(fixed.x_inverse.into(), row.x_inverse.into()), always);
    for (i, (bit, level)) in row.position.into_iter().zip(fixed.levels).enumerate() {
        let wire = fixed.position + AB::Expr::from_usize(i);
        bus::receive(builder, bus::felt(wire, bit.into()), level);
    }
    let result = bus::wire(fixed.result.into(), row.result.map(Into::into));
    bus::exchange(builder, result, fixed.result_count);
    for i in 0..BLOCKS {
        // The first level that needs the block.
        let level = (0..LEVELS).find(|level| i < blocks(level + 1)).unwrap_or(LEVELS - 1);
        let elements = std::array::from_fn(|at| row.values[BLOCK * i + at].into());
        let block = bus::block(fixed.block + AB::Expr::from_usize(i), elements);
        bus::create(builder, block, fixed.levels[level]);
    }
}
