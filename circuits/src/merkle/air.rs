//! Constraints and messages of the memory tree's table.

use p3_air::{AirBuilder, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use rwprove_isa::layout::{CHUNK_WORDS, TREE_DEPTH};

use super::MerkleCols;
use crate::{
    Val, bus,
    poseidon2::{self, DIGEST, Digest, WIDTH},
};

/// Number of public values: the root's digests before and after.
pub(super) const PUBLICS: usize = 2 * DIGEST;

pub(super) fn publics(before: Digest, after: Digest) -> Vec<Val> {
    [before, after].concat()
}

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let main = builder.main();
    let row = MerkleCols::from_row(main.current_slice());
    let next = MerkleCols::from_row(main.next_slice());

    let chunks = || AB::Expr::from_usize(TREE_DEPTH);
    let inner = || row.root + row.branch;
    // Root, branch and leaf exclude each other.
    for flag in [row.root, row.branch, row.leaf] {
        builder.assert_bool(flag);
    }
    builder.assert_bool(inner() + row.leaf);

    // The first row is the root, and no other is.
    builder.when_first_row().assert_one(row.root);
    builder.when_transition().assert_zero(next.root);
    builder.when(row.root).assert_zero(row.level);
    builder.when(row.root).assert_zero(row.index);

    // Exactly the leaves are at the level of chunks.
    builder.when(row.leaf).assert_eq(row.level, chunks());
    builder.when(row.branch).assert_one((chunks() - row.level) * row.above);

    let compressions = [row.before, row.after];
    for columns in &compressions {
        poseidon2::eval(builder, columns);
    }
    let publics: Vec<AB::Expr> = builder.public_values().iter().map(|&x| x.into()).collect();
    let digests = compressions.map(|columns| poseidon2::digest(&columns));
    for (digest, public) in digests.iter().flatten().zip(publics) {
        builder.when_first_row().assert_eq(*digest, public);
    }

    // Only root and branches have touched children; other children stay as they are.
    for (side, touched) in row.touched.into_iter().enumerate() {
        builder.assert_bool(touched);
        builder.when(touched).assert_one(inner());
        for i in child(side) {
            builder.when(inner() - touched).assert_eq(row.before[i], row.after[i]);
        }
    }

    for (phase, columns) in (0..).zip(&compressions) {
        let digest = poseidon2::digest(columns).map(Into::into);
        let message = bus::node(row.level.into(), phase, row.index.into(), digest);
        bus::send(builder, message, row.branch + row.leaf);
        for (side, touched) in row.touched.into_iter().enumerate() {
            let digest = std::array::from_fn(|i| columns[DIGEST * side + i].into());
            let index = AB::Expr::from(row.index).double() + AB::Expr::from_usize(side);
            let message = bus::node(row.level + AB::Expr::ONE, phase, index, digest);
            bus::receive(builder, message, touched);
        }
    }
    for (word, time) in row.time.into_iter().enumerate() {
        let addr = row.index * AB::Expr::from_usize(CHUNK_WORDS) + AB::Expr::from_usize(word);
        let limbs = |columns: &[AB::Var]| [columns[2 * word].into(), columns[2 * word + 1].into()];
        let first = bus::memory(addr.clone(), limbs(&row.before), AB::Expr::ZERO);
        let last = bus::memory(addr, limbs(&row.after), time.into());
        bus::send(builder, first, row.leaf);
        bus::receive(builder, last, row.leaf);
    }
}

/// The columns of a child's digest.
fn child(side: usize) -> std::ops::Range<usize> {
    const { assert!(2 * DIGEST == WIDTH && 2 * CHUNK_WORDS == WIDTH) }
    DIGEST * side..DIGEST * (side + 1)
}
