//! A lowered program: what the prover runs and the verification key commits to.

use serde::{Deserialize, Serialize};

use crate::{Instr, Pc};

/// Pcs below this one belong to fixed stubs: pc `t` is the exit stub of trap `t`.
pub const TRAP_STUBS: Pc = 0;
/// The pc at which a finished run stands; its instruction jumps to itself.
pub const HALT_PC: Pc = 15;
/// A pc that loops for ever: code that must not have a proof goes there.
pub const STUCK_PC: Pc = 14;
/// Largest number of instructions of a program.
pub const MAX_CODE: usize = 1 << 22;

/// A lowered program with the state that a run starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Keccak-256 of the rWasm module's bytes.
    pub module_hash: [u8; 32],
    /// The instructions; the first ones are the trap stubs and the runtime library.
    pub code: Vec<Instr>,
    /// Where a run starts: boot code that sets up the call of the entry function.
    pub start: Pc,
    /// Pages of linear memory at the start.
    pub pages: u32,
    /// Fuel that instantiation consumed before the start.
    pub fuel: u64,
    /// Words that are not zero at the start, by rising word address.
    pub image: Vec<(u32, u32)>,
    /// For reports alone: how many rWasm instructions the row stands for (parallel to `code`).
    pub weights: Vec<u16>,
}
