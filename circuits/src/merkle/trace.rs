//! Filling of the memory tree's table.

use p3_field::{Field, PackedValue, PrimeCharacteristicRing};
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use rwprove_isa::layout::TREE_DEPTH;

use super::{Below, Merkle, MerkleCols, Node, air};
use crate::{
    Val,
    counts::Counts,
    poseidon2::{self, COLUMNS, Packed, WIDTH},
    table::{Fill, Shard, Table},
};

impl Table for Merkle {
    const NAME: &'static str = "merkle";
    const READS_NEXT: bool = true;

    fn columns(&self) -> Vec<String> {
        MerkleCols::<Val>::names()
    }

    fn public_values(&self) -> usize {
        air::PUBLICS
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        air::eval(builder);
    }
}

impl Fill for Merkle {
    fn rows(&self, shard: &Shard<'_>) -> usize {
        shard.merkle.nodes.len()
    }

    fn fill(&self, shard: &Shard<'_>, height: usize, _counts: &Counts) -> RowMajorMatrix<Val> {
        const COLS: usize = MerkleCols::<Val>::WIDTH;
        let nodes = &shard.merkle.nodes;
        let mut values = Val::zero_vec(height * COLS);
        // Several rows at a time, so that their compressions share instructions.
        values.par_chunks_mut(COLS * Packed::WIDTH).enumerate().for_each(|(batch, rows)| {
            let at = |lane: usize| nodes.get(batch * Packed::WIDTH + lane);
            let input = |side: fn(&Node) -> [Val; WIDTH]| {
                let rows = |lane| at(lane).map_or([Val::ZERO; WIDTH], side);
                poseidon2::fill(Packed::pack_columns_fn::<WIDTH>(rows))
            };
            let (before, after) = (input(|node| node.before), input(|node| node.after));
            for (lane, row) in rows.chunks_exact_mut(COLS).enumerate() {
                let lane_of = |columns: &[Packed; COLUMNS]| columns.map(|c| c.extract(lane));
                cells(at(lane), lane_of(&before), lane_of(&after)).write_to(row);
            }
        });
        RowMajorMatrix::new(values, COLS)
    }

    fn publics(&self, shard: &Shard<'_>) -> Vec<Val> {
        air::publics(shard.merkle.root_before, shard.merkle.root_after)
    }
}

/// The row of a node, or padding.
fn cells(node: Option<&Node>, before: [Val; COLUMNS], after: [Val; COLUMNS]) -> MerkleCols<Val> {
    let mut row = MerkleCols {
        root: Val::ZERO,
        branch: Val::ZERO,
        leaf: Val::ZERO,
        level: Val::ZERO,
        index: Val::ZERO,
        above: Val::ZERO,
        touched: [Val::ZERO; 2],
        time: [Val::ZERO; 8],
        before,
        after,
    };
    let Some(node) = node else { return row };
    row.level = Val::from_u32(node.level);
    row.index = Val::from_u32(node.index);
    match node.below {
        Below::Words(times) => {
            row.leaf = Val::ONE;
            row.time = times.map(Val::from_u32);
        }
        Below::Nodes(touched) => {
            row.touched = touched.map(Val::from_bool);
            row.root = Val::from_bool(node.level == 0);
            row.branch = Val::ONE - row.root;
            let distance = Val::from_usize(TREE_DEPTH) - row.level;
            row.above = distance.try_inverse().unwrap_or_default();
        }
    }
    row
}
