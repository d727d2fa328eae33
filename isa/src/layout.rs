//! The one address space of the machine.
//!
//! Everything that a program can change lives in one space of `2^30` words of 32 bits. Linear
//! memory fills the lower half, so a guest byte address `x` is word `x / 4`; the upper half is cut
//! into 16 *regions* of `2^25` words for what is not linear memory (stack, globals, tables, …).
//! The Merkle tree over the space has a leaf for every chunk of eight words, so region `r` is node
//! `16 + r` of the 32 nodes at depth [`REGION_DEPTH`], and linear memory is nodes 0 to 15.
//!
//! All addresses here are *word* addresses unless a name says otherwise.

/// log2 of the number of words in the space.
pub const LOG_WORDS: usize = 30;
/// Words in one chunk, the leaf of the Merkle tree.
pub const CHUNK_WORDS: usize = 8;
/// Depth of the Merkle tree: the root has depth 0, chunks have this depth.
pub const TREE_DEPTH: usize = 27;
/// Depth of the tree nodes that cover one region each.
pub const REGION_DEPTH: usize = 5;
/// Words in one region.
pub const REGION_WORDS: u32 = 1 << 25;

/// First word of region `r` (0 to 15).
pub const fn region(r: u32) -> u32 {
    (1 << 29) + r * REGION_WORDS
}

/// Linear memory: at most 2^29 words (2 GiB, 32768 pages).
pub const MEM: u32 = 0;
/// Words in one 64 KiB page of linear memory.
pub const PAGE_WORDS: u32 = 1 << 14;

/// Value stack, one word a slot. Verified code uses at most [`STACK_LIMIT`] slots; the runtime
/// library uses slots above the height of its caller.
pub const STACK: u32 = region(0);
/// Words reserved for the value stack.
pub const STACK_WORDS: u32 = 1 << 16;
/// The limit of `StackCheck`: rwasm's `N_MAX_STACK_SIZE + N_STACK_TRAMPOLINE_HEADROOM`.
pub const STACK_LIMIT: u32 = 8205;

/// Return addresses. Entry `d` is what the call at depth `d` pushed. Its two limbs are not 16-bit
/// halves of a number but the pair (return pc, caller's frame base).
pub const FRAME: u32 = STACK + STACK_WORDS;
/// Words reserved for frames.
pub const FRAME_WORDS: u32 = 1 << 12;
/// Calls nested deeper than this trap with `StackOverflow` (rwasm's call-stack limit).
pub const CALL_LIMIT: u32 = 1024;

/// Facts of the run that the statement fixes, read-only: see [`run`].
pub const RUN: u32 = region(1);
/// Words of the [`RUN`] chunk.
pub mod run {
    /// Length of the input in bytes.
    pub const INPUT_LEN: u32 = super::RUN;
    /// Value of the `_state` host call (0 main, 1 deploy).
    pub const STATE: u32 = super::RUN + 1;
}

/// Global words, indexed as in rwasm (two words for each Wasm global).
pub const GLOBAL: u32 = region(2);
/// Largest number of global words.
pub const GLOBAL_WORDS: u32 = 1 << 17;
/// Sizes of the tables, one word a table.
pub const TABLE_SIZE: u32 = GLOBAL + GLOBAL_WORDS;
/// Largest number of tables.
pub const MAX_TABLES: u32 = 128;
/// Table elements: element `i` of table `t` is word `TABLE + t * TABLE_STRIDE + i`.
pub const TABLE: u32 = GLOBAL + 2 * GLOBAL_WORDS;
/// Words reserved for one table; rwasm allows as many elements.
pub const TABLE_STRIDE: u32 = 1024;
/// Nonzero word: data segment dropped (indexed as in rwasm).
pub const DATA_DROPPED: u32 = GLOBAL + 4 * GLOBAL_WORDS;
/// Nonzero word: element segment dropped (indexed as in rwasm).
pub const ELEM_DROPPED: u32 = GLOBAL + 5 * GLOBAL_WORDS;
/// Largest segment index that `data.drop` and `elem.drop` accept (rwasm).
pub const MAX_SEGMENT: u32 = 100_000;
/// State of the Keccak sponge: 25 lanes of two words (low word first).
pub const SPONGE: u32 = GLOBAL + 6 * GLOBAL_WORDS;
/// Words of the sponge state.
pub const SPONGE_WORDS: u32 = 50;
/// Bytes at the front of the input that are a named entry's arguments and not the guest's input.
pub const ENTRY_BYTES: u32 = SPONGE + 64;

/// The flattened data section of the module.
pub const DATA: u32 = region(3);
/// The element section of the module.
pub const ELEM: u32 = region(4);
/// The input tape. The verifier takes its subtree from the proof; the program hashes all of it.
pub const INPUT: u32 = region(5);
/// The output tape.
pub const OUTPUT: u32 = region(6);
/// Largest input, output or data section in bytes.
pub const MAX_TAPE_BYTES: u32 = REGION_WORDS * 4;

/// Results that the verifier opens in the final state: see [`reg`].
pub const REG: u32 = region(7);
/// Words of the [`REG`] chunks.
pub mod reg {
    use super::REG;
    /// How the run ended: an `ExitKind` as a number plus one, 0 while it runs.
    pub const EXIT_KIND: u32 = REG;
    /// Exit code or trap code.
    pub const EXIT_CODE: u32 = REG + 1;
    /// Fuel charge that did not fit any more (low word), for the exit `OutOfFuel` alone.
    pub const REFUSED_FUEL_LO: u32 = REG + 2;
    /// High word of the refused charge.
    pub const REFUSED_FUEL_HI: u32 = REG + 3;
    /// Length of the output in bytes.
    pub const OUTPUT_LEN: u32 = REG + 4;
    /// 1 if the module itself raised `OutOfFuel` by a trap instruction, with no charge refused.
    pub const RAISED_OUT_OF_FUEL: u32 = REG + 5;
    /// Keccak-256 of the input, eight little-endian words.
    pub const INPUT_DIGEST: u32 = REG + 8;
    /// Keccak-256 of the output, eight little-endian words.
    pub const OUTPUT_DIGEST: u32 = REG + 16;
    /// Chunks of the final state that the verifier opens (a power of two).
    pub const OPENED_CHUNKS: usize = 4;
}

/// For the function whose rWasm pc is `f`: words `FUNC + 2f` and `FUNC + 2f + 1` hold its lowered
/// pc and its signature plus one. Both are zero for a pc that is no function.
pub const FUNC: u32 = region(8);
/// Largest rWasm pc that can be a function.
pub const MAX_FUNC_PC: u32 = REGION_WORDS / 2 - 1;
