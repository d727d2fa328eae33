//! 64- and 128-bit operations as rows of 32-bit words, and signed division.

use super::build::{Builder, Cond};
use super::ir::{Dest, Kind, Row, Val};
use crate::{Op, Trap};

/// Low word, high word.
pub(super) type Wide = [Val; 2];

const ZERO: Val = Val::Const(0);
const MINUS_ONE: Val = Val::Const(u32::MAX);
const SIGN: Val = Val::Const(1 << 31);

fn constant([low, high]: Wide) -> Option<u64> {
    match (low, high) {
        (Val::Const(low), Val::Const(high)) => Some(low as u64 | (high as u64) << 32),
        _ => None,
    }
}

fn of(value: u64) -> Wide {
    [Val::Const(value as u32), Val::Const((value >> 32) as u32)]
}

impl Builder<'_> {
    /// Rows of one carry chain with a result each.
    fn chain<const N: usize>(&mut self, op: Op, a: [Val; N], b: [Val; N]) -> [Val; N] {
        let mut rows = Vec::with_capacity(N);
        let mut outs = [ZERO; N];
        let operands: Vec<_> = a
            .into_iter()
            .zip(b)
            .map(|(a, b)| match (op, a) {
                (Op::Add, Val::Const(_)) => (self.operand_a(b), a),
                _ => (self.operand_a(a), b),
            })
            .collect();
        for (i, (a, b)) in operands.into_iter().enumerate() {
            let out = self.out();
            outs[i] = Val::Id(out);
            rows.push(Row { chain: i > 0, ..Row::new(op, a, Some(b), Dest::Out(out)) });
        }
        self.node(Kind::Rows, rows, true);
        outs
    }

    pub(super) fn add64(&mut self, a: Wide, b: Wide) -> Wide {
        match (constant(a), constant(b)) {
            (Some(x), Some(y)) => return of(x.wrapping_add(y)),
            _ if a[0] == ZERO => return [b[0], self.op(Op::Add, a[1], b[1])],
            _ if b[0] == ZERO => return [a[0], self.op(Op::Add, a[1], b[1])],
            _ => {}
        }
        self.chain(Op::Add, a, b)
    }

    pub(super) fn sub64(&mut self, a: Wide, b: Wide) -> Wide {
        match (constant(a), constant(b)) {
            (Some(x), Some(y)) => return of(x.wrapping_sub(y)),
            _ if b[0] == ZERO => return [a[0], self.op(Op::Sub, a[1], b[1])],
            _ => {}
        }
        self.chain(Op::Sub, a, b)
    }

    /// Sum of two words and its carry.
    pub(super) fn add_carry(&mut self, a: Val, b: Val) -> Wide {
        self.add64([a, ZERO], [b, ZERO])
    }

    /// Difference of two words and its borrow, 0 or all ones.
    pub(super) fn sub_borrow(&mut self, a: Val, b: Val) -> Wide {
        self.sub64([a, ZERO], [b, ZERO])
    }

    pub(super) fn bits64(&mut self, op: Op, a: Wide, b: Wide) -> Wide {
        [self.op(op, a[0], b[0]), self.op(op, a[1], b[1])]
    }

    /// The unsigned product of two words. The high word comes first: the low one often replaces
    /// an operand.
    pub(super) fn mul_wide(&mut self, a: Val, b: Val) -> Wide {
        let high = self.op(Op::MulHi, a, b);
        [self.op(Op::Mul, a, b), high]
    }

    pub(super) fn mul64(&mut self, a: Wide, b: Wide) -> Wide {
        let high = self.op(Op::MulHi, a[0], b[0]);
        let cross = self.op(Op::Mul, a[0], b[1]);
        let high = self.op(Op::Add, high, cross);
        let cross = self.op(Op::Mul, a[1], b[0]);
        let high = self.op(Op::Add, high, cross);
        [self.op(Op::Mul, a[0], b[0]), high]
    }

    /// The truth value of a 64-bit comparison.
    pub(super) fn compare64(&mut self, cond: Cond, a: Wide, b: Wide) -> Val {
        // With equal high words only the low ones count, and they are unsigned.
        if a[1] == b[1] {
            let cond = match cond {
                Cond::LtS => Cond::LtU,
                Cond::GeS => Cond::GeU,
                cond => cond,
            };
            return self.compare(cond, a[0], b[0]);
        }
        if let (Cond::LtS | Cond::GeS | Cond::LtU | Cond::GeU, [ZERO, high]) = (cond, b) {
            // x < c · 2^32 looks at the high word alone.
            return self.compare(cond, a[1], high);
        }
        let (mut a, mut b) = (a, b);
        if matches!(cond, Cond::Eq | Cond::Ne) && constant(a).is_some() {
            (a, b) = (b, a);
        }
        let first = self.operand_a(a[0]);
        let second = self.operand_a(a[1]);
        let out = self.out();
        let rows = vec![
            Row::new(Op::Cmp, first, Some(b[0]), Dest::None),
            Row { chain: true, ..Row::new(cond.set(), second, Some(b[1]), Dest::Out(out)) },
        ];
        self.node(Kind::Rows, rows, true);
        Val::Id(out)
    }

    pub(super) fn shl64(&mut self, [low, high]: Wide, by: Val) -> Wide {
        if let Val::Const(n) = by {
            return match n % 64 {
                0 => [low, high],
                n @ 1..32 => {
                    let high = self.op_k(Op::Fshl, n as u8, high, low);
                    [self.op(Op::Shl, low, Val::Const(n)), high]
                }
                n => [ZERO, self.op(Op::Shl, low, Val::Const(n - 32))],
            };
        }
        let far = self.op(Op::And, by, Val::Const(32));
        let spilled = self.spill_right(low, by);
        let shifted = self.op(Op::Shl, low, by);
        let rest = self.op(Op::Shl, high, by);
        let near = self.op(Op::Or, rest, spilled);
        let high = self.cmov(far, shifted, near);
        [self.cmov(far, ZERO, shifted), high]
    }

    pub(super) fn shr64(&mut self, [low, high]: Wide, by: Val, signed: bool) -> Wide {
        let op = if signed { Op::ShrS } else { Op::ShrU };
        let fill = |builder: &mut Self| {
            if signed { builder.op(Op::ShrS, high, Val::Const(31)) } else { ZERO }
        };
        if let Val::Const(n) = by {
            return match n % 64 {
                0 => [low, high],
                n @ 1..32 => {
                    [self.op_k(Op::Fshl, 32 - n as u8, high, low), self.op(op, high, Val::Const(n))]
                }
                n => [self.op(op, high, Val::Const(n - 32)), fill(self)],
            };
        }
        let far = self.op(Op::And, by, Val::Const(32));
        let spilled = self.spill_left(high, by);
        let shifted = self.op(op, high, by);
        let rest = self.op(Op::ShrU, low, by);
        let near = self.op(Op::Or, rest, spilled);
        let low = self.cmov(far, shifted, near);
        let fill = fill(self);
        [low, self.cmov(far, fill, shifted)]
    }

    pub(super) fn rotl64(&mut self, [low, high]: Wide, by: Val) -> Wide {
        if let Val::Const(n) = by {
            let k = (n % 32) as u8;
            let [low, high] = if n % 64 < 32 { [low, high] } else { [high, low] };
            return [self.op_k(Op::Fshl, k, low, high), self.op_k(Op::Fshl, k, high, low)];
        }
        let [low, high] = self.swap_if_far([low, high], by);
        let (up_low, up_high) = (self.op(Op::Shl, low, by), self.op(Op::Shl, high, by));
        let (into_high, into_low) = (self.spill_right(low, by), self.spill_right(high, by));
        [self.op(Op::Or, up_low, into_low), self.op(Op::Or, up_high, into_high)]
    }

    pub(super) fn rotr64(&mut self, [low, high]: Wide, by: Val) -> Wide {
        if let Val::Const(n) = by {
            return self.rotl64([low, high], Val::Const(n.wrapping_neg() % 64));
        }
        let [low, high] = self.swap_if_far([low, high], by);
        let (down_low, down_high) = (self.op(Op::ShrU, low, by), self.op(Op::ShrU, high, by));
        let (into_low, into_high) = (self.spill_left(high, by), self.spill_left(low, by));
        [self.op(Op::Or, down_low, into_low), self.op(Op::Or, down_high, into_high)]
    }

    /// Rotating by 32 or more exchanges the words first.
    fn swap_if_far(&mut self, [low, high]: Wide, by: Val) -> Wide {
        let far = self.op(Op::And, by, Val::Const(32));
        [self.cmov(far, high, low), self.cmov(far, low, high)]
    }

    /// `val >> (32 - by mod 32)`, 0 for `by mod 32 = 0`.
    fn spill_right(&mut self, val: Val, by: Val) -> Val {
        let half = self.op(Op::ShrU, val, Val::Const(1));
        let rest = self.op(Op::Xor, by, Val::Const(31));
        self.op(Op::ShrU, half, rest)
    }

    /// `val << (32 - by mod 32)`, 0 for `by mod 32 = 0`.
    fn spill_left(&mut self, val: Val, by: Val) -> Val {
        let double = self.op(Op::Add, val, val);
        let rest = self.op(Op::Xor, by, Val::Const(31));
        self.op(Op::Shl, double, rest)
    }

    // Division. Zero and overflow have been excluded by `check_divisor*`.

    /// `(val ^ sign) - sign`: the absolute value if `sign` is the value's own sign mask.
    fn turn(&mut self, val: Val, sign: Val) -> Val {
        let turned = self.op(Op::Xor, val, sign);
        self.op(Op::Sub, turned, sign)
    }

    fn turn64(&mut self, val: Wide, sign: Val) -> Wide {
        let turned = self.bits64(Op::Xor, val, [sign, sign]);
        self.sub64(turned, [sign, sign])
    }

    /// 32-bit division or remainder (`op` is `DivU` or `RemU`) with its traps.
    pub(super) fn divide(&mut self, op: Op, signed: bool, a: Val, b: Val) -> Val {
        self.trap_if(Cond::Eq, b, ZERO, Trap::IntegerDivisionByZero);
        if b == ZERO {
            return ZERO; // not reached
        }
        if !signed {
            return self.op(op, a, b);
        }
        let minus_one_possible = matches!(b, Val::Id(_) | MINUS_ONE);
        if op == Op::DivU && minus_one_possible {
            let not_min = self.op(Op::Xor, a, SIGN);
            let not_minus_one = self.op(Op::Xor, b, MINUS_ONE);
            let fine = self.op(Op::Or, not_min, not_minus_one);
            self.trap_if(Cond::Eq, fine, ZERO, Trap::IntegerOverflow);
        }
        let sign_a = self.op(Op::ShrS, a, Val::Const(31));
        let sign_b = self.op(Op::ShrS, b, Val::Const(31));
        let (a, b) = (self.turn(a, sign_a), self.turn(b, sign_b));
        let result = self.op(op, a, b);
        let sign = if op == Op::DivU { self.op(Op::Xor, sign_a, sign_b) } else { sign_a };
        self.turn(result, sign)
    }

    /// 64-bit division or remainder: `DivU` or `RemU` of a snippet, whose traps come in the order
    /// overflow, depth of the nested call, zero.
    pub(super) fn divide64(&mut self, op: Op, signed: bool, a: Wide, b: Wide) -> Wide {
        if signed && op == Op::DivU && constant(b).is_none_or(|b| b == u64::MAX) {
            let high = self.op(Op::Xor, a[1], SIGN);
            let not_min = self.op(Op::Or, high, a[0]);
            let ones = self.op(Op::And, b[0], b[1]);
            let not_minus_one = self.op(Op::Xor, ones, MINUS_ONE);
            let fine = self.op(Op::Or, not_min, not_minus_one);
            self.trap_if(Cond::Eq, fine, ZERO, Trap::IntegerOverflow);
        }
        self.nested_call_check();
        let any = self.op(Op::Or, b[0], b[1]);
        if constant(b).is_none_or(|b| b == 0) {
            self.trap_if(Cond::Eq, any, ZERO, Trap::IntegerDivisionByZero);
        }
        if constant(b) == Some(0) {
            return [ZERO, ZERO]; // not reached
        }
        if !signed {
            return self.divide_unsigned(op, a, b);
        }
        let sign_a = self.op(Op::ShrS, a[1], Val::Const(31));
        let sign_b = self.op(Op::ShrS, b[1], Val::Const(31));
        let (a, b) = (self.turn64(a, sign_a), self.turn64(b, sign_b));
        let result = self.divide_unsigned(op, a, b);
        let sign = if op == Op::DivU { self.op(Op::Xor, sign_a, sign_b) } else { sign_a };
        self.turn64(result, sign)
    }

    fn divide_unsigned(&mut self, op: Op, a: Wide, b: Wide) -> Wide {
        if a[1] == ZERO && b[1] == ZERO {
            return [self.op(op, a[0], b[0]), ZERO];
        }
        let ops = if op == Op::DivU {
            [Op::DivU64Lo, Op::DivU64Hi]
        } else {
            [Op::RemU64Lo, Op::RemU64Hi]
        };
        let a = [self.operand_a(a[0]), self.operand_a(a[1])];
        let outs = [self.out(), self.out()];
        let row = |i: usize| Row::new(ops[i], a[i], Some(b[i]), Dest::Out(outs[i]));
        self.node(Kind::Rows, vec![row(0), row(1)], true);
        outs.map(Val::Id)
    }

    // 128 bits: four words, low first.

    pub(super) fn add128(&mut self, sub: bool, a: [Val; 4], b: [Val; 4]) -> [Val; 4] {
        self.chain(if sub { Op::Sub } else { Op::Add }, a, b)
    }

    pub(super) fn mul128(&mut self, signed: bool, a: Wide, b: Wide) -> [Val; 4] {
        let [r0, carry] = self.mul_wide(a[0], b[0]);
        let cross = self.mul_wide(a[0], b[1]);
        // No product of words plus two words exceeds 64 bits.
        let middle = self.chain(Op::Add, [cross[0], cross[1]], [carry, ZERO]);
        let cross = self.mul_wide(a[1], b[0]);
        let [r1, middle, top] =
            self.chain(Op::Add, [middle[0], middle[1], ZERO], [cross[0], cross[1], ZERO]);
        let high = self.mul_wide(a[1], b[1]);
        let mut high = self.chain(Op::Add, high, [middle, top]);
        if signed {
            for (x, y) in [(a, b), (b, a)] {
                let mask = self.op(Op::ShrS, x[1], Val::Const(31));
                let correction = self.bits64(Op::And, y, [mask, mask]);
                high = self.sub64(high, correction);
            }
        }
        [r0, r1, high[0], high[1]]
    }

    /// In the deep version: room for the call that a division makes of its own.
    fn nested_call_check(&mut self) {
        if self.deep {
            self.limit(crate::layout::CALL_LIMIT - 1);
        }
    }
}
