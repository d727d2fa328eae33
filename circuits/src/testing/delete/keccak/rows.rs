//! The rows of a permutation, filled step by step so that any step can go wrong.

use std::borrow::{Borrow, BorrowMut};

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_keccak_air::{KeccakCols, NUM_KECCAK_COLS, NUM_ROUNDS, generate_trace_rows};
use p3_matrix::dense::RowMajorMatrix;

use crate::{Val, keccak::Keccak, table::Table};

pub(super) type Cells = KeccakCols<Val>;
/// Lane `x` of plane `y` is at `[y][x]`.
pub(super) type State = [[u64; 5]; 5];

/// Rows of the smallest table.
const HEIGHT: usize = 32;
/// When a change is made: each is before what follows from it is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The bits `c`, `c_prime` and `a_prime` of the row stand.
    Bits,
    /// And the input `a`.
    Input,
    /// And `a_prime_prime`.
    Chi,
    /// And the bits of its first lane.
    FirstLane,
    /// And the output.
    Output,
}

/// A change of one row while it is filled.
pub(super) type Change<'a> = &'a dyn Fn(usize, Stage, &mut Cells);

fn bit(x: u64, z: usize) -> Val {
    Val::from_bool(x >> z & 1 == 1)
}

fn xor(x: Val, y: Val) -> Val {
    x + y - (x * y).double()
}

/// The number whose bits, lowest first, these are.
fn limb(bit: impl Fn(usize) -> Val, limb: usize) -> Val {
    (0..16).rev().fold(Val::ZERO, |sum, i| sum.double() + bit(16 * limb + i))
}

pub(super) fn random(seed: u64) -> State {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0;
    [(); 5].map(|()| {
        [(); 5].map(|()| {
            state =
                state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
            state ^ state >> 29
        })
    })
}

/// The constants of all rounds, read off an honest permutation.
pub(super) fn round_constants() -> Vec<u64> {
    let trace = generate_trace_rows::<Val>(vec![[0; 25]], 0);
    let lane = |limbs: &[Val; 4]| -> u64 {
        limbs.iter().rev().fold(0, |x, l| x << 16 | u64::from(l.as_canonical_u32()))
    };
    let constant = |row: &[Val]| {
        let cells: &Cells = row.borrow();
        lane(&cells.a_prime_prime[0][0]) ^ lane(&cells.a_prime_prime_prime_0_0_limbs)
    };
    trace.values.chunks_exact(NUM_KECCAK_COLS).take(NUM_ROUNDS).map(constant).collect()
}

/// Makes the bits of a row from its input.
pub(super) fn expand(cells: &mut Cells, state: &State) {
    for (x, column) in cells.c.iter_mut().enumerate() {
        let sum = state.iter().fold(0, |sum, plane| sum ^ plane[x]);
        for (z, cell) in column.iter_mut().enumerate() {
            *cell = bit(sum, z);
        }
    }
    theta(cells);
    for (y, plane) in state.iter().enumerate() {
        for (x, lane) in plane.iter().enumerate() {
            for z in 0..64 {
                let d = xor(cells.c[x][z], cells.c_prime[x][z]);
                cells.a_prime[y][x][z] = xor(bit(*lane, z), d);
            }
        }
    }
}

pub(super) fn theta(cells: &mut Cells) {
    for x in 0..5 {
        for z in 0..64 {
            let other = xor(cells.c[(x + 4) % 5][z], cells.c[(x + 1) % 5][(z + 63) % 64]);
            cells.c_prime[x][z] = xor(cells.c[x][z], other);
        }
    }
}

/// Makes the sums of the columns of `a_prime` fit `c_prime`, by flipping bits of other planes.
pub(super) fn settle(cells: &mut Cells, keep: Option<usize>) {
    for x in 0..5 {
        for z in 0..64 {
            let wanted = [0, 2, 4].map(|n| cells.c_prime[x][z] + Val::from_u32(n));
            let planes: Vec<_> = (0..5).filter(|y| Some(*y) != keep).collect();
            let fits =
                |cells: &Cells| wanted.contains(&(0..5).map(|y| cells.a_prime[y][x][z]).sum());
            let flip = |cells: &mut Cells, flips: u32| {
                for (i, &y) in planes.iter().enumerate() {
                    if flips >> i & 1 == 1 {
                        cells.a_prime[y][x][z] = Val::ONE - cells.a_prime[y][x][z];
                    }
                }
            };
            for flips in 0..1 << planes.len() {
                flip(cells, flips);
                if fits(cells) {
                    break;
                }
                flip(cells, flips);
            }
        }
    }
}

pub(super) fn input(cells: &Cells, y: usize, x: usize, i: usize) -> Val {
    let bit = |z: usize| xor(cells.a_prime[y][x][z], xor(cells.c[x][z], cells.c_prime[x][z]));
    limb(bit, i)
}

pub(super) fn each_limb(mut f: impl FnMut(usize, usize, usize)) {
    (0..100).for_each(|i| f(i / 20, i / 4 % 5, i % 4));
}

/// Fills what follows from the bits of a row.
fn complete(cells: &mut Cells, row: usize, constants: &[u64], change: Change<'_>) {
    change(row, Stage::Bits, cells);
    each_limb(|y, x, i| cells.a[y][x][i] = input(cells, y, x, i));
    change(row, Stage::Input, cells);
    each_limb(|y, x, i| {
        let chi = |z: usize| {
            let [b0, b1, b2] = [0, 1, 2].map(|i| cells.b((x + i) % 5, y, z));
            xor((Val::ONE - b1) * b2, b0)
        };
        cells.a_prime_prime[y][x][i] = limb(chi, i);
    });
    change(row, Stage::Chi, cells);
    for z in 0..64 {
        let limb = cells.a_prime_prime[0][0][z / 16].as_canonical_u32();
        cells.a_prime_prime_0_0_bits[z] = bit(limb.into(), z % 16);
    }
    change(row, Stage::FirstLane, cells);
    for i in 0..4 {
        let iota = |z: usize| {
            let flags = cells.step_flags.iter().zip(constants);
            let constant: Val = flags.map(|(&flag, &rc)| flag * bit(rc, z)).sum();
            xor(constant, cells.a_prime_prime_0_0_bits[z])
        };
        cells.a_prime_prime_prime_0_0_limbs[i] = limb(iota, i);
    }
    change(row, Stage::Output, cells);
}

/// The output of a row, if it is one that a row can take in.
fn output(cells: &Cells) -> Option<State> {
    let mut state = State::default();
    let mut fits = true;
    each_limb(|y, x, i| {
        let limb = cells.a_prime_prime_prime(y, x, i).as_canonical_u32();
        fits &= limb < 1 << 16;
        state[y][x] |= u64::from(limb) << (16 * i);
    });
    fits.then_some(state)
}

/// How a trace is made.
pub(super) struct Plan<'a> {
    pub(super) start: State,
    /// The flags of each row.
    pub(super) flags: &'a dyn Fn(usize) -> [Val; NUM_ROUNDS],
    pub(super) change: Change<'a>,
    /// What a row takes in instead of what it is given.
    pub(super) state: &'a dyn Fn(usize, State) -> State,
}

pub(super) fn honest_flags(row: usize) -> [Val; NUM_ROUNDS] {
    std::array::from_fn(|i| Val::from_bool(i == row % NUM_ROUNDS))
}

impl Default for Plan<'_> {
    fn default() -> Self {
        let start = random(1);
        Self { start, flags: &honest_flags, change: &|_, _, _| {}, state: &|_, state| state }
    }
}

impl Plan<'_> {
    /// All rows; permutations begin where the flags say so.
    pub(super) fn rows(&self) -> Option<RowMajorMatrix<Val>> {
        let constants = round_constants();
        let width = Keccak.columns().len();
        let mut values = Val::zero_vec(HEIGHT * width);
        let mut state = self.start;
        let mut preimage = [[[Val::ZERO; 4]; 5]; 5];
        let mut restart = true;
        for (row, values) in values.chunks_exact_mut(width).enumerate() {
            let (inner, ours) = values.split_at_mut(NUM_KECCAK_COLS);
            let cells: &mut Cells = inner.borrow_mut();
            cells.step_flags = (self.flags)(row);
            state = (self.state)(row, state);
            expand(cells, &state);
            complete(cells, row, &constants, self.change);
            // Otherwise it has no bits.
            let has_bits = |limb: &Val| limb.as_canonical_u32() < 1 << 16;
            if !cells.a_prime_prime[0][0].iter().all(has_bits) {
                return None;
            }
            if restart {
                preimage = cells.a;
            }
            cells.preimage = preimage;
            restart = cells.step_flags[NUM_ROUNDS - 1] == Val::ONE;
            if restart {
                cells.export = Val::from_bool(row < NUM_ROUNDS);
                ours[0] = Val::from_u32(4);
                state = self.start;
            } else if row + 1 < HEIGHT {
                state = output(cells)?;
            }
        }
        Some(RowMajorMatrix::new(values, width))
    }
}

pub(super) fn cells_of(trace: &mut RowMajorMatrix<Val>, row: usize) -> &mut Cells {
    trace.values[row * trace.width..][..NUM_KECCAK_COLS].borrow_mut()
}

/// What becomes of a state one round before, without the constant.
fn round_back(state: &State) -> State {
    // Chi, row by row of five bits: the one that is mapped to these bits.
    let chi = |row: u32| {
        (0..5).fold(0, |out, x| {
            let at = |i: usize| row >> ((x + i) % 5) & 1;
            out | (at(0) ^ (at(1) ^ 1) & at(2)) << x
        })
    };
    let mut b = State::default();
    for y in 0..5 {
        for z in 0..64 {
            let out = (0..5).fold(0, |row, x| row | ((state[y][x] >> z & 1) as u32) << x);
            let row = (0..32).find(|&row| chi(row) == out).unwrap_or(0);
            for (x, lane) in b[y].iter_mut().enumerate() {
                *lane |= u64::from(row >> x & 1) << z;
            }
        }
    }
    // Rho and pi, as the library's columns have them: where does each bit of `a_prime` go?
    let mut a = State::default();
    let mut rotated = vec![Val::ZERO; NUM_KECCAK_COLS];
    let cells: &mut Cells = rotated.as_mut_slice().borrow_mut();
    for (y, plane) in (0..).zip(&mut cells.a_prime) {
        for (x, lane) in (0..).zip(plane) {
            for (z, cell) in (0..).zip(lane) {
                *cell = Val::from_u32((y * 5 + x) * 64 + z);
            }
        }
    }
    for (y, plane) in b.iter().enumerate() {
        for (x, lane) in plane.iter().enumerate() {
            for z in 0..64 {
                let from = cells.b(x, y, z).as_canonical_u32() as usize;
                a[from / 320][from / 64 % 5] |= (lane >> z & 1) << (from % 64);
            }
        }
    }
    // Theta has the order 192.
    for _ in 0..191 {
        let c: [u64; 5] = std::array::from_fn(|x| (0..5).fold(0, |c, y| c ^ a[y][x]));
        for plane in &mut a {
            for (x, lane) in plane.iter_mut().enumerate() {
                *lane ^= c[(x + 4) % 5] ^ c[(x + 1) % 5].rotate_left(1);
            }
        }
    }
    a
}

/// The first input of a permutation whose round `round` takes in the state.
pub(super) fn back(mut state: State, round: usize) -> State {
    let constants = round_constants();
    for constant in constants[..round].iter().rev() {
        state[0][0] ^= constant;
        state = round_back(&state);
    }
    state
}
