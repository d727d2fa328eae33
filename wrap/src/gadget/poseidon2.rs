//! The Poseidon2 permutation over BN254's scalar field at width 3.

use ark_ff::{AdditiveGroup, BigInt, Field};

use crate::{
    Fr, constants,
    constants::Limbs,
    r1cs::{Builder, Wire},
};

/// Elements of the state.
pub const WIDTH: usize = 3;

/// One half.
const HALF: Fr = Fr::new(BigInt([
    0xa1f0fac9f8000001,
    0x9419f4243cdcb848,
    0xdc2822db40c0ac2e,
    0x183227397098d014,
]));

fn constant(limbs: Limbs) -> Wire {
    Wire::constant(Fr::new(BigInt(limbs)))
}

impl Builder {
    /// The permutation: 240 constraints, three for each of the 80 fifth powers.
    pub fn permute(&mut self, mut state: [Wire; WIDTH]) -> [Wire; WIDTH] {
        external(&mut state);
        for constants in &constants::INITIAL {
            self.full_round(&mut state, constants);
        }
        for constants in &constants::PARTIAL {
            self.partial_round(&mut state, *constants);
        }
        for constants in &constants::TERMINAL {
            self.full_round(&mut state, constants);
        }
        state
    }

    fn full_round(&mut self, state: &mut [Wire; WIDTH], constants: &[Limbs; WIDTH]) {
        for (x, c) in state.iter_mut().zip(constants) {
            *x = x.plus(&constant(*c));
            let fourth = self.fourth_power(x);
            *x = self.product(&fourth, x);
        }
        external(state);
    }

    /// The fifth power of the first element, then the matrix `1 + diag(1, 1, 2)`. The new variable
    /// is what the first element becomes, not the power: the next round's factors are then short,
    /// where they would else be combinations of the powers of all rounds before.
    fn partial_round(&mut self, [x, y, z]: &mut [Wire; WIDTH], c: Limbs) {
        let input = x.plus(&constant(c));
        let fourth = self.fourth_power(&input);
        let fifth = fourth.value() * input.value();
        let rest = y.plus(z);
        let next = if input.is_constant() {
            rest.plus(&Wire::constant(fifth.double()))
        } else {
            let next = self.witness(fifth.double() + rest.value());
            // fourth · input = (next - y - z) / 2
            self.enforce(&fourth, &input, &next.minus(&rest).times(HALF));
            next
        };
        // All elements: the sum, and themselves; the sum is `(next + y + z) / 2`.
        let sum = next.plus(&rest).times(HALF);
        *x = next;
        *y = y.plus(&sum);
        *z = z.times(Fr::from(2)).plus(&sum);
    }

    fn fourth_power(&mut self, x: &Wire) -> Wire {
        let square = self.product(x, x);
        self.product(&square, &square)
    }
}

/// The matrix of full rounds, `circ(2, 1, 1)`.
fn external(state: &mut [Wire; WIDTH]) {
    let sum = Wire::sum(state.iter().map(|x| (Fr::ONE, x)));
    state.iter_mut().for_each(|x| *x = x.plus(&sum));
}
