//! Proofs for contracts, as files: what is proved, and the bytes that the gateway takes.
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `RWPL` |
//! | 4 | version, big endian |
//! | 161 | the statement |
//! | 260 | the proof: the verifier's selector, then eight words |

use rwprove_isa::{STATEMENT_BYTES, Statement, StatementError};
use thiserror::Error;

use crate::solidity::CALL_PROOF_BYTES;

/// First bytes of a file.
pub const MAGIC: [u8; 4] = *b"RWPL";
const VERSION: u32 = 1;

/// Why bytes are no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OnchainError {
    /// Wrong number of bytes.
    #[error("a proof for contracts has {expected} bytes, found {0}", expected = OnchainProof::BYTES)]
    Length(usize),
    /// Not a proof for contracts.
    #[error("not a proof for contracts")]
    Magic,
    /// Another version of the layout.
    #[error("version {0} of proofs for contracts, known is {VERSION}")]
    Version(u32),
    /// The statement's bytes are none.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

/// A statement with the bytes that prove it to a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnchainProof {
    /// What is proved.
    pub statement: Statement,
    /// Selector and proof.
    pub proof: [u8; CALL_PROOF_BYTES],
}

impl OnchainProof {
    /// Bytes of a file.
    pub const BYTES: usize = 4 + 4 + STATEMENT_BYTES + CALL_PROOF_BYTES;

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { statement, proof } = self;
        let head = [MAGIC, VERSION.to_be_bytes()].concat();
        [head.as_slice(), &statement.to_bytes(), proof].concat()
    }

    /// Reads the canonical bytes; verifies nothing.
    ///
    /// # Errors
    /// [`OnchainError`] for bytes that [`OnchainProof::to_bytes`] does not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OnchainError> {
        let length = OnchainError::Length(bytes.len());
        let rest = bytes.strip_prefix(&MAGIC).ok_or(OnchainError::Magic)?;
        let (version, rest) = rest.split_first_chunk().ok_or(length)?;
        let version = u32::from_be_bytes(*version);
        if version != VERSION {
            return Err(OnchainError::Version(version));
        }
        let (statement, proof) = rest.split_at_checked(STATEMENT_BYTES).ok_or(length)?;
        let proof = proof.try_into().map_err(|_| length)?;
        Ok(Self { statement: Statement::from_bytes(statement)?, proof })
    }
}

#[cfg(test)]
mod tests {
    use rwprove_isa::{Exit, InputDigest, Trap};

    use super::*;

    #[test]
    fn files_have_one_form() {
        let proof = OnchainProof {
            statement: Statement {
                vkey: [7; 32],
                state: 1,
                fuel_limit: 99,
                input: InputDigest::Private,
                host: [0; 32],
                exit: Exit::Trap(Trap::OutOfFuel),
                fuel: 98,
                output: [5; 32],
            },
            proof: std::array::from_fn(|i| i as u8),
        };
        let bytes = proof.to_bytes();
        assert_eq!(bytes.len(), OnchainProof::BYTES);
        assert_eq!(OnchainProof::from_bytes(&bytes), Ok(proof));
        for length in 0..bytes.len() {
            assert!(OnchainProof::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        let refused = OnchainError::Length(longer.len());
        assert_eq!(OnchainProof::from_bytes(&longer), Err(refused));
        // What is read is written again: no byte has a second meaning.
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            if let Ok(proof) = OnchainProof::from_bytes(&changed) {
                assert_eq!(proof.to_bytes(), changed, "{at}");
            }
        }
    }
}
