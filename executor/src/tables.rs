//! Rows of the tables of a shard: counted, and bounded.

use rwprove_isa::record::MAX_SHARD_ROWS;
use serde::{Deserialize, Serialize};

/// Rows of each table of a shard: as a limit, how many its table can hold; as a count, how many a
/// shard or a run needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// Instructions. As a limit, the height of the table; its last row is padding.
    pub cpu: u64,
    /// `And`, `Or`, `Xor`.
    pub bitwise: u64,
    /// Shifts and rotations.
    pub shift: u64,
    /// Multiplications.
    pub mul: u64,
    /// Divisions.
    pub div: u64,
    /// Bit counts and sign extensions.
    pub bits: u64,
    /// Accesses of bytes, half-words and unaligned words.
    pub access: u64,
    /// Words carried over a long gap.
    pub refresh: u64,
    /// Permutations (each is 24 rows of its table).
    pub keccak: u64,
    /// Requests to the fuel table.
    pub fuel: u64,
    /// Touched nodes of the memory tree.
    pub merkle: u64,
}

impl Rows {
    /// As many rows in every table.
    pub const fn each(rows: u64) -> Self {
        Self {
            cpu: rows,
            bitwise: rows,
            shift: rows,
            mul: rows,
            div: rows,
            bits: rows,
            access: rows,
            refresh: rows,
            keccak: rows,
            fuel: rows,
            merkle: rows,
        }
    }

    /// The most that one instruction can add: three ports and two words of an access or of a
    /// refused charge touch at most four chunks with a path of 28 nodes each; a permutation
    /// touches 50 words in seven chunks side by side, whose nodes are fewer. Permutations are
    /// counted before they happen, so that a shard without their table ends at the first.
    const INSTRUCTION: Rows = Rows {
        cpu: 1,
        bitwise: 1,
        shift: 1,
        mul: 1,
        div: 1,
        bits: 1,
        access: 1,
        refresh: 50,
        keccak: 0,
        fuel: 1,
        merkle: 4 * 28,
    };

    /// The most that a linked instruction adds to that: it only has ports.
    const LINKED: Rows = Rows {
        cpu: 1,
        bitwise: 0,
        shift: 0,
        mul: 0,
        div: 0,
        bits: 0,
        access: 0,
        refresh: 3,
        keccak: 0,
        fuel: 0,
        merkle: 3 * 28,
    };

    /// What is left for counts if `group` instructions must still fit and the last row of the cpu
    /// table stays empty. No shard has more rows than clocks allow. `None` if some table is too
    /// small.
    pub(crate) fn before(&self, group: u64) -> Option<Rows> {
        let mut left = *self;
        left.cpu = left.cpu.min(MAX_SHARD_ROWS as u64).checked_sub(1)?;
        let (mut first, mut linked) = (Rows::INSTRUCTION, Rows::LINKED);
        for ((have, first), linked) in
            left.fields().into_iter().zip(first.fields()).zip(linked.fields())
        {
            *have = have.checked_sub(*first + *linked * (group - 1))?;
        }
        (left.merkle > 0).then_some(left) // the root is there before any instruction
    }

    /// The smaller one of both, for each table.
    #[must_use]
    pub fn within(mut self, other: &Rows) -> Self {
        let mut other = *other;
        for (rows, other) in self.fields().into_iter().zip(other.fields()) {
            *rows = (*rows).min(*other);
        }
        self
    }

    /// Whether no table has more rows than `room`.
    #[inline]
    pub(crate) fn fit_in(&self, room: &Rows) -> bool {
        self.cpu <= room.cpu
            && self.bitwise <= room.bitwise
            && self.shift <= room.shift
            && self.mul <= room.mul
            && self.div <= room.div
            && self.bits <= room.bits
            && self.access <= room.access
            && self.refresh <= room.refresh
            && self.keccak <= room.keccak
            && self.fuel <= room.fuel
            && self.merkle <= room.merkle
    }

    /// Adds counts.
    pub(crate) fn add(&mut self, mut other: Rows) {
        for (sum, count) in self.fields().into_iter().zip(other.fields()) {
            *sum += *count;
        }
    }

    fn fields(&mut self) -> [&mut u64; 11] {
        [
            &mut self.cpu,
            &mut self.bitwise,
            &mut self.shift,
            &mut self.mul,
            &mut self.div,
            &mut self.bits,
            &mut self.access,
            &mut self.refresh,
            &mut self.keccak,
            &mut self.fuel,
            &mut self.merkle,
        ]
    }
}
