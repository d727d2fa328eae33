//! The circuit for L1: given a statement's bytes and a proof of the circuit `settle`, the statement
//! is true.
//!
//! Two public inputs, see [`crate::statement`]. The proof's public values are the digest of what
//! the bytes say, and the key that it is verified under is a constant.

mod fixed;

use rwprove_circuits::Val;
use rwprove_isa::{STATEMENT_BYTES, Statement};
use rwprove_recursion::{
    backend::Rule,
    circuit,
    layers::stream::settle_stream,
    prove::{self, layout},
    system::{Id, SystemError, below, build},
    verify::{FlattenError, Stark, StarkError, verify},
};
use rwprove_verifier::{
    Preset,
    codec::Proof,
    compressed::{Fixed, said},
    config::Digest,
    head::Head,
    step::Claim,
};
use thiserror::Error;

use crate::{
    Fr,
    backend::{R1cs, Stream},
    gadget::Int,
    groth16::{FileError, Verifier},
    r1cs::{Assignment, Builder, Circuit, Wire},
    stark::{Key, Streams, publics_of},
    statement::{StatementWires, inputs},
};

/// Why there is no settlement.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettleError {
    /// There is no circuit `settle`.
    #[error(transparent)]
    System(#[from] SystemError),
    /// There is no such proof to verify.
    #[error(transparent)]
    Stark(#[from] StarkError),
    /// The proof below has no stream.
    #[error(transparent)]
    Flatten(#[from] FlattenError),
    /// It cannot be proved.
    #[error(transparent)]
    Prove(#[from] prove::ProveError),
    /// Another preset than the one of proofs for contracts.
    #[error("proofs for contracts have preset {ours}, not {0}", ours = PRESET.bits())]
    Preset(u32),
    /// The key is not the one that contracts know: this program was changed without its keys.
    #[error("the circuit `settle` has another key than the one that is fixed")]
    Key,
    /// The circuit says something else than the statement.
    #[error("the root's proof is not one of this statement")]
    Statement,
    /// The proof breaks a rule of the verifier.
    #[error(transparent)]
    Rule(#[from] Rule),
}

/// Which proofs the circuit verifies.
#[derive(Debug)]
pub struct Settlement {
    stark: Stark,
    key: Fr,
}

/// A proof of `settle`, as the circuit reads it.
#[derive(Clone, Debug)]
pub struct Settled {
    /// What is proved.
    pub statement: Statement,
    /// The proof.
    pub streams: Streams,
}

/// The preset of the layers below. There is no other: Groth16 over BN254 is estimated at 100 bits,
/// so more below it would cost and give nothing.
pub const PRESET: Preset = Preset::P100;

impl Settlement {
    /// That of `settle`.
    ///
    /// # Errors
    /// [`SettleError::Stark`] if there is none, which tests refute.
    pub fn of_runs() -> Result<Self, SettleError> {
        Self::with_key(fixed::KEY)
    }

    /// That of `settle` under another key, for who makes the key.
    ///
    /// # Errors
    /// [`SettleError::Stark`] if there is none, which tests refute.
    pub fn with_key(key: Fr) -> Result<Self, SettleError> {
        let heights = Id::Settle.heights(Fixed::of(PRESET)).map(usize::from);
        Self::new(&layout(&heights, PRESET.layer(Id::Settle.layer())), key)
    }

    /// [`Circuit::digest`] of the circuit: keys say which circuit they are for.
    pub const DIGEST: [u8; 32] = fixed::CIRCUIT;

    /// The verifier with the circuit's development key: insecure, as its origin says.
    ///
    /// # Errors
    /// [`FileError`] if this program was built with something else, which tests refute.
    pub fn development() -> Result<Verifier, FileError> {
        Verifier::from_bytes(fixed::DEVELOPMENT)
    }

    /// That of proofs with a layout under a key.
    ///
    /// # Errors
    /// [`SettleError::Stark`] for a layout that no proof can have.
    pub fn new(
        layout: &rwprove_verifier::layout::ProofLayout<'_>,
        key: Fr,
    ) -> Result<Self, SettleError> {
        Ok(Self { stark: Stark::new(layout)?, key })
    }

    /// Adds the circuit's constraints to those of a builder with two public inputs.
    ///
    /// # Errors
    /// The rule that the proof breaks; streams of zeros break none.
    pub fn build(
        &self,
        mut builder: Builder,
        statement: &[u8; STATEMENT_BYTES],
        stream: Stream<'_>,
    ) -> Result<Builder, Rule> {
        let b = &mut builder;
        let said = StatementWires::new(b, statement).said();
        let digest = b.part("digest of what is said", |b| b.koalabear_hash(&said));
        let publics: Vec<Vec<Int>> =
            self.stark.publics().map(|count| digest[..count].to_vec()).collect();
        let mut backend = R1cs::new(builder, stream);
        verify(&mut backend, &self.stark, &publics, Some(&Wire::constant(self.key)))?;
        backend.finish()
    }

    /// The circuit, still with the number of constraints of each part.
    ///
    /// # Errors
    /// [`Rule`] if it cannot be built, which tests refute.
    pub fn parts(&self) -> Result<Builder, Rule> {
        self.build(Builder::new(&[Fr::from(0); 2]), &[0; STATEMENT_BYTES], Stream::Zeros)
    }

    /// The circuit.
    ///
    /// # Errors
    /// [`Rule`] if it cannot be built, which tests refute.
    pub fn circuit(&self) -> Result<Circuit, Rule> {
        self.parts()?.finish().0.ok_or(Rule::Stream)
    }

    /// The circuit's assignment for a proof.
    ///
    /// # Errors
    /// The rule that the proof breaks.
    pub fn assignment(&self, settled: &Settled) -> Result<Assignment, Rule> {
        let Settled { statement, streams } = settled;
        let builder = Builder::values_only(&inputs(statement));
        let builder = self.build(builder, &statement.to_bytes(), streams.stream())?;
        Ok(builder.finish().1)
    }

    /// Proves with `settle` what a root's proof shows.
    ///
    /// # Errors
    /// [`SettleError`] if it does not show the statement that the head has.
    pub fn settle(
        &self,
        head: &Head,
        claim: &Claim<Val>,
        root: &Proof,
    ) -> Result<Settled, SettleError> {
        let statement = &head.statement;
        if head.key.preset != PRESET {
            return Err(SettleError::Preset(head.key.preset.bits()));
        }
        let (circuit, key) = settle_key()?;
        if *key.commitment() != self.key {
            return Err(SettleError::Key);
        }
        let fixed = Fixed::of(PRESET);
        let root_key = Id::Root.key(fixed).ok_or(SettleError::Key)?;
        let below = below(Id::Settle, fixed, PRESET)?;
        let stream = settle_stream(&below, &root_key, head, claim, root)?;
        let (proof, digest) = key.prove(&circuit, &stream)?;
        if digest != digest_of(statement) {
            return Err(SettleError::Statement);
        }
        let streams = Streams::new(&self.stark, &proof, &publics_of(&digest), self.key)?;
        Ok(Settled { statement: statement.clone(), streams })
    }
}

/// The circuit `settle`, and what proves it.
///
/// # Errors
/// [`SettleError`] if it cannot be built, which tests refute.
pub fn settle_key() -> Result<(circuit::Circuit, Key), SettleError> {
    let fixed = Fixed::of(PRESET);
    let circuit = build(Id::Settle, fixed, PRESET)?;
    let heights = Id::Settle.heights(fixed).map(usize::from);
    let key = Key::new(&circuit, &heights, PRESET.layer(Id::Settle.layer()))?;
    Ok((circuit, key))
}

/// The public digest of a proof of `settle`.
pub fn digest_of(statement: &Statement) -> Digest {
    use rwprove_recursion::{backend::Backend, native::Native};
    Native::new(&[]).hash(&said(statement))
}
