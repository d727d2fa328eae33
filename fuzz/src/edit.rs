//! Edits of bytes, read from a fuzzer's input: eight bytes each, so that one mutation of the input
//! is one change of the bytes.

/// The order of the field that proofs are about.
const ORDER: u32 = 0x7f00_0001;
/// Numbers that lengths and elements like least.
const NUMBERS: [u32; 8] = [0, 1, 1 << 16, ORDER - 1, ORDER, 1 << 31, u32::MAX - 1, u32::MAX];
/// Most edits of one input.
const MOST: usize = 16;

/// Applies the edits that `input` names.
pub fn apply(bytes: &mut Vec<u8>, input: &[u8]) {
    for edit in input.chunks_exact(8).take(MOST) {
        let (head, tail) = edit.split_at(4);
        let at = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        one(bytes, tail[0], at as usize, [tail[1], tail[2], tail[3]]);
    }
}

fn one(bytes: &mut Vec<u8>, kind: u8, at: usize, value: [u8; 3]) {
    let len = bytes.len().max(1);
    let (at, number) = (at % len, u32::from_le_bytes([value[0], value[1], value[2], 0]) as usize);
    let word = at - at % 4;
    let span = |from: usize, len: usize| from..(from + len).min(bytes.len());
    match kind % 8 {
        0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (value[0] % 8)),
        1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = value[0]),
        2 => put(bytes, at, NUMBERS[number % NUMBERS.len()]),
        // A field element that is not canonical, if there is room for one.
        3 => {
            if let Some(element) = bytes.get(word..word + 4) {
                let element = element.iter().rev().fold(0, |n, byte| n << 8 | u32::from(*byte));
                put(bytes, word, element.wrapping_add(ORDER));
            }
        }
        4 => bytes.truncate(at),
        5 => {
            let more = bytes[span(at, number % 256)].to_vec();
            bytes.splice(at..at, more);
        }
        6 => drop(bytes.drain(span(at, number % 256))),
        // Two stretches change places.
        _ => {
            let (other, size) = ((at + number) % len, 4 * (1 + number % 64));
            if at + size <= other && other + size <= bytes.len() {
                let (left, right) = bytes.split_at_mut(other);
                left[at..at + size].swap_with_slice(&mut right[..size]);
            }
        }
    }
}

fn put(bytes: &mut [u8], at: usize, number: u32) {
    bytes.iter_mut().skip(at).zip(number.to_le_bytes()).for_each(|(byte, new)| *byte = new);
}
