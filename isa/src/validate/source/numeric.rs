//! Operations on numbers, and the snippets that are operations on 64-bit numbers.

use rwasm::Opcode;

use super::super::ValidateError;
use super::super::state::Effect;
use super::super::term::{Fun, Term, Terms};
use super::super::wide::Wide;
use super::Machine;
use crate::front::Snippet;
use crate::layout::CALL_LIMIT;
use crate::{Op, Trap};

impl Machine<'_> {
    pub(super) fn numeric(&mut self, op: Opcode) -> Result<bool, ValidateError> {
        use Opcode::*;
        let (a, b) = match op {
            I32Eqz | I32Clz | I32Ctz | I32Popcnt | I32Extend8S | I32Extend16S | I32WrapI64 => {
                let a = self.pop()?;
                (a, self.constant(0))
            }
            I32And64 | I32Or64 | I32Xor64 | I64Add128 | I64Sub128 | I64MulWideS | I64MulWideU => {
                return self.several(op);
            }
            I32Eq | I32Ne | I32LtS | I32LtU | I32GtS | I32GtU | I32LeS | I32LeU | I32GeS
            | I32GeU | I32Add | I32Sub | I32Mul | I32DivS | I32DivU | I32RemS | I32RemU
            | I32And | I32Or | I32Xor | I32Shl | I32ShrS | I32ShrU | I32Rotl | I32Rotr
            | I32Mul64 | I32Add64 | I32Sub64 => {
                let v = self.pops(2)?;
                (v[0], v[1])
            }
            _ => return Ok(false),
        };
        let t = &mut *self.terms;
        let result = match op {
            I32Eqz | I32Eq => t.eq(a, b),
            I32Ne => {
                let eq = t.eq(a, b);
                t.not(eq)
            }
            I32LtS => t.lt_s(a, b),
            I32LtU => t.lt_u(a, b),
            I32GtS => t.lt_s(b, a),
            I32GtU => t.lt_u(b, a),
            I32LeS => {
                let more = t.lt_s(b, a);
                t.not(more)
            }
            I32LeU => {
                let more = t.lt_u(b, a);
                t.not(more)
            }
            I32GeS => {
                let less = t.lt_s(a, b);
                t.not(less)
            }
            I32GeU => {
                let less = t.lt_u(a, b);
                t.not(less)
            }
            I32Clz => t.op(Op::Clz, a, b),
            I32Ctz => t.op(Op::Ctz, a, b),
            I32Popcnt => t.op(Op::Popcnt, a, b),
            I32Extend8S => t.op(Op::Extend8S, a, b),
            I32Extend16S => t.op(Op::Extend16S, a, b),
            I32WrapI64 => a,
            I32Add => t.op(Op::Add, a, b),
            I32Sub => t.op(Op::Sub, a, b),
            I32Mul => t.op(Op::Mul, a, b),
            I32And => t.op(Op::And, a, b),
            I32Or => t.op(Op::Or, a, b),
            I32Xor => t.op(Op::Xor, a, b),
            I32Shl => t.op(Op::Shl, a, b),
            I32ShrS => t.op(Op::ShrS, a, b),
            I32ShrU => t.op(Op::ShrU, a, b),
            I32Rotl => t.op(Op::Rotl, a, b),
            I32Rotr => t.op(Op::Rotr, a, b),
            I32Mul64 => {
                let (low, high) = (t.op(Op::Mul, a, b), t.op(Op::MulHi, a, b));
                self.pushes(&[low, high])?;
                return Ok(true);
            }
            I32Add64 => {
                let low = t.op(Op::Add, a, b);
                let carry = t.lt_u(low, a);
                self.pushes(&[low, carry])?;
                return Ok(true);
            }
            I32Sub64 => {
                let low = t.op(Op::Sub, a, b);
                let borrow = t.lt_u(a, b);
                let zero = t.constant(0);
                let high = t.op(Op::Sub, zero, borrow);
                self.pushes(&[low, high])?;
                return Ok(true);
            }
            _ => self.divide(op, a, b),
        };
        self.push(result)?;
        Ok(true)
    }

    fn divide(&mut self, op: Opcode, a: Term, b: Term) -> Term {
        let zero = self.constant(0);
        let by_zero = self.terms.eq(b, zero);
        self.trap_if(by_zero, Trap::IntegerDivisionByZero);
        if let Opcode::I32DivS = op {
            let (min, minus_one) = (self.constant(1 << 31), self.constant(u32::MAX));
            let (x, y) = (self.terms.eq(a, min), self.terms.eq(b, minus_one));
            let overflow = self.terms.and(x, y);
            self.trap_if(overflow, Trap::IntegerOverflow);
        }
        let fun = match op {
            Opcode::I32DivS => Fun::DivS,
            Opcode::I32RemS => Fun::RemS,
            Opcode::I32DivU => Fun::Alu(Op::DivU, 0),
            _ => Fun::Alu(Op::RemU, 0),
        };
        self.terms.app(fun, &[a, b])
    }

    /// Operations on several words that are instructions of rWasm.
    fn several(&mut self, op: Opcode) -> Result<bool, ValidateError> {
        use Opcode::*;
        let (words, result) = match op {
            I64Add128 | I64Sub128 => (8, 4),
            I64MulWideS | I64MulWideU => (4, 4),
            _ => (4, 2),
        };
        let v = self.pops(words)?;
        let wide = match op {
            I64Add128 => Wide::Add128,
            I64Sub128 => Wide::Sub128,
            I64MulWideS => Wide::MulS,
            I64MulWideU => Wide::MulU,
            _ => {
                let op = match op {
                    I32And64 => Op::And,
                    I32Or64 => Op::Or,
                    _ => Op::Xor,
                };
                let low = self.terms.op(op, v[0], v[2]);
                let high = self.terms.op(op, v[1], v[3]);
                self.pushes(&[low, high])?;
                return Ok(true);
            }
        };
        for part in 0..result {
            let word = self.terms.app(Fun::Wide(wide, part), &v);
            self.push(word)?;
        }
        Ok(true)
    }

    // Snippets.

    /// The snippet at a call target; the division's core is called by nobody but the divisions,
    /// and is an ordinary function if a module calls it otherwise.
    pub(super) fn snippet(&self, target: u32) -> Option<Snippet> {
        Snippet::at(&self.module.rwasm.code_section, target).filter(|s| *s != Snippet::DivMod)
    }

    pub(super) fn native(&mut self, snippet: Snippet) -> Result<(), ValidateError> {
        let room = self.height.max(0) as u32 + snippet.height();
        if self.deep {
            self.effect(Effect::Depth(CALL_LIMIT));
            self.effect(Effect::Stack(room));
        } else {
            self.room = self.room.max(Some(room));
        }
        let v = self.pops(4)?;
        let (a, b) = ([v[0], v[1]], [v[2], v[3]]);
        use Snippet::*;
        let truth = |machine: &mut Self, a: [Term; 2], b: [Term; 2], fun: Fun, negate: bool| {
            let less = machine.less64(a, b, fun);
            let less = if negate { machine.terms.not(less) } else { less };
            machine.push(less)
        };
        match snippet {
            Eq | Ne => {
                let t = &mut *self.terms;
                let (low, high) = (t.eq(a[0], b[0]), t.eq(a[1], b[1]));
                let mut both = t.and(low, high);
                if snippet == Ne {
                    both = t.not(both);
                }
                self.push(both)
            }
            LtS => truth(self, a, b, Fun::LtS, false),
            LtU => truth(self, a, b, Fun::LtU, false),
            GtS => truth(self, b, a, Fun::LtS, false),
            GtU => truth(self, b, a, Fun::LtU, false),
            LeS => truth(self, b, a, Fun::LtS, true),
            LeU => truth(self, b, a, Fun::LtU, true),
            GeS => truth(self, a, b, Fun::LtS, true),
            GeU => truth(self, a, b, Fun::LtU, true),
            Add => {
                let t = &mut *self.terms;
                let low = t.op(Op::Add, a[0], b[0]);
                let carry = t.lt_u(low, a[0]);
                let high = t.op(Op::Add, a[1], b[1]);
                let high = t.op(Op::Add, high, carry);
                self.pushes(&[low, high])
            }
            Sub => {
                let t = &mut *self.terms;
                let low = t.op(Op::Sub, a[0], b[0]);
                let borrow = t.lt_u(a[0], b[0]);
                let high = t.op(Op::Sub, a[1], b[1]);
                let high = t.op(Op::Sub, high, borrow);
                self.pushes(&[low, high])
            }
            Mul => {
                let t = &mut *self.terms;
                let (low, high) = (t.op(Op::Mul, a[0], b[0]), t.op(Op::MulHi, a[0], b[0]));
                let cross = t.op(Op::Mul, a[0], b[1]);
                let high = t.op(Op::Add, high, cross);
                let cross = t.op(Op::Mul, a[1], b[0]);
                let high = t.op(Op::Add, high, cross);
                self.pushes(&[low, high])
            }
            DivS | DivU | RemS | RemU => self.divide64(snippet, &v),
            Shl => self.shift(Wide::Shl, &v),
            ShrS => self.shift(Wide::ShrS, &v),
            ShrU => self.shift(Wide::ShrU, &v),
            RotL => self.shift(Wide::Rotl, &v),
            RotR => self.shift(Wide::Rotr, &v),
            DivMod => Err(ValidateError::NoCode(self.pc)),
        }
    }

    fn less64(&mut self, a: [Term; 2], b: [Term; 2], fun: Fun) -> Term {
        let borrow = self.terms.lt_u(a[0], b[0]);
        self.terms.app(fun, &[a[1], b[1], borrow])
    }

    /// A shift or rotation; the high word of the amount does not matter.
    fn shift(&mut self, wide: Wide, v: &[Term]) -> Result<(), ValidateError> {
        let (low, high, by) = (v[0], v[1], v[2]);
        let words = match self.terms.value(by) {
            Some(n) => shift_by(self.terms, wide, [low, high], n % 64),
            None => {
                // The outer word of a shift does not depend on the other one; a lowering that
                // keeps only that word need not know the other.
                let zero = self.terms.constant(0);
                let inner = |part: u8| match (wide, part) {
                    (Wide::Shl, 0) => [low, zero, by, by],
                    (Wide::ShrS | Wide::ShrU, 1) => [zero, high, by, by],
                    _ => [low, high, by, by],
                };
                [0, 1].map(|part| self.terms.app(Fun::Wide(wide, part), &inner(part)))
            }
        };
        self.pushes(&words)
    }

    /// rWasm's order: overflow, the nested call of the core, zero.
    fn divide64(&mut self, snippet: Snippet, v: &[Term]) -> Result<(), ValidateError> {
        let wide = match snippet {
            Snippet::DivS => Wide::DivS,
            Snippet::DivU => Wide::DivU,
            Snippet::RemS => Wide::RemS,
            _ => Wide::RemU,
        };
        if wide == Wide::DivS {
            let constants = [0, 1 << 31, u32::MAX, u32::MAX].map(|c| self.terms.constant(c));
            let mut overflow = self.terms.constant(1);
            for (&word, constant) in v.iter().zip(constants) {
                let same = self.terms.eq(word, constant);
                overflow = self.terms.and(overflow, same);
            }
            self.trap_if(overflow, Trap::IntegerOverflow);
        }
        if self.deep {
            self.effect(Effect::Depth(CALL_LIMIT - 1));
        }
        let any = self.terms.op(Op::Or, v[2], v[3]);
        let some = self.terms.truth(any);
        let zero = self.terms.not(some);
        self.trap_if(zero, Trap::IntegerDivisionByZero);
        let words = [0, 1].map(|part| self.terms.app(Fun::Wide(wide, part), v));
        self.pushes(&words)
    }
}

/// A shift or rotation of two words by a constant below 64.
pub(in super::super) fn shift_by(
    t: &mut Terms,
    wide: Wide,
    [low, high]: [Term; 2],
    n: u32,
) -> [Term; 2] {
    // The high word of `(a:b) << k`.
    let mut funnel = |a, b, k: u32| t.app(Fun::Alu(Op::Fshl, k as u8), &[a, b]);
    let near = n < 32;
    match wide {
        _ if n == 0 => [low, high],
        Wide::Rotr => shift_by(t, Wide::Rotl, [low, high], 64 - n),
        Wide::Rotl => {
            let [low, high] = if near { [low, high] } else { [high, low] };
            [funnel(low, high, n % 32), funnel(high, low, n % 32)]
        }
        Wide::Shl if near => {
            let high = funnel(high, low, n);
            let n = t.constant(n);
            [t.op(Op::Shl, low, n), high]
        }
        Wide::Shl => {
            let n = t.constant(n - 32);
            [t.constant(0), t.op(Op::Shl, low, n)]
        }
        _ => {
            let op = if wide == Wide::ShrS { Op::ShrS } else { Op::ShrU };
            let low = near.then(|| funnel(high, low, 32 - n % 32));
            let by = t.constant(n % 32);
            let shifted = t.op(op, high, by);
            let (zero, sign) = (t.constant(0), t.constant(31));
            match low {
                Some(low) => [low, shifted],
                None if op == Op::ShrS => [shifted, t.op(op, high, sign)],
                None => [shifted, zero],
            }
        }
    }
}
