//! The verification key of a program.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_koala_bear::default_koalabear_poseidon2_16;
use p3_symmetric::CryptographicHasher;
use rwprove_circuits::{Val, merkle::opening::REGIONS};
use rwprove_isa::MAX_CODE;
use thiserror::Error;

use crate::{
    bytes::{DecodeError, Reader, Writer},
    config::{DIGEST, Digest, Preset, Sponge},
    step::{FUEL_LIMBS, fuel_limbs},
};

/// Separates the digest of keys from any other hash: its bytes are a whole block of it.
const DOMAIN: &[u8; 16] = b"rwprove vkey v2\0";

/// Big endian numbers of two bytes, as field elements.
pub fn halves<const N: usize>(bytes: &[u8]) -> [Val; N] {
    std::array::from_fn(|i| {
        let byte = |at: usize| u32::from(bytes.get(at).copied().unwrap_or_default());
        Val::from_u32(byte(2 * i) << 8 | byte(2 * i + 1))
    })
}

/// A key as its digest has it, over any kind of element.
#[derive(Clone, Debug)]
pub struct KeyElements<T> {
    /// Digest of the machine, as numbers of two bytes.
    pub machine: [T; 16],
    /// Bits of the preset.
    pub preset: T,
    /// Digest of the module, as numbers of two bytes.
    pub module: [T; 16],
    /// log2 of the height of the program table.
    pub log_height: T,
    /// Commitment to the preprocessed columns.
    pub preprocessed: [T; DIGEST],
    /// Memory at the start, as the digests of its regions.
    pub regions: [[T; DIGEST]; REGIONS],
    /// Where a run starts.
    pub start: T,
    /// Pages of linear memory at the start.
    pub pages: T,
    /// Fuel consumed before the start, as 16-bit limbs, lowest first.
    pub fuel: [T; FUEL_LIMBS],
}

impl<T: Clone> KeyElements<T> {
    /// All elements in the order in which they are hashed, behind those of the domain.
    pub fn elements(&self) -> Vec<T> {
        let Self { machine, preset, module, log_height, preprocessed, .. } = self;
        let Self { regions, start, pages, fuel, .. } = self;
        let head = machine.iter().chain([preset]).chain(module).chain([log_height]);
        let memory = preprocessed.iter().chain(regions.iter().flatten());
        head.chain(memory).chain([start, pages]).chain(fuel).cloned().collect()
    }

    /// What stands before the elements.
    pub fn domain() -> [Val; DIGEST] {
        halves(DOMAIN)
    }
}

impl From<&VerifyingKey> for KeyElements<Val> {
    fn from(key: &VerifyingKey) -> Self {
        Self {
            machine: halves(&key.machine),
            preset: Val::from_u32(key.preset.bits()),
            module: halves(&key.module),
            log_height: Val::from_u32(key.log_height),
            preprocessed: key.preprocessed,
            regions: key.regions,
            start: Val::from_u32(key.start),
            pages: Val::from_u32(key.pages),
            fuel: fuel_limbs(key.fuel).map(Val::from_u32),
        }
    }
}

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
    /// The key's name: the sponge's digest of its elements, each element as four bytes, big endian.
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (bytes, element) in bytes.chunks_exact_mut(4).zip(self.hash()) {
            bytes.copy_from_slice(&element.as_canonical_u32().to_be_bytes());
        }
        bytes
    }

    /// The same as elements.
    pub fn hash(&self) -> Digest {
        let elements = KeyElements::from(self).elements();
        let sponge = Sponge::new(default_koalabear_poseidon2_16());
        sponge.hash_iter(KeyElements::<Val>::domain().into_iter().chain(elements))
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
