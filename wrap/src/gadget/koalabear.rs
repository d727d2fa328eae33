//! Poseidon2 over KoalaBear at width 16: the hash by which circuits below say what they say.
//!
//! Constants and linear layers are the library's, as in `rwprove_circuits::poseidon2`; here sums are
//! free and a cube is reduced as a whole. In partial rounds all but one element only go through
//! linear layers, so they are kept as sums over the elements before these rounds and the cubes.

use std::array::from_fn;

use p3_field::PrimeCharacteristicRing;
use p3_koala_bear::{
    GenericPoseidon2LinearLayersKoalaBear as Layers, KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
    KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL, KOALABEAR_POSEIDON2_RC_16_INTERNAL,
};
use p3_poseidon2::GenericPoseidon2LinearLayers;
use rwprove_circuits::Val;

use super::Int;
use crate::r1cs::Builder;

const WIDTH: usize = 16;
/// Elements absorbed by a permutation, and elements of a digest.
const RATE: usize = 8;
/// An element is reduced before a cube of more bits, which would cost more.
const CUBE_BITS: usize = 128;

type State = [Int; WIDTH];
/// What an element adds to each element of the state.
type Column = [Val; WIDTH];

/// The unit vectors.
fn units() -> Vec<Column> {
    (0..WIDTH).map(|i| from_fn(|j| Val::from_bool(i == j))).collect()
}

impl Builder {
    /// The digest of elements in the library's `PaddingFreeSponge`.
    pub fn koalabear_hash(&mut self, elements: &[Int]) -> [Int; RATE] {
        let mut state: State = from_fn(|_| Int::constant(Val::ZERO));
        for chunk in elements.chunks(RATE) {
            state[..chunk.len()].clone_from_slice(chunk);
            state = permute(self, &state);
        }
        from_fn(|i| state[i].clone())
    }
}

/// The permutation.
fn permute(b: &mut Builder, state: &State) -> State {
    let mut columns = units();
    columns.iter_mut().for_each(Layers::external_linear_layer);
    let mut state = combine(b, state, &columns);
    for constants in &KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL {
        state = full_round(b, &state, constants, &columns);
    }
    state = partial_rounds(b, &state);
    for constants in &KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL {
        state = full_round(b, &state, constants, &columns);
    }
    state
}

fn full_round(b: &mut Builder, state: &State, constants: &Column, columns: &[Column]) -> State {
    let cubes: State = from_fn(|i| cube(b, &state[i], constants[i]));
    combine(b, &cubes, columns)
}

fn partial_rounds(b: &mut Builder, state: &State) -> State {
    let (mut elements, mut columns) = (state.to_vec(), units());
    for constant in KOALABEAR_POSEIDON2_RC_16_INTERNAL {
        let first: Vec<_> = columns.iter().map(|c| c[0]).zip(&elements).collect();
        let first = b.linear(&first, Val::ZERO);
        elements.push(cube(b, &first, constant));
        columns.iter_mut().for_each(|column| column[0] = Val::ZERO);
        columns.push(from_fn(|i| Val::from_bool(i == 0)));
        columns.iter_mut().for_each(Layers::internal_linear_layer);
    }
    combine(b, &elements, &columns)
}

/// `(x + constant)^3`, reduced.
fn cube(b: &mut Builder, x: &Int, constant: Val) -> Int {
    let x = b.linear(&[(Val::ONE, x)], constant);
    if 3 * x.bound().width() > CUBE_BITS {
        b.reduce(&x);
    }
    let square = b.long_product(&x, &x);
    let cube = b.long_product(&square, &x);
    b.reduce(&cube);
    cube
}

/// The state to which each element adds its column.
fn combine(b: &mut Builder, elements: &[Int], columns: &[Column]) -> State {
    from_fn(|i| {
        let terms: Vec<_> = columns.iter().map(|column| column[i]).zip(elements).collect();
        b.linear(&terms, Val::ZERO)
    })
}

#[cfg(test)]
mod tests {
    use p3_koala_bear::default_koalabear_poseidon2_16;
    use p3_symmetric::CryptographicHasher;
    use rwprove_verifier::config::Sponge;

    use super::*;

    /// Digest, constraints, and whether they hold.
    fn hashed(elements: &[Val]) -> ([Val; RATE], usize, bool) {
        let mut b = Builder::new(&[]);
        let ints: Vec<Int> = elements.iter().map(|x| b.int(*x)).collect();
        let before = b.constraints();
        let digest = b.koalabear_hash(&ints);
        let count = b.constraints() - before;
        let digest = digest.map(|x| x.value());
        let (circuit, assignment) = b.finish();
        (digest, count, circuit.unwrap().broken(&assignment.values).is_none())
    }

    #[test]
    fn digests_are_the_librarys() {
        let sponge = Sponge::new(default_koalabear_poseidon2_16());
        let mut counts = Vec::new();
        for length in [1, 7, 8, 9, 16, 79] {
            let small: Vec<Val> = (0..length).map(|i| Val::from_usize(i * i)).collect();
            let large: Vec<Val> = small.iter().map(|x| -*x - Val::ONE).collect();
            for elements in [small, large] {
                let (digest, count, holds) = hashed(&elements);
                assert_eq!(digest, sponge.hash_iter(elements), "{length}");
                assert!(holds, "{length}");
                counts.push(count);
            }
        }
        // The constraints do not depend on the values.
        assert!(counts.chunks_exact(2).all(|pair| pair[0] == pair[1]), "{counts:?}");
        assert!(counts[0] < 20_000, "{}", counts[0]);
    }

    #[test]
    fn another_digest_is_refused() {
        let mut b = Builder::new(&[]);
        let ints: Vec<Int> = (0..9).map(|i| b.int(Val::from_usize(i))).collect();
        let digest = b.koalabear_hash(&ints);
        for (i, x) in digest.iter().enumerate() {
            let other = b.int(x.value() + Val::from_bool(i == 7));
            b.int_assert_eq(x, &other);
        }
        let (circuit, assignment) = b.finish();
        assert!(circuit.unwrap().broken(&assignment.values).is_some());
    }
}
