//! The last STARK: a circuit proved with hashes that are cheap over BN254's scalar field, and its
//! proofs as streams of [`crate::backend`].

use p3_batch_stark::{
    BatchProof, CommonData, ProverData, StarkInstance, prove_batch, verify_batch,
};
use p3_lookup::check_multiplicity_height_bound;
use p3_symmetric::PseudoCompressionFunction;
use rwprove_circuits::{
    Val,
    circuit::{BLOCK, Chip, tables},
};
use rwprove_recursion::{
    circuit::{Circuit, LogHeights, publics},
    prove::{ProveError, layout},
    verify::{FlattenError, Parts, Stark, follow, parts, paths},
};
use rwprove_verifier::config::Parameters;

use crate::{
    Fr,
    backend::{R1cs, Stream},
    gadget::Int,
    native::{self, Compression, Config, to_fr},
    r1cs::{Builder, Wire},
};

/// A proof.
pub type Proof = BatchProof<Config>;

/// What proving runs of one circuit needs.
#[allow(missing_debug_implementations)] // the library's data has none
pub struct Key {
    config: Config,
    log_heights: LogHeights,
    tables: Vec<Chip>,
    data: ProverData<Config>,
    commitment: Fr,
}

/// What proofs in tables of these heights have in common: with the lookups packed as verifiers here
/// have them.
fn common(
    log_heights: &LogHeights,
    parameters: Parameters,
    data: CommonData<Config>,
) -> CommonData<Config> {
    let tables = layout(log_heights, parameters).tables;
    let lookups = tables.iter().map(|(table, _)| table.lookups.clone()).collect();
    CommonData { lookups, ..data }
}

impl Key {
    /// Commits to the rows of a circuit, in tables of these heights.
    ///
    /// # Errors
    /// [`ProveError`] if the heights do not fit.
    pub fn new(
        circuit: &Circuit,
        log_heights: &LogHeights,
        parameters: Parameters,
    ) -> Result<Self, ProveError> {
        let wrong = |error: &str| ProveError::Commitment(error.to_owned());
        let config = native::config(&parameters).ok_or_else(|| wrong("the fields do not fit"))?;
        let tables = circuit.preprocessed(log_heights)?;
        let data = ProverData::from_airs_and_degrees(&config, &tables, log_heights)
            .map_err(|error| wrong(&error.to_string()))?;
        let root = data.common.preprocessed.as_ref().and_then(|p| p.commitment.roots().first());
        let [commitment] = *root.ok_or_else(|| wrong("there is no root"))?;
        let ProverData { common: of_library, prover_only } = data;
        let common = common(log_heights, parameters, of_library);
        let heights: Vec<_> = log_heights.iter().map(|log_height| 1 << log_height).collect();
        check_multiplicity_height_bound(&common.lookups, &heights)?;
        let (data, commitment) = (ProverData { common, prover_only }, to_fr(commitment));
        Ok(Self { config, log_heights: *log_heights, tables, data, commitment })
    }

    /// The commitment to the circuit's rows, which names it.
    pub const fn commitment(&self) -> &Fr {
        &self.commitment
    }

    /// Proves what the circuit says of a stream; returns the public values too. The key must be the
    /// circuit's.
    ///
    /// # Errors
    /// [`ProveError`] if the stream breaks a rule.
    pub fn prove(
        &self,
        circuit: &Circuit,
        stream: &[Val],
    ) -> Result<(Proof, [Val; BLOCK]), ProveError> {
        let execution = circuit.run(stream)?;
        let traces = circuit.traces(&execution, &self.log_heights);
        let digest = *execution.publics();
        drop(execution);
        let instances = self.tables.iter().zip(&traces).map(|(air, trace)| StarkInstance {
            air,
            trace,
            public_values: publics(air.id(), &digest),
        });
        let instances: Vec<_> = instances.collect();
        let proof = prove_batch(&self.config, &instances, &self.data);
        proof.map(|proof| (proof, digest)).map_err(|error| ProveError::Stark(error.to_string()))
    }

    /// Verifies a proof with the library.
    ///
    /// # Errors
    /// What the library says.
    pub fn verify(&self, digest: &[Val; BLOCK], proof: &Proof) -> Result<(), String> {
        verify_batch(&self.config, &tables(), proof, &publics_of(digest), &self.data.common)
            .map_err(|error| error.to_string())
    }
}

/// The public values of each table of a proof that makes a claim with this digest.
pub fn publics_of(digest: &[Val; BLOCK]) -> Vec<Vec<Val>> {
    tables().iter().map(|chip| publics(chip.id(), digest)).collect()
}

/// A proof as the backend wants it.
#[derive(Clone, Debug)]
pub struct Streams {
    /// Its elements.
    pub felts: Vec<Val>,
    /// Its digests: the commitments, then the siblings of each path.
    pub digests: Vec<Fr>,
}

impl Streams {
    /// The streams of a proof with these public values and this commitment to preprocessed columns.
    ///
    /// # Errors
    /// [`FlattenError`] if the proof cannot be accepted.
    pub fn new(
        stark: &Stark,
        proof: &Proof,
        publics: &[Vec<Val>],
        preprocessed: Fr,
    ) -> Result<Self, FlattenError> {
        let Parts { felts, digests, siblings } = parts::<Config, _, _, _, _>(stark, proof)?;
        let mut digests: Vec<Fr> = digests.into_iter().map(|(_, [root])| to_fr(root)).collect();

        // Which siblings a path has follows from the transcript.
        let stream = Stream::Proof { felts: &felts, digests: &digests };
        let mut backend = R1cs::noting(Builder::values_only(&[]), stream);
        let publics: Vec<Vec<Int>> =
            publics.iter().map(|p| p.iter().copied().map(Int::constant).collect()).collect();
        follow(&mut backend, stark, &publics, Some(&Wire::constant(preprocessed)))?;
        let climbs = backend.finish_noting()?;
        let compression = Compression::new(native::permutation());
        let compress = |left: &Fr, right: &Fr| {
            let [parent] = compression.compress([left, right].map(|x| [native::from_fr(*x)]));
            to_fr(parent)
        };
        let siblings: Vec<Vec<Fr>> =
            siblings.into_iter().map(|of| of.into_iter().map(|[x]| to_fr(x)).collect()).collect();
        digests.extend(paths(&climbs, &siblings, compress)?.into_iter().flatten());
        Ok(Self { felts, digests })
    }

    /// Bytes of all of them.
    pub fn bytes(&self) -> usize {
        4 * self.felts.len() + 32 * self.digests.len()
    }

    /// What the backend reads.
    pub fn stream(&self) -> Stream<'_> {
        Stream::Proof { felts: &self.felts, digests: &self.digests }
    }
}
