//! Checks filled tables without a commitment: every constraint on every row, and the balance of
//! the bus. The work-horse of all tests; a proof exists exactly if this check passes.
//!
//! ```text
//! let mut check = Check::default();
//! check.table(&table, &trace, &publics)?;    // constraints now, messages are remembered
//! check.send(bus::request(…));               // plays a table that is not there
//! check.finish(Lookups::Free)?;              // balance; fixed tables need not be there
//! ```

use std::collections::{BTreeSet, HashMap};

use p3_air::{AirBuilder, RowWindow};
use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_lookup::{Count, InteractionBuilder};
use p3_matrix::{Matrix, dense::RowMajorMatrix};
use rayon::prelude::*;
use thiserror::Error;

use crate::{
    Val,
    bus::{self, Bus, Message},
    symbolic,
    table::Table,
};

/// Which rule a trace breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// The trace does not fit the table.
    #[error("{table}: expected {expected}, found {found}")]
    Shape {
        /// Table.
        table: &'static str,
        /// What the table asks for.
        expected: String,
        /// What the trace is.
        found: String,
    },
    /// A constraint is not zero.
    #[error("{table}, row {row}: constraint {constraint} over {columns:?} is not zero")]
    Constraint {
        /// Table.
        table: &'static str,
        /// Row.
        row: usize,
        /// Number of the constraint, in the order of evaluation.
        constraint: usize,
        /// Columns that the constraint reads; those of the next row end with `'`.
        columns: Vec<String>,
    },
    /// A message is not sent as often as it is received.
    #[error(
        "bus: {kind} {fields:?} sent {surplus} times too often \
         (a sender: {sender:?}, a receiver: {receiver:?})"
    )]
    Bus {
        /// Kind of the message.
        kind: String,
        /// Its fields.
        fields: Vec<u32>,
        /// Sent minus received.
        surplus: i64,
        /// Table and row of one sender.
        sender: Option<(&'static str, usize)>,
        /// Table and row of one receiver.
        receiver: Option<(&'static str, usize)>,
    },
}

/// Whether the fixed tables must have counted their lookups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookups {
    /// Every lookup is provided as often as it is sent: the rule of the proof.
    Counted,
    /// A lookup only has to be in the fixed table: a dishonest prover counts as it pleases. The
    /// `bytes` table itself may be absent.
    Free,
}

/// What was said of one message.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// Sent minus received by everyone.
    sum: Val,
    /// The same without what fixed tables provide.
    asked: Val,
    /// Whether a fixed table has it.
    provided: bool,
    sender: Option<(&'static str, usize)>,
    receiver: Option<(&'static str, usize)>,
}

impl Entry {
    fn add(&mut self, said: &Said, by: (&'static str, usize)) {
        self.sum += said.count;
        if said.provided {
            self.provided = true;
        } else {
            self.asked += said.count;
        }
        let side = if is_negative(said.count) { &mut self.receiver } else { &mut self.sender };
        *side = side.or(Some(by));
    }

    fn merge(&mut self, other: Entry) {
        self.sum += other.sum;
        self.asked += other.asked;
        self.provided |= other.provided;
        self.sender = self.sender.or(other.sender);
        self.receiver = self.receiver.or(other.receiver);
    }
}

fn is_negative(x: Val) -> bool {
    x.as_canonical_u32() > Val::ORDER_U32 / 2
}

fn signed(x: Val) -> i64 {
    let value = i64::from(x.as_canonical_u32());
    if is_negative(x) { value - i64::from(Val::ORDER_U32) } else { value }
}

type Entries = HashMap<Message<Val>, Entry>;

/// Checks tables one after the other and gathers their messages.
#[derive(Clone, Debug, Default)]
pub struct Check {
    entries: Entries,
}

impl Check {
    /// Checks the constraints of a table and adds its messages to the balance.
    ///
    /// # Errors
    /// The first [`Violation`] of a constraint.
    pub fn table<T: Table + Sync>(
        &mut self,
        table: &T,
        trace: &RowMajorMatrix<Val>,
        publics: &[Val],
    ) -> Result<(), Violation> {
        let rows = Rows::new(table, trace, publics)?;
        let gathered = (0..trace.height())
            .into_par_iter()
            .try_fold(Entries::new, |mut entries, row| {
                for said in rows.eval(row)? {
                    entries.entry(said.message).or_default().add(&said, (T::NAME, row));
                }
                Ok(entries)
            })
            .try_reduce(Entries::new, |a, b| Ok(merged(a, b)))?;
        let before = std::mem::take(&mut self.entries);
        self.entries = merged(before, gathered);
        Ok(())
    }

    /// Sends a message in the name of a table that is not there.
    pub fn send(&mut self, message: Message<Val>) {
        self.say(message, Val::ONE);
    }

    /// Receives a message in the name of a table that is not there.
    pub fn receive(&mut self, message: Message<Val>) {
        self.say(message, Val::NEG_ONE);
    }

    fn say(&mut self, message: Message<Val>, count: Val) {
        let said = Said { site: 0, message, count, provided: false };
        self.entries.entry(message).or_default().add(&said, ("test", 0));
    }

    /// Whether a fixed table has the message.
    pub(crate) fn offers(&self, message: &Message<Val>) -> bool {
        let provided = || self.entries.get(message).is_some_and(|e| e.provided);
        if bus::is_lookup(message) { bus::holds(message) } else { provided() }
    }

    /// Whether every lookup into `bytes` holds; for a table without its neighbours.
    #[cfg(test)]
    pub(crate) fn lookups_hold(&self) -> bool {
        self.entries.keys().all(|message| !bus::is_lookup(message) || bus::holds(message))
    }

    /// The kinds of the messages that do not balance.
    pub fn unbalanced(&self, lookups: Lookups) -> BTreeSet<String> {
        let wrong = self.entries.iter().filter(|(m, e)| self.surplus(m, e, lookups) != Val::ZERO);
        wrong.map(|(message, _)| bus::describe(message).0).collect()
    }

    /// How often a message is sent too often.
    fn surplus(&self, message: &Message<Val>, entry: &Entry, lookups: Lookups) -> Val {
        match lookups {
            Lookups::Counted => entry.sum,
            Lookups::Free if self.offers(message) => Val::ZERO,
            Lookups::Free => entry.asked,
        }
    }

    /// Checks that all messages balance.
    ///
    /// # Errors
    /// The smallest message that does not, so that the answer does not depend on threads.
    pub fn finish(&self, lookups: Lookups) -> Result<(), Violation> {
        let surplus = |message: &Message<Val>, entry: &Entry| self.surplus(message, entry, lookups);
        let wrong = self
            .entries
            .par_iter()
            .filter(|(message, entry)| surplus(message, entry) != Val::ZERO)
            .min_by_key(|(message, _)| **message);
        let Some((message, entry)) = wrong else { return Ok(()) };
        let (kind, fields) = bus::describe(message);
        Err(Violation::Bus {
            kind,
            fields,
            surplus: signed(surplus(message, entry)),
            sender: entry.sender,
            receiver: entry.receiver,
        })
    }
}

fn merged(a: Entries, b: Entries) -> Entries {
    let (mut large, small) = if a.len() < b.len() { (b, a) } else { (a, b) };
    for (message, entry) in small {
        large.entry(message).or_default().merge(entry);
    }
    large
}

/// One message of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// Which of the table's messages it is, in the order of evaluation.
    pub(crate) site: usize,
    pub(crate) message: Message<Val>,
    pub(crate) count: Val,
    pub(crate) provided: bool,
}

/// Evaluates a table row by row.
pub(crate) struct Rows<'a, T> {
    table: &'a T,
    trace: &'a RowMajorMatrix<Val>,
    preprocessed: Option<RowMajorMatrix<Val>>,
    publics: &'a [Val],
}

impl<'a, T: Table> Rows<'a, T> {
    pub(crate) fn new(
        table: &'a T,
        trace: &'a RowMajorMatrix<Val>,
        publics: &'a [Val],
    ) -> Result<Self, Violation> {
        let preprocessed = table.preprocessed();
        let shape = |expected: String, found: String| {
            let wrong = Violation::Shape { table: T::NAME, expected, found };
            Err(wrong)
        };
        let (width, height) = (table.columns().len(), trace.height());
        if trace.width != width {
            return shape(format!("{width} columns"), format!("{}", trace.width));
        }
        if !height.is_power_of_two() {
            return shape("a power of two of rows".into(), format!("{height}"));
        }
        if publics.len() != table.public_values() {
            let expected = format!("{} public values", table.public_values());
            return shape(expected, format!("{}", publics.len()));
        }
        if let Some(fixed) = &preprocessed
            && (fixed.height() != height || fixed.width != table.preprocessed_width())
        {
            let expected = format!("{} x {height}", table.preprocessed_width());
            return shape(expected, format!("{} x {} preprocessed", fixed.width, fixed.height()));
        }
        Ok(Self { table, trace, preprocessed, publics })
    }

    /// The messages of the row, if its constraints hold.
    pub(crate) fn eval(&self, row: usize) -> Result<Vec<Said>, Violation> {
        self.eval_on(self.trace, row).map_err(|constraint| Violation::Constraint {
            table: T::NAME,
            row,
            constraint,
            columns: symbolic::columns_of(self.table, constraint),
        })
    }

    /// The same on another trace of the same size; or the number of a broken constraint.
    pub(crate) fn eval_on(
        &self,
        trace: &RowMajorMatrix<Val>,
        row: usize,
    ) -> Result<Vec<Said>, usize> {
        let (broken, said) = self.all_on(trace, row);
        broken.first().map_or(Ok(said), |&first| Err(first))
    }

    /// The numbers of all broken constraints of a row, and what it says all the same.
    pub(crate) fn all_on(
        &self,
        trace: &RowMajorMatrix<Val>,
        row: usize,
    ) -> (Vec<usize>, Vec<Said>) {
        let next = (row + 1) % trace.height();
        self.all_cells(row, row_of(trace, row), row_of(trace, next))
    }

    /// The same with these cells in the row and the next one.
    pub(crate) fn all_cells(
        &self,
        row: usize,
        current: &[Val],
        following: &[Val],
    ) -> (Vec<usize>, Vec<Said>) {
        let height = self.trace.height();
        let (fixed, fixed_next) = (self.fixed(row), self.fixed((row + 1) % height));
        let mut builder = RowBuilder {
            main: RowWindow::from_two_rows(current, following),
            preprocessed: RowWindow::from_two_rows(fixed, fixed_next),
            publics: self.publics,
            first: Val::from_bool(row == 0),
            last: Val::from_bool(row + 1 == height),
            index: 0,
            broken: Vec::new(),
            sites: 0,
            said: Vec::new(),
        };
        self.table.eval(&mut builder);
        (builder.broken, builder.said)
    }

    /// The preprocessed cells of a row; none in a table without them.
    pub(crate) fn fixed(&self, row: usize) -> &[Val] {
        self.preprocessed.as_ref().map_or(&[], |fixed| row_of(fixed, row))
    }
}

fn row_of(matrix: &RowMajorMatrix<Val>, row: usize) -> &[Val] {
    &matrix.values[row * matrix.width..][..matrix.width]
}

/// Evaluates constraints on plain field elements.
struct RowBuilder<'a> {
    main: RowWindow<'a, Val>,
    preprocessed: RowWindow<'a, Val>,
    publics: &'a [Val],
    first: Val,
    last: Val,
    /// Number of the next constraint.
    index: usize,
    /// The constraints that did not hold.
    broken: Vec<usize>,
    /// Number of the next message.
    sites: usize,
    said: Vec<Said>,
}

impl<'a> AirBuilder for RowBuilder<'a> {
    type F = Val;
    type Expr = Val;
    type Var = Val;
    type PreprocessedWindow = RowWindow<'a, Val>;
    type MainWindow = RowWindow<'a, Val>;
    type PublicVar = Val;
    type PeriodicVar = Val;

    fn main(&self) -> Self::MainWindow {
        self.main
    }

    fn preprocessed(&self) -> &Self::PreprocessedWindow {
        &self.preprocessed
    }

    fn is_first_row(&self) -> Val {
        self.first
    }

    fn is_last_row(&self) -> Val {
        self.last
    }

    fn is_transition(&self) -> Val {
        Val::ONE - self.last
    }

    fn assert_zero<I: Into<Val>>(&mut self, x: I) {
        if x.into() != Val::ZERO {
            self.broken.push(self.index);
        }
        self.index += 1;
    }

    fn public_values(&self) -> &[Val] {
        self.publics
    }
}

impl InteractionBuilder for RowBuilder<'_> {
    fn push_interaction<E: Into<Val>>(
        &mut self,
        bus: &str,
        fields: impl IntoIterator<Item = E>,
        count: impl Into<Count<Val>>,
    ) {
        let site = self.sites;
        self.sites += 1;
        let (count, weight) = count.into().into_parts();
        let provided = weight == 0;
        let Some(bus) = Bus::ALL.into_iter().find(|known| known.name() == bus) else {
            // No table uses another bus: it counts as a broken constraint.
            return self.assert_zero(Val::ONE);
        };
        let fields: Vec<Val> = fields.into_iter().map(Into::into).collect();
        let message = Message::new(bus, fields.into_iter());
        // An entry of the program counts as provided even if nobody asks for it; those of `bytes`
        // are known anyway.
        if count == Val::ZERO && (!provided || bus::holds(&message)) {
            return;
        }
        self.said.push(Said { site, message, count, provided });
    }

    /// No table uses local interactions: they count as a broken constraint.
    fn push_local_interaction(
        &mut self,
        _tuples: impl IntoIterator<Item = (Vec<Val>, Count<Val>)>,
    ) {
        self.assert_zero(Val::ONE);
    }

    /// No table uses exclusive interactions: they count as a broken constraint.
    fn push_exclusive_interaction(
        &mut self,
        _bus: &str,
        _branches: impl IntoIterator<Item = (Val, Count<Val>, Vec<Val>)>,
    ) {
        self.assert_zero(Val::ONE);
    }
}
