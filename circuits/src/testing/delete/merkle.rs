//! Attacks on the `merkle` table, made by hand: a hash that goes wrong at one place and on from
//! there.

use p3_field::{Field, PrimeCharacteristicRing};
use rwprove_isa::layout::TREE_DEPTH;

use super::Base;
use crate::{
    Val,
    merkle::MerkleCols,
    poseidon2::{COLUMNS, DIGEST, WIDTH, digest, fill_but},
};

/// All attacks on [`super::base::merkle`].
pub(super) fn forgeries(base: &Base) -> Vec<Base> {
    let leaf = base.trace.width * 2;
    let row =
        |at: usize| MerkleCols::from_row(&base.trace.values[at..][..MerkleCols::<Val>::WIDTH]);
    let with = |at: usize, name: String, cells: MerkleCols<Val>| {
        let mut base = Base { name, ..base.clone() };
        cells.write_to(&mut base.trace.values[at..]);
        base
    };
    let wrong = |columns: &[Val; COLUMNS], place: usize| {
        let mut input: [Val; WIDTH] = std::array::from_fn(|i| columns[i]);
        if let Some(cell) = input.get_mut(place) {
            *cell += Val::ONE;
        }
        fill_but(input, |at, value| if at == place { value + Val::ONE } else { value })
    };
    let mut forgeries = Vec::new();
    for place in WIDTH..COLUMNS {
        let cells = row(leaf);
        let before = MerkleCols { before: wrong(&cells.before, place), ..cells };
        forgeries.push(with(leaf, format!("hash before goes wrong at {place}"), before));
        let after = MerkleCols { after: wrong(&cells.after, place), ..cells };
        forgeries.push(with(leaf, format!("hash after goes wrong at {place}"), after));
    }
    // Below the root and, with the root's digest, below a branch.
    for (at, place) in
        [0, base.trace.width].into_iter().flat_map(|at| (0..WIDTH).map(move |i| (at, i)))
    {
        let cells = row(at);
        let after = MerkleCols { after: wrong(&cells.after, place), ..cells };
        let mut forged = with(at, format!("untouched child changes at {place}"), after);
        if at == 0 {
            forged.publics[DIGEST..].copy_from_slice(&digest(&after.after));
        }
        forgeries.push(forged);
    }
    // A root that is a branch as well: nothing below it may be touched.
    let root = row(0);
    let both = MerkleCols {
        branch: Val::ONE,
        above: Val::from_usize(TREE_DEPTH).inverse(),
        touched: [Val::ZERO; 2],
        after: root.before,
        ..root
    };
    let mut forged = with(0, "a root that is a branch".into(), both);
    forged.publics[DIGEST..].copy_from_slice(&digest(&root.before));
    forgeries.push(forged);
    forgeries
}
