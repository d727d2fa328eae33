//! What attacks do to the machine's tables, whichever table it is.

use p3_matrix::Matrix;

use super::{Chip, Instance};
use crate::check::{Rows, Said, Violation};

/// All that a filled table says, whether or not its constraints hold.
pub(crate) fn said(instance: &Instance) -> Result<Vec<Said>, Violation> {
    let Instance { chip, trace, publics } = instance;
    each!(chip, table => {
        let rows = Rows::new(table, trace, publics)?;
        Ok((0..trace.height()).flat_map(|row| rows.all_on(trace, row).1).collect())
    })
}
