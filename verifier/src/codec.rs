//! The bytes of one STARK proof. Encoder and decoder walk the same layout, side by side.
//!
//! Order: commitments (main, quotient, lookups), openings and terminal of each table, grinding
//! witnesses, then the low-degree test: folding commitments with their witnesses, the last
//! polynomial, its witness, all rows opened in the commitments, all rows opened in the folds.

use p3_batch_stark::{
    BatchCommitments, BatchOpenedValues, BatchProof, OpenedValues, proof::OpenedValuesWithLookups,
};
use p3_fri::{BatchMultiOpening, CommitPhaseMultiStep, FriProof};
use p3_lookup::LookupTerminal;
use p3_merkle_tree::PrunedMerklePaths;
use p3_uni_stark::PreprocessedOpenedValues;
use rwprove_circuits::{Challenge, Val};

use crate::{
    bytes::{DecodeError, Reader, Writer},
    config::{ChallengeMmcs, Config, DIGEST, EXTENSION, Parameters, ValMmcs},
    layout::{ProofLayout, TableLayout},
};

/// A STARK proof in the library's form.
pub type Proof = BatchProof<Config>;
type Opened = OpenedValuesWithLookups<Challenge>;
type Fri = FriProof<Challenge, ChallengeMmcs, Val, Vec<BatchMultiOpening<Val, ValMmcs>>>;
type Paths = PrunedMerklePaths<Val, DIGEST>;

/// Appends a proof that the prover made of exactly these tables.
pub fn write_proof(proof: &Proof, out: &mut Writer) {
    let commitments = &proof.commitments;
    out.commitment(&commitments.main);
    out.commitment(&commitments.quotient_chunks);
    commitments.permutation.iter().for_each(|c| out.commitment(c));
    for (opened, terminal) in proof.opened_values.instances.iter().zip(&proof.lookup_terminals) {
        write_opened(opened, out);
        terminal.iter().for_each(|t| out.challenges(&[t.0]));
    }
    out.vals(proof.lookup_pow_witness.as_slice());
    out.vals(&[proof.ood_pow_witness]);
    write_fri(&proof.opening_proof, out);
}

/// Reads a proof of these tables.
///
/// # Errors
/// [`DecodeError`] for bytes that [`write_proof`] does not write.
pub fn read_proof(layout: &ProofLayout<'_>, input: &mut Reader<'_>) -> Result<Proof, DecodeError> {
    let lookups = layout.tables.iter().any(|(t, _)| !t.lookups.is_empty());
    let commitments = BatchCommitments {
        main: input.commitment()?,
        quotient_chunks: input.commitment()?,
        permutation: lookups.then(|| input.commitment()).transpose()?,
        random: None,
    };
    let mut instances = Vec::with_capacity(layout.tables.len());
    let mut lookup_terminals = Vec::with_capacity(layout.tables.len());
    for (table, _) in &layout.tables {
        instances.push(read_opened(table, input)?);
        let terminal = (!table.lookups.is_empty()).then(|| input.challenge().map(LookupTerminal));
        lookup_terminals.push(terminal.transpose()?);
    }
    Ok(Proof {
        commitments,
        opened_values: BatchOpenedValues { instances },
        lookup_terminals,
        lookup_pow_witness: lookups.then(|| input.val()).transpose()?,
        ood_pow_witness: input.val()?,
        opening_proof: read_fri(layout, input)?,
        degree_bits: layout.tables.iter().map(|(_, height)| *height).collect(),
    })
}

fn write_opened(opened: &Opened, out: &mut Writer) {
    let base = &opened.base_opened_values;
    out.challenges(&base.trace_local);
    base.trace_next.iter().for_each(|row| out.challenges(row));
    if let Some(preprocessed) = &base.preprocessed {
        out.challenges(&preprocessed.local);
        preprocessed.next.iter().for_each(|row| out.challenges(row));
    }
    base.quotient_chunks.iter().for_each(|chunk| out.challenges(chunk));
    out.challenges(&opened.permutation_local);
    out.challenges(&opened.permutation_next);
}

fn read_opened(table: &TableLayout, input: &mut Reader<'_>) -> Result<Opened, DecodeError> {
    let trace_local = input.challenges(table.width)?;
    let trace_next = table.reads_next.then(|| input.challenges(table.width)).transpose()?;
    let mut preprocessed = None;
    if table.preprocessed > 0 {
        let local = input.challenges(table.preprocessed)?;
        let next = table.preprocessed_reads_next.then(|| input.challenges(table.preprocessed));
        preprocessed = Some(PreprocessedOpenedValues { local, next: next.transpose()? });
    }
    let quotient_chunks =
        input.list(table.chunks(), 4 * EXTENSION * EXTENSION, |r| r.challenges(EXTENSION))?;
    Ok(Opened {
        base_opened_values: OpenedValues {
            trace_local,
            trace_next,
            preprocessed,
            quotient_chunks,
            random: None,
        },
        permutation_local: input.challenges(table.lookup_width())?,
        permutation_next: input.challenges(table.lookup_width())?,
    })
}

fn write_fri(fri: &Fri, out: &mut Writer) {
    out.vals(&[fri.batch_pow_witness]);
    for (commitment, witness) in fri.commit_phase_commits.iter().zip(&fri.commit_pow_witnesses) {
        out.commitment(commitment);
        out.vals(&[*witness]);
    }
    out.challenges(&fri.final_poly);
    out.vals(&[fri.query_pow_witness]);
    for batch in &fri.input_openings {
        batch.opened_values.iter().flatten().for_each(|row| out.vals(row));
        write_paths(&batch.opening_proof, out);
    }
    for fold in &fri.commit_phase_openings {
        fold.sibling_values.iter().for_each(|row| out.challenges(row));
        write_paths(&fold.opening_proof, out);
    }
}

fn read_fri(layout: &ProofLayout<'_>, input: &mut Reader<'_>) -> Result<Fri, DecodeError> {
    let queries = layout.parameters.queries;
    let batch_pow_witness = input.val()?;
    let folds = layout.folds();
    let mut commit_phase_commits = Vec::with_capacity(folds.len());
    let mut commit_pow_witnesses = Vec::with_capacity(folds.len());
    for _ in &folds {
        commit_phase_commits.push(input.commitment()?);
        commit_pow_witnesses.push(input.val()?);
    }
    let final_poly = input.challenges(1 << Parameters::LOG_FINAL)?;
    let query_pow_witness = input.val()?;

    let mut input_openings = Vec::new();
    for widths in layout.matrices() {
        let bytes = 4 * widths.iter().sum::<usize>();
        let opened_values = input.list(queries, bytes, |r| {
            widths.iter().map(|width| r.vals(*width)).collect::<Result<Vec<_>, _>>()
        })?;
        let opening_proof = read_paths(queries, layout.log_height(), input)?;
        input_openings.push(BatchMultiOpening { opened_values, opening_proof });
    }

    let mut commit_phase_openings = Vec::with_capacity(folds.len());
    let mut log_height = layout.log_height();
    for log_arity in folds {
        let siblings = (1 << log_arity) - 1;
        let sibling_values =
            input.list(queries, 4 * EXTENSION * siblings, |r| r.challenges(siblings))?;
        log_height -= log_arity;
        let opening_proof = read_paths(queries, log_height, input)?;
        commit_phase_openings.push(CommitPhaseMultiStep { sibling_values, opening_proof });
    }
    Ok(Fri {
        batch_pow_witness,
        commit_phase_commits,
        commit_pow_witnesses,
        input_openings,
        commit_phase_openings,
        final_poly,
        query_pow_witness,
    })
}

fn write_paths(paths: &Paths, out: &mut Writer) {
    // At most queries * height siblings: far below 2^32.
    out.u32(paths.sibling_hashes.len() as u32);
    paths.sibling_hashes.iter().for_each(|digest| out.vals(digest));
}

/// The number of siblings depends on which positions share ancestors, so it is the one length in
/// the bytes; the library refuses any but the right one.
fn read_paths(
    queries: usize,
    log_height: usize,
    input: &mut Reader<'_>,
) -> Result<Paths, DecodeError> {
    let count = input.bounded("siblings", (queries * log_height) as u32)?;
    let sibling_hashes = input.list(count as usize, 4 * DIGEST, Reader::digest)?;
    Ok(PrunedMerklePaths { sibling_hashes })
}
