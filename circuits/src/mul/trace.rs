//! Filling the `mul` table.

use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{Op, record::word};

use super::MulCols;
use crate::{
    Val,
    coprocessor::{self, product_limbs},
    counts::Counts,
    table::Shard,
};

pub(super) fn fill(shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
    let width = MulCols::<Val>::WIDTH;
    coprocessor::fill(width, height, &shard.record.mul, |&row, cells| {
        let Some((instr, event)) = coprocessor::asker(shard, row) else { return };
        let (a, b) = (word(event.a), word(event.b));
        let (x, y) = (coprocessor::bytes(a), coprocessor::bytes(b));
        let ([low, middle, high, highest], carry) = product_limbs(&x, &y, [0; 4]);
        let high_word = instr.op == Op::MulHi;
        let cols = MulCols {
            low_word: !high_word as u32,
            high_word: high_word as u32,
            x,
            y,
            product: [low, middle, high],
            carry,
            z: if high_word { [high, highest] } else { [low, middle] },
        };
        for [a, b, c, d] in [cols.x, cols.y] {
            counts.pair(a, b);
            counts.pair(c, d);
        }
        cols.product.into_iter().for_each(|limb| counts.range16(limb));
        coprocessor::count_small_carries(cols.carry, counts);
        cols.write_to(cells);
    })
}
