use p3_challenger::{CanObserve, CanSample, DuplexChallenger};
use p3_koala_bear::default_koalabear_poseidon2_16;
use p3_matrix::dense::RowMajorMatrix;
use p3_symmetric::{
    CryptographicHasher, PaddingFreeSponge, PseudoCompressionFunction, TruncatedPermutation,
};

use super::*;
use crate::{
    Challenge,
    check::Violation,
    circuit::tester::{Others, elements, needs_every_constraint},
    coprocessor::tester::with,
    poseidon2::{self, PERMUTATION, permuted},
    symbolic,
};

type Digest = [Val; BLOCK];

/// Rows, what a prover puts into them, and what other tables say.
#[derive(Clone, Default)]
struct Case {
    rows: Vec<Row>,
    values: Vec<Values>,
    /// Outputs of the last row.
    state: [Val; WIDTH],
    others: Others,
}

impl Case {
    /// Adds a row; `left` and `right` as [`Step::input`] has them. Other tables create what it reads
    /// and read what it creates.
    fn push(&mut self, step: Step, [left, right]: [Digest; 2], bit: bool, count: i32) {
        let input = step.input(&self.state, left, right, bit);
        self.state = permuted(input);
        let halves = [&input[..BLOCK], &input[BLOCK..]].map(|half| half.try_into().unwrap());
        let read = step.blocks().into_iter().zip(halves);
        for (block, half) in read.filter_map(|(block, half)| Some((block?, half))) {
            self.others.create_block(block, half);
        }
        if let Step::Climb { bit: wire } = step {
            self.others.create_wire(wire, Challenge::from_bool(bit));
        }
        let index = if count == 0 { 0 } else { 1000 + self.rows.len() as u32 };
        let output = Cell { index, count };
        self.others.answer_block(output, self.digest());
        self.rows.push(Row { step, output });
        self.values.push(Values { input, bit });
    }

    fn digest(&self) -> Digest {
        std::array::from_fn(|i| self.state[i])
    }

    /// A sponge over the elements.
    fn sponge(&mut self, elements: &[Val], count: i32) {
        let blocks = elements.len().div_ceil(BLOCK);
        for (i, part) in elements.chunks(BLOCK).enumerate() {
            let step = Step::Sponge { first: i == 0, block: self.block(), len: part.len() };
            let count = if i + 1 == blocks { count } else { 0 };
            self.push(step, [padded(part), Digest::default()], false, count);
        }
    }

    /// A number for a block or wire that no other has.
    fn block(&self) -> u32 {
        2 * self.rows.len() as u32 + 1
    }

    fn compress(&mut self, left: Digest, right: Digest, count: i32) {
        let step = Step::Compress { left: self.block(), right: self.block() + 1 };
        self.push(step, [left, right], false, count);
    }

    fn inject(&mut self, right: Digest, count: i32) {
        self.push(Step::Inject { right: self.block() }, [Digest::default(), right], false, count);
    }

    fn climb(&mut self, sibling: Digest, bit: bool, count: i32) {
        let step = Step::Climb { bit: self.block() };
        self.push(step, [sibling, Digest::default()], bit, count);
    }

    fn absorb(&mut self, first: bool, elements: &[Val], count: i32) {
        let step = Step::Absorb { first, block: self.block(), len: elements.len() };
        self.push(step, [padded(elements), Digest::default()], false, count);
    }

    fn squeeze(&mut self, count: i32) {
        self.push(Step::Squeeze, [Digest::default(); 2], false, count);
    }

    fn outputs(&self, row: usize) -> [Val; WIDTH] {
        permuted(self.values[row].input)
    }

    fn height(&self) -> usize {
        self.rows.len().next_power_of_two()
    }

    fn table(&self) -> Hash {
        Hash::new(&self.rows, self.height())
    }

    fn trace(&self) -> RowMajorMatrix<Val> {
        fill(&self.values, self.height())
    }

    fn verdict(&self) -> Result<(), Violation> {
        self.others.verdict(&self.table(), &self.trace())
    }

    /// The same rows by a prover that permutes another input in one of them.
    fn forged(&self, row: usize, change: impl FnOnce(&mut [Val; WIDTH])) -> Self {
        let mut forged = self.clone();
        change(&mut forged.values[row].input);
        forged
    }

    /// Goes on honestly behind a forged row.
    fn follow(&mut self, row: usize) {
        for row in row + 1..self.rows.len() {
            let before = self.outputs(row - 1);
            let Values { input, bit } = self.values[row];
            let halves = [&input[..BLOCK], &input[BLOCK..]].map(|half| half.try_into().unwrap());
            let [left, right] = if bit || !matches!(self.rows[row].step, Step::Climb { .. }) {
                halves
            } else {
                [halves[1], halves[0]]
            };
            self.values[row].input = self.rows[row].step.input(&before, left, right, bit);
        }
    }
}

/// The elements, and something else behind them that does not count.
fn padded(elements: &[Val]) -> Digest {
    std::array::from_fn(|i| elements.get(i).copied().unwrap_or(Val::from_u32(77)))
}

fn list(random: &mut impl FnMut() -> Val, len: usize) -> Vec<Val> {
    (0..len).map(|_| random()).collect()
}

fn digest(random: &mut impl FnMut() -> Val) -> Digest {
    std::array::from_fn(|_| random())
}

fn parent(left: Digest, right: Digest) -> Digest {
    TruncatedPermutation::<_, 2, BLOCK, WIDTH>::new(default_koalabear_poseidon2_16())
        .compress([left, right])
}

/// Every kind of step, in twelve rows; the other four of sixteen are not used.
fn mixed() -> Case {
    let mut random = elements();
    let mut case = Case::default();
    case.sponge(&list(&mut random, 21), 2);
    case.climb(digest(&mut random), true, 0);
    case.climb(digest(&mut random), false, 1);
    case.inject(digest(&mut random), 0);
    case.climb(digest(&mut random), true, -1);
    case.compress(digest(&mut random), digest(&mut random), 3);
    case.absorb(true, &list(&mut random, 8), 0);
    case.absorb(false, &list(&mut random, 3), 1);
    case.squeeze(1);
    case.sponge(&list(&mut random, 5), -1);
    assert_eq!((case.rows.len(), case.height()), (12, 16));
    case
}

// POSITIVE

#[test]
fn sponges_are_the_librarys() {
    let library =
        PaddingFreeSponge::<_, WIDTH, BLOCK, BLOCK>::new(default_koalabear_poseidon2_16());
    let mut random = elements();
    let mut case = Case::default();
    for len in 1..=3 * BLOCK + 1 {
        let elements = list(&mut random, len);
        let digest: Digest = library.hash_iter(elements.iter().copied());
        case.sponge(&elements, 1);
        assert_eq!(case.digest(), digest);
    }
    assert_eq!(case.verdict(), Ok(()));
}

#[test]
fn paths_are_the_librarys() {
    let mut random = elements();
    for bits in 0..8 {
        let mut case = Case::default();
        case.sponge(&list(&mut random, 9), 0);
        let mut node = case.digest();
        for level in 0..3 {
            let (sibling, bit) = (digest(&mut random), bits >> level & 1 == 1);
            node = if bit { parent(sibling, node) } else { parent(node, sibling) };
            case.climb(sibling, bit, 0);
            if level != 1 {
                let injected = digest(&mut random);
                node = parent(node, injected);
                case.inject(injected, if level == 2 { -1 } else { 0 });
            }
        }
        assert_eq!(case.digest(), node);
        assert_eq!(case.verdict(), Ok(()));
    }
}

#[test]
fn pairs_of_blocks_are_the_librarys() {
    let mut random = elements();
    let (left, right) = (digest(&mut random), digest(&mut random));
    let mut case = Case::default();
    case.compress(left, right, 2);
    assert_eq!(case.digest(), parent(left, right));
    assert_eq!(case.verdict(), Ok(()));
}

#[test]
fn transcripts_are_the_librarys() {
    let mut random = elements();
    for absorbed in 1..=BLOCK {
        let mut library =
            DuplexChallenger::<Val, _, WIDTH, BLOCK>::new(default_koalabear_poseidon2_16());
        let mut case = Case::default();
        for (first, len) in [(true, absorbed), (false, absorbed), (false, BLOCK)] {
            let elements = list(&mut random, len);
            library.observe_slice(&elements);
            let _: Val = library.sample();
            case.absorb(first, &elements, 1);
            assert_eq!(case.state, library.sponge_state);
            let _: [Val; BLOCK] = library.sample_array();
            case.squeeze(1);
            assert_eq!(case.state, library.sponge_state);
        }
        assert_eq!(case.verdict(), Ok(()));
    }
}

#[test]
fn all_heights_are_filled() {
    let mut random = elements();
    for rows in 1..=9 {
        let mut case = Case::default();
        for _ in 0..rows {
            case.sponge(&list(&mut random, 8), 1);
        }
        assert_eq!(case.verdict(), Ok(()));
        let tall = 4 * case.height();
        let table = Hash::new(&case.rows, tall);
        assert_eq!(case.others.verdict(&table, &fill(&case.values, tall)), Ok(()));
    }
    let empty = Others::default();
    assert_eq!(empty.verdict(&Hash::new(&[], 8), &fill(&[], 8)), Ok(()));
}

// NEGATIVE

#[test]
fn every_cell_is_bound() {
    let case = mixed();
    case.others.binds(&case.table(), &case.trace(), |_, _| false);
}

/// A forged input breaks the way from the row before.
#[track_caller]
fn refused_way(case: &Case, row: usize, change: impl FnOnce(&mut [Val; WIDTH])) {
    let mut forged = case.forged(row, change);
    forged.follow(row);
    let before = (row + case.height() - 1) % case.height();
    assert!(case.others.breaks(&case.table(), &forged.trace(), before), "{:?}", forged.verdict());
}

#[test]
fn all_masks_of_sponges_are_kept() {
    let mut random = elements();
    for len in 1..=BLOCK {
        let mut case = Case::default();
        case.sponge(&list(&mut random, len), 1);
        case.sponge(&list(&mut random, BLOCK + len), 1);
        for row in [0, 1, 2] {
            for i in BLOCK..WIDTH {
                refused_way(&case, row, |input| input[i] += Val::ONE);
            }
        }
        for row in [0, 2] {
            // Were it not kept, it could be told from the block: that is created to fit.
            for i in len..BLOCK {
                refused_way(&case, row, |input| input[i] += Val::ONE);
            }
        }
    }
}

#[test]
fn all_masks_of_transcripts_are_kept() {
    let mut random = elements();
    for len in 1..=BLOCK {
        let mut case = Case::default();
        case.absorb(true, &list(&mut random, len), 1);
        case.absorb(false, &list(&mut random, len), 1);
        case.squeeze(1);
        for row in [0, 1] {
            for i in len..WIDTH {
                refused_way(&case, row, |input| input[i] += Val::ONE);
            }
            // The count of elements is not added.
            refused_way(&case, row, |input| input[BLOCK] -= Val::from_usize(len));
        }
        for i in 0..WIDTH {
            refused_way(&case, 2, |input| input[i] += Val::ONE);
        }
    }
}

#[test]
fn capacity_of_another_row_is_refused() {
    let case = mixed();
    // As if the sponge began anew in its second row, or went on in the first row of another.
    refused_way(&case, 1, |input| input[BLOCK..].fill(Val::ZERO));
    let carried = case.outputs(10);
    refused_way(&case, 11, |input| input[BLOCK..].copy_from_slice(&carried[BLOCK..]));
}

#[test]
fn climbing_takes_the_digest_to_the_side_of_the_bit() {
    let case = mixed();
    for row in [3, 4, 6] {
        let swap = |input: &mut [Val; WIDTH]| input.rotate_left(BLOCK);
        refused_way(&case, row, swap);
        let own = if case.values[row].bit { BLOCK } else { 0 };
        for i in own..own + BLOCK {
            refused_way(&case, row, |input| input[i] += Val::ONE);
        }
        // The other side with the other bit is another path: the wire refuses it.
        let mut forged = case.forged(row, swap);
        forged.values[row].bit = !forged.values[row].bit;
        forged.follow(row);
        assert!(matches!(forged.verdict(), Err(Violation::Bus { .. })));
    }
    // An injected block has the digest on its left.
    refused_way(&case, 5, |input| input[0] += Val::ONE);
}

#[test]
fn siblings_are_free_and_change_the_root() {
    let case = mixed();
    let mut forged = case.forged(3, |input| input[0] += Val::ONE);
    forged.follow(3);
    assert!(matches!(forged.verdict(), Err(Violation::Bus { .. })));
}

/// A digest that climbs with the bit two: a mixture of the two halves is the digest, as the
/// constraints on the sides have it.
fn climbing_with_two(case: &Case, row: usize) -> RowMajorMatrix<Val> {
    let before = case.outputs(row - 1);
    let mut forged = case.forged(row, |input| {
        for i in 0..BLOCK {
            input[i + BLOCK] = input[i] + (before[i] - input[i]).halve();
        }
    });
    forged.follow(row);
    with(&case.table(), &forged.trace(), row - 1, &[("bit", Val::TWO)])
}

#[test]
fn a_bit_is_zero_or_one() {
    let case = mixed();
    assert!(case.others.breaks(&case.table(), &climbing_with_two(&case, 3), 2));
    // And a row that does not climb has none.
    let trace = with(&case.table(), &case.trace(), 0, &[("bit", Val::ONE)]);
    assert!(case.others.breaks(&case.table(), &trace, 0));
}

#[test]
fn every_constraint_is_needed() {
    let _ = constraints();
}

/// All constraints, each of which is shown to be needed.
pub(in crate::circuit) fn constraints() -> usize {
    let case = mixed();
    // Nothing of row 6 is carried to the next one.
    let permuted_wrong = (WIDTH..PERMUTATION).map(|place| {
        let mut trace = case.trace();
        let cells = &mut trace.values[6 * HashCols::<Val>::WIDTH..];
        let change = |at, value| if at == place { value + Val::ONE } else { value };
        let permutation = poseidon2::fill_permutation_but(case.values[6].input, change);
        HashCols { permutation, ..HashCols::from_row(cells) }.write_to(cells);
        trace
    });
    // A squeeze carries all, a climb half.
    let carried = [10, 4].into_iter().flat_map(|row| (0..WIDTH).map(move |i| (row, i)));
    let carried = carried.map(|(row, i)| {
        let mut forged = case.forged(row, |input| input[i] += Val::ONE);
        forged.follow(row);
        forged.trace()
    });
    let forgeries = permuted_wrong.chain(carried).chain([climbing_with_two(&case, 3)]);
    needs_every_constraint(&case.table(), forgeries)
}

#[test]
fn a_read_block_is_the_input() {
    let case = mixed();
    for (row, at) in [(0, 0), (7, 3), (7, 12), (5, 9), (8, 1), (9, 2)] {
        let mut forged = case.forged(row, |input| input[at] += Val::ONE);
        forged.follow(row);
        let verdict = forged.verdict();
        assert!(matches!(verdict, Err(Violation::Bus { .. })), "row {row}: {verdict:?}");
    }
}

#[test]
fn the_first_row_has_none_before_it() {
    // The last row is used: nothing of it is carried into the first.
    let mut random = elements();
    let mut case = Case::default();
    for _ in 0..4 {
        case.sponge(&list(&mut random, 6), 1);
    }
    let last = case.outputs(3);
    refused_way(&case, 0, |input| input[BLOCK..].copy_from_slice(&last[BLOCK..]));
    refused_way(&case, 0, |input| input[7] = last[7]);
}

#[test]
fn unused_rows_say_nothing() {
    let case = mixed();
    let mut other = case.clone();
    let mut random = elements();
    let padding = || Values { input: std::array::from_fn(|_| random()), bit: false };
    other.values.extend(std::iter::repeat_with(padding).take(4));
    // They may have any permutation, but nobody can read it, under no number.
    assert_eq!(other.verdict(), Ok(()));
    for index in [0, 5, 1000] {
        let mut asked = other.clone();
        let digest = other.outputs(13)[..BLOCK].try_into().unwrap();
        asked.others.answer_block(Cell { index, count: 1 }, digest);
        assert!(matches!(asked.verdict(), Err(Violation::Bus { .. })));
    }
}

#[test]
fn columns_and_messages_are_counted() {
    assert_eq!((HashCols::<Val>::WIDTH, FixedCols::<Val>::WIDTH), (165, 17));
    // Two messages share a column of the challenge field; one more adds them up.
    assert_eq!(symbolic::build(&Hash::default()).global_interactions().len(), 4);
}
