//! Which bits are flipped: half of them so that every part gets its share, half anywhere.

use std::collections::{BTreeSet, HashSet};

use super::{Change, Subject};

/// At most `count` different flips.
pub(crate) fn draw(subject: &Subject<'_>, count: usize, seed: u64) -> Vec<Change> {
    let mut random = Random(seed);
    let bits = 8 * subject.bytes.len();
    let count = count.min(bits);
    let names: BTreeSet<&str> = subject.parts.iter().map(|part| part.name).collect();
    let by_name: Vec<Vec<usize>> = names
        .iter()
        .map(|name| {
            let parts = subject.parts.iter().filter(|part| part.name == *name);
            parts.flat_map(|part| 8 * part.range.start..8 * part.range.end).collect()
        })
        .filter(|bits: &Vec<usize>| !bits.is_empty())
        .collect();
    let mut drawn = HashSet::new();
    let mut changes = Vec::new();
    for turn in 0.. {
        if drawn.len() == count {
            break;
        }
        let own = &by_name[turn / 2 % by_name.len()];
        let bit = if turn % 2 == 0 { own[random.below(own.len())] } else { random.below(bits) };
        if drawn.insert(bit) {
            let part = subject.parts.iter().find(|p| p.range.contains(&(bit / 8)));
            changes.push(Change {
                part: part.map_or("elsewhere", |part| part.name),
                what: format!("bit {} of byte {}", bit % 8, bit / 8),
                apply: Box::new(move |bytes| {
                    let mut bytes = bytes.to_vec();
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    bytes
                }),
            });
        }
    }
    changes
}

/// splitmix64: the same numbers for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) % n as u64) as usize
    }
}
