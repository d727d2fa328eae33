//! Why a proof is refused.

use rwprove_circuits::shape::ShapeError;
use rwprove_isa::{HALT_PC, StatementError};
use thiserror::Error;

use crate::{bytes::DecodeError, claim::ClaimError, vkey::KeyError};

/// Why a proof is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not the bytes of a proof.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The first bytes are not those of a proof.
    #[error("not a proof")]
    Magic,
    /// A kind of proof that does not exist, or is not the one that is asked for.
    #[error("a proof of kind {0}")]
    Kind(u32),
    /// The key cannot be read.
    #[error("verification key: {0}")]
    Key(#[from] KeyError),
    /// The proof is about another key.
    #[error("the proof carries a verification key with another digest")]
    KeyDigest,
    /// The key is of another machine.
    #[error("the verification key is of another version of the machine")]
    Machine,
    /// The statement in the proof cannot be read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The proof is about another statement.
    #[error("the proof carries another statement")]
    OtherStatement,
    /// There is no shard.
    #[error("a proof has at least one shard")]
    NoShards,
    /// The heights of a shard's tables.
    #[error("shard {shard}: {error}")]
    Shape {
        /// Which shard.
        shard: u32,
        /// What is wrong.
        error: ShapeError,
    },
    /// A shard has no fuel table but says that it charged fuel there.
    #[error("shard {0} has no fuel table but charges")]
    FuelWithoutTable(u32),
    /// Fuel exceeds 64 bits.
    #[error("shard {0} consumes more fuel than 64 bits")]
    FuelOverflow(u32),
    /// A shard's STARK proof does not hold.
    #[error("shard {shard}: {error}")]
    Stark {
        /// Which shard.
        shard: u32,
        /// What the library says.
        error: String,
    },
    /// There are no circuits for proofs of this preset.
    #[error("there are no circuits of preset {0}")]
    NoCircuits(u32),
    /// The proof of the last circuit does not hold.
    #[error("the last circuit: {0}")]
    Compressed(String),
    /// The run is not over after the last shard.
    #[error("the last shard ends at pc {0}, a finished run at {HALT_PC}")]
    NotHalted(u32),
    /// The opened results are not in the last memory.
    #[error("the results are not in the memory that the last shard leaves")]
    Results,
    /// The statement does not hold.
    #[error(transparent)]
    Claim(#[from] ClaimError),
}
