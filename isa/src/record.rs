//! What the executor writes down of one shard: plain integers, the only input of trace filling.
//!
//! Row `i` of the shard runs at clock `4 (i + 1)`. Its accesses have the timestamps: operand a
//! `clk`, operand b `clk + 1`, a coprocessor `clk + 2`, result c `clk + 3`. Timestamps start anew
//! in each shard; 0 is the time of the shard's initial memory.

use serde::{Deserialize, Serialize};

/// Clock of row `i` of a shard.
pub const fn clock(row: usize) -> u32 {
    4 * (row as u32 + 1)
}

/// Timestamp of a coprocessor's accesses, after the row's clock.
pub const COPROCESSOR_TIME: u32 = 2;
/// Timestamp of the result port, after the row's clock.
pub const C_TIME: u32 = 3;
/// Two accesses to one word may lie at most this far apart; a refresh bridges longer gaps.
pub const MAX_GAP: u32 = 1 << 16;
/// Most rows of a shard's cpu table.
pub const MAX_SHARD_ROWS: usize = 1 << 20;

/// The two limbs of a word: 16-bit halves, low first, except in the frame region, where they are
/// (return pc, frame base).
pub type Limbs = [u32; 2];

/// The limbs of a number.
pub const fn limbs(word: u32) -> Limbs {
    [word & 0xffff, word >> 16]
}

/// The number with these 16-bit limbs.
pub const fn word(limbs: Limbs) -> u32 {
    limbs[0] | limbs[1] << 16
}

/// What became of a row, beyond what its operands say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Nothing special.
    #[default]
    Plain,
    /// The operation trapped.
    Trap,
    /// The static fuel charge did not fit: nothing else of the instruction happened.
    OutOfFuel,
    /// `Enter` chose the deep twin.
    Deep,
    /// A word access that is not aligned went to the access table.
    Unaligned,
}

/// One row of the cpu table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuEvent {
    /// Program counter.
    pub pc: u32,
    /// Frame base (absolute slot).
    pub fp: u32,
    /// Number of frames pushed.
    pub depth: u32,
    /// Pages of linear memory.
    pub pages: u32,
    /// Static fuel charged in this shard before the row.
    pub spent: u32,
    /// Value of operand a, 0 without one.
    pub a: Limbs,
    /// Value of operand b; of `Ret` the popped frame; of a store the stored value; of a load the
    /// word that port b read (0 if it did not); 0 without operand.
    pub b: Limbs,
    /// Value of c: the result; of a word store the stored word; of a call the pushed frame; of
    /// a row out of fuel the refused charge.
    pub c: Limbs,
    /// What the word at port c's address held before, if the port was used.
    pub c_before: Limbs,
    /// Time of the access before, of each port used (a, b, c).
    pub times: [u32; 3],
    /// What became of it.
    pub outcome: Outcome,
}

/// One access of the access table: a load or store of a byte, half-word or unaligned word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEvent {
    /// Row of the cpu table that asked.
    pub row: u32,
    /// Byte address of the *last* byte.
    pub last_byte: u32,
    /// The word with the first byte and the word with the last byte (equal if they are one word):
    /// before the access.
    pub before: [u32; 2],
    /// The same words after it.
    pub after: [u32; 2],
    /// Times of the accesses before.
    pub times: [u32; 2],
}

/// A word carried to a later time without change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshEvent {
    /// Word address.
    pub addr: u32,
    /// Its value.
    pub value: Limbs,
    /// Time of the access before.
    pub before: u32,
    /// The new time.
    pub time: u32,
}

/// One Keccak-f\[1600\] of the sponge state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeccakEvent {
    /// Row of the cpu table that asked.
    pub row: u32,
    /// The state before, lane `x + 5 y` at index `x + 5 y`.
    pub state: [u64; 25],
    /// Times of the accesses before, for the 50 words.
    pub times: [u32; 50],
}

/// One request to the fuel table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuelEvent {
    /// Row of the cpu table that asked.
    pub row: u32,
    /// For a refused charge: what the two words `REFUSED_FUEL_*` held before (always zero) has
    /// these times.
    pub times: [u32; 2],
}

/// A chunk that the shard touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkEvent {
    /// Chunk index: word address / 8.
    pub chunk: u32,
    /// The words at the shard's start.
    pub before: [Limbs; 8],
    /// The words at its end.
    pub after: [Limbs; 8],
    /// Time of the last access of each word, 0 for a word not accessed.
    pub times: [u32; 8],
}

/// The registers at a shard's boundary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registers {
    /// Program counter of the next row.
    pub pc: u32,
    /// Frame base.
    pub fp: u32,
    /// Frames pushed.
    pub depth: u32,
    /// Pages of linear memory.
    pub pages: u32,
    /// Fuel consumed by the run so far.
    pub fuel: u64,
}

/// Everything of one shard.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Index of the shard in the run.
    pub index: u32,
    /// Registers before the first row.
    pub start: Registers,
    /// Registers after the last row.
    pub end: Registers,
    /// Fuel limit of the run.
    pub fuel_limit: u64,
    /// Rows of the cpu table.
    pub cpu: Vec<CpuEvent>,
    /// Rows that asked the bitwise table (`And`, `Or`, `Xor`).
    pub bitwise: Vec<u32>,
    /// Rows that asked the shift table (`Shl` to `Fshl`).
    pub shift: Vec<u32>,
    /// Rows that asked the multiplication table (`Mul`, `MulHi`).
    pub mul: Vec<u32>,
    /// Rows that asked the division table; of a 64-bit division the first of its two rows.
    pub div: Vec<u32>,
    /// Rows that asked the bit-counting table (`Clz` to `Extend16S`).
    pub bits: Vec<u32>,
    /// Accesses of bytes, half-words and unaligned words.
    pub access: Vec<AccessEvent>,
    /// Words carried over a long gap.
    pub refresh: Vec<RefreshEvent>,
    /// Permutations.
    pub keccak: Vec<KeccakEvent>,
    /// Requests to the fuel table, in order.
    pub fuel: Vec<FuelEvent>,
    /// Touched chunks, by rising index.
    pub chunks: Vec<ChunkEvent>,
    /// Whether the run is over after this shard.
    pub last: bool,
}
