//! What is fixed about the circuits of a preset: heights and keys.
//!
//! The numbers are made by `cargo run --release -p rwprove-recursion --example keys` from the
//! circuits; tests make some of them again.

mod p100;
mod p120;

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{Val, circuit::ChipId};

use super::KeySet;
use crate::config::{DIGEST, Digest, Layer, Preset};

/// log2 of the height of each table of a circuit.
pub type LogHeights = [u8; ChipId::COUNT];
/// A key as numbers.
type Key = [u32; DIGEST];

/// The machine, heights and keys of the circuits of a preset. A place in a list is that of the shape in
/// [`rwprove_circuits::shape::listed`], among those of its width.
#[derive(Debug)]
pub struct Fixed {
    /// [`crate::machine::digest`] of the machine whose shards the leaves verify.
    pub machine: [u8; 32],
    /// Heights of the leaves of shapes without keccak, of lift and join.
    pub standard: LogHeights,
    /// Heights of the leaves of shapes with keccak.
    pub wide: LogHeights,
    /// Heights of the root.
    pub root: LogHeights,
    /// Heights of the last circuit.
    pub last: LogHeights,
    /// Heights of the circuit that proves statements.
    pub settle: LogHeights,
    /// Keys of the leaves of shapes without keccak.
    pub leaves: &'static [Key],
    /// Keys of the leaves of shapes with keccak.
    pub wide_leaves: &'static [Key],
    /// Key of the lift, which makes a proof of standard heights of a wide leaf.
    pub lift_key: Key,
    /// Key of the join.
    pub join_key: Key,
    /// Key of the root.
    pub root_key: Key,
    /// Key of the last circuit.
    pub last_key: Key,
}

const _: () = assert!(p100::P100.is_complete() && p120::P120.is_complete(), "placeholders");

/// Whether these are keys, and there are some.
const fn are_keys(keys: &[Key]) -> bool {
    let mut key = 0;
    while key < keys.len() {
        let (mut element, mut zeros) = (0, 0);
        while element < DIGEST {
            zeros += (keys[key][element] == 0) as usize;
            element += 1;
        }
        if zeros == DIGEST {
            return false;
        }
        key += 1;
    }
    key > 0
}

/// A key as field elements.
pub fn key(numbers: &Key) -> Digest {
    numbers.map(Val::from_u32)
}

impl Fixed {
    /// Those of a preset. A preset has its own: circuits that verify proofs of fewer bits have fewer
    /// bits.
    pub const fn of(preset: Preset) -> &'static Self {
        match preset {
            Preset::P100 => &p100::P100,
            Preset::P120 => &p120::P120,
        }
    }

    /// The kinds of circuits with the heights of their tables, from leaves to those that end.
    pub const fn layers(&self) -> [(&'static str, &LogHeights, Layer); 5] {
        [
            ("leaf, lift and join", &self.standard, Layer::Inner),
            ("wide leaf", &self.wide, Layer::Inner),
            ("root", &self.root, Layer::Root),
            ("last", &self.last, Layer::Last),
            ("settle", &self.settle, Layer::Settle),
        ]
    }

    /// Whether every key is there: none is all zeros, and each list has some.
    pub const fn is_complete(&self) -> bool {
        let Self { leaves, wide_leaves, lift_key, join_key, root_key, last_key, .. } = self;
        are_keys(leaves)
            && are_keys(wide_leaves)
            && are_keys(&[*lift_key, *join_key, *root_key, *last_key])
    }

    /// The keys of proofs of standard heights: leaves, then lift and join.
    pub fn standard_keys(&self) -> Vec<Digest> {
        self.leaves.iter().chain([&self.lift_key, &self.join_key]).map(key).collect()
    }

    /// The set of the keys of standard heights.
    pub fn keys(&self) -> KeySet {
        KeySet::new(&self.standard_keys())
    }

    /// The set of the keys of wide leaves.
    pub fn wide_keys(&self) -> KeySet {
        KeySet::new(&self.wide_leaves.iter().map(key).collect::<Vec<_>>())
    }

    /// The key of the last circuit.
    pub fn last_key(&self) -> Digest {
        key(&self.last_key)
    }
}
