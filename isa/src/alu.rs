//! The pure meaning of operations on values, shared by the executor and the trace fillers.

use crate::{Instr, Op};

/// What a chained row takes from the row before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Carry of an addition, borrow of a subtraction or comparison.
    pub carry: bool,
    /// Whether the compared words differed (in this row or, chained, in an earlier one).
    pub differ: bool,
}

/// Result and link of an operation of the `cpu` table itself (`Mov` to `BrGeS`; not `Cmov`).
///
/// For comparisons and branches the result is the truth value, already negated where the operation
/// says so.
#[inline]
pub fn inline(instr: &Instr, a: u32, b: u32, link: Link) -> Option<(u32, Link)> {
    let link = if instr.chain { link } else { Link::default() };
    let minus = || {
        let (r, b1) = a.overflowing_sub(b);
        let (r, b2) = r.overflowing_sub(link.carry as u32);
        (r, Link { carry: b1 | b2, differ: r != 0 || link.differ })
    };
    let truth = |t: bool, negate: bool| (t ^ negate) as u32;
    // Signed order is unsigned order with the sign bits turned.
    let less_signed = || {
        let (a, b) = (a ^ 1 << 31, b ^ 1 << 31);
        (a as u64) < b as u64 + link.carry as u64
    };
    Some(match instr.op {
        Op::Mov => (b, Link::default()),
        Op::Add => {
            let (r, c1) = a.overflowing_add(b);
            let (r, c2) = r.overflowing_add(link.carry as u32);
            (r, Link { carry: c1 | c2, differ: false })
        }
        Op::Sub | Op::Cmp => minus(),
        Op::SetEq | Op::BrEq => (truth(!minus().1.differ, false), minus().1),
        Op::SetNe | Op::BrNe => (truth(!minus().1.differ, true), minus().1),
        Op::SetLtU | Op::BrLtU => (truth(minus().1.carry, false), minus().1),
        Op::SetGeU | Op::BrGeU => (truth(minus().1.carry, true), minus().1),
        Op::SetLtS | Op::BrLtS => (truth(less_signed(), false), Link::default()),
        Op::SetGeS | Op::BrGeS => (truth(less_signed(), true), Link::default()),
        _ => return None,
    })
}

/// Result of an operation of a pure coprocessor (`And` to `Extend16S`, without the 64-bit
/// divisions). `None` for other operations and for a division by zero, which lowered code never
/// reaches.
#[inline]
pub fn coprocessor(instr: &Instr, a: u32, b: u32) -> Option<u32> {
    Some(match instr.op {
        Op::And => a & b,
        Op::Or => a | b,
        Op::Xor => a ^ b,
        Op::Shl => a << (b & 31),
        Op::ShrU => a >> (b & 31),
        Op::ShrS => ((a as i32) >> (b & 31)) as u32,
        Op::Rotl => a.rotate_left(b & 31),
        Op::Rotr => a.rotate_right(b & 31),
        Op::Fshl => ((((a as u64) << 32 | b as u64) << instr.k) >> 32) as u32,
        Op::Mul => a.wrapping_mul(b),
        Op::MulHi => ((a as u64 * b as u64) >> 32) as u32,
        Op::DivU => a.checked_div(b)?,
        Op::RemU => a.checked_rem(b)?,
        Op::Clz => a.leading_zeros(),
        Op::Ctz => a.trailing_zeros(),
        Op::Popcnt => a.count_ones(),
        Op::Extend8S => a as i8 as u32,
        Op::Extend16S => a as i16 as u32,
        _ => return None,
    })
}
