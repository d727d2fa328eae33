//! What attacks do to the machine's tables, whichever table it is.

use p3_matrix::Matrix;

use super::Instance;
use crate::{
    check::{Check, Rows, Said, Violation},
    testing::{Mutations, mutate},
};

impl Instance {
    /// Changes cells of these rows and public values, one at a time; see
    /// [`mutate`].
    ///
    /// # Errors
    /// A [`Violation`] if the honest rows already break a constraint.
    pub fn mutate(
        &self,
        rows: impl IntoIterator<Item = usize>,
        check: &Check,
        seed: u64,
    ) -> Result<Mutations, Violation> {
        let Self { chip, trace, publics } = self;
        each!(chip, table => mutate(table, trace, publics, rows, check, seed))
    }
}

/// All that a filled table says, whether or not its constraints hold.
pub(crate) fn said(instance: &Instance) -> Result<Vec<Said>, Violation> {
    let Instance { chip, trace, publics } = instance;
    each!(chip, table => {
        let rows = Rows::new(table, trace, publics)?;
        Ok((0..trace.height()).flat_map(|row| rows.all_on(trace, row).1).collect())
    })
}
