//! Operations whose operands or results are several words, low word first.

/// An operation on 64-bit or 128-bit numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wide {
    Shl,
    ShrS,
    ShrU,
    Rotl,
    Rotr,
    DivS,
    DivU,
    RemS,
    RemU,
    Add128,
    Sub128,
    MulS,
    MulU,
}

impl Wide {
    /// The words of the result; `None` for a division by zero or an overflowing one.
    pub(super) fn eval(self, v: &[u32]) -> Option<Vec<u32>> {
        let pair = |i: usize| Some(*v.get(i)? as u64 | (*v.get(i + 1)? as u64) << 32);
        let quad = |i: usize| Some(pair(i)? as u128 | (pair(i + 2)? as u128) << 64);
        let (a, b) = (pair(0)?, pair(2)?);
        let result = match self {
            Wide::Shl => a << (b & 63),
            Wide::ShrS => ((a as i64) >> (b & 63)) as u64,
            Wide::ShrU => a >> (b & 63),
            Wide::Rotl => a.rotate_left((b & 63) as u32),
            Wide::Rotr => a.rotate_right((b & 63) as u32),
            Wide::DivS => (a as i64).checked_div(b as i64)? as u64,
            Wide::DivU => a.checked_div(b)?,
            Wide::RemS if b == 0 => return None,
            Wide::RemS => (a as i64).wrapping_rem(b as i64) as u64,
            Wide::RemU => a.checked_rem(b)?,
            Wide::Add128 => return Some(words(quad(0)?.wrapping_add(quad(4)?), 4)),
            Wide::Sub128 => return Some(words(quad(0)?.wrapping_sub(quad(4)?), 4)),
            Wide::MulS => {
                return Some(words(((a as i64 as i128) * (b as i64 as i128)) as u128, 4));
            }
            Wide::MulU => return Some(words(a as u128 * b as u128, 4)),
        };
        Some(words(result as u128, 2))
    }

    /// Whether a word of the result is 0 because words of the operands are: `zero(i)` says whether
    /// operand word `i` is known to be. Only where rows that compute it fold to 0 as well.
    pub(super) fn is_zero(self, word: u8, zero: impl Fn(usize) -> bool) -> bool {
        let (a, b) = (zero(0) && zero(1), zero(2) && zero(3));
        match self {
            Wide::Shl => a || word == 0 && zero(0),
            Wide::ShrS | Wide::ShrU => a || word == 1 && zero(1),
            Wide::Rotl | Wide::Rotr => a,
            Wide::MulS => a || b,
            // With a first factor below 2^32 the product is below 2^96, with both below 2^64.
            Wide::MulU => a || b || zero(1) && (word == 3 || word == 2 && zero(3)),
            _ => false,
        }
    }
}

fn words(value: u128, count: usize) -> Vec<u32> {
    (0..count).map(|i| (value >> (32 * i)) as u32).collect()
}
