//! The transcript: `p3_challenger::MultiField32Challenger` over a sponge of BN254 elements.

use ark_ff::{AdditiveGroup, Field};
use rwprove_circuits::Val;

use super::{
    bits::{integer, pack},
    int::{BITS, Int},
    poseidon2::WIDTH,
    sponge::{LIMBS, RATE, pack_limbs},
    uint::{P, Uint},
};
use crate::{
    Fr,
    r1cs::{Builder, Wire},
};

/// Challenges in one element of the sponge.
const CHALLENGES: usize = 7;

/// A transcript.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    state: [Wire; WIDTH],
    /// Absorbed elements that are not in the state yet; fewer than sixteen.
    pending: Vec<Int>,
    /// Elements of the state that challenges can still be taken from; taken from the end.
    cells: Vec<Wire>,
    /// Challenges of the last such element; taken from the end.
    challenges: Vec<Int>,
}

impl Transcript {
    /// Absorbs an element.
    pub fn observe(&mut self, builder: &mut Builder, x: &Int) {
        self.forget();
        builder.canonical(x);
        self.pending.push(x.clone());
        if self.pending.len() == RATE * LIMBS {
            self.flush(builder);
        }
    }

    /// Absorbs a digest.
    pub fn observe_digest(&mut self, builder: &mut Builder, digest: &Wire) {
        self.forget();
        self.flush(builder);
        self.absorb(builder, vec![digest.clone()], 1);
    }

    /// Draws an element, as its canonical representative.
    pub fn sample(&mut self, builder: &mut Builder) -> Int {
        self.flush(builder);
        if self.challenges.is_empty() {
            if self.cells.is_empty() {
                self.state = builder.permute(std::mem::take(&mut self.state));
                self.cells = self.state[..RATE].to_vec();
            }
            if let Some(cell) = self.cells.pop() {
                self.challenges = builder.challenges(&cell);
            }
        }
        // An element of the sponge has seven.
        self.challenges.pop().unwrap_or_else(|| Int::constant(Val::new(0)))
    }

    /// A transcript whose next challenges are those of this element.
    #[cfg(test)]
    pub(super) fn with_cell(cell: Wire) -> Self {
        Self { cells: vec![cell], ..Self::default() }
    }

    fn forget(&mut self) {
        self.cells.clear();
        self.challenges.clear();
    }

    fn flush(&mut self, builder: &mut Builder) {
        if self.pending.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        let cells = pending.chunks(LIMBS).map(|limbs| pack_limbs(limbs, Fr::ZERO)).collect();
        self.absorb(builder, cells, pending.len() as u64);
    }

    /// Overwrites the rate, with the number of elements added to the capacity.
    fn absorb(&mut self, builder: &mut Builder, mut cells: Vec<Wire>, length: u64) {
        cells.resize(RATE, Wire::default());
        let [.., capacity] = std::mem::take(&mut self.state);
        cells.push(capacity.plus(&Wire::constant(Fr::from(length))));
        let mut cells = cells.into_iter();
        let state = std::array::from_fn(|_| cells.next().unwrap_or_default());
        self.state = builder.permute(state);
        self.challenges.clear();
        self.cells = self.state[..RATE].to_vec();
    }
}

impl Builder {
    /// The seven low digits to the base p of an element, lowest first.
    ///
    /// What remains above the digits is constrained to be below `r / p^7`, rounded down, for the
    /// order r: so digits and rest are those of the canonical representative. There is no
    /// assignment for the topmost elements, one of 2^37; a prover whose transcript meets one
    /// grinds once more.
    fn challenges(&mut self, cell: &Wire) -> Vec<Int> {
        let mut rest = integer(cell.value());
        let mut top = integer(-Fr::ONE);
        let mut digits = Vec::with_capacity(CHALLENGES);
        let mut sum: Vec<(Fr, Wire)> = Vec::with_capacity(CHALLENGES + 1);
        let mut power = Fr::ONE;
        for _ in 0..CHALLENGES {
            let (quotient, digit) = rest.divide();
            rest = quotient;
            top = top.divide().0;
            let digit = self.int(Val::new(digit));
            self.canonical(&digit);
            sum.push((power, digit.wire()));
            digits.push(digit);
            power *= Fr::from(P);
        }
        // r - 1 = top p^7 + …, so a rest of at most top - 1 keeps the sum below r.
        let bits = self.bits(rest, top.width());
        self.assert_at_most(&bits, top.minus(Uint::new(1)));
        sum.push((power, pack(&bits)));
        let sum = Wire::sum(sum.iter().map(|(k, wire)| (*k, wire)));
        self.enforce_zero(&cell.minus(&sum));
        digits
    }
}

const _: () = assert!(BITS * LIMBS < 253, "a packing must stay below the order");
