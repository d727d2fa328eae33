//! An attack on the tree's hash: its permutation can be computed backwards, so a truncated
//! permutation alone would have any number of inputs for each digest.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use p3_koala_bear::{
    GenericPoseidon2LinearLayersKoalaBear as Layers, KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
    KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL, KOALABEAR_POSEIDON2_RC_16_INTERNAL,
    default_koalabear_poseidon2_16,
};
use p3_poseidon2::GenericPoseidon2LinearLayers;
use p3_symmetric::Permutation;
use rwprove_isa::{
    Instr, Op, Operand,
    layout::{self, CHUNK_WORDS, TREE_DEPTH},
};

use super::{MemoryTree, Node, opening::run_words};
use crate::{
    Val,
    harness::{self, Case, mov, op, program, slot},
    machine::check,
    poseidon2::{DIGEST, Digest, WIDTH, compress},
};

type State = [Val; WIDTH];

/// The linear map backwards, by elimination.
fn backwards(layer: fn(&mut State), state: &mut State) {
    let unit = |i: usize| std::array::from_fn(|j| Val::from_bool(i == j));
    // Row i: image of the unit vector i, then the unit vector itself.
    let mut rows: Vec<(State, State)> = (0..WIDTH)
        .map(|i| {
            let mut image = unit(i);
            layer(&mut image);
            (image, unit(i))
        })
        .collect();
    for i in 0..WIDTH {
        let pivot = (i..WIDTH).find(|&r| rows[r].0[i] != Val::ZERO).unwrap();
        rows.swap(i, pivot);
        let scale = rows[i].0[i].inverse();
        let row = (rows[i].0.map(|x| x * scale), rows[i].1.map(|x| x * scale));
        rows[i] = row;
        for (_, other) in rows.iter_mut().enumerate().filter(|(r, _)| *r != i) {
            let factor = other.0[i];
            for j in 0..WIDTH {
                other.0[j] -= factor * row.0[j];
                other.1[j] -= factor * row.1[j];
            }
        }
    }
    *state = std::array::from_fn(|j| (0..WIDTH).map(|i| state[i] * rows[i].1[j]).sum());
}

fn cube_root(x: Val) -> Val {
    // 3 d = 1 modulo p - 1.
    let order = u64::from(Val::ORDER_U32) - 1;
    let d = (1..3).map(|k| k * order + 1).find(|n| n % 3 == 0).unwrap() / 3;
    x.exp_u64(d)
}

/// What the permutation makes `state` of.
fn before(mut state: State) -> State {
    let external = |state: &mut State| backwards(Layers::external_linear_layer, state);
    let full = |state: &mut State, constants: State| {
        external(state);
        *state = std::array::from_fn(|i| cube_root(state[i]) - constants[i]);
    };
    KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL.into_iter().rev().for_each(|c| full(&mut state, c));
    for constant in KOALABEAR_POSEIDON2_RC_16_INTERNAL.into_iter().rev() {
        backwards(Layers::internal_linear_layer, &mut state);
        state[0] = cube_root(state[0]) - constant;
    }
    KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL.into_iter().rev().for_each(|c| full(&mut state, c));
    external(&mut state);
    state
}

/// Another input that the truncated permutation takes to the digest.
fn another_input(digest: Digest) -> State {
    before(std::array::from_fn(|i| if i < DIGEST { digest[i] } else { Val::from_usize(i) }))
}

#[test]
fn a_digest_does_not_lead_back() {
    let input: State = std::array::from_fn(Val::from_usize);
    let digest = compress(input);
    let other = another_input(digest);
    // The attack is what it says: the permutation goes there.
    let mut state = other;
    default_koalabear_poseidon2_16().permute_mut(&mut state);
    assert_eq!(state[..DIGEST], digest);
    assert_ne!(compress(other), digest);
}

/// Word 0 of memory holds 0; the forged leaf says something else.
const ADDRESS: u32 = layout::MEM;

/// Reads a word and notes whether it is zero.
fn reader() -> Case {
    let load = Instr { b: Operand::Imm(3), c: 1, ..Instr::new(Op::Load) };
    let code = [mov(0, 1), mov(2, 0), load, op(Op::Cmov, 2, 1, slot(0))];
    harness::run(&program(&code, 2), None, 1 << 12).remove(0)
}

/// The shard as if the chunk had held `words` from the start.
fn with_words(mut case: Case, words: State) -> Case {
    let value = [words[0], words[1]].map(|x| x.as_canonical_u32());
    let [.., load, cmov, _] = &mut case.record.cpu[..] else { unreachable!() };
    (load.b, load.c, cmov.a, cmov.c) = (value, value, value, [1, 0]);
    let chunks = &mut case.record.chunks;
    let stack = layout::STACK / CHUNK_WORDS as u32;
    let stack = chunks.iter_mut().find(|c| c.chunk == stack).unwrap();
    (stack.after[1], stack.after[2]) = (value, [1, 0]);
    let mut tree = MemoryTree::start(&case.program, &[], run_words(0, 0)).unwrap();
    case.merkle = tree.apply(chunks).unwrap();
    let index = ADDRESS / CHUNK_WORDS as u32;
    let is_it = |node: &&mut Node| (node.level, node.index) == (TREE_DEPTH as u32, index);
    let leaf = case.merkle.nodes.iter_mut().find(is_it).unwrap();
    (leaf.before, leaf.after) = (words, words);
    case
}

#[test]
fn a_leaf_has_one_content() {
    reader().accepted();
    let zero = [Val::ZERO; WIDTH];
    let forged = with_words(reader(), another_input(compress(zero)));
    assert!(check(&forged.filled()).is_err());
}
