//! The memory tree in a circuit.

use rwprove_circuits::{
    merkle::opening::Nodes,
    poseidon2::{self, WIDTH},
};
use rwprove_verifier::config::DIGEST;

use crate::backend::Backend;
use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::Val;

/// A backend as the one who computes nodes.
pub(super) struct InCircuit<'a, B>(pub(super) &'a mut B);

impl<B: Backend> Nodes for InCircuit<'_, B> {
    type Node = B::Digest;

    fn constant(&mut self, digest: poseidon2::Digest) -> B::Digest {
        let elements = digest.map(|element| self.0.felt(element));
        self.0.digest(&elements)
    }

    /// The memory tree adds the first half of the input to that of the output.
    fn parent(&mut self, left: &B::Digest, right: &B::Digest) -> B::Digest {
        let b = &mut *self.0;
        let truncated = b.compress(left, right);
        let truncated = b.elements(&truncated);
        let input = b.elements(left);
        let sum = std::array::from_fn(|i| {
            b.linear(&[(Val::ONE, &truncated[i]), (Val::ONE, &input[i])], Val::ZERO)
        });
        b.digest(&sum)
    }
}

/// The leaf of a chunk, given its words as limbs.
pub(super) fn leaf<B: Backend>(b: &mut B, limbs: &[B::Felt; WIDTH]) -> B::Digest {
    const { assert!(WIDTH == 2 * DIGEST) }
    let left = std::array::from_fn(|i| limbs[i].clone());
    let right = std::array::from_fn(|i| limbs[DIGEST + i].clone());
    let (left, right) = (b.digest(&left), b.digest(&right));
    InCircuit(b).parent(&left, &right)
}
