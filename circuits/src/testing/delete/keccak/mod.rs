//! Attacks on the `keccak` table, made by hand: each breaks one rule, and everything that follows
//! from it is filled to fit. The permutation is exported, so it says something false.

mod rows;

use std::borrow::BorrowMut;

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use p3_keccak_air::{NUM_KECCAK_COLS, NUM_ROUNDS};
use p3_matrix::dense::RowMajorMatrix;

use self::rows::{
    Cells, Plan, Stage, State, back, cells_of, each_limb, expand, honest_flags, input, random,
    round_constants, settle, theta,
};
use super::{Base, Rule};
use crate::Val;

/// Tries with other states, where an attack asks for luck.
const TRIES: u64 = 400;

/// A trace, if the attack could be made.
type Trace = Option<RowMajorMatrix<Val>>;

/// A trace that breaks the rule alone, if one is known.
pub(super) fn forge(rule: Rule) -> Option<Base> {
    let trace = match rule {
        Rule::Constraint(number) => constraint(number)?,
        // The request, then for each word: what it was, what it is, the gap.
        Rule::Message(number) => {
            let word = number.checked_sub(1).filter(|i| i % 3 == 2)? / 3;
            let mut trace = Plan::default().rows()?;
            let time = (NUM_ROUNDS - 1) * trace.width + NUM_KECCAK_COLS + 1 + word;
            trace.values[time] = Val::from_u32(6);
            trace
        }
    };
    Some(Base { name: format!("forged for {rule}"), trace, publics: Vec::new(), code: Vec::new() })
}

/// The same for a constraint, in the order in which the library states them.
fn constraint(mut number: usize) -> Trace {
    type Forge = fn(usize) -> Trace;
    const GROUPS: [(usize, Forge); 13] = [
        (24, first_flag),
        (24, next_flag),
        (100, first_preimage),
        (100, next_preimage),
        (2, export),
        (5 * 128, columns),
        (5 * 5 * 68, input_bits),
        (320, parity),
        (100, chi),
        (64, first_lane_bit),
        (4, first_lane),
        (4, first_lane_output),
        (100, next_input),
    ];
    for (size, forge) in GROUPS {
        if number < size {
            return forge(number);
        }
        number -= size;
    }
    None
}

fn first_flag(i: usize) -> Trace {
    if i == 0 {
        return Plan { flags: &|_| [Val::ZERO; NUM_ROUNDS], ..Plan::default() }.rows();
    }
    // Two rounds at once: their constants must not stand in each other's way.
    let flags = |row: usize| {
        let (one, other) = (honest_flags(row), honest_flags(row + i));
        std::array::from_fn(|i| one[i] + other[i])
    };
    (0..TRIES)
        .find_map(|seed| Plan { start: random(seed), flags: &flags, ..Plan::default() }.rows())
}

fn next_flag(i: usize) -> Trace {
    let flags = |row| if row <= i { honest_flags(row) } else { [Val::ZERO; NUM_ROUNDS] };
    Plan { flags: &flags, ..Plan::default() }.rows()
}

fn first_preimage(i: usize) -> Trace {
    let mut trace = Plan::default().rows()?;
    for row in 0..NUM_ROUNDS {
        cells_of(&mut trace, row).preimage[i / 20][i / 4 % 5][i % 4] += Val::ONE;
    }
    Some(trace)
}

fn next_preimage(i: usize) -> Trace {
    let mut trace = Plan::default().rows()?;
    for row in 7..NUM_ROUNDS {
        cells_of(&mut trace, row).preimage[i / 20][i / 4 % 5][i % 4] += Val::ONE;
    }
    Some(trace)
}

fn export(i: usize) -> Trace {
    let mut trace = Plan::default().rows()?;
    let (row, value) = [(NUM_ROUNDS - 1, Val::TWO), (5, Val::ONE)][i];
    cells_of(&mut trace, row).export = value;
    Some(trace)
}

/// Bits of `c`, then `c_prime`.
fn columns(i: usize) -> Trace {
    let (x, prime, z) = (i / 128, i / 64 % 2 == 1, i % 64);
    let change = |row, stage, cells: &mut Cells| {
        if (row, stage) != (0, Stage::Bits) {
            return;
        }
        if prime {
            cells.c_prime[x][z] = Val::ONE - cells.c_prime[x][z];
        } else {
            cells.c[x][z] = Val::TWO;
            theta(cells);
        }
        settle(cells, None);
    };
    Plan { change: &change, ..Plan::default() }.rows()
}

/// Bits of `a_prime` and the limbs of `a` that follow from them.
fn input_bits(i: usize) -> Trace {
    let (x, y, at) = (i / 340, i / 68 % 5, i % 68);
    if let Some(limb) = at.checked_sub(64) {
        let change = |row, stage, cells: &mut Cells| {
            if (row, stage) == (0, Stage::Input) {
                cells.a[y][x][limb] += Val::ONE;
            }
        };
        return Plan { change: &change, ..Plan::default() }.rows();
    }
    let double = |cells: &mut Cells| {
        cells.a_prime[y][x][at] = Val::TWO;
        settle(cells, Some(y));
    };
    // In the first round, where the input is the attacker's and the output must be one that the
    // next round takes in.
    let change = |row, stage, cells: &mut Cells| {
        if (row, stage) == (0, Stage::Bits) {
            double(cells);
        }
    };
    let first = |seed| Plan { start: random(seed), change: &change, ..Plan::default() }.rows();
    (0..TRIES / 8).find_map(first).or_else(|| {
        // In the last round, where the output is the attacker's and the input one that the round
        // before gives.
        let last = NUM_ROUNDS - 1;
        (0..TRIES).find_map(|seed| {
            let mut row = vec![Val::ZERO; NUM_KECCAK_COLS];
            let cells: &mut Cells = row.as_mut_slice().borrow_mut();
            expand(cells, &random(seed));
            double(cells);
            let mut state = State::default();
            let mut fits = true;
            each_limb(|y, x, i| {
                let limb = input(cells, y, x, i).as_canonical_u32();
                fits &= limb < 1 << 16;
                state[y][x] |= u64::from(limb) << (16 * i);
            });
            let change = |row, stage, filled: &mut Cells| {
                if (row, stage) == (last, Stage::Bits) {
                    (filled.c, filled.c_prime, filled.a_prime) =
                        (cells.c, cells.c_prime, cells.a_prime);
                }
            };
            let start = back(state, last);
            fits.then(|| Plan { start, change: &change, ..Plan::default() }.rows()).flatten()
        })
    })
}

fn parity(i: usize) -> Trace {
    let (x, z) = (i / 64, i % 64);
    let change = |row, stage, cells: &mut Cells| {
        if (row, stage) == (0, Stage::Bits) {
            cells.a_prime[0][x][z] = Val::ONE - cells.a_prime[0][x][z];
        }
    };
    Plan { change: &change, ..Plan::default() }.rows()
}

/// The limb with its lowest bit flipped.
fn flipped(limb: Val) -> Val {
    Val::from_u32(limb.as_canonical_u32() ^ 1)
}

fn chi(i: usize) -> Trace {
    let change = |row, stage, cells: &mut Cells| {
        if (row, stage) == (0, Stage::Chi) {
            let limb = &mut cells.a_prime_prime[i / 20][i / 4 % 5][i % 4];
            *limb = flipped(*limb);
        }
    };
    Plan { change: &change, ..Plan::default() }.rows()
}

/// A bit that makes up for another one that is wrong, where neither meets a round constant.
fn first_lane_bit(i: usize) -> Trace {
    let constants = round_constants();
    let free = |round: usize, z: usize| constants[round] >> z & 1 == 0;
    let others = (0..NUM_ROUNDS).flat_map(|round| (0..16).map(move |j| (round, i / 16 * 16 + j)));
    let (round, other) =
        others.into_iter().find(|&(round, j)| j != i && free(round, i) && free(round, j))?;
    let change = |row, stage, cells: &mut Cells| {
        if (row, stage) == (round, Stage::FirstLane) {
            let bits = &mut cells.a_prime_prime_0_0_bits;
            let step = Val::ONE - bits[other].double();
            bits[other] += step;
            let weight = |z: usize| Val::from_u32(1 << (z % 16));
            bits[i] -= step * weight(other) * weight(i).inverse();
        }
    };
    Plan { change: &change, ..Plan::default() }.rows()
}

fn first_lane(i: usize) -> Trace {
    let change = |row, stage, cells: &mut Cells| {
        if (row, stage) == (0, Stage::FirstLane) {
            let bit = &mut cells.a_prime_prime_0_0_bits[16 * i + 3];
            *bit = Val::ONE - *bit;
        }
    };
    Plan { change: &change, ..Plan::default() }.rows()
}

fn first_lane_output(i: usize) -> Trace {
    let change = |row, stage, cells: &mut Cells| {
        if (row, stage) == (0, Stage::Output) {
            let limb = &mut cells.a_prime_prime_prime_0_0_limbs[i];
            *limb = flipped(*limb);
        }
    };
    Plan { change: &change, ..Plan::default() }.rows()
}

fn next_input(i: usize) -> Trace {
    let (x, y, limb) = (i / 20, i / 4 % 5, i % 4);
    let state = |row, mut state: State| {
        if row == 5 {
            state[y][x] ^= 1 << (16 * limb);
        }
        state
    };
    Plan { state: &state, ..Plan::default() }.rows()
}
