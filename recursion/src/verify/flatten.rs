//! The stream of a proof of the library.
//!
//! A stream is longer than the proof: the library's Merkle proofs leave out what queries share,
//! and here each query has its whole path. Which siblings a path has follows from the positions of
//! queries, hence from the transcript; so the algorithm runs on the stream without siblings first,
//! and notes where paths belong.

use std::collections::BTreeMap;

use p3_batch_stark::PcsProof;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_merkle_tree::PrunedMerklePaths;
use rwprove_circuits::{Challenge, Val};
use rwprove_verifier::{
    codec::Proof,
    config::{Commitment, Config, DIGEST, Digest, Parameters},
};
use thiserror::Error;

use crate::{
    backend::{Backend, Rule},
    native::{Climb, Native},
    verify::{Stark, head::Head, opening::Leaf, queries},
};

type Fri = PcsProof<Config>;

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
    let stream = Writer::without_paths(stark, proof)?.0;
    let mut native = Native::noting(&stream);
    let head = Head::read(&mut native, stark, publics, preprocessed)?;
    queries(&mut native, stark, &head)?;
    let climbs = native.finish_noting()?;

    // Each query climbs the same trees in the same order.
    let fri = &proof.opening_proof;
    let inputs = fri.input_openings.iter().map(|batch| &batch.opening_proof);
    let folds = fri.commit_phase_openings.iter().map(|fold| &fold.opening_proof);
    let trees: Vec<&PrunedMerklePaths<Val, DIGEST>> = inputs.chain(folds).collect();
    let mut paths = Vec::with_capacity(trees.len());
    for (tree, pruned) in trees.iter().enumerate() {
        let climbs: Vec<_> = climbs.iter().skip(tree).step_by(trees.len()).collect();
        paths.push(restore(&climbs, &pruned.sibling_hashes)?.into_iter());
    }
    let mut all = Vec::new();
    let mut written = 0;
    for (climb, tree) in climbs.iter().zip((0..trees.len()).cycle()) {
        let before = stream.len() - climb.left;
        all.extend(&stream[written..before]);
        all.extend(paths[tree].next().unwrap_or_default().into_flattened());
        written = before;
    }
    all.extend(&stream[written..]);
    Ok(all)
}

/// The siblings on each of some paths of one tree. `siblings` are those that no opened leaf stands
/// under, level by level from the leaves, from the left.
fn restore(climbs: &[&Climb], siblings: &[Digest]) -> Result<Vec<Vec<Digest>>, FlattenError> {
    const COUNT: FlattenError = FlattenError::Layout("siblings");
    let native = &mut Native::new(&[]);
    let index = |climb: &Climb| climb.bits.iter().rev().fold(0, |i, bit| 2 * i + usize::from(*bit));
    let depth = climbs.first().map_or(0, |climb| climb.bits.len());
    let mut siblings = siblings.iter();
    let mut nodes: BTreeMap<usize, Digest> = BTreeMap::new();
    for climb in climbs {
        nodes.entry(index(climb)).or_insert(climb.leaf);
    }
    let mut paths = vec![Vec::with_capacity(depth); climbs.len()];
    for level in 0..depth {
        let mut supplied = Vec::new();
        for node in nodes.keys().filter(|node| !nodes.contains_key(&(**node ^ 1))) {
            supplied.push((node ^ 1, *siblings.next().ok_or(COUNT)?));
        }
        nodes.extend(supplied);
        let mut parents = BTreeMap::new();
        for (climb, path) in climbs.iter().zip(&mut paths) {
            let node = index(climb) >> level;
            let (Some(left), Some(right)) = (nodes.get(&(node & !1)), nodes.get(&(node | 1)))
            else {
                return Err(COUNT);
            };
            path.push(if node & 1 == 1 { *left } else { *right });
            parents.entry(node / 2).or_insert_with(|| {
                let parent = native.compress(left, right);
                match &climb.inject[level] {
                    Some(inject) => native.compress(&parent, inject),
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
#[derive(Default)]
struct Writer(Vec<Val>);

impl Writer {
    /// Everything but siblings of paths.
    fn without_paths(stark: &Stark, proof: &Proof) -> Result<Self, FlattenError> {
        let parameters = &stark.parameters;
        let (commitments, tables) = (&proof.commitments, &stark.tables);
        fits("heights", tables.iter().map(|t| &t.log_height).eq(&proof.degree_bits))?;
        fits("blinding commitments", commitments.random.is_none())?;
        let mut out = Self::default();
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
        out.claims(stark, proof)?;
        out.low_degree_test(stark, &proof.opening_proof)?;
        Ok(out)
    }

    fn commitment(&mut self, commitment: &Commitment) -> Result<(), FlattenError> {
        fits("commitments", commitment.roots().len() == 1)?;
        self.0.extend(commitment.roots().as_flattened());
        Ok(())
    }

    /// A witness that is not needed is zero, and not in the stream.
    fn witness(&mut self, witness: Val, bits: usize) -> Result<(), FlattenError> {
        fits("witnesses", bits > 0 || witness == Val::ZERO)?;
        self.0.extend((bits > 0).then_some(witness));
        Ok(())
    }

    fn element(&mut self, value: &Challenge) {
        let coefficients: &[Val] = value.as_basis_coefficients_slice();
        self.0.extend(coefficients);
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
    fn claims(&mut self, stark: &Stark, proof: &Proof) -> Result<(), FlattenError> {
        let instances = &proof.opened_values.instances;
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
    fn low_degree_test(&mut self, stark: &Stark, fri: &Fri) -> Result<(), FlattenError> {
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
                    self.0.extend(&rows[matrix]);
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
