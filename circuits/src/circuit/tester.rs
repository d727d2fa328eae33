//! One table of a circuit alone, among others that are played.

use std::collections::BTreeSet;

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_matrix::{Matrix, dense::RowMajorMatrix};

use super::{BLOCK, Cell, extension::coefficients};
use crate::{
    Challenge, Val,
    bus::{self, Message},
    check::{Check, Lookups, Rows, Violation},
    coprocessor::tester,
    symbolic,
    table::Table,
    testing,
};

/// What other tables say, and how often: negative where they read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Others(Vec<(Message<Val>, i32)>);

impl Others {
    /// They create a block that the table reads once.
    pub(crate) fn create_block(&mut self, index: u32, elements: [Val; BLOCK]) {
        self.0.push((bus::block(Val::from_u32(index), elements), 1));
    }

    /// They create a wire that the table reads once.
    pub(crate) fn create_wire(&mut self, index: u32, value: Challenge) {
        self.0.push((wire(index, value), 1));
    }

    /// They answer a cell of the table.
    pub(crate) fn answer_block(&mut self, cell: Cell, elements: [Val; BLOCK]) {
        self.0.push((bus::block(Val::from_u32(cell.index), elements), -cell.count));
    }

    /// They answer a cell of the table.
    pub(crate) fn answer_wire(&mut self, cell: Cell, value: Challenge) {
        self.0.push((wire(cell.index, value), -cell.count));
    }

    fn check<T: Table + Sync>(
        &self,
        table: &T,
        trace: &RowMajorMatrix<Val>,
    ) -> Result<Check, Violation> {
        let mut check = Check::default();
        check.table(table, trace, &[])?;
        for &(message, count) in &self.0 {
            for _ in 0..count.unsigned_abs() {
                if count > 0 { check.send(message) } else { check.receive(message) }
            }
        }
        check.finish(Lookups::Counted)?;
        Ok(check)
    }

    /// The rule that the trace breaks.
    pub(crate) fn verdict<T: Table + Sync>(
        &self,
        table: &T,
        trace: &RowMajorMatrix<Val>,
    ) -> Result<(), Violation> {
        self.check(table, trace).map(drop)
    }

    /// Whether a constraint of the row is broken.
    pub(crate) fn breaks<T: Table + Sync>(
        &self,
        table: &T,
        trace: &RowMajorMatrix<Val>,
        at: usize,
    ) -> bool {
        matches!(self.verdict(table, trace), Err(Violation::Constraint { row, .. }) if row == at)
    }

    /// The trace is accepted, and no change of a single cell is, but of those that may be free.
    pub(crate) fn binds<T: Table + Sync>(
        &self,
        table: &T,
        trace: &RowMajorMatrix<Val>,
        free: impl Fn(usize, &str) -> bool,
    ) {
        assert!(symbolic::degrees(table).allowed(), "{:?}", symbolic::degrees(table));
        let check = self.check(table, trace).unwrap();
        let all = 0..trace.height();
        let mutations = testing::mutate(table, trace, &[], all, &check, 1).unwrap();
        for survivor in mutations.survivors {
            let row = survivor.row.unwrap();
            assert!(free(row, &survivor.column), "{survivor:?}");
        }
    }
}

/// Each constraint is needed: one of the traces breaks it, on any rows, and no other. Returns their
/// number.
pub(crate) fn needs_every_constraint<T: Table>(
    table: &T,
    forgeries: impl IntoIterator<Item = RowMajorMatrix<Val>>,
) -> usize {
    needs_every_constraint_of(table, &[], forgeries)
}

/// The same for a table with these public values.
pub(crate) fn needs_every_constraint_of<T: Table>(
    table: &T,
    publics: &[Val],
    forgeries: impl IntoIterator<Item = RowMajorMatrix<Val>>,
) -> usize {
    let mut needed = BTreeSet::new();
    for trace in forgeries {
        let rows = Rows::new(table, &trace, publics).unwrap();
        let broken = (0..trace.height()).flat_map(|row| rows.all_on(&trace, row).0);
        let broken: BTreeSet<_> = broken.collect();
        if broken.len() == 1 {
            needed.extend(broken);
        }
    }
    let all: BTreeSet<_> = (0..symbolic::build(table).base_constraints().len()).collect();
    assert!(needed == all, "not shown to be needed: {:?}", all.difference(&needed));
    all.len()
}

fn wire(index: u32, value: Challenge) -> Message<Val> {
    bus::wire(Val::from_u32(index), coefficients(&value))
}

/// Elements that look random.
pub(crate) fn elements() -> impl FnMut() -> Val {
    let mut random = tester::random();
    move || Val::from_u32(random())
}

/// An element of the challenge field.
pub(crate) fn challenge(random: &mut impl FnMut() -> Val) -> Challenge {
    Challenge::from_basis_coefficients_fn(|_| random())
}
