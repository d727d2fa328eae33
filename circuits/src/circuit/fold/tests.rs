use std::marker::PhantomData;

use p3_fri::{FriFoldingStrategy, TwoAdicFriFolding};
use p3_matrix::dense::RowMajorMatrix;

use super::*;
use crate::{
    check::Violation,
    circuit::{
        extension::coefficients,
        tester::{Others, challenge, elements, needs_every_constraint},
    },
    symbolic,
};

const COLS: usize = FoldCols::<u8>::WIDTH;

/// Steps, what a prover puts into them, and what other tables say.
#[derive(Clone, Default)]
struct Case {
    rows: Vec<Row>,
    values: Vec<Values>,
    others: Others,
}

impl Case {
    fn push(&mut self, k: usize, values: Values) {
        let number = 100 * (self.rows.len() as u32 + 1);
        let result =
            Cell { index: number, count: if self.rows.len().is_multiple_of(3) { -1 } else { 2 } };
        let row = Row {
            k,
            value: number + 1,
            position: number + 2,
            x_inverse: number + 5,
            beta: number + 6,
            block: number,
            result,
        };
        self.others.create_wire(row.value, values.value());
        self.others.create_wire(row.beta, values.beta);
        self.others.create_wire(row.x_inverse, values.x_inverse.into());
        for bit in 0..k {
            let set = values.position >> bit & 1 == 1;
            self.others.create_wire(row.position + bit as u32, Challenge::from_bool(set));
        }
        self.others.answer_wire(result, values.result(k));
        for (index, &elements) in (row.block..).zip(&values.blocks[..row.blocks()]) {
            self.others.answer_block(Cell { index, count: 1 }, elements);
        }
        self.rows.push(row);
        self.values.push(values);
    }

    fn height(&self) -> usize {
        self.rows.len().next_power_of_two()
    }

    fn table(&self) -> Fold {
        Fold::new(&self.rows, self.height())
    }

    fn trace(&self) -> RowMajorMatrix<Val> {
        fill(&self.rows, &self.values, self.height())
    }

    fn verdict(&self) -> Result<(), Violation> {
        self.others.verdict(&self.table(), &self.trace())
    }

    /// The trace with one row changed.
    fn forged(&self, at: usize, change: impl FnOnce(&mut FoldCols<Val>)) -> RowMajorMatrix<Val> {
        let mut trace = self.trace();
        let mut row = FoldCols::from_row(&trace.values[COLS * at..]);
        change(&mut row);
        row.write_to(&mut trace.values[COLS * at..]);
        trace
    }

    /// The verdict on it.
    fn changed(&self, at: usize, change: impl FnOnce(&mut FoldCols<Val>)) -> Result<(), Violation> {
        self.others.verdict(&self.table(), &self.forged(at, change))
    }
}

/// Blocks of a step: its values, and in the last one what a hash keeps.
fn values(random: &mut impl FnMut() -> Val, k: usize, position: usize) -> Values {
    let mut values =
        Values { position, x_inverse: random(), beta: challenge(random), ..Values::default() };
    values.blocks[..blocks(k)].iter_mut().flatten().for_each(|cell| *cell = random());
    values
}

/// All `k` and positions: 14 rows, and two that are not used.
fn mixed() -> Case {
    let mut random = elements();
    let mut case = Case::default();
    for k in 1..=LEVELS {
        (0..1 << k).for_each(|position| case.push(k, values(&mut random, k, position)));
    }
    case
}

fn is_constraint(verdict: Result<(), Violation>) -> bool {
    matches!(verdict, Err(Violation::Constraint { .. }))
}

fn is_bus(verdict: Result<(), Violation>) -> bool {
    matches!(verdict, Err(Violation::Bus { .. }))
}

// POSITIVE

#[test]
fn folding_is_the_librarys() {
    let library = TwoAdicFriFolding::<(), ()>(PhantomData);
    let mut random = elements();
    for k in 1..=LEVELS {
        for log_height in 0..5 {
            for index in 0..1 << log_height {
                let reversed = (0..log_height).fold(0, |x, bit| x << 1 | index >> bit & 1);
                let x = Val::two_adic_generator(log_height + k).exp_u64(reversed as u64);
                let step = Values { x_inverse: x.inverse(), ..values(&mut random, k, 0) };
                let all = step.values().into_iter().take(1 << k);
                let folded: Challenge = FriFoldingStrategy::<Val, Challenge>::fold_row(
                    &library, index, log_height, k, step.beta, all,
                );
                assert_eq!(step.result(k), folded, "{k} {log_height} {index}");
            }
        }
    }
}

#[test]
fn all_positions_of_all_steps_are_accepted() {
    let case = mixed();
    assert_eq!((case.rows.len(), case.height()), (14, 16));
    assert_eq!(case.verdict(), Ok(()));
}

#[test]
fn all_heights_are_filled() {
    let mut random = elements();
    for rows in 1..=5 {
        let mut case = Case::default();
        (0..rows).for_each(|i| case.push(i % LEVELS + 1, values(&mut random, i % LEVELS + 1, 1)));
        for height in [case.height(), 4 * case.height()] {
            let table = Fold::new(&case.rows, height);
            let trace = fill(&case.rows, &case.values, height);
            assert_eq!(case.others.verdict(&table, &trace), Ok(()));
        }
    }
    assert_eq!(Others::default().verdict(&Fold::new(&[], 2), &fill(&[], &[], 2)), Ok(()));
}

// NEGATIVE

#[test]
fn every_cell_is_bound() {
    let case = mixed();
    let used = case.rows.len();
    // Without a step beta times 1/x is zero, and nothing reads either.
    let free = |row: usize, column: &str| {
        row >= used && (column == "x_inverse" || column.starts_with("beta["))
    };
    case.others.binds(&case.table(), &case.trace(), free);
}

/// The value at a position of any numbers, as the constraints have it.
fn between(step: &Values, position: [Val; LEVELS], both: Val) -> Challenge {
    let [low, middle, high] = position;
    let pairs = [Val::ONE - middle - high + both, middle - both, high - both, both];
    let values = step.values();
    let pair = |i: usize| values[2 * i] + (values[2 * i + 1] - values[2 * i]) * low;
    pairs.into_iter().enumerate().map(|(i, here)| pair(i) * here).sum()
}

/// What follows from other ratios, in a row of `k` levels.
fn follow(row: &mut FoldCols<Val>, k: usize, step: &Values, ratios: [Challenge; LEVELS]) {
    let Folded { once: [one, ..], twice, all } = folded(&step.values(), &ratios);
    row.ratios = flat(ratios);
    row.folded = flat(twice);
    row.result = coefficients(&[one, twice[0], all][k - 1]);
}

fn flat<const N: usize, const M: usize>(elements: [Challenge; N]) -> [Val; M] {
    let cells = elements.map(|x| coefficients(&x));
    std::array::from_fn(|i| cells.as_flattened()[i])
}

/// The ratios of a step, with one changed and the squares that follow from it.
fn ratios(step: &Values, level: usize, change: impl Fn(&mut Challenge)) -> [Challenge; LEVELS] {
    let mut ratios = step.ratios();
    change(&mut ratios[level]);
    for level in level + 1..LEVELS {
        ratios[level] = ratios[level - 1].square();
    }
    ratios
}

#[test]
fn another_power_of_beta_is_refused() {
    let case = mixed();
    for (at, (fixed, step)) in case.rows.iter().zip(&case.values).enumerate() {
        for level in 0..fixed.k {
            // As if the level had one more factor beta.
            let ratios = ratios(step, level, |ratio| *ratio *= step.beta);
            let verdict = case.changed(at, |row| {
                follow(row, fixed.k, step, ratios);
                assert!(row.result != coefficients(&step.result(fixed.k)));
            });
            assert!(is_constraint(verdict));
        }
    }
}

#[test]
fn every_constraint_is_needed() {
    let _ = constraints();
}

/// All constraints, each of which is shown to be needed.
pub(in crate::circuit) fn constraints() -> usize {
    let case = mixed();
    let at = case.rows.len() - 1;
    let (k, step) = (case.rows[at].k, case.values[at]);
    let mut forgeries = Vec::new();
    let mut forge = |row: usize, change: &dyn Fn(&mut FoldCols<Val>)| {
        forgeries.push(case.forged(row, change));
    };
    for bit in 0..LEVELS {
        // Another point on the line through two values, or through two pairs of them.
        forge(at, &|row| {
            row.position[bit] = Val::TWO;
            row.both = row.position[1] * row.position[2];
            row.value = coefficients(&between(&step, row.position, row.both));
        });
    }
    forge(at, &|row| {
        row.both += Val::ONE;
        row.value = coefficients(&between(&step, row.position, row.both));
    });
    for i in 0..EXTENSION {
        let unit = Challenge::from_basis_coefficients_fn(|j| Val::from_bool(i == j));
        forge(at, &|row| row.value[i] += Val::ONE);
        for level in 0..LEVELS {
            forge(at, &|row| follow(row, k, &step, ratios(&step, level, |ratio| *ratio += unit)));
        }
        for half in 0..2 {
            forge(at, &|row| {
                let mut twice = step.folded().twice;
                twice[half] += unit;
                row.folded = flat(twice);
                let [y, z] = twice;
                let all = (y + z).halve() + (y - z) * step.ratios()[2] * TWIDDLES[0];
                row.result = coefficients(&all);
            });
        }
        forge(at, &|row| row.result[i] += Val::ONE);
    }
    needs_every_constraint(&case.table(), forgeries)
}

#[test]
fn the_result_of_another_level_is_refused() {
    let case = mixed();
    for (row, (fixed, step)) in case.rows.iter().zip(&case.values).enumerate() {
        for k in (1..=LEVELS).filter(|k| *k != fixed.k) {
            let result = coefficients(&step.result(k));
            assert!(is_constraint(case.changed(row, |row| row.result = result)));
        }
    }
}

#[test]
fn the_value_at_another_position_is_refused() {
    let case = mixed();
    for (row, (fixed, step)) in case.rows.iter().zip(&case.values).enumerate() {
        for position in (0..VALUES).filter(|position| *position != step.position) {
            let other = Values { position, ..*step };
            // The position is that of the wires.
            let mut forged = case.clone();
            forged.values[row] = other;
            let verdict = forged.verdict();
            let beyond = position >> fixed.k != 0;
            assert!(if beyond { is_constraint(verdict) } else { is_bus(verdict) });
            // The value is that of the position.
            let value = coefficients(&other.value());
            let verdict = case.changed(row, |row| row.value = value);
            assert!(value == coefficients(&step.value()) || is_constraint(verdict));
        }
    }
}

#[test]
fn bits_are_zero_or_one() {
    let case = mixed();
    for (row, step) in case.values.iter().enumerate() {
        // A line through the two values of the pair has many points.
        let pair = step.position & !1;
        let [y, z] = [step.values()[pair], step.values()[pair + 1]];
        let value = coefficients(&(y + (z - y).double()));
        let verdict = case.changed(row, |row| {
            row.position[0] = Val::TWO;
            row.value = value;
        });
        assert!(is_constraint(verdict));
    }
}

#[test]
fn other_values_are_in_other_blocks() {
    let case = mixed();
    for row in 0..case.rows.len() {
        let k = case.rows[row].k;
        for cell in 0..blocks(k) * BLOCK {
            let mut forged = case.clone();
            forged.values[row].blocks[cell / BLOCK][cell % BLOCK] += Val::ONE;
            assert!(is_bus(forged.verdict()));
        }
        // What is in none of its blocks does not matter.
        for cell in blocks(k) * BLOCK..BLOCKS * BLOCK {
            let mut forged = case.clone();
            forged.values[row].blocks[cell / BLOCK][cell % BLOCK] += Val::ONE;
            assert_eq!(forged.verdict(), Ok(()));
        }
    }
}

#[test]
fn unused_rows_say_nothing() {
    let mut random = elements();
    let case = mixed();
    let step = values(&mut random, LEVELS, 0);
    // Any step, but without a level its result is zero.
    let rows: Vec<_> = case.rows.iter().copied().chain([Row { k: 0, ..case.rows[0] }]).collect();
    let steps: Vec<_> = case.values.iter().copied().chain([step]).collect();
    let trace = fill(&rows, &steps, case.height());
    assert_eq!(case.others.verdict(&case.table(), &trace), Ok(()));
    for index in [0, 1, 100, 101] {
        let mut asked = case.others.clone();
        asked.answer_block(Cell { index, count: 1 }, step.blocks[0]);
        assert!(is_bus(asked.verdict(&case.table(), &trace)));
        let mut asked = case.others.clone();
        asked.answer_wire(Cell { index, count: 1 }, Challenge::ZERO);
        assert!(is_bus(asked.verdict(&case.table(), &trace)));
    }
}

#[test]
fn columns_and_messages_are_counted() {
    assert_eq!((COLS, FixedCols::<Val>::WIDTH), (85, 10));
    // Two messages share a column of the challenge field; one more adds them up.
    assert_eq!(symbolic::build(&Fold::default()).global_interactions().len(), 12);
}
