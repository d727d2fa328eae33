//! Poseidon2 over KoalaBear at width 16: the hash of the memory tree and of proofs, and its
//! constraints.
//!
//! The permutation is the library's with its default constants. `permute` states it once; the
//! filler and the constraints both run it and differ only in what they do with a *committed*
//! value: the filler writes it to its column, the constraints compare it with its column. The cube
//! has degree 3, so only the values after each full round and each partial S-box are committed.
//! After the last round that is the digest of a compression, or the whole state of a permutation.

use std::sync::LazyLock;

use p3_air::AirBuilder;
use p3_field::{Algebra, Field, PackedValue};
use p3_koala_bear::{
    GenericPoseidon2LinearLayersKoalaBear as Layers, KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
    KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL, KOALABEAR_POSEIDON2_RC_16_INTERNAL,
    Poseidon2KoalaBear, default_koalabear_poseidon2_16,
};
use p3_poseidon2::GenericPoseidon2LinearLayers;
use p3_symmetric::Permutation as _;
use rayon::prelude::*;

use crate::Val;

/// Elements of the permutation's state.
pub const WIDTH: usize = 16;
/// Elements of a digest.
pub const DIGEST: usize = 8;
/// A digest.
pub type Digest = [Val; DIGEST];

/// `Val`s that the processor handles in one instruction.
pub(crate) type Packed = <Val as Field>::Packing;

const FULL_ROUNDS: usize = KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL.len();
const PARTIAL_ROUNDS: usize = KOALABEAR_POSEIDON2_RC_16_INTERNAL.len();

/// Columns of one compression: the 16 inputs, 16 after each full round, one after each partial
/// round; of the last round only the digest.
pub const COLUMNS: usize = WIDTH * 2 * FULL_ROUNDS + PARTIAL_ROUNDS + DIGEST;
/// Columns of one permutation: those of a compression, but the 16 outputs of the last round.
pub const PERMUTATION: usize = COLUMNS - DIGEST + WIDTH;

static LIBRARY: LazyLock<Poseidon2KoalaBear<WIDTH>> = LazyLock::new(default_koalabear_poseidon2_16);

/// Hashes two digests, or the limbs of eight words.
pub fn compress(state: [Val; WIDTH]) -> Digest {
    fed_forward(state, |state| LIBRARY.permute_mut(state))
}

/// Permutes a state.
pub fn permuted(mut state: [Val; WIDTH]) -> [Val; WIDTH] {
    LIBRARY.permute_mut(&mut state);
    state
}

/// Compresses many states, several at a time and in parallel.
pub fn compress_all(states: &[[Val; WIDTH]]) -> Vec<Digest> {
    let mut digests = vec![Digest::default(); states.len()];
    states.par_chunks(Packed::WIDTH).zip(digests.par_chunks_mut(Packed::WIDTH)).for_each(
        |(states, digests)| {
            if states.len() < Packed::WIDTH {
                digests.iter_mut().zip(states).for_each(|(d, s)| *d = compress(*s));
            } else {
                let packed = Packed::pack_columns(states);
                let packed = fed_forward(packed, |state| LIBRARY.permute_mut(state));
                Packed::unpack_into(&packed, digests);
            }
        },
    );
    digests
}

/// The first half of what `permute` makes of the input, plus the first half of the input.
fn fed_forward<R: Algebra<Val>>(
    input: [R; WIDTH],
    permute: impl FnOnce(&mut [R; WIDTH]),
) -> [R; DIGEST] {
    let mut state = input.clone();
    permute(&mut state);
    std::array::from_fn(|i| state[i].dup() + input[i].dup())
}

/// The digest columns of a compression.
pub fn digest<T: Copy>(columns: &[T; COLUMNS]) -> [T; DIGEST] {
    std::array::from_fn(|i| columns[COLUMNS - DIGEST + i])
}

/// The inputs of a permutation.
pub(crate) fn input<T: Copy>(columns: &[T; PERMUTATION]) -> [T; WIDTH] {
    std::array::from_fn(|i| columns[i])
}

/// The outputs of a permutation.
pub(crate) fn outputs<T: Copy>(columns: &[T; PERMUTATION]) -> [T; WIDTH] {
    std::array::from_fn(|i| columns[PERMUTATION - WIDTH + i])
}

/// What some columns say of the 16 inputs before them.
trait Function {
    /// Runs on `input`. `commit` gets each value that has a column, in the order of the columns
    /// after the input, and returns what to go on with.
    fn run<R: Algebra<Val>>(input: [R; WIDTH], commit: impl FnMut(R) -> R);
}

/// The hash of the memory tree, in [`COLUMNS`].
struct Compression;

/// The permutation alone, in [`PERMUTATION`] columns.
struct Permutation;

impl Function for Compression {
    fn run<R: Algebra<Val>>(input: [R; WIDTH], mut commit: impl FnMut(R) -> R) {
        let mut digest = fed_forward(input, |state| permute(state, &mut commit));
        commit_all(&mut digest, &mut commit);
    }
}

impl Function for Permutation {
    fn run<R: Algebra<Val>>(mut input: [R; WIDTH], mut commit: impl FnMut(R) -> R) {
        permute(&mut input, &mut commit);
        commit_all(&mut input, &mut commit);
    }
}

/// The permutation; what is committed of the values after its last round is the caller's.
fn permute<R: Algebra<Val>>(state: &mut [R; WIDTH], commit: &mut impl FnMut(R) -> R) {
    Layers::external_linear_layer(state);
    for constants in KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL {
        full_round(state, constants);
        commit_all(state, commit);
    }
    for constant in KOALABEAR_POSEIDON2_RC_16_INTERNAL {
        state[0] = commit((state[0].dup() + constant).cube());
        Layers::internal_linear_layer(state);
    }
    let [middle @ .., last] = KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL;
    for constants in middle {
        full_round(state, constants);
        commit_all(state, commit);
    }
    full_round(state, last);
}

fn commit_all<R: Algebra<Val>>(state: &mut [R], commit: &mut impl FnMut(R) -> R) {
    for value in state {
        *value = commit(value.dup());
    }
}

fn full_round<R: Algebra<Val>>(state: &mut [R; WIDTH], constants: [Val; WIDTH]) {
    for (x, constant) in state.iter_mut().zip(constants) {
        *x = (x.dup() + constant).cube();
    }
    Layers::external_linear_layer(state);
}

/// Constrains one compression: all columns follow from the first 16.
pub fn eval<AB: AirBuilder<F = Val>>(builder: &mut AB, columns: &[AB::Var; COLUMNS]) {
    constrain::<Compression, AB>(builder, columns);
}

/// Constrains one permutation: all columns follow from the first 16.
pub(crate) fn eval_permutation<AB: AirBuilder<F = Val>>(
    builder: &mut AB,
    columns: &[AB::Var; PERMUTATION],
) {
    constrain::<Permutation, AB>(builder, columns);
}

fn constrain<F: Function, AB: AirBuilder<F = Val>>(builder: &mut AB, columns: &[AB::Var]) {
    let (input, committed) = columns.split_at(WIDTH);
    let mut committed = committed.iter();
    F::run(std::array::from_fn(|i| input[i].into()), |value: AB::Expr| match committed.next() {
        Some(&column) => {
            builder.assert_eq(value, column);
            column.into()
        }
        None => value,
    });
}

/// The columns of the compression of `input`, of one row or of several packed ones.
pub(crate) fn fill<R: Algebra<Val> + Copy>(input: [R; WIDTH]) -> [R; COLUMNS] {
    fill_but(input, |_, value| value)
}

/// The columns of the permutation of `input`, likewise.
pub(crate) fn fill_permutation<R: Algebra<Val> + Copy>(input: [R; WIDTH]) -> [R; PERMUTATION] {
    fill_permutation_but(input, |_, value| value)
}

/// The columns of a compression by a dishonest prover: `change` gets the place and the value of
/// each column after the input and returns what to go on with.
pub(crate) fn fill_but<R: Algebra<Val> + Copy>(
    input: [R; WIDTH],
    change: impl FnMut(usize, R) -> R,
) -> [R; COLUMNS] {
    run::<Compression, R, COLUMNS>(input, change)
}

/// The columns of a permutation by a dishonest prover, likewise.
pub(crate) fn fill_permutation_but<R: Algebra<Val> + Copy>(
    input: [R; WIDTH],
    change: impl FnMut(usize, R) -> R,
) -> [R; PERMUTATION] {
    run::<Permutation, R, PERMUTATION>(input, change)
}

fn run<F: Function, R: Algebra<Val> + Copy, const N: usize>(
    input: [R; WIDTH],
    mut change: impl FnMut(usize, R) -> R,
) -> [R; N] {
    let mut columns = [R::ZERO; N];
    columns[..WIDTH].copy_from_slice(&input);
    let mut places = columns.iter_mut().enumerate().skip(WIDTH);
    F::run(input, |value| match places.next() {
        Some((at, place)) => {
            *place = change(at, value);
            *place
        }
        None => value,
    });
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::{Check, Lookups},
        counts::Counts,
        symbolic,
        table::{Fill, Shard, Table},
        testing,
    };
    use p3_air::WindowAccess;
    use p3_field::PrimeCharacteristicRing;
    use p3_lookup::InteractionBuilder;
    use p3_matrix::dense::RowMajorMatrix;

    /// One compression a row, and nothing else.
    struct Alone;

    impl Table for Alone {
        const NAME: &'static str = "poseidon2";

        fn columns(&self) -> Vec<String> {
            (0..COLUMNS).map(|i| format!("cell[{i}]")).collect()
        }

        fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
            let main = builder.main();
            let row = main.current_slice();
            super::eval(builder, &std::array::from_fn(|i| row[i]));
        }
    }

    impl Fill for Alone {
        fn rows(&self, _: &Shard<'_>) -> usize {
            0
        }

        fn fill(&self, _: &Shard<'_>, _: usize, _: &Counts) -> RowMajorMatrix<Val> {
            unreachable!("the tests fill it")
        }
    }

    fn state(seed: u32) -> [Val; WIDTH] {
        std::array::from_fn(|i| {
            Val::from_u32(seed.wrapping_mul(2_654_435_761) >> 1) + Val::from_usize(i)
        })
    }

    #[test]
    fn columns_end_with_the_librarys_digest() {
        for seed in [0, 1, 77, u32::MAX] {
            assert_eq!(digest(&fill(state(seed))), compress(state(seed)));
            let (input, mut all) = (state(seed), state(seed));
            default_koalabear_poseidon2_16().permute_mut(&mut all);
            let digest: Digest = std::array::from_fn(|i| all[i] + input[i]);
            assert_eq!(compress(input), digest);
        }
    }

    #[test]
    fn columns_end_with_the_librarys_state() {
        for seed in [0, 1, 77, u32::MAX] {
            let columns = fill_permutation(state(seed));
            assert_eq!(outputs(&columns), permuted(state(seed)));
            assert_eq!(columns[..COLUMNS - DIGEST], fill(state(seed))[..COLUMNS - DIGEST]);
        }
    }

    #[test]
    fn batches_of_any_size_agree_with_single_compressions() {
        for n in [0, 1, Packed::WIDTH - 1, Packed::WIDTH, 3 * Packed::WIDTH + 1] {
            let states: Vec<_> = (0..n as u32).map(state).collect();
            let single: Vec<_> = states.iter().map(|s| compress(*s)).collect();
            assert_eq!(compress_all(&states), single);
        }
    }

    #[test]
    fn constraints_bind_every_column() {
        let values = [fill(state(3)), fill(state(4))].concat();
        let trace = RowMajorMatrix::new(values, COLUMNS);
        let mut check = Check::default();
        check.table(&Alone, &trace, &[]).unwrap();
        check.finish(Lookups::Counted).unwrap();
        let mutations = testing::mutate(&Alone, &trace, &[], [0, 1], &check, 1).unwrap();
        assert_eq!((mutations.refused(), mutations.survivors), (mutations.tried, vec![]));
        assert!(symbolic::degrees(&Alone).allowed());
    }
}
