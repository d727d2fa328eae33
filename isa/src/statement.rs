//! What a proof says, and its one byte encoding.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Exit;

/// Version of the statement's layout.
pub const STATEMENT_VERSION: u32 = 1;
/// Length of an encoded statement.
pub const STATEMENT_BYTES: usize = 4 + 32 + 4 + 8 + 1 + 32 + 32 + 4 + 4 + 8 + 32;

/// The input as the statement names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputDigest {
    /// Keccak-256 of the input.
    Public([u8; 32]),
    /// The input stays private: only what the run returned is said.
    Private,
}

/// What is proved: the program with key `vkey`, called with `state`, within `fuel_limit`, on the
/// input, ended with `exit` after consuming `fuel`, having written the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Digest of machine, preset and program.
    pub vkey: [u8; 32],
    /// Value of the `_state` host call: 0 main, 1 deploy.
    pub state: u32,
    /// Fuel limit; `u64::MAX` is no limit.
    pub fuel_limit: u64,
    /// The input.
    pub input: InputDigest,
    /// Digest of the ordered host answers; zero, as no supported host call takes any.
    pub host: [u8; 32],
    /// How the run ended.
    pub exit: Exit,
    /// Fuel consumed.
    pub fuel: u64,
    /// Keccak-256 of the output.
    pub output: [u8; 32],
}

/// Why bytes are not a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Wrong number of bytes.
    #[error("a statement has {STATEMENT_BYTES} bytes, found {0}")]
    Length(usize),
    /// Unknown version.
    #[error("statement version {0}, expected {STATEMENT_VERSION}")]
    Version(u32),
    /// The flag of the input is neither 0 nor 1, or a private input has a digest.
    #[error("the input's flag and digest do not agree")]
    Input,
    /// Not an exit.
    #[error("exit kind {0} with code {1} does not exist")]
    Exit(u32, u32),
}

impl Statement {
    /// The canonical bytes, all numbers big endian:
    ///
    /// | offset | bytes | field |
    /// | --- | --- | --- |
    /// | 0 | 4 | version |
    /// | 4 | 32 | vkey |
    /// | 36 | 4 | state |
    /// | 40 | 8 | fuel limit |
    /// | 48 | 1 | 1 if the input is private |
    /// | 49 | 32 | Keccak-256 of the input, zero if private |
    /// | 81 | 32 | digest of the host answers |
    /// | 113 | 4 | exit kind: 1 ok, 2 exit code, 3 trap |
    /// | 117 | 4 | exit code or trap code |
    /// | 121 | 8 | fuel consumed |
    /// | 129 | 32 | Keccak-256 of the output |
    pub fn to_bytes(&self) -> [u8; STATEMENT_BYTES] {
        let (private, input) = match self.input {
            InputDigest::Public(digest) => (0, digest),
            InputDigest::Private => (1, [0; 32]),
        };
        let parts: [&[u8]; 11] = [
            &STATEMENT_VERSION.to_be_bytes(),
            &self.vkey,
            &self.state.to_be_bytes(),
            &self.fuel_limit.to_be_bytes(),
            &[private],
            &input,
            &self.host,
            &self.exit.kind().to_be_bytes(),
            &self.exit.code().to_be_bytes(),
            &self.fuel.to_be_bytes(),
            &self.output,
        ];
        let mut bytes = [0; STATEMENT_BYTES];
        let mut rest = &mut bytes[..];
        for part in parts {
            let (head, tail) = rest.split_at_mut(part.len());
            head.copy_from_slice(part);
            rest = tail;
        }
        bytes
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`StatementError`] for any bytes that [`Statement::to_bytes`] does not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StatementError> {
        let bytes: &[u8; STATEMENT_BYTES] =
            bytes.try_into().map_err(|_| StatementError::Length(bytes.len()))?;
        let mut reader = Reader(bytes);
        let version = u32::from_be_bytes(reader.take());
        if version != STATEMENT_VERSION {
            return Err(StatementError::Version(version));
        }
        let vkey = reader.take();
        let state = u32::from_be_bytes(reader.take());
        let fuel_limit = u64::from_be_bytes(reader.take());
        let input = match (reader.take::<1>(), reader.take::<32>()) {
            ([0], digest) => InputDigest::Public(digest),
            ([1], [0, ..]) if bytes[49..81] == [0; 32] => InputDigest::Private,
            _ => return Err(StatementError::Input),
        };
        let host = reader.take();
        let (kind, code) = (u32::from_be_bytes(reader.take()), u32::from_be_bytes(reader.take()));
        let exit = Exit::from_parts(kind, code).ok_or(StatementError::Exit(kind, code))?;
        let fuel = u64::from_be_bytes(reader.take());
        let output = reader.take();
        Ok(Self { vkey, state, fuel_limit, input, host, exit, fuel, output })
    }
}

/// Takes fixed-size fields from the front; the caller takes exactly what is there.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut field = [0; N];
        let (head, tail) = self.0.split_at(N.min(self.0.len()));
        field[..head.len()].copy_from_slice(head);
        self.0 = tail;
        field
    }
}
