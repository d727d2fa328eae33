//! Filling of the sponge's table.

use std::borrow::BorrowMut;

use p3_field::PrimeCharacteristicRing;
use p3_keccak_air::{KeccakCols as Inner, generate_trace_rows};
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use rwprove_isa::record::{COPROCESSOR_TIME, KeccakEvent, clock};

use super::{
    Keccak, air,
    columns::{INNER, KeccakCols, ROUNDS, WIDTH, names},
};
use crate::{
    Val,
    counts::Counts,
    table::{Fill, Shard, Table},
};

impl Table for Keccak {
    const NAME: &'static str = "keccak";
    const READS_NEXT: bool = true;

    fn columns(&self) -> Vec<String> {
        names()
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}

impl Fill for Keccak {
    fn rows(&self, shard: &Shard<'_>) -> usize {
        ROUNDS * shard.record.keccak.len()
    }

    fn fill(&self, shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
        let events = &shard.record.keccak;
        let padding = rounds([0; 25]);
        let mut values = Val::zero_vec(height * WIDTH);
        values.par_chunks_mut(ROUNDS * WIDTH).enumerate().for_each(|(i, rows)| {
            match events.get(i) {
                Some(event) => {
                    write(rows, &rounds(event.state));
                    if let Some(last) = rows.chunks_exact_mut(WIDTH).next_back() {
                        export(last, event, counts);
                    }
                }
                None => write(rows, &padding),
            }
        });
        RowMajorMatrix::new(values, WIDTH)
    }
}

/// The library's rows of one permutation, and more that are not needed.
fn rounds(state: [u64; 25]) -> RowMajorMatrix<Val> {
    generate_trace_rows(vec![state], 0)
}

fn write(rows: &mut [Val], inner: &RowMajorMatrix<Val>) {
    for (row, inner) in rows.chunks_exact_mut(WIDTH).zip(inner.values.chunks_exact(INNER)) {
        row[..INNER].copy_from_slice(inner);
    }
}

/// Makes the last row of a permutation speak for the event.
fn export(row: &mut [Val], event: &KeccakEvent, counts: &Counts) {
    let (inner, ours) = row.split_at_mut(INNER);
    let inner: &mut Inner<Val> = inner.borrow_mut();
    inner.export = Val::ONE;
    let clock = clock(event.row as usize);
    let time = event.times.map(Val::from_u32);
    KeccakCols { clock: Val::from_u32(clock), time }.write_to(ours);
    for before in event.times {
        counts.range16((clock + COPROCESSOR_TIME).wrapping_sub(before).wrapping_sub(1));
    }
}
