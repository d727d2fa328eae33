//! The transcript: what the prover sends once, in its order, and every challenge.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{Challenge, Val};
use rwprove_verifier::config::Parameters;

use crate::{
    backend::{Backend, Rule},
    verify::{
        fold::{Folding, Round},
        opening::Claim,
        stark::Stark,
    },
};

/// Places of commitments in the order of the proof.
pub(super) mod batch {
    use super::Stark;

    pub(in crate::verify) const MAIN: usize = 0;
    pub(in crate::verify) const QUOTIENT: usize = 1;
    /// If there are preprocessed columns.
    pub(in crate::verify) const PREPROCESSED: usize = 2;

    /// Where the lookups' is, if there are lookups.
    pub(in crate::verify) fn lookups(stark: &Stark) -> usize {
        PREPROCESSED + usize::from(stark.has_preprocessed())
    }
}

/// What the transcript holds.
pub(super) struct Head<B: Backend> {
    /// The commitments in the order of the proof.
    pub(super) roots: Vec<B::Digest>,
    /// For each commitment, what its matrices claim to be.
    pub(super) claims: Vec<Vec<Claim<B::Ext>>>,
    /// Where each bus starts, and the powers that combine the fields of messages.
    pub(super) prefixes: Vec<B::Ext>,
    pub(super) beta: Option<B::Ext>,
    /// The sum of each table with lookups.
    pub(super) terminals: Vec<B::Ext>,
    /// What folds constraints.
    pub(super) alpha: B::Ext,
    /// The out-of-domain point.
    pub(super) zeta: B::Ext,
    /// What combines openings.
    pub(super) batching: B::Ext,
    pub(super) folding: Folding<B>,
    /// The bits of each position.
    pub(super) queries: Vec<Vec<B::Bit>>,
}

impl<B: Backend> Head<B> {
    /// Follows the transcript from its beginning up to the positions of queries.
    pub(super) fn read(
        b: &mut B,
        stark: &Stark,
        publics: &[Vec<B::Felt>],
        preprocessed: Option<&B::Digest>,
    ) -> Result<Self, Rule> {
        if !stark.publics().eq(publics.iter().map(Vec::len)) {
            return Err(Rule::Between("each table has its number of public values"));
        }
        if preprocessed.is_some() != stark.has_preprocessed() {
            return Err(Rule::Between("preprocessed columns have a commitment"));
        }
        let parameters = &stark.parameters;
        b.begin();
        observe_all(b, &stark.seeds.batch);
        for table in &stark.tables {
            let log_height = b.ext(Val::from_usize(table.log_height).into());
            b.observe_ext(&log_height);
        }
        let main = commitment(b)?;
        publics.iter().flatten().for_each(|public| b.observe(public));
        preprocessed.iter().for_each(|root| b.observe_digest(root));

        let (mut prefixes, mut beta, mut lookups, mut terminals) = Default::default();
        if stark.has_lookups() {
            grind(b, parameters.lookup_bits)?;
            let first = b.sample_ext();
            let combining = b.sample_ext();
            prefixes = bus_prefixes(b, stark, &first, &combining);
            beta = Some(combining);
            lookups = Some(commitment(b)?);
            let count = stark.tables.iter().filter(|table| table.lookup.is_some()).count();
            terminals = read_all(b, count)?;
        }
        let alpha = b.sample_ext();
        let quotient = commitment(b)?;
        grind(b, parameters.ood_bits)?;
        let zeta = b.sample_ext();

        observe_all(b, &stark.seeds.openings);
        let mut claims = Vec::with_capacity(stark.batches.len());
        for batch in &stark.batches {
            let mut of_batch = Vec::with_capacity(batch.matrices.len());
            for matrix in &batch.matrices {
                let local = read_all(b, matrix.width)?;
                let next = read_all(b, if matrix.next { matrix.width } else { 0 })?;
                of_batch.push(Claim { local, next });
            }
            claims.push(of_batch);
        }
        grind(b, parameters.batch_bits)?;
        let batching = b.sample_ext();

        observe_all(b, &stark.seeds.folding);
        let mut rounds = Vec::with_capacity(stark.folds.len());
        for log_arity in &stark.folds {
            let root = commitment(b)?;
            grind(b, parameters.commit_bits)?;
            let beta = b.sample_ext();
            rounds.push(Round::new(b, root, beta, *log_arity));
        }
        let last = read_all(b, 1 << Parameters::LOG_FINAL)?;
        grind(b, parameters.query_bits)?;
        let queries = (0..parameters.queries).map(|_| b.sample_bits(stark.log_height));

        Ok(Self {
            queries: queries.collect::<Result<_, _>>()?,
            roots: [Some(main), Some(quotient), preprocessed.cloned(), lookups]
                .into_iter()
                .flatten()
                .collect(),
            claims,
            prefixes,
            beta,
            terminals,
            alpha,
            zeta,
            batching,
            folding: Folding::new(rounds, last),
        })
    }
}

fn observe_all<B: Backend>(b: &mut B, values: &[Val]) {
    for value in values {
        let value = b.felt(*value);
        b.observe(&value);
    }
}

/// Reads and absorbs a commitment.
fn commitment<B: Backend>(b: &mut B) -> Result<B::Digest, Rule> {
    let root = b.read_digest()?;
    b.observe_digest(&root);
    Ok(root)
}

/// Reads and absorbs elements of the challenge field.
fn read_all<B: Backend>(b: &mut B, count: usize) -> Result<Vec<B::Ext>, Rule> {
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let value = b.read_ext()?;
        b.observe_ext(&value);
        values.push(value);
    }
    Ok(values)
}

/// Reads and absorbs a witness after which `bits` zero bits are drawn. Without bits there is none.
fn grind<B: Backend>(b: &mut B, bits: usize) -> Result<(), Rule> {
    if bits == 0 {
        return Ok(());
    }
    let witness = b.read_felt()?;
    b.observe(&witness);
    let bits = b.sample_bits(bits)?;
    let drawn = b.compose(&bits);
    let zero = b.felt(Val::ZERO);
    b.assert_felt_eq(Rule::Grinding, &drawn, &zero)
}

/// `first + (i + 1) combining^w` for each bus `i`, where `w` is the width of the widest message: a
/// message with fields `f` of bus `i` is the prefix minus `sum_k combining^(w - 1 - k) f_k`.
fn bus_prefixes<B: Backend>(
    b: &mut B,
    stark: &Stark,
    first: &B::Ext,
    combining: &B::Ext,
) -> Vec<B::Ext> {
    let one = b.ext(Challenge::ONE);
    let step = (0..stark.buses.width).fold(one, |power, _| b.mul(&power, combining));
    let mut prefix = first.clone();
    let mut next = || {
        prefix = b.add(&prefix, &step);
        prefix.clone()
    };
    (0..stark.buses.count).map(|_| next()).collect()
}
