//! The stream of a proof of the library.
//!
//! A stream is longer than the proof: the library's Merkle proofs leave out what queries share,
//! and here each query has its whole path. Which siblings a path has follows from the positions of
//! queries, hence from the transcript; so the algorithm runs on the stream without siblings first,
//! and notes where paths belong.

use std::collections::BTreeMap;

use p3_batch_stark::{BatchOpenedValues, BatchProof};
use p3_commit::{Mmcs, Pcs, PolynomialSpace};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_fri::{BatchMultiOpening, FriProof};
use p3_merkle_tree::PrunedMerklePaths;
use p3_symmetric::MerkleCap;
use p3_uni_stark::StarkGenericConfig;
use rwprove_circuits::{Challenge, Val};
use rwprove_verifier::{
    codec::Proof,
    config::{Config, Digest, Parameters},
};
use thiserror::Error;

use crate::{
    backend::{Backend, Rule},
    native::{Climb, Native},
    verify::{Stark, follow, opening::Leaf},
};

type Fri<M, C> = FriProof<Challenge, C, Val, Vec<BatchMultiOpening<Val, M>>>;

/// Why a proof has no stream. No verifier accepts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FlattenError {
    /// A part is not as long as it must be, or should not be there, or is missing.
    #[error("{0} do not fit the layout")]
    Layout(&'static str),
    /// What the stream needs of the proof does not hold.
    #[error(transparent)]
    Rule(#[from] Rule),
}

/// The stream of a proof with these public values and this commitment to preprocessed columns.
///
/// Queries are followed on the way, but not everything is checked: [`crate::verify::verify`] has to
/// accept the stream.
///
/// # Errors
/// [`FlattenError`] if the proof cannot be accepted.
pub fn flatten(
    stark: &Stark,
    proof: &Proof,
    publics: &[Vec<Val>],
    preprocessed: Option<&Digest>,
) -> Result<Vec<Val>, FlattenError> {
    let Parts { felts, digests, siblings } = parts::<Config, _, _, _, _>(stark, proof)?;
    let mut stream = Vec::with_capacity(felts.len() + 8 * digests.len());
    let mut written = 0;
    for (before, digest) in &digests {
        stream.extend(&felts[written..*before]);
        stream.extend(digest);
        written = *before;
    }
    stream.extend(&felts[written..]);
    let mut native = Native::noting(&stream);
    follow(&mut native, stark, publics, preprocessed)?;
    let climbs = native.finish_noting()?;
    let mut all = Vec::new();
    let mut written = 0;
    for (climb, path) in climbs.iter().zip(paths(&climbs, &siblings, compress)?) {
        let before = stream.len() - climb.left;
        all.extend(&stream[written..before]);
        all.extend(path.as_flattened());
        written = before;
    }
    all.extend(&stream[written..]);
    Ok(all)
}

fn compress(left: &Digest, right: &Digest) -> Digest {
    Native::new(&[]).compress(left, right)
}

/// What a proof has, whatever its digests are: the same stream, but for siblings, in three parts.
#[derive(Clone, Debug)]
pub struct Parts<D> {
    /// The elements.
    pub felts: Vec<Val>,
    /// The commitments, each with the number of elements before it.
    pub digests: Vec<(usize, D)>,
    /// For each tree, the siblings that no opened leaf stands under.
    pub siblings: Vec<Vec<D>>,
}

/// The parts of a proof of any configuration over our fields.
///
/// # Errors
/// [`FlattenError::Layout`] if the proof is not one of this kind.
pub fn parts<SC, M, C, W, const N: usize>(
    stark: &Stark,
    proof: &BatchProof<SC>,
) -> Result<Parts<[W; N]>, FlattenError>
where
    SC: StarkGenericConfig<Challenge = Challenge>,
    SC::Pcs: Pcs<
            Challenge,
            SC::Challenger,
            Domain: PolynomialSpace<Val = Val>,
            Commitment = MerkleCap<Val, [W; N]>,
            Proof = Fri<M, C>,
        >,
    M: Mmcs<Val, MultiProof = PrunedMerklePaths<W, N>>,
    C: Mmcs<Challenge, Commitment = MerkleCap<Val, [W; N]>, MultiProof = PrunedMerklePaths<W, N>>,
    W: Clone,
{
    let Writer { felts, digests } = Writer::without_paths(stark, proof)?;
    let fri = &proof.opening_proof;
    let inputs = fri.input_openings.iter().map(|batch| &batch.opening_proof);
    let folds = fri.commit_phase_openings.iter().map(|fold| &fold.opening_proof);
    let siblings = inputs.chain(folds).map(|pruned| pruned.sibling_hashes.clone()).collect();
    Ok(Parts { felts, digests, siblings })
}

/// The siblings of all paths that were noted, in order. Each query climbs the same trees in the same
/// order; `siblings` are those of each tree.
///
/// # Errors
/// [`FlattenError::Layout`] if there are not as many siblings as needed.
pub fn paths<D: Clone>(
    climbs: &[Climb<D>],
    siblings: &[Vec<D>],
    compress: impl Fn(&D, &D) -> D,
) -> Result<Vec<Vec<D>>, FlattenError> {
    let count = siblings.len();
    let mut trees = Vec::with_capacity(count);
    for (tree, siblings) in siblings.iter().enumerate() {
        let climbs: Vec<_> = climbs.iter().skip(tree).step_by(count).collect();
        trees.push(restore(&climbs, siblings, &compress)?.into_iter());
    }
    let order = (0..trees.len()).cycle();
    Ok(climbs.iter().zip(order).map(|(_, tree)| trees[tree].next().unwrap_or_default()).collect())
}

/// The siblings on each of some paths of one tree. `siblings` are those that no opened leaf stands
/// under, level by level from the leaves, from the left.
fn restore<D: Clone>(
    climbs: &[&Climb<D>],
    siblings: &[D],
    compress: impl Fn(&D, &D) -> D,
) -> Result<Vec<Vec<D>>, FlattenError> {
    const COUNT: FlattenError = FlattenError::Layout("siblings");
    let index =
        |climb: &Climb<D>| climb.bits.iter().rev().fold(0, |i, bit| 2 * i + usize::from(*bit));
    let depth = climbs.first().map_or(0, |climb| climb.bits.len());
    let mut siblings = siblings.iter();
    let mut nodes: BTreeMap<usize, D> = BTreeMap::new();
    for climb in climbs {
        nodes.entry(index(climb)).or_insert_with(|| climb.leaf.clone());
    }
    let mut paths = vec![Vec::with_capacity(depth); climbs.len()];
    for level in 0..depth {
        let mut supplied = Vec::new();
        for node in nodes.keys().filter(|node| !nodes.contains_key(&(**node ^ 1))) {
            supplied.push((node ^ 1, siblings.next().ok_or(COUNT)?.clone()));
        }
        nodes.extend(supplied);
        let mut parents = BTreeMap::new();
        for (climb, path) in climbs.iter().zip(&mut paths) {
            let node = index(climb) >> level;
            let (Some(left), Some(right)) = (nodes.get(&(node & !1)), nodes.get(&(node | 1)))
            else {
                return Err(COUNT);
            };
            path.push(if node & 1 == 1 { left.clone() } else { right.clone() });
            parents.entry(node / 2).or_insert_with(|| {
                let parent = compress(left, right);
                match &climb.inject[level] {
                    Some(inject) => compress(&parent, inject),
                    None => parent,
                }
            });
        }
        nodes = parents;
    }
    if siblings.next().is_some() { Err(COUNT) } else { Ok(paths) }
}

fn fits(what: &'static str, condition: bool) -> Result<(), FlattenError> {
    if condition { Ok(()) } else { Err(FlattenError::Layout(what)) }
}

/// A stream while it is written.
struct Writer<D> {
    felts: Vec<Val>,
    digests: Vec<(usize, D)>,
}

impl<D: Clone> Writer<D> {
    /// Everything but siblings of paths.
    fn without_paths<SC, M, C>(stark: &Stark, proof: &BatchProof<SC>) -> Result<Self, FlattenError>
    where
        SC: StarkGenericConfig<Challenge = Challenge>,
        SC::Pcs: Pcs<
                Challenge,
                SC::Challenger,
                Domain: PolynomialSpace<Val = Val>,
                Commitment = MerkleCap<Val, D>,
                Proof = Fri<M, C>,
            >,
        M: Mmcs<Val>,
        C: Mmcs<Challenge, Commitment = MerkleCap<Val, D>>,
    {
        let parameters = &stark.parameters;
        let (commitments, tables) = (&proof.commitments, &stark.tables);
        fits("heights", tables.iter().map(|t| &t.log_height).eq(&proof.degree_bits))?;
        fits("blinding commitments", commitments.random.is_none())?;
        let mut out = Self { felts: Vec::new(), digests: Vec::new() };
        out.commitment(&commitments.main)?;
        fits("lookups", commitments.permutation.is_some() == stark.has_lookups())?;
        fits("witnesses", proof.lookup_pow_witness.is_some() == stark.has_lookups())?;
        fits("terminals", proof.lookup_terminals.len() == tables.len())?;
        if let Some(witness) = proof.lookup_pow_witness {
            out.witness(witness, parameters.lookup_bits)?;
        }
        if let Some(commitment) = &commitments.permutation {
            out.commitment(commitment)?;
        }
        for (table, terminal) in tables.iter().zip(&proof.lookup_terminals) {
            fits("terminals", terminal.is_some() == table.lookup.is_some())?;
            terminal.iter().for_each(|terminal| out.element(&terminal.0));
        }
        out.commitment(&commitments.quotient_chunks)?;
        out.witness(proof.ood_pow_witness, parameters.ood_bits)?;
        out.claims(stark, &proof.opened_values)?;
        out.low_degree_test(stark, &proof.opening_proof)?;
        Ok(out)
    }

    fn commitment(&mut self, commitment: &MerkleCap<Val, D>) -> Result<(), FlattenError> {
        let [root] = commitment.roots() else { return Err(FlattenError::Layout("commitments")) };
        self.digests.push((self.felts.len(), root.clone()));
        Ok(())
    }

    /// A witness that is not needed is zero, and not in the stream.
    fn witness(&mut self, witness: Val, bits: usize) -> Result<(), FlattenError> {
        fits("witnesses", bits > 0 || witness == Val::ZERO)?;
        self.felts.extend((bits > 0).then_some(witness));
        Ok(())
    }

    fn element(&mut self, value: &Challenge) {
        let coefficients: &[Val] = value.as_basis_coefficients_slice();
        self.felts.extend(coefficients);
    }

    fn elements(
        &mut self,
        what: &'static str,
        values: &[Challenge],
        count: usize,
    ) -> Result<(), FlattenError> {
        fits(what, values.len() == count)?;
        values.iter().for_each(|value| self.element(value));
        Ok(())
    }

    /// What all matrices claim to be at the points.
    fn claims(
        &mut self,
        stark: &Stark,
        values: &BatchOpenedValues<Challenge>,
    ) -> Result<(), FlattenError> {
        let instances = &values.instances;
        fits("claims", instances.len() == stark.tables.len())?;
        let bases = || instances.iter().map(|instance| &instance.base_opened_values);
        fits("blinding claims", bases().all(|base| base.random.is_none()))?;
        let main = bases().map(|base| (&base.trace_local, base.trace_next.as_ref()));
        let quotient = bases().flat_map(|base| &base.quotient_chunks).map(|chunk| (chunk, None));
        let preprocessed = bases().filter_map(|base| base.preprocessed.as_ref());
        let preprocessed = preprocessed.map(|rows| (&rows.local, rows.next.as_ref()));
        let lookups = instances
            .iter()
            .filter(|i| !i.permutation_local.is_empty() || !i.permutation_next.is_empty());
        let lookups = lookups.map(|i| (&i.permutation_local, Some(&i.permutation_next)));
        // The number of chunks of each table, and which have the others, is that of the layout.
        for (table, instance) in stark.tables.iter().zip(instances) {
            let base = &instance.base_opened_values;
            fits("quotients", base.quotient_chunks.len() == table.chunks.count())?;
            fits(
                "preprocessed columns",
                base.preprocessed.is_some() == table.preprocessed.is_some(),
            )?;
            fits("lookups", instance.permutation_local.is_empty() == table.lookup.is_none())?;
        }
        let rows: Vec<_> = main.chain(quotient).chain(preprocessed).chain(lookups).collect();
        let matrices: Vec<_> = stark.batches.iter().flat_map(|batch| &batch.matrices).collect();
        fits("claims", rows.len() == matrices.len())?;
        for ((local, next), matrix) in rows.into_iter().zip(matrices) {
            self.elements("claims", local, matrix.width)?;
            fits("claims", next.is_some() == matrix.next)?;
            if let Some(next) = next {
                self.elements("claims", next, matrix.width)?;
            }
        }
        Ok(())
    }

    /// Commitments to folded codewords, the last polynomial, and query by query all opened rows.
    fn low_degree_test<M, C>(&mut self, stark: &Stark, fri: &Fri<M, C>) -> Result<(), FlattenError>
    where
        M: Mmcs<Val>,
        C: Mmcs<Challenge, Commitment = MerkleCap<Val, D>>,
    {
        let parameters = &stark.parameters;
        self.witness(fri.batch_pow_witness, parameters.batch_bits)?;
        let rounds = stark.folds.len();
        fits("folds", fri.commit_phase_commits.len() == rounds)?;
        fits("folds", fri.commit_pow_witnesses.len() == rounds)?;
        fits("folds", fri.commit_phase_openings.len() == rounds)?;
        for (commitment, witness) in fri.commit_phase_commits.iter().zip(&fri.commit_pow_witnesses)
        {
            self.commitment(commitment)?;
            self.witness(*witness, parameters.commit_bits)?;
        }
        self.elements("last polynomial", &fri.final_poly, 1 << Parameters::LOG_FINAL)?;
        self.witness(fri.query_pow_witness, parameters.query_bits)?;

        let queries = parameters.queries;
        fits("openings", fri.input_openings.len() == stark.batches.len())?;
        fits("openings", fri.input_openings.iter().all(|o| o.opened_values.len() == queries))?;
        fits(
            "openings",
            fri.commit_phase_openings.iter().all(|o| o.sibling_values.len() == queries),
        )?;
        for query in 0..queries {
            for (batch, openings) in stark.batches.iter().zip(&fri.input_openings) {
                let rows = &openings.opened_values[query];
                fits("rows", rows.iter().map(Vec::len).eq(batch.matrices.iter().map(|m| m.width)))?;
                for matrix in batch.leaves.iter().flat_map(Leaf::matrices) {
                    self.felts.extend(&rows[matrix]);
                }
            }
            for (log_arity, openings) in stark.folds.iter().zip(&fri.commit_phase_openings) {
                let siblings = (1 << log_arity) - 1;
                self.elements("folds", &openings.sibling_values[query], siblings)?;
            }
        }
        Ok(())
    }
}
