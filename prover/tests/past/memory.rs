//! The memory tree: entries 26, 29 and 30.

use p3_field::{Field, PrimeCharacteristicRing};
use rwprove_circuits::{Val, machine::ChipId};
use rwprove_isa::{
    Instr, Op,
    layout::{STACK, TREE_DEPTH},
};

use crate::case::{Case, Tables, imm, mov, op};

const TREE: ChipId = ChipId::Merkle;

/// Writes and reads memory.
fn case() -> Case {
    let access = |o: Op| op(o, 1, 0, imm(3));
    Case::run(&[
        mov(0, 64),
        mov(1, 7),
        access(Op::Store),
        access(Op::Load),
        Instr::new(Op::KeccakF),
    ])
}

/// The rows of chunks, and the first row of padding.
fn leaves(tables: &mut Tables) -> (Vec<usize>, usize) {
    let padding = (1..).find(|&row| {
        ["leaf", "branch"].iter().all(|kind| tables.get(TREE, kind, row) == Val::ZERO)
    });
    let padding = padding.unwrap();
    let leaves = (0..padding).filter(|&row| tables.get(TREE, "leaf", row) == Val::ONE).collect();
    (leaves, padding)
}

/// KALOS 3: one address could be initialised several times. Here: a chunk takes part twice, from
/// below the same node or from another one.
#[test]
fn past_26_kalos_second_initialisation() {
    let mut honest = case().fill();
    let (leaves, padding) = leaves(&mut honest);
    for &leaf in &leaves {
        let mut tables = honest.clone();
        tables.copy(TREE, leaf, padding);
        tables.refused("");
        // The copy poses as the chunk beside it.
        tables.add(TREE, "index", padding, 1);
        tables.refused("");
        // A chunk at the address of another one: the stack's words twice.
        let mut tables = honest.clone();
        tables.put(TREE, "index", leaf, Val::from_u32(STACK / 8));
        if tables.get(TREE, "index", leaf) != honest.get(TREE, "index", leaf) {
            tables.refused("");
        }
    }
}

/// `OpenVM` 1.7: rows below the leaves changed the root. Here: nodes below the chunks, and chunks
/// above their level.
#[test]
fn past_29_openvm_below_leaves() {
    let mut honest = case().fill();
    let (leaves, padding) = leaves(&mut honest);
    let leaf = leaves[0];
    // A chunk with a touched child.
    let mut tables = honest.clone();
    tables.put(TREE, "touched[0]", leaf, Val::ONE);
    tables.refused("merkle, row");
    // A branch in its place, with the chunk below it.
    for above in [Val::ZERO, Val::ONE] {
        let mut tables = honest.clone();
        tables.copy(TREE, leaf, padding);
        let index = tables.get(TREE, "index", leaf).double();
        tables.put(TREE, "index", padding, index);
        tables.add(TREE, "level", padding, 1);
        tables.flip(TREE, "leaf", leaf);
        tables.flip(TREE, "branch", leaf);
        tables.put(TREE, "touched[0]", leaf, Val::ONE);
        tables.put(TREE, "above", leaf, above);
        tables.refused("merkle, row");
    }
    // A branch that is really below, where its inverse exists.
    let mut tables = honest.clone();
    tables.copy(TREE, 1, padding);
    let level = Val::from_usize(TREE_DEPTH + 1);
    tables.put(TREE, "level", padding, level);
    let above = (Val::from_usize(TREE_DEPTH) - level).inverse();
    tables.put(TREE, "above", padding, above);
    tables.refused("node of level 2");
    // A chunk one level too high.
    let mut tables = honest.clone();
    tables.add(TREE, "level", leaf, -1);
    tables.refused("merkle, row");
}

/// `OpenVM` 1.6: the labels of the root were not anchored to zero. Here: another level or place of
/// the root, alone and with the whole tree moved along.
#[test]
fn past_30_openvm_root_labels() {
    let mut honest = case().fill();
    let (_, padding) = leaves(&mut honest);
    for column in ["level", "index"] {
        let mut tables = honest.clone();
        tables.put(TREE, column, 0, Val::ONE);
        tables.refused("merkle, row 0");
    }
    // The left half of memory poses as the right one: all places below the root move.
    let mut tables = honest.clone();
    for row in 0..padding {
        let level = tables.get(TREE, "level", row);
        let shift = (0..=TREE_DEPTH).find(|&l| Val::from_usize(l) == level).unwrap();
        *tables.cell(TREE, "index", row) += Val::from_u32(1 << shift);
    }
    tables.refused("merkle, row 0");
    // A second root.
    let mut tables = honest.clone();
    tables.copy(TREE, 0, padding);
    tables.refused("merkle, row");
}
