//! What the coprocessor tables have in common.

#[cfg(test)]
pub(crate) mod tester;
#[cfg(test)]
mod tests;

use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use rwprove_isa::{
    FIRST_REQUEST_TAG, Instr, Op,
    record::{CpuEvent, limbs},
};

use crate::{Val, bus, counts::Counts, table::Shard};

/// `2^8`.
pub(crate) const BYTE: Val = Val::new(1 << 8);
/// `2^16`.
pub(crate) const LIMB: Val = Val::new(1 << 16);

/// Asserts that the flags are boolean and at most one of them is set. Their sum, which is returned,
/// says whether one is.
pub(crate) fn at_most_one<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    flags: impl IntoIterator<Item = AB::Var>,
) -> AB::Expr {
    let mut sum = AB::Expr::ZERO;
    for flag in flags {
        builder.assert_bool(flag);
        sum += flag.into();
    }
    builder.assert_bool(sum.clone());
    sum
}

/// `Σ cell_i · factor_i`.
pub(crate) fn weighted<AB: InteractionBuilder<F = Val>, const N: usize>(
    terms: [(AB::Var, u32); N],
) -> AB::Expr {
    terms.into_iter().map(|(cell, factor)| cell * Val::from_u32(factor)).sum()
}

/// Request tag of an operation without a constant in its tag.
pub(crate) const fn tag(op: Op) -> u32 {
    FIRST_REQUEST_TAG + op as u32
}

/// The number `low + 256 high`.
pub(crate) fn two_bytes<AB: InteractionBuilder<F = Val>>(low: AB::Var, high: AB::Var) -> AB::Expr {
    low + high * BYTE
}

/// The limbs of a word of four bytes.
pub(crate) fn limbs_of<AB: InteractionBuilder<F = Val>>(bytes: [AB::Var; 4]) -> [AB::Expr; 2] {
    let [a, b, c, d] = bytes;
    [two_bytes::<AB>(a, b), two_bytes::<AB>(c, d)]
}

/// The bytes of a word, lowest first.
pub(crate) fn bytes(word: u32) -> [u32; 4] {
    word.to_le_bytes().map(u32::from)
}

/// The limbs of a 64-bit number, lowest first.
pub(crate) fn limbs64(x: u64) -> [u32; 4] {
    let ([a, b], [c, d]) = (limbs(x as u32), limbs((x >> 32) as u32));
    [a, b, c, d]
}

/// The instruction and the event of a row of the cpu table. A row that is not there leaves the
/// asking row empty, so that the bus does not balance.
pub(crate) fn asker<'a>(shard: &Shard<'a>, row: u32) -> Option<(&'a Instr, &'a CpuEvent)> {
    let event = shard.record.cpu.get(row as usize)?;
    Some((shard.program.code.get(event.pc as usize)?, event))
}

/// Fills one row for each event, in parallel, and pads with zero rows. `row` finds its cells zero.
pub(crate) fn fill<E: Sync>(
    width: usize,
    height: usize,
    events: &[E],
    row: impl Fn(&E, &mut [u32]) + Sync,
) -> RowMajorMatrix<Val> {
    let mut values = vec![Val::ZERO; width * height];
    values.par_chunks_exact_mut(width).zip(events).for_each_init(
        || vec![0; width],
        |cells, (values, event)| {
            cells.fill(0);
            row(event, cells);
            for (value, cell) in values.iter_mut().zip(cells.iter()) {
                *value = Val::from_u32(*cell);
            }
        },
    );
    RowMajorMatrix::new(values, width)
}

/// Limb `i` of a product of bytes, before carries: all products of bytes that begin in the limb.
pub(crate) fn limb_product<AB: InteractionBuilder<F = Val>>(
    x: &[AB::Var],
    y: &[AB::Var],
    i: usize,
) -> AB::Expr {
    byte_products::<AB>(x, y, 2 * i) + byte_products::<AB>(x, y, 2 * i + 1) * BYTE
}

/// The sum of all `x_j y_k` with `j + k = place`.
pub(crate) fn byte_products<AB: InteractionBuilder<F = Val>>(
    x: &[AB::Var],
    y: &[AB::Var],
    place: usize,
) -> AB::Expr {
    let pairs =
        x.iter().enumerate().filter_map(|(j, x)| Some((*x, *y.get(place.checked_sub(j)?)?)));
    pairs.map(|(x, y)| x * y).sum()
}

/// The four lowest limbs of `x y + addend` (bytes times bytes plus limbs) and the carries out of
/// the first three.
pub(crate) fn product_limbs(x: &[u32], y: &[u32], addend: [u32; 4]) -> ([u32; 4], [u32; 3]) {
    let place = |place: usize| -> u32 {
        (0..=place).filter_map(|j| Some(x.get(j)? * y.get(place - j)?)).sum()
    };
    let (mut limbs, mut carries, mut carry) = ([0; 4], [0; 3], 0);
    for (i, limb) in limbs.iter_mut().enumerate() {
        let sum = place(2 * i) + (place(2 * i + 1) << 8) + addend[i] + carry;
        (*limb, carry) = (sum & 0xffff, sum >> 16);
        if let Some(place) = carries.get_mut(i) {
            *place = carry;
        }
    }
    (limbs, carries)
}

/// Asserts that three carries are below `2^12`: each is a number below `2^16`, and 16 times their
/// sum, which cannot wrap around then, is too.
pub(crate) fn small_carries<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    carries: [AB::Var; 3],
    real: AB::Expr,
) {
    let sum: AB::Expr = carries.into_iter().map(Into::into).sum();
    for carry in carries {
        bus::send(builder, bus::range16(carry.into()), real.clone());
    }
    bus::send(builder, bus::range16(sum * Val::from_u32(16)), real);
}

/// Counts the lookups of [`small_carries`].
pub(crate) fn count_small_carries(carries: [u32; 3], counts: &Counts) {
    carries.into_iter().for_each(|carry| counts.range16(carry));
    counts.range16(16 * carries.iter().sum::<u32>());
}
