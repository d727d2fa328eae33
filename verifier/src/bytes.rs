//! Reading and writing canonical bytes: all numbers little endian, field elements below the order.

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField32};
use rwprove_circuits::{Challenge, Val};
use thiserror::Error;

use crate::config::{Commitment, DIGEST, Digest, EXTENSION};

/// Why bytes are not canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end early.
    #[error("bytes end at {found}, {expected} are needed")]
    Truncated {
        /// Bytes needed.
        expected: usize,
        /// Bytes there.
        found: usize,
    },
    /// Bytes are left over.
    #[error("{0} bytes after the end")]
    Trailing(usize),
    /// A field element is not below the field's order.
    #[error("{value} at byte {at} is not a canonical field element")]
    Element {
        /// Where.
        at: usize,
        /// The number found.
        value: u32,
    },
    /// A number is not one of those allowed here.
    #[error("{what} is {found}, expected {expected}")]
    Value {
        /// What the number says.
        what: &'static str,
        /// What is allowed.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// A number exceeds its bound.
    #[error("{what} is {found}, the limit is {limit}")]
    Limit {
        /// What the number says.
        what: &'static str,
        /// The largest number allowed.
        limit: u64,
        /// The number found.
        found: u64,
    },
}

/// Reads from the front of some bytes. No list is allocated before its bytes are known to be
/// there.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the start.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.saturating_add(n);
        let bytes = self
            .bytes
            .get(self.at..end)
            .ok_or(DecodeError::Truncated { expected: end, found: self.bytes.len() })?;
        self.at = end;
        Ok(bytes)
    }

    /// A fixed number of bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A number.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }

    /// A number.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number of at most `limit`.
    pub fn bounded(&mut self, what: &'static str, limit: u32) -> Result<u32, DecodeError> {
        let found = self.u32()?;
        if found > limit {
            return Err(DecodeError::Limit { what, limit: limit.into(), found: found.into() });
        }
        Ok(found)
    }

    /// A number that must be `expected`.
    pub fn exactly(&mut self, what: &'static str, expected: u32) -> Result<(), DecodeError> {
        let found = self.u32()?;
        if found != expected {
            return Err(DecodeError::Value {
                what,
                expected: expected.into(),
                found: found.into(),
            });
        }
        Ok(())
    }

    /// A field element as a number.
    pub fn element(&mut self) -> Result<u32, DecodeError> {
        let at = self.at;
        let value = self.u32()?;
        if value >= Val::ORDER_U32 {
            return Err(DecodeError::Element { at, value });
        }
        Ok(value)
    }

    /// A field element.
    pub fn val(&mut self) -> Result<Val, DecodeError> {
        self.element().map(Val::from_u32)
    }

    /// A list of `n` items of `size` bytes each.
    pub fn list<T>(
        &mut self,
        n: usize,
        size: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let end = self.at.saturating_add(n.saturating_mul(size));
        if end > self.bytes.len() {
            return Err(DecodeError::Truncated { expected: end, found: self.bytes.len() });
        }
        (0..n).map(|_| item(self)).collect()
    }

    /// `n` field elements.
    pub fn vals(&mut self, n: usize) -> Result<Vec<Val>, DecodeError> {
        self.list(n, 4, Self::val)
    }

    /// A challenge.
    pub fn challenge(&mut self) -> Result<Challenge, DecodeError> {
        let mut coefficients = [Val::ZERO; EXTENSION];
        for coefficient in &mut coefficients {
            *coefficient = self.val()?;
        }
        Ok(Challenge::from_basis_coefficients_fn(|i| coefficients[i]))
    }

    /// `n` challenges.
    pub fn challenges(&mut self, n: usize) -> Result<Vec<Challenge>, DecodeError> {
        self.list(n, 4 * EXTENSION, Self::challenge)
    }

    /// A digest.
    pub fn digest(&mut self) -> Result<Digest, DecodeError> {
        let mut digest = [Val::ZERO; DIGEST];
        for element in &mut digest {
            *element = self.val()?;
        }
        Ok(digest)
    }

    /// A commitment.
    pub fn commitment(&mut self) -> Result<Commitment, DecodeError> {
        Ok(Commitment::new(vec![self.digest()?]))
    }

    /// Nothing may follow.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.bytes.len() - self.at {
            0 => Ok(()),
            rest => Err(DecodeError::Trailing(rest)),
        }
    }
}

/// Appends canonical bytes.
#[derive(Clone, Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Appends bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Appends a number.
    pub fn u32(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    /// Appends a number.
    pub fn u64(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// Appends field elements.
    pub fn vals(&mut self, vals: &[Val]) {
        for val in vals {
            self.u32(val.as_canonical_u32());
        }
    }

    /// Appends challenges.
    pub fn challenges(&mut self, challenges: &[Challenge]) {
        for challenge in challenges {
            self.vals(challenge.as_basis_coefficients_slice());
        }
    }

    /// Appends a commitment.
    pub fn commitment(&mut self, commitment: &Commitment) {
        for digest in commitment.roots() {
            self.vals(digest);
        }
    }

    /// All that was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
