//! The layout of a STARK proof: how many elements each of its lists has.
//!
//! Everything here follows from tables, heights and parameters, which the verifier knows before it
//! looks at a proof. The codec reads exactly these counts, so a proof carries no lengths but those
//! of pruned Merkle paths.

use p3_air::{
    Air, BaseAir,
    symbolic::{AirLayout, SymbolicExpressionExt},
};
use p3_batch_stark::{
    CommonData,
    common::{GlobalPreprocessed, PreprocessedInstanceMeta},
    folder::VerifierConstraintFolderWithLookups,
    symbolic::{get_constraint_layout, get_log_num_quotient_chunks, get_symbolic_constraints},
};
use p3_fri::fold_schedule;
use p3_lookup::{InteractionSymbolicBuilder, LogUpGadget, Lookups};
use rwprove_circuits::{Challenge, Val};

use crate::config::{Commitment, Config, EXTENSION, Parameters};

/// A table that this crate can verify; implemented by every AIR generic over its builder.
pub trait Table:
    BaseAir<Val>
    + Air<InteractionSymbolicBuilder<Val, Challenge>>
    + for<'a> Air<VerifierConstraintFolderWithLookups<'a, Config>>
{
}

impl<A> Table for A where
    A: BaseAir<Val>
        + Air<InteractionSymbolicBuilder<Val, Challenge>>
        + for<'a> Air<VerifierConstraintFolderWithLookups<'a, Config>>
{
}

/// What proving and verifying must know of one table, whatever its height.
#[derive(Clone, Debug)]
pub struct TableLayout {
    /// Main columns.
    pub width: usize,
    /// Whether a constraint reads the next row.
    pub reads_next: bool,
    /// Preprocessed columns.
    pub preprocessed: usize,
    /// Whether a constraint reads the next row of the preprocessed columns.
    pub preprocessed_reads_next: bool,
    /// log2 of the number of pieces that the quotient is cut into.
    pub log_chunks: usize,
    /// Public values.
    pub publics: usize,
    /// Constraints, those of the lookup argument included, in the order in which they are folded.
    pub constraints: Vec<SymbolicExpressionExt<Val, Challenge>>,
    /// Largest degree of a constraint.
    pub degree: usize,
    /// The messages, packed into columns of the lookup argument.
    pub lookups: Lookups<Val>,
}

impl TableLayout {
    /// Evaluates the table symbolically.
    pub fn new<A: Table>(air: &A) -> Self {
        let gadget = LogUpGadget::new();
        let layout = AirLayout::from_air(air);
        let lookups = Lookups::<Val>::from_air::<Challenge, A>(air);
        // The trace's length matters to periodic columns alone, and no table has them.
        let chunks = |lookups: &Lookups<Val>| {
            get_log_num_quotient_chunks::<Val, Challenge, A, _>(air, layout, 2, lookups, 0, &gadget)
        };
        // As many messages a column as leave the quotient's degree as it is.
        let log_chunks = chunks(&lookups);
        let lookups = lookups.pack_same_bus(&gadget, (1 << log_chunks) + 1);
        let (base, extension) =
            get_symbolic_constraints::<Val, Challenge, A, _>(air, layout, &lookups, &gadget);
        let order = get_constraint_layout::<Val, Challenge, A, _>(air, layout, &lookups, &gadget);
        let base = base.into_iter().map(SymbolicExpressionExt::from);
        let base = order.base_indices.into_iter().zip(base);
        let extension = order.ext_indices.into_iter().zip(extension);
        let mut constraints: Vec<_> = base.chain(extension).collect();
        constraints.sort_unstable_by_key(|(place, _)| *place);
        let constraints: Vec<_> = constraints.into_iter().map(|(_, c)| c).collect();
        Self {
            width: air.width(),
            reads_next: !air.main_next_row_columns().is_empty(),
            preprocessed: air.preprocessed_width(),
            preprocessed_reads_next: !air.preprocessed_next_row_columns().is_empty(),
            log_chunks,
            publics: air.num_public_values(),
            degree: constraints.iter().map(|c| c.degree_multiple()).max().unwrap_or(0),
            constraints,
            lookups,
        }
    }

    /// Pieces of the quotient.
    pub const fn chunks(&self) -> usize {
        1 << self.log_chunks
    }

    /// Base field columns of the lookup argument.
    pub fn lookup_width(&self) -> usize {
        if self.lookups.is_empty() { 0 } else { (self.lookups.len() + 1) * EXTENSION }
    }

    /// Messages of one row.
    pub fn messages(&self) -> usize {
        self.lookups.iter().map(|l| l.elements.len()).sum()
    }
}

/// The tables of one proof with their heights.
#[derive(Clone, Debug)]
pub struct ProofLayout<'a> {
    /// Tables in the order of the proof, each with log2 of its height.
    pub tables: Vec<(&'a TableLayout, usize)>,
    /// The parameters.
    pub parameters: Parameters,
}

impl ProofLayout<'_> {
    /// For each commitment in the order of the proof, the widths of its matrices: main,
    /// quotient, preprocessed (if any), lookups (if any).
    pub fn matrices(&self) -> Vec<Vec<usize>> {
        let tables = || self.tables.iter().map(|(t, _)| *t);
        let main = tables().map(|t| t.width).collect();
        let quotient = tables().flat_map(|t| vec![EXTENSION; t.chunks()]).collect();
        let preprocessed: Vec<_> = tables().map(|t| t.preprocessed).filter(|w| *w > 0).collect();
        let lookups: Vec<_> = tables().map(|t| t.lookup_width()).filter(|w| *w > 0).collect();
        let optional = [preprocessed, lookups].into_iter().filter(|widths| !widths.is_empty());
        [main, quotient].into_iter().chain(optional).collect()
    }

    /// log2 of the largest height of a committed codeword.
    pub fn log_height(&self) -> usize {
        let tallest = self.tables.iter().map(|(_, h)| *h).max().unwrap_or(0);
        tallest + self.parameters.log_blowup
    }

    /// log2 of the arity of each folding round.
    pub fn folds(&self) -> Vec<usize> {
        let blowup = self.parameters.log_blowup;
        let mut heights: Vec<_> = self.tables.iter().map(|(_, h)| h + blowup).collect();
        heights.sort_unstable_by(|a, b| b.cmp(a));
        heights.dedup();
        fold_schedule(&heights, blowup + Parameters::LOG_FINAL, Parameters::LOG_ARITY)
    }

    /// What prover and verifier share of these tables: messages and the preprocessed columns
    /// behind `preprocessed`.
    pub fn common(&self, preprocessed: Option<Commitment>) -> CommonData<Config> {
        let mut matrix_to_instance = Vec::new();
        let instances = self.tables.iter().enumerate().map(|(instance, (table, height))| {
            (table.preprocessed > 0).then(|| {
                matrix_to_instance.push(instance);
                PreprocessedInstanceMeta {
                    matrix_index: matrix_to_instance.len() - 1,
                    width: table.preprocessed,
                    degree_bits: *height,
                }
            })
        });
        let instances = instances.collect();
        let preprocessed = preprocessed.map(|commitment| GlobalPreprocessed {
            commitment,
            instances,
            matrix_to_instance,
        });
        let lookups = self.tables.iter().map(|(table, _)| table.lookups.clone()).collect();
        CommonData { preprocessed, lookups }
    }
}
