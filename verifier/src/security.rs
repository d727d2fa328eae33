//! The provable security of one STARK proof, computed by `p3-security` from the real parameters and
//! the real tables.
//!
//! Two regimes are evaluated: unique decoding, and list decoding up to the Johnson bound. Each is a
//! proof of its own, so the better one counts. In the second regime a commitment leaves a list of
//! candidates open, so the lookup argument's error is charged once for each of them.
//!
//! Sums over all tables stand where a bound asks for one table, which is never too optimistic.

use p3_batch_stark::num_batched_openings;
use p3_security::{
    CandidateSet, GrindingSites, InstanceShape, Regime, RegimeReport, SecurityTerm, StarkAirParams,
    logup::{self, LogUpAir},
    proximity::list_size_ldr_m,
    stark::proven_security_report,
};
use p3_uni_stark::OpeningShape;
use rwprove_circuits::bus;

use crate::{
    config::{EXTENSION, Parameters},
    layout::ProofLayout,
};

/// Bits of the challenge field: `5 log2 p`, rounded down.
pub const FIELD_BITS: usize = 154;
/// Bits of work to find two inputs with one digest: `4 log2 p`, rounded down.
pub const COLLISION_BITS: usize = 123;

/// The terms of one regime.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The regime's name.
    pub regime: &'static str,
    /// What each part of the protocol contributes, with its bits.
    pub terms: Vec<(&'static str, f64)>,
}

impl Bound {
    fn new(regime: &'static str, report: &RegimeReport, lookups: Option<SecurityTerm>) -> Self {
        let terms = report.terms().iter().chain(lookups.iter());
        Self { regime, terms: terms.map(|t| (t.label, t.bits.bits())).collect() }
    }

    /// Bits of the weakest term.
    pub fn bits(&self) -> f64 {
        self.terms.iter().map(|t| t.1).fold(f64::INFINITY, f64::min)
    }
}

/// The security of one layer.
#[derive(Clone, Debug)]
pub struct Security {
    /// Unique decoding.
    pub unique: Bound,
    /// List decoding up to the Johnson bound; absent where the bound does not apply.
    pub johnson: Option<Bound>,
}

impl Security {
    /// The better regime.
    pub fn best(&self) -> &Bound {
        match &self.johnson {
            Some(johnson) if johnson.bits() > self.unique.bits() => johnson,
            _ => &self.unique,
        }
    }
}

/// The provable security of a proof of these tables.
pub fn security(layout: &ProofLayout<'_>) -> Security {
    let Parameters { ood_bits, lookup_bits, .. } = layout.parameters;
    let fri = layout.parameters.fri(());
    let grinding = GrindingSites {
        out_of_domain: ood_bits,
        lookup_challenge: lookup_bits,
        ..fri.grinding_sites()
    };
    let tables = || layout.tables.iter().map(|(t, _)| *t);
    let air = StarkAirParams {
        num_constraints: tables().map(|t| t.constraints.len()).sum(),
        max_constraint_degree: tables().map(|t| t.degree).max().unwrap_or(0),
        num_quotient_chunks: tables().map(|t| t.chunks()).max().unwrap_or(1),
        max_combo: 2,
    };
    let openings = tables().map(|t| {
        num_batched_openings(
            t.width,
            t.reads_next,
            t.preprocessed,
            t.preprocessed_reads_next,
            t.chunks(),
            t.lookups.len(),
            EXTENSION,
            OpeningShape::new(),
        )
    });
    let rows: usize = layout.tables.iter().map(|(_, height)| 1 << height).sum();
    let shape = InstanceShape {
        // All rows of all tables, rounded up to a power of two.
        log_trace_length: rows.next_power_of_two().trailing_zeros() as usize,
        modulus_bits: FIELD_BITS,
        collision_resistance: COLLISION_BITS,
        num_batched_functions: openings.sum(),
    };
    // Messages are counted exactly, as those of a trace of length one.
    let messages = layout.tables.iter().map(|(t, height)| t.messages() << height).sum();
    let lookups = logup::security_term(
        &LogUpAir { num_interactions: messages, max_message_width: bus::WIDTH },
        &InstanceShape { log_trace_length: 0, ..shape },
        &grinding,
    );

    let report = proven_security_report(&fri.security_regime(), &air, &shape, &[], &grinding);
    let johnson = report.ldr.and_then(|johnson| {
        let Regime::ListDecoding { m } = johnson.regime else { return None };
        let list = CandidateSet::from_log2(list_size_ldr_m(fri.log_blowup, m).log2())?;
        let charged = lookups.map(|term| term.over_candidates(list));
        Some(Bound::new("list decoding (Johnson)", &johnson, charged))
    });
    Security { unique: Bound::new("unique decoding", &report.udr, lookups), johnson }
}
