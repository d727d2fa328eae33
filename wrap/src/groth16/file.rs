//! Keys in files: what proves, and what verifies.
//!
//! | bytes | what |
//! | --- | --- |
//! | 22 | `rwprove groth16 key\0`, or `rwprove groth16 vkey` for a verifier's, and the version, two bytes big endian |
//! | 1 | 0: from a public seed, insecure; 1: from a ceremony |
//! | 32 | digest of the circuit |
//! | 32 | Keccak-256 of the rest and of what stands before this digest |
//! | rest | the library's key without compression |
//!
//! Points are not checked one by one, which would take minutes: the digest tells files that were
//! damaged, and a key file is trusted as far as whoever wrote it.

use std::io::{Read, Write};

use ark_bn254::Bn254;
use ark_groth16::{ProvingKey, VerifyingKey};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use thiserror::Error;
use tiny_keccak::{Hasher, Keccak};

use super::{Origin, Prover, Verifier};

const MAGIC: &[u8; 22] = b"rwprove groth16 key\0\0\x01";
const VERIFIER_MAGIC: &[u8; 22] = b"rwprove groth16 vkey\0\x01";
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

/// What stands before a digest: what the file is, how the key was made, and its circuit.
fn header(magic: &[u8; 22], origin: Origin, circuit: &[u8; 32]) -> Vec<u8> {
    [magic.as_slice(), &[u8::from(origin == Origin::Ceremony)], circuit].concat()
}

/// A file's header, of which the last 32 bytes are the circuit; what follows is checked against the
/// digest.
fn read_parts(magic: &[u8; 22], from: &mut impl Read) -> Result<(Origin, [u8; 32]), FileError> {
    let mut header = [0; HEADER];
    from.read_exact(&mut header)?;
    let (origin, circuit) = match header.strip_prefix(magic) {
        Some([0, circuit @ ..]) => (Origin::Development, circuit),
        Some([1, circuit @ ..]) => (Origin::Ceremony, circuit),
        _ => return Err(FileError::Magic),
    };
    Ok((origin, circuit.try_into().map_err(|_| FileError::Magic)?))
}

/// The rest of a file, which must be what the digest before it says.
fn read_body(header: &[u8], from: &mut impl Read) -> Result<Vec<u8>, FileError> {
    let mut expected = [0; 32];
    from.read_exact(&mut expected)?;
    let mut body = Vec::new();
    from.read_to_end(&mut body)?;
    if digest(header, &body) == expected { Ok(body) } else { Err(FileError::Digest) }
}

impl Prover {
    /// Writes the key to a file.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub fn write(&self, to: &mut impl Write) -> Result<(), FileError> {
        let header = header(MAGIC, self.origin, &self.circuit);
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
        let (origin, found) = read_parts(MAGIC, from)?;
        if found != *circuit {
            return Err(FileError::Circuit);
        }
        let body = read_body(&header(MAGIC, origin, circuit), from)?;
        let mut rest = body.as_slice();
        let key = ProvingKey::<Bn254>::deserialize_uncompressed_unchecked(&mut rest)
            .map_err(|_| FileError::Form)?;
        if !rest.is_empty() {
            return Err(FileError::Form);
        }
        Ok(Self { origin, circuit: *circuit, key })
    }
}

/// More bytes than a verifier's file has: that of a key with two inputs has 735.
const MOST_BYTES: u64 = 4096;

impl Verifier {
    /// The bytes of a file.
    ///
    /// # Errors
    /// [`FileError::Form`] if the library cannot write the key.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FileError> {
        let header = header(VERIFIER_MAGIC, self.origin, &self.circuit);
        let mut body = Vec::new();
        self.key.serialize_uncompressed(&mut body).map_err(|_| FileError::Form)?;
        Ok([header.as_slice(), &digest(&header, &body), &body].concat())
    }

    /// Reads a file. All points are checked to be in their groups; where the key comes from is for
    /// the caller to trust.
    ///
    /// # Errors
    /// [`FileError`] for anything but a verifier's key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FileError> {
        let mut from = bytes.take(MOST_BYTES);
        let (origin, circuit) = read_parts(VERIFIER_MAGIC, &mut from)?;
        let body = read_body(&header(VERIFIER_MAGIC, origin, &circuit), &mut from)?;
        let mut rest = body.as_slice();
        let key = VerifyingKey::<Bn254>::deserialize_uncompressed(&mut rest)
            .map_err(|_| FileError::Form)?;
        if !rest.is_empty() {
            return Err(FileError::Form);
        }
        Ok(Self { origin, circuit, key })
    }
}
