//! The transcript: the library's duplex sponge, with a grinding search that always returns the
//! smallest witness, so that proofs do not depend on the number of threads.

use p3_challenger::{
    CanObserve, CanSample, CanSampleBits, DuplexChallenger, FieldChallenger, GrindingChallenger,
};
use p3_field::{BasedVectorSpace, Field, PackedValue, PrimeCharacteristicRing, PrimeField32};
use p3_symmetric::Permutation as _;
use rwprove_circuits::Val;

use crate::config::{Commitment, Permutation};

const WIDTH: usize = 16;
const RATE: usize = 8;
type Packing = <Val as Field>::Packing;

/// The transcript of a proof.
#[derive(Clone, Debug)]
pub struct Challenger(DuplexChallenger<Val, Permutation, WIDTH, RATE>);

impl Challenger {
    /// A transcript without content.
    pub fn new(permutation: Permutation) -> Self {
        Self(DuplexChallenger::new(permutation))
    }

    /// The smallest witness among `Packing::WIDTH` ones from `first` on.
    fn search(&self, first: u32, mask: u32) -> Option<Val> {
        let position = self.0.input_buffer.len();
        let absorbed = Val::from_usize(position + 1);
        let candidate = |lane| Val::from_u32(first.saturating_add(lane as u32));
        // What absorbing one more element makes of the sponge, for all candidates at once.
        let mut state: [Packing; WIDTH] = core::array::from_fn(|i| match i {
            _ if i < position => self.0.input_buffer[i].into(),
            _ if i == position => Packing::from_fn(candidate),
            _ if i < RATE => Packing::ZERO,
            RATE => (self.0.sponge_state[i] + absorbed).into(),
            _ => self.0.sponge_state[i].into(),
        });
        self.0.permutation.permute_mut(&mut state);
        let samples = state[RATE - 1].as_slice();
        let lane = samples.iter().position(|s| s.as_canonical_u32() & mask == 0)?;
        Some(candidate(lane))
    }
}

impl GrindingChallenger for Challenger {
    type Witness = Val;

    fn grind(&mut self, bits: usize) -> Val {
        if bits == 0 {
            return Val::ZERO;
        }
        let mask = (1 << bits) - 1;
        // The expected search is 2^bits long and bits are at most 20, so the field suffices.
        let witness = (0..Val::ORDER_U32)
            .step_by(Packing::WIDTH)
            .find_map(|first| self.search(first, mask))
            .unwrap_or_default();
        let _ = self.check_witness(bits, witness);
        witness
    }
}

impl CanObserve<Val> for Challenger {
    fn observe(&mut self, value: Val) {
        self.0.observe(value);
    }
}

impl CanObserve<Commitment> for Challenger {
    fn observe(&mut self, value: Commitment) {
        self.0.observe(value);
    }
}

impl<E: BasedVectorSpace<Val>> CanSample<E> for Challenger {
    fn sample(&mut self) -> E {
        self.0.sample()
    }
}

impl CanSampleBits<usize> for Challenger {
    fn sample_bits(&mut self, bits: usize) -> usize {
        self.0.sample_bits(bits)
    }
}

impl FieldChallenger<Val> for Challenger {}

#[cfg(test)]
mod tests {
    use p3_koala_bear::default_koalabear_poseidon2_16;

    use super::*;

    #[test]
    fn grinding_finds_the_smallest_witness_at_every_fill() {
        for fill in 0..=RATE {
            let mut challenger = Challenger::new(default_koalabear_poseidon2_16());
            for i in 0..fill {
                challenger.observe(Val::from_usize(i + 1));
            }
            let smallest = (0..)
                .map(Val::from_u32)
                .find(|&w| challenger.clone().check_witness(7, w))
                .expect("there is one");
            let before = challenger.clone();
            assert_eq!(challenger.grind(7), smallest);
            assert!(before.clone().check_witness(7, smallest));
            // Both sides go on alike.
            let mut verifier = before;
            assert!(verifier.check_witness(7, smallest));
            assert_eq!(
                CanSample::<Val>::sample(&mut verifier),
                CanSample::<Val>::sample(&mut challenger)
            );
        }
    }

    #[test]
    fn no_bits_need_no_work() {
        let mut challenger = Challenger::new(default_koalabear_poseidon2_16());
        assert_eq!(challenger.grind(0), Val::ZERO);
    }
}
