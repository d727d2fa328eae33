//! Tests of the `public` table.

use p3_matrix::Matrix;

use super::*;
use crate::{
    check::{Check, Lookups},
    circuit::tester::{elements, needs_every_constraint_of},
    symbolic, testing,
};

fn block() -> [Val; BLOCK] {
    let mut random = elements();
    std::array::from_fn(|_| random())
}

fn check(block: [Val; BLOCK], trace: &RowMajorMatrix<Val>, publics: &[Val]) -> Option<Check> {
    let mut check = Check::default();
    check.table(&Public::new(7, trace.height()), trace, publics).ok()?;
    check.send(bus::block(Val::from_u32(7), block));
    check.finish(Lookups::Counted).ok()?;
    Some(check)
}

#[test]
fn the_block_is_public() {
    let block = block();
    let check = check(block, &fill(block, 8), &block).unwrap();
    let table = Public::new(7, 8);
    assert!(symbolic::degrees(&table).allowed());
    let mutations = testing::mutate(&table, &fill(block, 8), &block, 0..8, &check, 1).unwrap();
    assert_eq!((mutations.survivors, mutations.free.len()), (vec![], 0));
}

#[test]
fn another_block_is_refused() {
    let (ours, mut other) = (block(), block());
    other[3] += Val::ONE;
    // The table agrees with the public values, but not with the block.
    assert!(check(ours, &fill(other, 8), &other).is_none());
    // The other way round.
    assert!(check(other, &fill(other, 8), &ours).is_none());
}

#[test]
fn each_constraint_is_needed() {
    let _ = constraints();
}

/// All constraints, each of which is shown to be needed.
pub(in crate::circuit) fn constraints() -> usize {
    let block = block();
    // The block has another element than the public one.
    let forgeries = (0..BLOCK).map(|i| {
        let mut trace = fill(block, 8);
        trace.values[i] += Val::ONE;
        trace
    });
    needs_every_constraint_of(&Public::new(7, 8), &block, forgeries)
}
