//! Bytes inside words: what the access table does.

/// The `size` bytes (1, 2 or 4) from byte `first` (modulo 4) of a word and the one after it.
#[inline]
pub(crate) fn extract(words: [u32; 2], first: u32, size: u32) -> u32 {
    let both = words[0] as u64 | (words[1] as u64) << 32;
    (both >> (8 * (first % 4)) & mask(size)) as u32
}

/// The same words after the low `size` bytes of `value` were written to byte `first` (modulo 4).
#[inline]
pub(crate) fn insert(words: [u32; 2], first: u32, size: u32, value: u32) -> [u32; 2] {
    let shift = 8 * (first % 4);
    let both = words[0] as u64 | (words[1] as u64) << 32;
    let both = both & !(mask(size) << shift) | (value as u64 & mask(size)) << shift;
    [both as u32, (both >> 32) as u32]
}

#[inline]
fn mask(size: u32) -> u64 {
    (1 << (8 * size)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_byte_arrays() {
        let words = [0x8362_4120u32, 0xf4e3_d2c1];
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&words[0].to_le_bytes());
        bytes[4..].copy_from_slice(&words[1].to_le_bytes());
        for size in [1, 2, 4] {
            for first in 0..4 {
                let (from, to) = (first as usize, (first + size) as usize);
                let mut value = [0; 4];
                value[..size as usize].copy_from_slice(&bytes[from..to]);
                assert_eq!(extract(words, first, size), u32::from_le_bytes(value));
                let mut after = bytes;
                after[from..to].copy_from_slice(&0x1a2b_3c4du32.to_le_bytes()[..size as usize]);
                let [lo, hi] = insert(words, first, size, 0x1a2b_3c4d);
                assert_eq!(lo.to_le_bytes(), after[..4]);
                assert_eq!(hi.to_le_bytes(), after[4..]);
            }
        }
    }
}
