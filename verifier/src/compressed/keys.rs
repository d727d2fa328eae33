//! Sets of keys: Merkle trees over the keys that proofs of a layer may have.

use p3_symmetric::{CryptographicHasher, PseudoCompressionFunction};

use crate::config::{Compression, Digest, Sponge};

/// A set of keys, as the tree over their hashes.
#[derive(Clone, Debug)]
pub struct KeySet {
    /// From the hashes of the keys, filled with the last one to a power of two, to the root.
    levels: Vec<Vec<Digest>>,
}

impl KeySet {
    /// The set of these keys, in this order. An empty set has the digest of nothing.
    pub fn new(keys: &[Digest]) -> Self {
        let permutation = p3_koala_bear::default_koalabear_poseidon2_16();
        let (sponge, compression) =
            (Sponge::new(permutation.clone()), Compression::new(permutation));
        // The hash of a key, so that no inner node can be taken for one.
        let mut nodes: Vec<Digest> = keys.iter().map(|key| sponge.hash_iter(*key)).collect();
        let last = nodes.last().copied().unwrap_or_default();
        nodes.resize(keys.len().next_power_of_two(), last);
        let mut levels = vec![nodes];
        while let Some(nodes) = levels.last().filter(|nodes| nodes.len() > 1) {
            let parents = nodes.chunks_exact(2).map(|two| compression.compress([two[0], two[1]]));
            levels.push(parents.collect());
        }
        Self { levels }
    }

    /// Levels below the root.
    pub fn depth(&self) -> usize {
        self.levels.len() - 1
    }

    /// The digest of the set.
    pub fn root(&self) -> Digest {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or_default()
    }

    /// The siblings from a place to the root, lowest first; `None` if there is no such place.
    pub fn path(&self, place: usize) -> Option<Vec<Digest>> {
        let inner = &self.levels[..self.depth()];
        self.levels[0].get(place)?;
        let siblings = inner.iter().enumerate().map(|(level, nodes)| nodes[(place >> level) ^ 1]);
        Some(siblings.collect())
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use rwprove_circuits::Val;

    use super::*;

    #[test]
    fn paths_lead_to_the_root() {
        let compression = Compression::new(p3_koala_bear::default_koalabear_poseidon2_16());
        for count in [1, 2, 3, 5, 8] {
            let keys: Vec<_> = (0..count).map(|i| [Val::from_usize(i + 1); 8]).collect();
            let set = KeySet::new(&keys);
            assert_eq!(1 << set.depth(), count.next_power_of_two());
            for place in 0..count {
                let start = set.levels[0][place];
                let path = set.path(place).unwrap().into_iter().enumerate();
                let root = path.fold(start, |node, (level, sibling)| {
                    compression.compress(match place >> level & 1 {
                        0 => [node, sibling],
                        _ => [sibling, node],
                    })
                });
                assert_eq!(root, set.root());
            }
            assert_eq!(set.path(1 << set.depth()), None);
            // Every key counts, and its place.
            let mut other = keys.clone();
            other[count - 1] = [Val::ZERO; 8];
            assert_ne!(KeySet::new(&other).root(), set.root());
        }
    }
}
