use p3_field::BasedVectorSpace;
use p3_matrix::dense::RowMajorMatrix;

use super::*;
use crate::{
    EXTENSION,
    check::Violation,
    circuit::{
        extension::coefficients,
        tester::{Others, challenge, elements, needs_every_constraint},
    },
    coprocessor::tester::with,
    symbolic,
};

const COLS: usize = RowsCols::<u8>::WIDTH;

/// Segments, what a prover puts into them, and what other tables say.
#[derive(Clone, Default)]
struct Case {
    segments: Vec<Segment>,
    values: Vec<Values>,
    others: Others,
}

/// `sum_i gamma^(w - 1 - i) p_i`, by powers.
fn sum(gamma: Challenge, row: &[Val]) -> Challenge {
    row.iter().rev().zip(gamma.powers()).map(|(&element, power)| power * element).sum()
}

impl Case {
    /// Adds a segment of leaves with rows of these widths. Each sum is read once.
    fn push(&mut self, random: &mut impl FnMut() -> Val, leaves: &[&[usize]]) {
        let gamma = challenge(random);
        let number = 1000 * (self.segments.len() as u32 + 1);
        let mut segment = Segment { gamma: number, leaves: Vec::new() };
        let mut values = Values { gamma, blocks: Vec::new() };
        self.others.create_wire(number, gamma);
        for (i, widths) in leaves.iter().enumerate() {
            let block = number + 50 * i as u32 + 1;
            let cell = |at: usize| Cell { index: block + at as u32, count: 1 };
            let sums = widths.iter().enumerate().map(|(at, &width)| (width, cell(at))).collect();
            let leaf = Leaf { block, sums };
            let blocks: Vec<[Val; BLOCK]> =
                (0..leaf.blocks()).map(|_| std::array::from_fn(|_| random())).collect();
            for (number, &elements) in (block..).zip(&blocks) {
                self.others.answer_block(Cell { index: number, count: 1 }, elements);
            }
            let mut row = blocks.as_flattened();
            let mut expected = Vec::new();
            for &(width, cell) in &leaf.sums {
                expected.push(sum(gamma, &row[..width]));
                self.others.answer_wire(cell, expected[expected.len() - 1]);
                row = &row[width..];
            }
            assert_eq!(leaf.values(gamma, &blocks), expected);
            segment.leaves.push(leaf);
            values.blocks.extend(blocks);
        }
        self.segments.push(segment);
        self.values.push(values);
    }

    fn height(&self) -> usize {
        Rows::rows(&self.segments).next_power_of_two()
    }

    fn table(&self) -> Rows {
        Rows::new(&self.segments, self.height())
    }

    fn trace(&self) -> RowMajorMatrix<Val> {
        fill(&self.segments, &self.values, self.height())
    }

    fn verdict(&self) -> Result<(), Violation> {
        self.others.verdict(&self.table(), &self.trace())
    }

    /// What the circuit fixes of a row.
    fn fixed(&self, row: usize) -> FixedCols<Val> {
        let fixed = self.table().preprocessed().unwrap();
        FixedCols::from_row(&fixed.values[row * fixed.width..])
    }

    /// The rows, changed.
    fn changed(&self, change: impl FnOnce(&mut [RowsCols<Val>])) -> RowMajorMatrix<Val> {
        let mut trace = self.trace();
        let mut rows: Vec<_> = trace.values.chunks(COLS).map(RowsCols::from_row).collect();
        change(&mut rows);
        rows.iter().zip(trace.values.chunks_mut(COLS)).for_each(|(row, cells)| row.write_to(cells));
        trace
    }

    /// Whether the changed rows are refused by a constraint of one of them.
    fn refused(&self, at: usize, change: impl FnOnce(&mut [RowsCols<Val>])) -> bool {
        self.others.breaks(&self.table(), &self.changed(change), at)
    }

    /// Makes sums and results of rows anew, from their elements and from gamma and the square that
    /// they have. `change` gets row, pair and the sum before it, and returns what to go on with.
    fn settle(
        &self,
        rows: &mut [RowsCols<Val>],
        change: impl Fn(usize, usize, Challenge) -> Challenge,
    ) {
        let mut sum = Challenge::ZERO;
        for (at, row) in rows.iter_mut().enumerate() {
            let fixed = self.fixed(at);
            let [gamma, square] = [element(&row.gamma), element(&row.gamma_squared)];
            let mut result = gamma * fixed.last;
            for pair in 0..PAIRS {
                sum = change(at, pair, sum);
                row.sums[EXTENSION * pair..][..EXTENSION].copy_from_slice(&coefficients(&sum));
                let [first, second] = [row.values[2 * pair], row.values[2 * pair + 1]];
                let [ends, ends_later] = [fixed.end[2 * pair], fixed.end[2 * pair + 1]];
                let before = square * sum + gamma * first;
                result += (gamma * sum + first) * ends + (before + second) * ends_later;
                let carry = if pair + 1 < PAIRS {
                    [Val::ONE - ends - ends_later, Val::ONE - ends_later]
                } else {
                    fixed.carry
                };
                sum = before * carry[0] + second * carry[1];
            }
            row.result = coefficients(&result);
        }
    }
}

fn random_case(leaves: &[&[usize]]) -> Case {
    let mut case = Case::default();
    case.push(&mut elements(), leaves);
    case
}

/// Two segments with all kinds of rows: many ends in a block, ends at each place, partial blocks.
fn mixed() -> Case {
    let mut random = elements();
    let mut case = Case::default();
    case.push(&mut random, &[&[20, 5, 10], &[8], &[1, 1, 1, 2, 30]]);
    case.push(&mut random, &[&[6, 1, 1, 7]]);
    case
}

fn element(columns: &[Val]) -> Challenge {
    Challenge::from_basis_coefficients_fn(|i| columns[i])
}

/// The basis of the challenge field.
fn unit(i: usize) -> Challenge {
    Challenge::from_basis_coefficients_fn(|j| Val::from_bool(i == j))
}

// POSITIVE

#[test]
fn sums_end_anywhere() {
    for first in 1..=17 {
        for second in 1..=9 {
            let case = random_case(&[&[first, second], &[second, first, 1, 1], &[first]]);
            assert_eq!(case.verdict(), Ok(()), "{first} {second}");
        }
    }
}

#[test]
fn blocks_with_many_ends_take_a_row_for_each() {
    for (widths, rows) in [
        (&[8][..], 1),
        (&[9], 2),
        (&[1; 8], 8),
        (&[4, 4], 2),
        (&[5, 10, 10], 4),
        (&[3, 3, 3, 3], 2 + 2),
        (&[40], 5),
    ] {
        let case = random_case(&[widths]);
        // And one that reads gamma.
        assert_eq!(Rows::rows(&case.segments), rows + 1, "{widths:?}");
        assert_eq!(case.verdict(), Ok(()), "{widths:?}");
    }
}

#[test]
fn segments_have_their_own_gammas() {
    let case = mixed();
    assert_eq!(case.verdict(), Ok(()));
    assert!(case.values[0].gamma != case.values[1].gamma);
}

#[test]
fn all_heights_are_filled() {
    for leaves in 0..5 {
        let case = random_case(&vec![&[11, 5][..]; leaves]);
        for height in [case.height(), 4 * case.height()] {
            let table = Rows::new(&case.segments, height);
            let trace = fill(&case.segments, &case.values, height);
            assert_eq!(case.others.verdict(&table, &trace), Ok(()));
        }
    }
    let nothing = Others::default();
    assert_eq!(nothing.verdict(&Rows::new(&[], 4), &fill(&[], &[], 4)), Ok(()));
}

#[test]
fn what_is_behind_a_leaf_is_in_its_block_alone() {
    let case = random_case(&[&[5, 6]]);
    let mut other = case.clone();
    other.values[0].blocks[1][3] += Val::ONE;
    let leaf = &case.segments[0].leaves[0];
    let sums = |case: &Case| leaf.values(case.values[0].gamma, &case.values[0].blocks);
    assert_eq!(sums(&case), sums(&other));
    // The hash that reads the block refuses it.
    assert!(matches!(other.verdict(), Err(Violation::Bus { kind, .. }) if kind == "block"));
}

// NEGATIVE

#[test]
fn every_cell_is_bound() {
    let case = mixed();
    let real = |row: usize| {
        let repeats = row > 0 && case.fixed(row - 1).again == Val::ONE;
        case.fixed(row).created == Val::ONE || repeats
    };
    // The last pair of a row without a block goes nowhere.
    let free =
        |row: usize, column: &str| !real(row) && ["values[6]", "values[7]"].contains(&column);
    case.others.binds(&case.table(), &case.trace(), free);
}

#[test]
fn a_sum_that_does_not_restart_is_refused() {
    // Row 1: the first sum ends with the first pair, and is in the second one all the same.
    let case = random_case(&[&[8 + 2, 14]]);
    assert!(case.refused(1, |rows| {
        let first = element(&rows[1].result);
        case.settle(rows, |row, pair, sum| if (row, pair) == (1, 1) { first } else { sum });
    }));
}

#[test]
fn a_sum_starts_at_zero_in_every_leaf() {
    // Both leaves end with a partial block, whose rest must go nowhere.
    let case = random_case(&[&[5], &[5]]);
    let rest = sum(case.values[0].gamma, &case.values[0].blocks[0][5..]);
    // Nor does the first one begin with anything: the last row is before it.
    for (row, start) in [(1, rest), (1, Challenge::ONE), (0, Challenge::ONE)] {
        let before = (row + case.height() - 1) % case.height();
        assert!(case.refused(before, |rows| {
            case.settle(rows, |at, pair, sum| if (at, pair) == (row, 0) { start } else { sum });
        }));
    }
}

#[test]
fn another_gamma_is_refused() {
    let mut random = elements();
    let case = mixed();
    let mut other = case.clone();
    let wrong = challenge(&mut random);
    // In all rows of a segment: the wire refuses it, or the sums.
    other.values[1].gamma = wrong;
    assert!(matches!(other.verdict(), Err(Violation::Bus { .. })));
    // In some: it does not go on.
    let first = Rows::rows(&case.segments[..1]);
    assert!(case.refused(first, |rows| {
        rows[first].gamma = coefficients(&wrong);
        rows[first].gamma_squared = coefficients(&wrong.square());
        case.settle(rows, |_, _, sum| sum);
    }));
    // Or only the square.
    assert!(case.refused(2, |rows| {
        rows[2].gamma_squared = coefficients(&wrong);
        case.settle(rows, |_, _, sum| sum);
    }));
}

#[test]
fn a_block_once_more_is_the_same_without_what_ended() {
    let case = random_case(&[&[3, 2, 9]]);
    let again: Vec<_> =
        (0..case.height()).filter(|row| case.fixed(*row).again == Val::ONE).collect();
    assert_eq!(again, [0]);
    for i in 0..BLOCK {
        // The next sums have another element, or one of the first sum.
        let change = |rows: &mut [RowsCols<Val>]| {
            rows[1].values[i] += Val::ONE;
            case.settle(rows, |_, _, sum| sum);
        };
        assert!(case.refused(0, change), "element {i}");
    }
}

#[test]
fn every_constraint_is_needed() {
    let _ = constraints();
}

/// All constraints, each of which is shown to be needed.
pub(in crate::circuit) fn constraints() -> usize {
    let case = random_case(&[&[3, 2, 9], &[8, 20]]);
    let mut forgeries = Vec::new();
    for i in 0..EXTENSION {
        forgeries.push(case.changed(|rows| {
            let gamma = element(&rows[4].gamma) + unit(i);
            rows[4].gamma = coefficients(&gamma);
            rows[4].gamma_squared = coefficients(&gamma.square());
            case.settle(rows, |_, _, sum| sum);
        }));
        forgeries.push(case.changed(|rows| {
            rows[4].gamma_squared[i] += Val::ONE;
            case.settle(rows, |_, _, sum| sum);
        }));
        for place in 0..PAIRS {
            forgeries.push(case.changed(|rows| {
                let wrong = |row, pair| (row, pair) == (5, place);
                case.settle(
                    rows,
                    |row, pair, sum| if wrong(row, pair) { sum + unit(i) } else { sum },
                );
            }));
        }
        forgeries.push(case.changed(|rows| rows[4].result[i] += Val::ONE));
    }
    for i in 0..BLOCK {
        forgeries.push(case.changed(|rows| {
            rows[1].values[i] += Val::ONE;
            case.settle(rows, |_, _, sum| sum);
        }));
    }
    needs_every_constraint(&case.table(), forgeries)
}

#[test]
fn a_wrong_result_is_refused() {
    let case = mixed();
    for row in 0..case.height() {
        assert!(case.refused(row, |rows| rows[row].result[0] += Val::ONE));
    }
}

#[test]
fn unused_rows_say_nothing() {
    let case = random_case(&[&[9]]);
    let (table, padding) = (case.table(), case.height() - 1);
    assert_eq!(Rows::rows(&case.segments), padding);
    // Elements that nothing adds up are free, but they are no block, under no number.
    let trace = with(&table, &case.trace(), padding, &[("values[7]", Val::TWO)]);
    assert_eq!(case.others.verdict(&table, &trace), Ok(()));
    let block = std::array::from_fn(|i| if i == 7 { Val::TWO } else { Val::ZERO });
    for index in [0, 1, 1001, 1002] {
        let mut asked = case.others.clone();
        asked.answer_block(Cell { index, count: 1 }, block);
        assert!(matches!(asked.verdict(&table, &trace), Err(Violation::Bus { .. })));
        let mut asked = case.others.clone();
        asked.answer_wire(Cell { index, count: 1 }, Challenge::ZERO);
        assert!(matches!(asked.verdict(&table, &trace), Err(Violation::Bus { .. })));
    }
}

#[test]
fn columns_and_messages_are_counted() {
    assert_eq!((COLS, FixedCols::<Val>::WIDTH), (43, 16));
    // Two messages share a column of the challenge field; one more adds them up.
    assert_eq!(symbolic::build(&Rows::default()).global_interactions().len(), 2);
}
