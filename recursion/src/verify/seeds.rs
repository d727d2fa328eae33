//! What the transcript absorbs before each part of the protocol: a digest of everything that is
//! fixed about that part, as the library makes it.

use p3_batch_stark::BatchShape;
use p3_challenger::{
    CanObserve,
    fs::{DomainSeparator, FieldUnit},
};
use p3_fri::{FriShape, PcsShape};
use rwprove_circuits::{Challenge, Val};
use rwprove_verifier::layout::ProofLayout;

use crate::verify::opening::Batch;

/// The elements absorbed before each part.
#[derive(Clone, Debug)]
pub(super) struct Seeds {
    /// Before commitments and constraints.
    pub(super) batch: Vec<Val>,
    /// Before openings.
    pub(super) openings: Vec<Val>,
    /// Before the low-degree test.
    pub(super) folding: Vec<Val>,
}

/// Keeps what is absorbed.
#[derive(Default)]
struct Recorder(Vec<Val>);

impl CanObserve<Val> for Recorder {
    fn observe(&mut self, value: Val) {
        self.0.push(value);
    }
}

fn elements(separator: &DomainSeparator<FieldUnit<Val>>) -> Vec<Val> {
    let mut recorder = Recorder::default();
    separator.seed(&mut recorder);
    recorder.0
}

impl Seeds {
    /// The seeds of proofs of a layout with these commitments and folds.
    pub(super) fn new(layout: &ProofLayout<'_>, batches: &[Batch], folds: &[usize]) -> Self {
        let parameters = &layout.parameters;
        let tables = || layout.tables.iter().map(|(table, _)| *table);
        let batch = BatchShape {
            trace_widths: tables().map(|t| t.width).collect(),
            public_value_counts: tables().map(|t| t.publics).collect(),
            preprocessed_widths: tables().map(|t| t.preprocessed).collect(),
            has_preprocessed_commitment: tables().any(|t| t.preprocessed > 0),
            num_lookup_instances: tables().filter(|t| !t.lookups.is_empty()).count(),
            lookup_pow_bits: parameters.lookup_bits,
            has_randomization_commitment: false,
            ood_pow_bits: parameters.ood_bits,
        };
        let counts = |batch: &Batch| -> Vec<Vec<usize>> {
            batch.matrices.iter().map(|m| vec![m.width; m.points()]).collect()
        };
        let openings = PcsShape {
            claimed_evaluation_counts: batches.iter().map(counts).collect(),
            batch_pow_bits: parameters.batch_bits,
        };
        let folding =
            FriShape::with_schedule(&parameters.fri(()), folds.to_vec(), layout.log_height());
        Self {
            batch: elements(&batch.domain_separator::<Val, Challenge>()),
            openings: elements(&openings.domain_separator::<Val, Challenge>()),
            folding: elements(&folding.domain_separator::<Val, Challenge>()),
        }
    }
}
