//! What the transcript must absorb and squeeze, in order, written down from the layout and the
//! proof alone.

use std::fmt::Write as _;

use p3_batch_stark::BatchShape;
use p3_challenger::CanObserve;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_fri::{FriShape, PcsShape};
use rwprove_circuits::{Challenge, Val};
use rwprove_verifier::{
    config::{Commitment, Parameters},
    layout::ProofLayout,
    machine,
};

use super::stark::{TapeProof, Witness};

/// An item.
pub(crate) struct Step {
    pub(crate) label: String,
    pub(crate) kind: Kind,
}

/// What becomes of an item.
pub(crate) enum Kind {
    /// It is absorbed: constants, what the verifier makes itself, or what the proof carries.
    Absorb(Source, Vec<Val>),
    /// So many elements are squeezed.
    Elements(usize),
    /// So many draws of so many bits are squeezed.
    Bits(usize, usize),
}

/// Where an absorbed item comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Protocol and shape.
    Seed,
    /// Statement and key.
    Statement,
    /// The proof.
    Proof,
}

impl Step {
    /// Elements that pass through the transcript.
    pub(crate) fn len(&self) -> usize {
        match &self.kind {
            Kind::Absorb(_, values) => values.len(),
            Kind::Elements(n) | Kind::Bits(n, _) => *n,
        }
    }
}

struct Steps {
    steps: Vec<Step>,
    parameters: Parameters,
}

impl Steps {
    fn push(&mut self, label: impl Into<String>, kind: Kind) {
        let step = Step { label: label.into(), kind };
        // Nothing is said about what is not there.
        if step.len() > 0 {
            self.steps.push(step);
        }
    }

    fn absorb(&mut self, label: impl Into<String>, source: Source, values: Vec<Val>) {
        self.push(label, Kind::Absorb(source, values));
    }

    fn commitment(&mut self, label: impl Into<String>, commitment: &Commitment) {
        self.absorb(label, Source::Proof, commitment.roots().concat());
    }

    fn challenges(&mut self, label: impl Into<String>, values: &[Challenge]) {
        let elements = values.iter().flat_map(|v| v.as_basis_coefficients_slice().to_vec());
        self.absorb(label, Source::Proof, elements.collect());
    }

    /// Grinding: the witness, then bits that must be zero. Without work there is neither.
    fn work(&mut self, label: &str, bits: usize, witness: Option<Val>) {
        if bits > 0 {
            self.absorb(label, Source::Proof, witness.into_iter().collect());
            self.push(format!("{label}, check"), Kind::Bits(1, bits));
        }
    }

    fn challenge(&mut self, label: impl Into<String>) {
        self.push(label, Kind::Elements(<Challenge as BasedVectorSpace<Val>>::DIMENSION));
    }
}

/// The values that a matrix opens at one point or at two.
type Points<'a> = Vec<&'a [Challenge]>;

/// Collects what a domain separator absorbs.
#[derive(Default)]
struct Seed(Vec<Val>);

impl CanObserve<Val> for Seed {
    fn observe(&mut self, value: Val) {
        self.0.push(value);
    }
}

/// The whole schedule of a proof.
pub(crate) fn schedule(witness: &Witness, proof: &TapeProof) -> Vec<Step> {
    let parameters = witness.key.preset.parameters();
    let layout = machine::layout(&witness.shape, parameters);
    let mut steps = Steps { steps: Vec::new(), parameters };
    steps.tables(witness, proof, &layout);
    steps.openings(witness, proof, &layout);
    steps.low_degree_test(proof, &layout);
    steps.steps
}

impl Steps {
    /// Statement, commitments and the lookup argument, up to the out-of-domain point.
    fn tables(&mut self, witness: &Witness, proof: &TapeProof, layout: &ProofLayout<'_>) {
        let Parameters { lookup_bits, ood_bits, .. } = self.parameters;
        let tables = || layout.tables.iter().map(|(table, _)| *table);
        let shape = BatchShape {
            trace_widths: tables().map(|t| t.width).collect(),
            public_value_counts: witness.instances.iter().map(|i| i.publics.len()).collect(),
            preprocessed_widths: tables().map(|t| t.preprocessed).collect(),
            has_preprocessed_commitment: true,
            num_lookup_instances: tables().filter(|t| !t.lookups.is_empty()).count(),
            lookup_pow_bits: lookup_bits,
            has_randomization_commitment: false,
            ood_pow_bits: ood_bits,
        };
        let mut seed = Seed::default();
        shape.domain_separator::<Val, Challenge>().seed(&mut seed);
        self.absorb("seed of the batch", Source::Seed, seed.0);
        for (chip, log_height) in witness.shape.tables() {
            let element = Challenge::from_usize(log_height);
            let label = format!("height of {}", chip.name());
            self.absorb(label, Source::Seed, element.as_basis_coefficients_slice().to_vec());
        }
        self.commitment("main commitment", &proof.commitments.main);
        for instance in &witness.instances {
            for (i, value) in instance.publics.iter().enumerate() {
                let label = format!("public value {i} of {}", instance.chip.id().name());
                self.absorb(label, Source::Statement, vec![*value]);
            }
        }
        let preprocessed = witness.key.preprocessed.to_vec();
        self.absorb("preprocessed commitment", Source::Statement, preprocessed);
        self.work("work before lookups", lookup_bits, proof.lookup_pow_witness);
        self.challenge("lookup alpha");
        self.challenge("lookup beta");
        let lookups = proof.commitments.permutation.iter();
        lookups.for_each(|c| self.commitment("lookup commitment", c));
        for (terminal, (chip, _)) in proof.lookup_terminals.iter().zip(witness.shape.tables()) {
            let terminal: Vec<_> = terminal.iter().map(|t| t.0).collect();
            self.challenges(format!("terminal of {}", chip.name()), &terminal);
        }
        self.challenge("constraint challenge");
        self.commitment("quotient commitment", &proof.commitments.quotient_chunks);
        self.work("work before zeta", ood_bits, Some(proof.ood_pow_witness));
        self.challenge("zeta");
    }

    /// All values at the out-of-domain point, up to the challenge that batches them.
    fn openings(&mut self, witness: &Witness, proof: &TapeProof, layout: &ProofLayout<'_>) {
        let names: Vec<_> = witness.shape.tables().map(|(chip, _)| chip.name()).collect();
        let tables = || names.iter().zip(&proof.opened_values.instances);
        let mut rounds: [Vec<(String, Points<'_>)>; 4] = Default::default();
        for (name, opened) in tables() {
            let base = &opened.base_opened_values;
            let main = [base.trace_local.as_slice()].into_iter();
            let main = main.chain(base.trace_next.as_deref()).collect();
            rounds[0].push((format!("main of {name}"), main));
            for (i, piece) in base.quotient_chunks.iter().enumerate() {
                rounds[1].push((format!("quotient {i} of {name}"), vec![piece.as_slice()]));
            }
            if let Some(fixed) = &base.preprocessed {
                let next = fixed.next.as_deref();
                let fixed = [fixed.local.as_slice()].into_iter().chain(next).collect();
                rounds[2].push((format!("preprocessed of {name}"), fixed));
            }
            let lookups = vec![opened.permutation_local.as_slice(), &opened.permutation_next];
            if !lookups.concat().is_empty() {
                rounds[3].push((format!("lookups of {name}"), lookups));
            }
        }
        let shape = PcsShape {
            claimed_evaluation_counts: rounds
                .iter()
                .map(|round| round.iter().map(|(_, points)| lengths(points)).collect())
                .collect(),
            batch_pow_bits: layout.parameters.batch_bits,
        };
        let mut seed = Seed::default();
        shape.domain_separator::<Val, Challenge>().seed(&mut seed);
        self.absorb("seed of the openings", Source::Seed, seed.0);
        for (label, points) in rounds.iter().flatten() {
            for (values, point) in points.iter().zip(["now", "next"]) {
                self.challenges(format!("{label}, {point}"), values);
            }
        }
        let witness = Some(proof.opening_proof.batch_pow_witness);
        self.work("work before batching", layout.parameters.batch_bits, witness);
        self.challenge("batching challenge");
    }

    /// The low-degree test, up to the positions opened.
    fn low_degree_test(&mut self, proof: &TapeProof, layout: &ProofLayout<'_>) {
        let Parameters { commit_bits, query_bits, queries, .. } = self.parameters;
        let (fri, index_bits) = (&proof.opening_proof, layout.log_height());
        let parameters = self.parameters.fri(());
        let shape = FriShape::with_schedule(&parameters, layout.folds(), index_bits);
        let mut seed = Seed::default();
        shape.domain_separator::<Val, Challenge>().seed(&mut seed);
        self.absorb("seed of the low-degree test", Source::Seed, seed.0);
        let folds = fri.commit_phase_commits.iter().zip(&fri.commit_pow_witnesses);
        for (i, (commitment, witness)) in folds.enumerate() {
            self.commitment(format!("commitment of fold {i}"), commitment);
            self.work(&format!("work before fold {i}"), commit_bits, Some(*witness));
            self.challenge(format!("challenge of fold {i}"));
        }
        self.challenges("last polynomial", &fri.final_poly);
        self.work("work before queries", query_bits, Some(fri.query_pow_witness));
        self.push("positions", Kind::Bits(queries, index_bits));
    }
}

fn lengths(points: &[&[Challenge]]) -> Vec<usize> {
    points.iter().map(|values| values.len()).collect()
}

/// The schedule for people, a line for each item.
pub(crate) fn inventory(steps: &[Step]) -> String {
    let mut text = String::new();
    for Step { label, kind } in steps {
        let line = match kind {
            Kind::Absorb(_, values) => format!("absorb  {:4}  {label}", values.len()),
            Kind::Elements(n) => format!("squeeze {n:4}  {label}"),
            Kind::Bits(n, bits) => format!("squeeze {n:4}  {label}, {bits} bits each"),
        };
        let _ = writeln!(text, "{line}");
    }
    text
}
