//! Filling the `rows` table.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;

use super::{FixedCols, Leaf, PAIRS, RowsCols, Segment, Values};
use crate::{
    Challenge, EXTENSION, Val,
    circuit::{BLOCK, Cell, extension::coefficients, lay},
};

/// A row of the table.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// Block, counted from the first one of the leaf.
    block: usize,
    /// Elements before the first one that the row has; they are zero.
    skip: usize,
    /// Where a sum is complete, and its wire.
    end: Option<(usize, Cell)>,
    /// Whether elements behind the end, or all if there is no end, go on in the next row.
    carries: bool,
    /// Whether the next row has the same block.
    again: bool,
}

impl Line {
    /// Whether the sum before the last pair and its first element, and whether the last element,
    /// go on in the next row.
    fn carry(&self) -> [bool; 2] {
        let free_from = |place| self.carries && self.end.is_none_or(|(end, _)| end < place);
        [free_from(BLOCK - 2), free_from(BLOCK - 1)]
    }

    /// The elements that the row has of its block.
    fn values(&self, block: &[Val; BLOCK]) -> [Val; BLOCK] {
        std::array::from_fn(|i| if i < self.skip { Val::ZERO } else { block[i] })
    }
}

/// The rows of a leaf.
fn lines(leaf: &Leaf) -> Vec<Line> {
    let mut ends = Vec::new();
    let mut length = 0;
    for &(width, sum) in &leaf.sums {
        length += width;
        ends.push((length, sum));
    }
    let mut ends = ends.into_iter().peekable();
    let mut lines = Vec::new();
    for block in 0..leaf.blocks() {
        let start = BLOCK * block;
        let mut line = Line { block, carries: true, ..Line::default() };
        while let Some((end, sum)) = ends.next_if(|(end, _)| *end <= start + BLOCK) {
            if line.end.is_some() {
                lines.push(Line { carries: false, again: true, ..line });
                line.skip = line.end.map_or(0, |(end, _)| end + 1);
            }
            line.end = Some((end - 1 - start, sum));
        }
        line.carries = ends.peek().is_some();
        lines.push(line);
    }
    lines
}

/// Rows that a leaf needs.
pub(super) fn rows_of(leaf: &Leaf) -> usize {
    lines(leaf).len()
}

/// What segments consist of, in the order of the rows.
enum Part<'a> {
    /// A leaf, with the blocks that it has, if they are known, and gamma.
    Leaf(&'a Leaf, &'a [[Val; BLOCK]], Challenge),
    /// The row that reads gamma.
    Last(u32, Challenge),
}

fn parts<'a>(segment: &'a Segment, values: Option<&'a Values>) -> impl Iterator<Item = Part<'a>> {
    let (gamma, mut blocks) =
        values.map_or((Challenge::ZERO, [].as_slice()), |values| (values.gamma, &values.blocks));
    let leaves = segment.leaves.iter().map(move |leaf| {
        let (own, rest) = blocks.split_at(leaf.blocks().min(blocks.len()));
        blocks = rest;
        Part::Leaf(leaf, own, gamma)
    });
    leaves.chain([Part::Last(segment.gamma, gamma)])
}

/// The preprocessed columns.
pub(super) fn fixed(segments: &[Segment], height: usize) -> RowMajorMatrix<Val> {
    let parts: Vec<_> = segments.iter().flat_map(|segment| parts(segment, None)).collect();
    let rows: Vec<_> = parts.par_iter().flat_map_iter(fixed_of).collect();
    lay(&rows, 1, FixedCols::<Val>::WIDTH, height, |row, cells| row.write_to(cells))
}

fn fixed_of(part: &Part<'_>) -> Vec<FixedCols<Val>> {
    let nothing = FixedCols::from_row(&[Val::ZERO; FixedCols::<Val>::WIDTH]);
    let leaf = match part {
        Part::Leaf(leaf, ..) => leaf,
        Part::Last(gamma, _) => {
            let [wire, wire_count] = Cell { index: *gamma, count: -1 }.columns();
            return vec![FixedCols { last: Val::ONE, wire, wire_count, ..nothing }];
        }
    };
    let rows = lines(leaf).into_iter().map(|line| {
        let [wire, wire_count] = line.end.map_or(Cell::default(), |(_, sum)| sum).columns();
        let ends_at = |i| line.end.is_some_and(|(end, _)| end == i);
        FixedCols {
            end: std::array::from_fn(|i| Val::from_bool(ends_at(i))),
            carry: line.carry().map(Val::from_bool),
            again: Val::from_bool(line.again),
            wire,
            wire_count,
            block: Val::from_u32(leaf.block) + Val::from_usize(line.block),
            created: Val::from_bool(line.skip == 0),
            ..nothing
        }
    });
    rows.collect()
}

/// The main columns of segments, with the values of each.
pub fn fill(segments: &[Segment], values: &[Values], height: usize) -> RowMajorMatrix<Val> {
    let parts: Vec<_> =
        segments.iter().zip(values).flat_map(|(s, values)| parts(s, Some(values))).collect();
    let mut rows: Vec<_> = parts.par_iter().flat_map_iter(rows_of_part).collect();
    debug_assert!(rows.len() <= height);
    // Rows that are not used carry the gamma of the first one.
    let gamma = values.first().map_or(Challenge::ZERO, |values| values.gamma);
    rows.resize(
        height,
        cells(gamma, [Val::ZERO; BLOCK], [Challenge::ZERO; PAIRS], Challenge::ZERO),
    );
    lay(&rows, 1, RowsCols::<Val>::WIDTH, height, |row, cells| row.write_to(cells))
}

fn rows_of_part(part: &Part<'_>) -> Vec<RowsCols<Val>> {
    let (leaf, blocks, gamma) = match *part {
        Part::Leaf(leaf, blocks, gamma) => (leaf, blocks, gamma),
        Part::Last(_, gamma) => {
            return vec![cells(gamma, [Val::ZERO; BLOCK], [Challenge::ZERO; PAIRS], gamma)];
        }
    };
    let mut sum = Challenge::ZERO;
    let rows = lines(leaf).into_iter().map(|line| {
        let block = blocks.get(line.block).copied().unwrap_or_default();
        let values = line.values(&block);
        let (mut sums, mut result) = ([Challenge::ZERO; PAIRS], Challenge::ZERO);
        for (i, value) in values.into_iter().enumerate() {
            if i % 2 == 0 {
                sums[i / 2] = sum;
            }
            sum = gamma * sum + value;
            if line.end.is_some_and(|(end, _)| end == i) {
                result = std::mem::take(&mut sum);
            }
        }
        if !line.carries {
            sum = Challenge::ZERO;
        }
        cells(gamma, values, sums, result)
    });
    rows.collect()
}

fn cells(
    gamma: Challenge,
    values: [Val; BLOCK],
    sums: [Challenge; PAIRS],
    result: Challenge,
) -> RowsCols<Val> {
    let sums = sums.map(|sum| coefficients(&sum));
    RowsCols {
        values,
        gamma: coefficients(&gamma),
        gamma_squared: coefficients(&gamma.square()),
        sums: std::array::from_fn(|i| sums[i / EXTENSION][i % EXTENSION]),
        result: coefficients(&result),
    }
}
