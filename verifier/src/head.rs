//! What every proof starts with: which kind it is, the key, the statement, and what is said of the
//! run besides proofs.

use rwprove_circuits::merkle::RegOpening;
use rwprove_isa::{STATEMENT_BYTES, Statement, layout::MAX_TAPE_BYTES};

use crate::{
    bytes::{DecodeError, Reader, Writer},
    claim::{self, ClaimError},
    config::Digest,
    error::VerifyError,
    vkey::VerifyingKey,
};

/// First bytes of a proof.
pub const MAGIC: [u8; 4] = *b"RWPF";
/// Version of the proof's layout.
const VERSION: u32 = 1;

/// A kind of proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// A chain of shard proofs.
    Shards = 1,
    /// One proof of the recursion.
    Compressed = 2,
}

impl Kind {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Shards => "shards",
            Kind::Compressed => "compressed",
        }
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, VerifyError> {
        match input.u32()? {
            1 => Ok(Kind::Shards),
            2 => Ok(Kind::Compressed),
            other => Err(VerifyError::Kind(other)),
        }
    }
}

/// What a proof starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The kind.
    pub kind: Kind,
    /// The key.
    pub key: VerifyingKey,
    /// The statement.
    pub statement: Statement,
    /// What is said of the run besides proofs.
    pub run: Run,
}

impl Head {
    /// Appends the canonical bytes.
    pub fn write(&self, out: &mut Writer) {
        out.bytes(&MAGIC);
        out.u32(VERSION);
        out.u32(self.kind as u32);
        self.key.write(out);
        out.bytes(&self.statement.to_bytes());
        self.run.write(out);
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`VerifyError`] for bytes that [`Head::write`] does not write.
    pub fn read(input: &mut Reader<'_>) -> Result<Self, VerifyError> {
        if input.array()? != MAGIC {
            return Err(VerifyError::Magic);
        }
        input.exactly("version", VERSION)?;
        let kind = Kind::read(input)?;
        let key = VerifyingKey::read(input)?;
        let statement = Statement::from_bytes(input.take(STATEMENT_BYTES)?)?;
        let run = Run::read(input)?;
        Ok(Self { kind, key, statement, run })
    }

    /// Reads what a proof of a kind starts with.
    ///
    /// # Errors
    /// [`VerifyError`] if it is of another kind.
    pub fn of(kind: Kind, input: &mut Reader<'_>) -> Result<Self, VerifyError> {
        let head = Self::read(input)?;
        if head.kind == kind { Ok(head) } else { Err(VerifyError::Kind(head.kind as u32)) }
    }

    /// Whether it is of the machine with this digest.
    ///
    /// # Errors
    /// [`VerifyError::Machine`] if not.
    pub fn is_of(&self, machine: &[u8; 32]) -> Result<(), VerifyError> {
        if self.key.machine == *machine { Ok(()) } else { Err(VerifyError::Machine) }
    }

    /// Whether it is about the program with this key's digest, on this machine, and this statement.
    ///
    /// # Errors
    /// What it is about instead.
    pub fn is_about(
        &self,
        machine: &[u8; 32],
        vkey: &[u8; 32],
        statement: &Statement,
    ) -> Result<(), VerifyError> {
        if self.key.digest() != *vkey {
            return Err(VerifyError::KeyDigest);
        }
        self.is_of(machine)?;
        if self.statement != *statement {
            return Err(VerifyError::OtherStatement);
        }
        if statement.vkey != *vkey {
            return Err(ClaimError::Key.into());
        }
        Ok(())
    }

    /// Whether the results are those of the statement, and lie under the run's last root.
    ///
    /// # Errors
    /// What does not hold.
    pub fn ends(&self, fuel: u64, last: &Digest) -> Result<(), VerifyError> {
        if self.run.results.root() != *last {
            return Err(VerifyError::Results);
        }
        Ok(claim::check(&self.statement, fuel, &self.run.results)?)
    }
}

/// Reads what a proof starts with, without verifying anything.
///
/// # Errors
/// [`VerifyError`] if these are not the first bytes of a proof.
pub fn peek(bytes: &[u8]) -> Result<Head, VerifyError> {
    Head::read(&mut Reader::new(bytes))
}

/// What a proof says of the run besides proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Length of the input in bytes.
    pub input_bytes: u32,
    /// Root of the input's region.
    pub input: Digest,
    /// The results, opened from the last root.
    pub results: RegOpening,
}

impl Run {
    fn write(&self, out: &mut Writer) {
        out.u32(self.input_bytes);
        out.vals(&self.input);
        self.results.words.iter().for_each(|word| out.u32(*word));
        self.results.siblings.iter().for_each(|sibling| out.vals(sibling));
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let input_bytes = input.bounded("input length", MAX_TAPE_BYTES)?;
        let region = input.digest()?;
        let mut words = [0; _];
        for word in &mut words {
            *word = input.u32()?;
        }
        let mut siblings = [Digest::default(); _];
        for sibling in &mut siblings {
            *sibling = input.digest()?;
        }
        Ok(Self { input_bytes, input: region, results: RegOpening { words, siblings } })
    }
}
