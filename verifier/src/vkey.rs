//! The verification key of a program.

use rwprove_circuits::merkle::opening::REGIONS;
use rwprove_isa::{MAX_CODE, keccak256};
use thiserror::Error;

use crate::{
    bytes::{DecodeError, Reader, Writer},
    config::{Digest, Preset},
};

/// Separates the digest of keys from any other hash.
const DOMAIN: &[u8; 16] = b"rwprove vkey v1\0";

/// Everything that a verifier must know of a program. Its digest names the program in statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    /// Digest of the machine: tables, constraints, messages and versions.
    pub machine: [u8; 32],
    /// The security level.
    pub preset: Preset,
    /// Keccak-256 of the rWasm module.
    pub module: [u8; 32],
    /// log2 of the height of the program table.
    pub log_height: u32,
    /// Commitment to the preprocessed columns.
    pub preprocessed: Digest,
    /// Memory at the start, as the digests of its regions; those of the input and of the run's
    /// facts are empty.
    pub regions: [Digest; REGIONS],
    /// Where a run starts.
    pub start: u32,
    /// Pages of linear memory at the start.
    pub pages: u32,
    /// Fuel consumed before the start.
    pub fuel: u64,
}

/// Why bytes are not the key that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the bytes of a key.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A preset that does not exist.
    #[error("there is no preset of {0} bits")]
    Preset(u32),
}

impl VerifyingKey {
    /// Keccak-256 of the key's bytes, domain-separated.
    pub fn digest(&self) -> [u8; 32] {
        let mut out = Writer::default();
        out.bytes(DOMAIN);
        self.write(&mut out);
        keccak256(&out.into_bytes())
    }

    /// Appends the canonical bytes.
    pub fn write(&self, out: &mut Writer) {
        out.bytes(&self.machine);
        out.u32(self.preset.bits());
        out.bytes(&self.module);
        out.u32(self.log_height);
        out.vals(&self.preprocessed);
        self.regions.iter().for_each(|region| out.vals(region));
        out.u32(self.start);
        out.u32(self.pages);
        out.u64(self.fuel);
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`KeyError`] for bytes that [`VerifyingKey::write`] does not write.
    pub fn read(input: &mut Reader<'_>) -> Result<Self, KeyError> {
        let machine = input.array()?;
        let bits = input.u32()?;
        let preset = Preset::from_bits(bits).ok_or(KeyError::Preset(bits))?;
        let module = input.array()?;
        let log_height = input.bounded("program height", MAX_CODE.ilog2())?;
        let preprocessed = input.digest()?;
        let mut regions = [Digest::default(); REGIONS];
        for region in &mut regions {
            *region = input.digest()?;
        }
        let start = input.bounded("start", MAX_CODE as u32)?;
        let pages = input.bounded("pages", 1 << 16)?;
        let fuel = input.u64()?;
        Ok(Self { machine, preset, module, log_height, preprocessed, regions, start, pages, fuel })
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use rwprove_circuits::Val;

    use super::*;

    fn key() -> VerifyingKey {
        VerifyingKey {
            machine: [1; 32],
            preset: Preset::P100,
            module: [2; 32],
            log_height: 12,
            preprocessed: [Val::TWO; 8],
            regions: std::array::from_fn(|i| [Val::from_usize(i); 8]),
            start: 17,
            pages: 3,
            fuel: 1 << 40,
        }
    }

    fn bytes(key: &VerifyingKey) -> Vec<u8> {
        let mut out = Writer::default();
        key.write(&mut out);
        out.into_bytes()
    }

    #[test]
    fn round_trip() {
        let bytes = bytes(&key());
        let mut input = Reader::new(&bytes);
        assert_eq!(VerifyingKey::read(&mut input), Ok(key()));
        assert_eq!(input.finish(), Ok(()));
    }

    #[test]
    fn every_byte_is_in_the_digest() {
        let bytes = bytes(&key());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            if let Ok(other) = VerifyingKey::read(&mut Reader::new(&changed)) {
                assert_ne!(other.digest(), key().digest(), "byte {at}");
            }
        }
    }

    #[test]
    fn limits() {
        let mut far = key();
        far.start = MAX_CODE as u32 + 1;
        let read = VerifyingKey::read(&mut Reader::new(&bytes(&far)));
        assert!(matches!(read, Err(KeyError::Decode(DecodeError::Limit { what: "start", .. }))));
        let mut other = bytes(&key());
        other[32] = 99;
        assert_eq!(VerifyingKey::read(&mut Reader::new(&other)), Err(KeyError::Preset(99)));
    }
}
