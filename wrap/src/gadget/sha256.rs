//! SHA-256 of messages of a fixed length.

use std::array::from_fn;

use ark_ff::{AdditiveGroup, Field};

use super::bits::{integer, pack};
use crate::{
    Fr,
    r1cs::{Builder, Wire},
};

/// A word of 32 bits, lowest first.
type Word = [Wire; 32];

/// The first 32 bits of the fractional parts of the square roots of the first eight primes.
const START: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
const ROUNDS: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

fn word(value: u32) -> Word {
    from_fn(|i| Wire::constant(Fr::from(value >> i & 1)))
}

/// The word moved to the right by `n`, the low bits coming in from above.
fn rotate(x: &Word, n: usize) -> Word {
    from_fn(|i| x[(i + n) % 32].clone())
}

/// The word moved to the right by `n`, zeros coming in from above.
fn shift(x: &Word, n: usize) -> Word {
    from_fn(|i| x.get(i + n).cloned().unwrap_or_default())
}

impl Builder {
    /// The digest of bytes, each eight bits lowest first; the digest likewise. About 27,000
    /// constraints for each block of 64 bytes.
    pub fn sha256(&mut self, message: &[[Wire; 8]]) -> Vec<[Wire; 8]> {
        let byte =
            |value: u8| -> [Wire; 8] { from_fn(|i| Wire::constant(Fr::from(value >> i & 1))) };
        let mut padded = message.to_vec();
        padded.push(byte(0x80));
        while padded.len() % 64 != 56 {
            padded.push(byte(0));
        }
        padded.extend((8 * message.len() as u64).to_be_bytes().map(byte));
        let mut state = START.map(word);
        for block in padded.chunks_exact(64) {
            let words = from_fn(|i| big_endian(&block[4 * i..4 * i + 4]));
            self.sha256_block(&mut state, words);
        }
        state.iter().flat_map(bytes).collect()
    }

    fn sha256_block(&mut self, state: &mut [Word; 8], message: [Word; 16]) {
        let mut schedule: Vec<Word> = message.into();
        for i in 16..64 {
            let (a, b) = (schedule[i - 15].clone(), schedule[i - 2].clone());
            let a = self.xor3(&rotate(&a, 7), &rotate(&a, 18), &shift(&a, 3));
            let b = self.xor3(&rotate(&b, 17), &rotate(&b, 19), &shift(&b, 10));
            let next = self.sum32(&[&schedule[i - 16], &a, &schedule[i - 7], &b], 0);
            schedule.push(next);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state.clone();
        for (constant, message) in ROUNDS.iter().zip(&schedule) {
            let mixed = self.xor3(&rotate(&e, 6), &rotate(&e, 11), &rotate(&e, 25));
            let chosen = self.choose_bits(&e, &f, &g);
            let majority = self.majority(&a, &b, &c);
            let other = self.xor3(&rotate(&a, 2), &rotate(&a, 13), &rotate(&a, 22));
            let first = [&h, &mixed, &chosen, message];
            let next_e = self.sum32(&[&[&d], &first[..]].concat(), *constant);
            let next_a = self.sum32(&[&first[..], &[&other, &majority]].concat(), *constant);
            (h, g, f, e, d, c, b, a) = (g, f, e, next_e, c, b, a, next_a);
        }
        for (x, y) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *x = self.sum32(&[x, &y], 0);
        }
    }

    /// `x ^ y`, bit by bit.
    fn xor(&mut self, x: &Wire, y: &Wire) -> Wire {
        let both = self.product(x, y);
        Wire::sum([(Fr::ONE, x), (Fr::ONE, y), (-Fr::ONE.double(), &both)])
    }

    fn xor3(&mut self, x: &Word, y: &Word, z: &Word) -> Word {
        from_fn(|i| {
            let two = self.xor(&x[i], &y[i]);
            self.xor(&two, &z[i])
        })
    }

    /// The bits of `y` where those of `x` are set, else those of `z`.
    fn choose_bits(&mut self, x: &Word, y: &Word, z: &Word) -> Word {
        from_fn(|i| self.product(&x[i], &y[i].minus(&z[i])).plus(&z[i]))
    }

    /// The bits that most of the three have.
    fn majority(&mut self, x: &Word, y: &Word, z: &Word) -> Word {
        from_fn(|i| {
            let both = self.product(&y[i], &z[i]);
            let either =
                Wire::sum([(Fr::ONE, &y[i]), (Fr::ONE, &z[i]), (-Fr::ONE.double(), &both)]);
            self.product(&x[i], &either).plus(&both)
        })
    }

    /// The sum modulo 2^32.
    fn sum32(&mut self, words: &[&Word], constant: u32) -> Word {
        let packed: Vec<Wire> = words.iter().map(|word| pack(&word[..])).collect();
        let constant = Wire::constant(Fr::from(constant));
        let parts = packed.iter().chain([&constant]);
        let sum = Wire::sum(parts.map(|part| (Fr::ONE, part)));
        // One summand more than words has carries below the number of summands.
        let carries = (usize::BITS - words.len().leading_zeros()) as usize;
        let bits = self.bits(integer(sum.value()), 32 + carries);
        self.enforce_zero(&sum.minus(&pack(&bits)));
        from_fn(|i| bits[i].clone())
    }
}

/// The word of four bytes, the highest first.
fn big_endian(bytes: &[[Wire; 8]]) -> Word {
    from_fn(|i| bytes[3 - i / 8][i % 8].clone())
}

/// The four bytes of a word, the highest first.
fn bytes(word: &Word) -> [[Wire; 8]; 4] {
    from_fn(|byte| from_fn(|i| word[8 * (3 - byte) + i].clone()))
}
