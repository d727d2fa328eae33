//! Mutation of filled tables: which changes of a single cell would a proof not notice?

use p3_field::PrimeCharacteristicRing;
use p3_matrix::{Matrix, dense::RowMajorMatrix};

use crate::{
    Val,
    bus::Message,
    check::{Check, Rows, Said, Violation},
    table::Table,
};

/// A changed cell that neither a constraint nor the bus refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// Row.
    pub row: usize,
    /// Column, by name.
    pub column: String,
    /// The honest value.
    pub honest: Val,
    /// The value that went unnoticed.
    pub changed: Val,
}

/// Changes every cell of the given rows to its value plus and minus one, to zero and to one, one at
/// a time, and returns the changes that nothing refuses. Lookups may be recounted by a dishonest
/// prover, so they only have to be in their table. `check` is consulted for fixed tables other than
/// `bytes` (that is: `program`).
///
/// Columns whose value means nothing on a row survive; a test lists them with the reason.
///
/// # Errors
/// A [`Violation`] if the honest rows already break a constraint.
pub fn mutate<T: Table>(
    table: &T,
    trace: &RowMajorMatrix<Val>,
    publics: &[Val],
    rows: impl IntoIterator<Item = usize>,
    check: &Check,
) -> Result<Vec<Survivor>, Violation> {
    let evaluator = Rows::new(table, trace, publics)?;
    let names = table.columns();
    let height = trace.height();
    let mut changed = trace.clone();
    let mut survivors = Vec::new();
    for row in rows {
        // The constraints of the row before read this row as their next one.
        let mut affected = vec![row];
        if T::READS_NEXT && height > 1 {
            affected.push((row + height - 1) % height);
        }
        let mut honest_said = Vec::new();
        for &r in &affected {
            honest_said.extend(evaluator.eval(r)?);
        }
        for (column, name) in names.iter().enumerate() {
            let cell = row * trace.width + column;
            let honest = trace.values[cell];
            let mut values = vec![honest + Val::ONE, honest - Val::ONE, Val::ZERO, Val::ONE];
            values.sort_unstable();
            values.dedup();
            for value in values.into_iter().filter(|v| *v != honest) {
                changed.values[cell] = value;
                let said: Result<Vec<_>, _> =
                    affected.iter().map(|&r| evaluator.eval_on(&changed, r)).collect();
                if said.is_ok_and(|said| balances(&honest_said, &said.concat(), check)) {
                    survivors.push(Survivor { row, column: name.clone(), honest, changed: value });
                }
            }
            changed.values[cell] = honest;
        }
    }
    Ok(survivors)
}

/// Whether the bus stays balanced when a row says the second list instead of the first.
fn balances(honest: &[Said], changed: &[Said], check: &Check) -> bool {
    let mut sums: Vec<(Message<Val>, Val)> = Vec::new();
    let signed = honest.iter().map(|s| (s, -s.count)).chain(changed.iter().map(|s| (s, s.count)));
    for (said, count) in signed.filter(|(said, _)| !said.provided) {
        match sums.iter_mut().find(|(message, _)| *message == said.message) {
            Some((_, sum)) => *sum += count,
            None => sums.push((said.message, count)),
        }
    }
    sums.iter().all(|(message, sum)| *sum == Val::ZERO || check.offers(message))
}
