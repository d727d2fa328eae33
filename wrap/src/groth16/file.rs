//! Keys in files.
//!
//! | bytes | what |
//! | --- | --- |
//! | 22 | `rwprove groth16 key\0`, and the version, two bytes big endian |
//! | 1 | 0: from a public seed, insecure; 1: from a ceremony |
//! | 32 | digest of the circuit |
//! | 32 | Keccak-256 of the rest and of what stands before this digest |
//! | rest | the library's key without compression |
//!
//! Points are not checked one by one, which would take minutes: the digest tells files that were
//! damaged, and a key file is trusted as far as whoever wrote it.

use std::io::{Read, Write};

use ark_bn254::Bn254;
use ark_groth16::ProvingKey;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use thiserror::Error;
use tiny_keccak::{Hasher, Keccak};

use super::{Origin, Prover};

const MAGIC: &[u8; 22] = b"rwprove groth16 key\0\0\x01";
const HEADER: usize = MAGIC.len() + 1 + 32;

/// Why a file is no key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Not a key of this version.
    #[error("not a key file of this version")]
    Magic,
    /// Not what was written.
    #[error("the file is damaged")]
    Digest,
    /// Not the library's form.
    #[error("the file holds no key")]
    Form,
    /// The key of another circuit.
    #[error("the key belongs to another circuit")]
    Circuit,
}

fn digest(header: &[u8], body: &[u8]) -> [u8; 32] {
    let mut hasher = Keccak::v256();
    hasher.update(header);
    hasher.update(body);
    let mut digest = [0; 32];
    hasher.finalize(&mut digest);
    digest
}

impl Prover {
    /// Writes the key to a file.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub fn write(&self, to: &mut impl Write) -> Result<(), FileError> {
        let origin = u8::from(self.origin == Origin::Ceremony);
        let header = [&MAGIC[..], &[origin], &self.circuit].concat();
        let mut body = Vec::with_capacity(self.key.uncompressed_size());
        self.key.serialize_uncompressed(&mut body).map_err(|_| FileError::Form)?;
        to.write_all(&header)?;
        to.write_all(&digest(&header, &body))?;
        to.write_all(&body)?;
        Ok(())
    }

    /// Reads the key of a circuit from a file that is trusted.
    ///
    /// # Errors
    /// [`FileError`] for anything but a whole key of this circuit.
    pub fn read(from: &mut impl Read, circuit: &[u8; 32]) -> Result<Self, FileError> {
        let mut header = [0; HEADER];
        from.read_exact(&mut header)?;
        let origin = match header.strip_prefix(MAGIC) {
            Some([0, ..]) => Origin::Development,
            Some([1, ..]) => Origin::Ceremony,
            _ => return Err(FileError::Magic),
        };
        if &header[MAGIC.len() + 1..] != circuit {
            return Err(FileError::Circuit);
        }
        let mut expected = [0; 32];
        from.read_exact(&mut expected)?;
        let mut body = Vec::new();
        from.read_to_end(&mut body)?;
        if digest(&header, &body) != expected {
            return Err(FileError::Digest);
        }
        let mut rest = body.as_slice();
        let key = ProvingKey::<Bn254>::deserialize_uncompressed_unchecked(&mut rest)
            .map_err(|_| FileError::Form)?;
        if !rest.is_empty() {
            return Err(FileError::Form);
        }
        Ok(Self { origin, circuit: *circuit, key })
    }
}
