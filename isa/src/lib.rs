//! The lowered rWasm instruction set, programs, statements and execution records.
//!
//! `docs/spec/machine.md` is the specification of everything in this crate.

pub mod alu;
pub mod front;
mod instr;
pub mod layout;
mod program;
pub mod record;
pub mod runtime;
mod statement;
mod trap;
pub mod validate;

pub use instr::{FIRST_REQUEST_TAG, Flag, Instr, MAX_FUEL, Op, Operand, Pc, Slot};
pub use program::{HALT_PC, MAX_CODE, Program, STUCK_PC, TRAP_STUBS};
pub use statement::{InputDigest, STATEMENT_BYTES, STATEMENT_VERSION, Statement, StatementError};
pub use trap::{Exit, Trap};

/// Keccak-256 of some bytes.
pub fn keccak256(bytes: &[u8]) -> [u8; 32] {
    use tiny_keccak::{Hasher, Keccak};
    let mut digest = [0; 32];
    let mut hasher = Keccak::v256();
    hasher.update(bytes);
    hasher.finalize(&mut digest);
    digest
}
