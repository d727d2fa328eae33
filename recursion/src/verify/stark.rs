//! Everything that is fixed about one kind of proof.

use std::collections::HashMap;

use p3_field::TwoAdicField;
use p3_lookup::{Kind, LookupError, check_multiplicity_height_bound};
use rwprove_circuits::Val;
use rwprove_verifier::{
    config::{EXTENSION, Parameters},
    layout::{ProofLayout, TableLayout},
};
use thiserror::Error;

use crate::verify::{
    constraints::Constraints,
    domain::Chunks,
    opening::{Batch, Matrix},
    seeds::Seeds,
};

/// Why tables and heights have no [`Stark`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StarkError {
    /// There is no table, no query, or no redundancy in the codewords.
    #[error("there is no table, no query or no blowup")]
    Empty,
    /// A codeword longer than the field has roots of unity for.
    #[error("codewords of 2^{0} elements")]
    Height(usize),
    /// A table has periodic columns.
    #[error("periodic columns are not supported")]
    Periodic,
    /// A constraint has a constant that is not in the base field.
    #[error("constants of constraints are in the base field")]
    Constant,
    /// Messages of one bus have different numbers of fields.
    #[error("messages of the bus {0} differ in their number of fields")]
    Bus(String),
    /// Multiplicities may wrap.
    #[error(transparent)]
    Multiplicities(#[from] LookupError),
}

/// Everything that is fixed about one kind of proof: tables with their constraints and heights,
/// and the parameters.
#[derive(Clone, Debug)]
pub struct Stark {
    pub(super) tables: Vec<Table>,
    pub(super) parameters: Parameters,
    pub(super) buses: Buses,
    pub(super) seeds: Seeds,
    /// The commitments in the order of the proof: main, quotient, preprocessed (if any), lookups
    /// (if any).
    pub(super) batches: Vec<Batch>,
    /// log2 of the largest height of a committed codeword.
    pub(super) log_height: usize,
    /// log2 of the arity of each folding round.
    pub(super) folds: Vec<usize>,
}

/// One table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) log_height: usize,
    pub(super) publics: usize,
    pub(super) chunks: Chunks,
    /// Which matrix of the quotient's commitment has its first chunk.
    pub(super) quotient: usize,
    /// Which matrix of the preprocessed commitment it has.
    pub(super) preprocessed: Option<usize>,
    /// Which matrix of the lookups' commitment it has.
    pub(super) lookup: Option<usize>,
    /// The bus of each column of messages.
    pub(super) buses: Vec<usize>,
    pub(super) constraints: Constraints,
}

/// All buses of a proof.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Buses {
    pub(super) count: usize,
    /// Fields of the widest message, at least one.
    pub(super) width: usize,
}

impl Stark {
    /// Evaluates what follows from tables, heights and parameters.
    ///
    /// # Errors
    /// [`StarkError`] if there are no such proofs.
    pub fn new(layout: &ProofLayout<'_>) -> Result<Self, StarkError> {
        let parameters = layout.parameters;
        if layout.tables.is_empty() || parameters.queries == 0 || parameters.log_blowup == 0 {
            return Err(StarkError::Empty);
        }
        let log_height = layout.log_height();
        if log_height > Val::TWO_ADICITY {
            return Err(StarkError::Height(log_height));
        }
        let lookups: Vec<_> = layout.tables.iter().map(|(t, _)| t.lookups.clone()).collect();
        let heights: Vec<_> = layout.tables.iter().map(|(_, log_height)| 1 << log_height).collect();
        check_multiplicity_height_bound(&lookups, &heights)?;

        let mut numbering = Numbering::default();
        let mut tables = Vec::with_capacity(layout.tables.len());
        let (mut chunks, mut preprocessed, mut lookup) = (0, 0, 0);
        for (table, log_height) in &layout.tables {
            let number = |counter: &mut usize, there: usize| {
                *counter += there;
                *counter - there
            };
            tables.push(Table {
                log_height: *log_height,
                publics: table.publics,
                chunks: Chunks::new(*log_height, table.log_chunks)?,
                quotient: number(&mut chunks, table.chunks()),
                preprocessed: (table.preprocessed > 0).then(|| number(&mut preprocessed, 1)),
                lookup: (!table.lookups.is_empty()).then(|| number(&mut lookup, 1)),
                buses: numbering.buses(table)?,
                constraints: Constraints::new(table)?,
            });
        }
        let batches = batches(layout);
        let folds = layout.folds();
        Ok(Self {
            tables,
            parameters,
            buses: Buses { count: numbering.count, width: numbering.width.max(1) },
            seeds: Seeds::new(layout, &batches, &folds),
            batches,
            log_height,
            folds,
        })
    }

    /// Number of public values of each table.
    pub fn publics(&self) -> impl Iterator<Item = usize> + '_ {
        self.tables.iter().map(|table| table.publics)
    }

    /// Whether there are preprocessed columns, so whether their commitment is needed.
    pub fn has_preprocessed(&self) -> bool {
        self.tables.iter().any(|table| table.preprocessed.is_some())
    }

    pub(super) fn has_lookups(&self) -> bool {
        self.tables.iter().any(|table| table.lookup.is_some())
    }
}

/// The matrices behind each commitment.
fn batches(layout: &ProofLayout<'_>) -> Vec<Batch> {
    let blowup = layout.parameters.log_blowup;
    let matrices = |of: &dyn Fn(&TableLayout, usize) -> Vec<Matrix>| -> Vec<Matrix> {
        let tables = layout.tables.iter();
        tables.flat_map(|(table, log_height)| of(table, log_height + blowup)).collect()
    };
    let some = |width: usize, log_height: usize, next: bool| {
        let matrix = Matrix { log_height, width, next };
        (width > 0).then_some(matrix).into_iter().collect()
    };
    let main = matrices(&|t, height| {
        vec![Matrix { log_height: height, width: t.width, next: t.reads_next }]
    });
    let quotient = matrices(&|t, height| {
        vec![Matrix { log_height: height, width: EXTENSION, next: false }; t.chunks()]
    });
    let preprocessed =
        matrices(&|t, height| some(t.preprocessed, height, t.preprocessed_reads_next));
    let lookups = matrices(&|t, height| some(t.lookup_width(), height, true));
    let optional = [preprocessed, lookups].into_iter().filter(|m| !m.is_empty());
    Batch::all([main, quotient].into_iter().chain(optional).collect())
}

/// Numbers buses by their first mention.
#[derive(Default)]
struct Numbering<'a> {
    /// Number and width of each bus that tables share.
    shared: HashMap<&'a str, (usize, usize)>,
    count: usize,
    width: usize,
}

impl<'a> Numbering<'a> {
    /// The bus of each column of messages of the next table.
    fn buses(&mut self, table: &'a TableLayout) -> Result<Vec<usize>, StarkError> {
        let mut buses = Vec::with_capacity(table.lookups.len());
        for lookup in table.lookups.iter() {
            let name = match &lookup.kind {
                Kind::Global(name) => name,
                Kind::Local => "",
            };
            let width = lookup.elements.first().map_or(0, Vec::len);
            let next = (self.count, width);
            let (bus, expected) = match &lookup.kind {
                Kind::Global(name) => *self.shared.entry(name).or_insert(next),
                Kind::Local => next,
            };
            if width != expected || lookup.elements.iter().any(|fields| fields.len() != width) {
                return Err(StarkError::Bus(name.to_owned()));
            }
            self.count = self.count.max(bus + 1);
            self.width = self.width.max(width);
            buses.push(bus);
        }
        Ok(buses)
    }
}
