//! The phases of proving a shard, and which of the library's spans belong to which.

/// A phase of proving a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Filling tables, and writing the proof's bytes: what is not the library's.
    Fill,
    /// Low-degree extension of all committed columns, with the copies that it takes.
    Extend,
    /// The Merkle trees over them.
    Hash,
    /// Computing the LogUp columns.
    Lookups,
    /// Evaluating constraints, for the quotients.
    Quotient,
    /// Values at the point out of the domain, and the polynomial that says that they are right.
    Open,
    /// The low-degree test of that polynomial, with its trees.
    Fold,
    /// Symbolic evaluation, transcript, proof of work, and what else has no span.
    Rest,
}

impl Phase {
    /// All phases, in the order of charts.
    pub const ALL: [Phase; 8] = [
        Phase::Fill,
        Phase::Extend,
        Phase::Hash,
        Phase::Lookups,
        Phase::Quotient,
        Phase::Open,
        Phase::Fold,
        Phase::Rest,
    ];

    /// What charts call it.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Fill => "fill tables",
            Phase::Extend => "extend",
            Phase::Hash => "hash",
            Phase::Lookups => "LogUp columns",
            Phase::Quotient => "quotients",
            Phase::Open => "open",
            Phase::Fold => "low-degree test",
            Phase::Rest => "rest",
        }
    }

    /// The phase of a span inside a phase: its own if it begins one. Extension has no span; that
    /// of the quotients is what is left of theirs, for the others see [`Phase::before`].
    pub(crate) fn of(span: &str, inside: Phase) -> Self {
        match span {
            "build merkle tree" if inside != Phase::Fold => Phase::Hash,
            "generate lookup permutation" => Phase::Lookups,
            "compute quotient" => Phase::Extend,
            "compute quotient polynomial" => Phase::Quotient,
            "evaluate matrix"
            | "compute opened values with Lagrange interpolation"
            | "reduce matrix quotient"
            | "compress mat" => Phase::Open,
            "FRI prover" | "prove_fri" => Phase::Fold,
            "prove_batch" | "infer log of constraint degree" => Phase::Rest,
            _ => inside,
        }
    }

    /// The phase of the time directly before a span, which had none of its own: columns are
    /// extended right before the tree over them is built.
    pub(crate) fn before(span: &str, phase: Phase) -> Self {
        match (span, phase) {
            ("build merkle tree", Phase::Rest) => Phase::Extend,
            _ => phase,
        }
    }
}
