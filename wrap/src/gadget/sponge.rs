//! Hashes of elements and of digests. A digest is one element of BN254's scalar field.

use ark_ff::Field;

use super::{int::Int, poseidon2::WIDTH, uint::Uint};
use crate::{
    Fr,
    gadget::bits::element,
    r1cs::{Builder, Wire},
};

/// KoalaBear elements in one element of BN254's scalar field.
pub(super) const LIMBS: usize = 8;
/// Elements that enter the state with each permutation.
pub(super) const RATE: usize = 2;

/// `sum_i 2^(31 i) (x_i + shift)` of at most eight reduced elements.
pub(super) fn pack_limbs(limbs: &[Int], shift: Fr) -> Wire {
    let mut digits: Vec<(Fr, Wire)> = Vec::with_capacity(2 * limbs.len());
    let (mut power, radix) = (Fr::ONE, element(Uint::new(1 << 31)));
    for limb in limbs {
        digits.push((power, limb.wire()));
        digits.push((power, Wire::constant(shift)));
        power *= radix;
    }
    Wire::sum(digits.iter().map(|(k, wire)| (*k, wire)))
}

impl Builder {
    /// The digest of elements, as `p3_symmetric::MultiField32PaddingFreeSponge` has it.
    ///
    /// The elements are reduced to 31 bits, but not canonical. A digit of the packing is the
    /// integer plus one, so in 1..=2^31: with the radix 2^31 every sum has one such form only, so
    /// the digest still binds all integers, and their number up to sixteen.
    pub fn hash(&mut self, elements: &[Int]) -> Wire {
        let mut state: [Wire; WIDTH] = Default::default();
        elements.iter().for_each(|x| self.reduce(x));
        for block in elements.chunks(RATE * LIMBS) {
            for (x, limbs) in state.iter_mut().zip(block.chunks(LIMBS)) {
                *x = pack_limbs(limbs, Fr::ONE);
            }
            state = self.permute(state);
        }
        let [digest, ..] = state;
        digest
    }

    /// The parent of two digests, as `p3_symmetric::TruncatedPermutation` has it.
    pub fn compress(&mut self, left: &Wire, right: &Wire) -> Wire {
        let [digest, ..] = self.permute([left.clone(), right.clone(), Wire::default()]);
        digest
    }

    /// One step of a Merkle path: the parent of `node` and its sibling, which stands on the left
    /// if the bit is set.
    pub fn climb_step(&mut self, node: &Wire, right: &Wire, sibling: &Wire) -> Wire {
        let shift = self.product(right, &sibling.minus(node));
        self.compress(&node.plus(&shift), &sibling.minus(&shift))
    }
}
