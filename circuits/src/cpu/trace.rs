//! Fills the `cpu` table from the record.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use rwprove_isa::{
    Flag, Instr, Op, Operand, layout,
    record::{C_TIME, CpuEvent, Limbs, Outcome, clock, limbs},
};

use super::columns::CpuCols;
use crate::{Val, counts::Counts, program, table::Shard};

pub(super) fn fill(shard: &Shard<'_>, height: usize, counts: &Counts) -> RowMajorMatrix<Val> {
    let width = CpuCols::<Val>::WIDTH;
    let mut values = Val::zero_vec(height * width);
    values.par_chunks_exact_mut(width).enumerate().for_each(|(index, row)| {
        let columns = match Step::new(shard, index) {
            Some(step) => {
                let columns = step.columns();
                step.count(&columns, counts);
                columns
            }
            None => idle(shard, index),
        };
        columns.write_to(row);
    });
    RowMajorMatrix::new(values, width)
}

pub(super) fn publics(shard: &Shard<'_>) -> Vec<Val> {
    let (start, end) = (&shard.record.start, &shard.record.end);
    [start.pc, start.fp, start.depth, start.pages, end.pc, end.fp, end.depth, end.pages]
        .into_iter()
        .chain([spent(shard)])
        .map(Val::from_u32)
        .collect()
}

/// Static fuel that the whole shard charges.
fn spent(shard: &Shard<'_>) -> u32 {
    shard.record.cpu.last().map_or(0, |event| {
        let charged = event.outcome != Outcome::OutOfFuel;
        event.spent + u32::from(charged) * u32::from(program::at(shard.program, event.pc).fuel)
    })
}

/// A row that is not real holds the registers.
fn idle(shard: &Shard<'_>, index: usize) -> CpuCols<Val> {
    let end = &shard.record.end;
    let mut c = zero();
    [c.pc, c.fp, c.depth, c.pages] = [end.pc, end.fp, end.depth, end.pages].map(Val::from_u32);
    c.spent = Val::from_u32(spent(shard));
    c.clk = Val::from_u32(clock(index));
    c
}

fn zero() -> CpuCols<Val> {
    CpuCols::from_row(&[Val::ZERO; CpuCols::<Val>::WIDTH])
}

/// One executed row.
struct Step<'a> {
    event: &'a CpuEvent,
    instr: Instr,
    /// No flag is set if it ran out of fuel.
    flags: u32,
    clk: u32,
    /// From the row before, if chained: carry or borrow, and the sum of its limbs.
    link: (bool, u32),
    sums: Sums,
}

/// Values of the arithmetic helper columns.
#[derive(Default)]
struct Sums {
    r: [Val; 2],
    t: Val,
    u: Val,
    v: Val,
    k: [bool; 2],
    cond: bool,
}

/// A sum or a difference of words: limbs, and carries or borrows.
fn sum(a: Limbs, b: Limbs, carry: bool) -> (Limbs, [bool; 2]) {
    let low = a[0] + b[0] + u32::from(carry);
    let high = a[1] + b[1] + (low >> 16);
    ([low & 0xffff, high & 0xffff], [low >> 16 != 0, high >> 16 != 0])
}

fn difference(a: Limbs, b: Limbs, borrow: bool) -> (Limbs, [bool; 2]) {
    let low = a[0] as i32 - b[0] as i32 - i32::from(borrow);
    let high = a[1] as i32 - b[1] as i32 - i32::from(low < 0);
    ([low, high].map(|x| x as u32 & 0xffff), [low < 0, high < 0])
}

/// The columns that say whether a sum of limbs is zero.
fn tested(limbs: u32, sums: Sums) -> Sums {
    let u = Val::from_u32(limbs);
    Sums { u, v: u.try_inverse().unwrap_or(Val::ZERO), cond: limbs != 0, ..sums }
}

/// The columns of a signed comparison, see the constraints.
fn signed(a: Limbs, b: Limbs, borrow: bool) -> Sums {
    const HALF: u32 = 1 << 15;
    let val = |x: u32| Val::from_u32(x);
    // Signed order is unsigned order with the sign bits turned.
    let turned = |[low, high]: Limbs| [low, high ^ HALF];
    let (_, [k0, less]) = difference(turned(a), turned(b), borrow);
    let ([low, high], _) = difference(a, b, borrow);
    let (smaller, larger) = if less { (a[1], b[1]) } else { (b[1], a[1]) };
    let negative = smaller >= HALF;
    let differ = negative && larger < HALF;
    let positive = val(HALF - 1) - val(larger);
    Sums {
        r: [val(low), if differ { positive } else { val(high) }],
        t: if negative { val(smaller - HALF) } else { positive },
        u: Val::from_bool(differ),
        v: val(larger),
        k: [k0, less],
        cond: negative,
    }
}

impl<'a> Step<'a> {
    /// The row, if it is real.
    fn new(shard: &Shard<'a>, index: usize) -> Option<Self> {
        let event = shard.record.cpu.get(index)?;
        let instr = program::at(shard.program, event.pc);
        // Chains are a few rows long, so this goes back a few rows at most.
        let before = index.checked_sub(1).filter(|_| instr.chain).and_then(|i| Self::new(shard, i));
        let link = before.map_or((false, 0), |before| before.handed_over());
        let out_of_fuel = event.outcome == Outcome::OutOfFuel;
        let flags = if out_of_fuel { 0 } else { instr.flags() };
        let sums = Sums::default();
        let mut step = Self { event, instr, flags, clk: clock(index), link, sums };
        step.sums = step.sums();
        Some(step)
    }

    fn handed_over(&self) -> (bool, u32) {
        let [low, high] = self.sums.r.map(|limb| limb.as_canonical_u32());
        (self.sums.k[1], low + high)
    }

    fn is(&self, flag: Flag) -> bool {
        self.flags & flag.bit() != 0
    }

    fn any(&self, flags: &[Flag]) -> bool {
        flags.iter().any(|&f| self.is(f))
    }

    fn access(&self) -> bool {
        self.any(&[Flag::Load, Flag::Store])
    }

    fn guest(&self) -> bool {
        self.access() && !self.is(Flag::Priv)
    }

    /// Whether the row traps. A refused `FuelCharge` does not, it branches.
    fn trap(&self) -> bool {
        self.event.outcome == Outcome::Trap && !self.is(Flag::Alu)
    }

    /// Left to the access table.
    fn elsewhere(&self) -> bool {
        let unaligned = self.event.outcome == Outcome::Unaligned;
        self.access() && !self.trap() && (unaligned || self.is(Flag::Subword))
    }

    fn direct(&self) -> bool {
        !self.elsewhere() && !self.trap()
    }

    fn pushes(&self) -> bool {
        self.is(Flag::Push) && !self.trap()
    }

    fn immediate(&self) -> Limbs {
        match self.instr.b {
            Operand::Imm(imm) => limbs(imm),
            _ => [0, 0],
        }
    }

    fn reads_b(&self) -> bool {
        self.any(&[Flag::BRead, Flag::Ret]) || (self.is(Flag::Load) && self.direct())
    }

    fn writes_c(&self) -> bool {
        let stores = self.is(Flag::Store) && self.direct();
        (self.is(Flag::CWrite) && !self.trap()) || stores || self.pushes() || self.oof()
    }

    fn oof(&self) -> bool {
        self.event.outcome == Outcome::OutOfFuel
    }

    fn a(&self) -> Limbs {
        if self.is(Flag::ARead) { self.event.a } else { [0, 0] }
    }

    fn b(&self) -> Limbs {
        if self.reads_b() {
            self.event.b
        } else if self.is(Flag::Load) {
            [0, 0]
        } else {
            self.immediate()
        }
    }

    fn sums(&self) -> Sums {
        let (a, b) = (self.a(), self.b());
        let val = |x: u32| Val::from_u32(x);
        let [lo, hi] = self.immediate().map(val);
        let [fp, depth] = [self.event.fp, self.event.depth].map(val);
        let (carry, before) = self.link;
        let with = |(r, k): (Limbs, [bool; 2])| Sums { r: r.map(val), k, ..Sums::default() };
        // The distance on the side of the limit that was taken.
        let side = |within: Val| if self.trap() { -within - Val::ONE } else { within };
        if self.is(Flag::Add) {
            with(sum(a, b, carry))
        } else if self.any(&[Flag::Sub, Flag::Lt, Flag::BrTable]) {
            with(difference(a, b, carry))
        } else if self.is(Flag::Ne) {
            let (r, k) = difference(a, b, carry);
            tested(r[0] + r[1] + before, with((r, k)))
        } else if self.is(Flag::Cmov) {
            tested(a[0] + a[1], Sums::default())
        } else if self.is(Flag::Slt) {
            signed(a, b, carry)
        } else if self.access() {
            self.address(sum(a, self.immediate(), false))
        } else if self.is(Flag::Alu) {
            let spent =
                self.is(Flag::Variant).then(|| self.event.spent + u32::from(self.instr.fuel));
            let time = if self.is(Flag::Timed) { val(self.clk) } else { Val::ZERO };
            let r = [val(a[0] + spent.unwrap_or(0)), Val::ZERO];
            Sums { r, u: val(a[1]), v: time, ..Sums::default() }
        } else if self.is(Flag::Limit) {
            Sums { t: side(hi - depth), ..Sums::default() }
        } else if self.is(Flag::Enter) {
            let limit = val(layout::STACK_LIMIT);
            let deep = self.event.outcome == Outcome::Deep;
            let fast = !deep && !self.trap();
            let room = [val(layout::CALL_LIMIT - 1) - depth, limit - fp - hi];
            Sums {
                r: room.map(|room| if fast { room } else { Val::ZERO }),
                t: side(limit - fp - lo),
                k: [false, deep],
                ..Sums::default()
            }
        } else if self.oof() {
            let charge = Val::from_u16(self.instr.fuel);
            Sums { v: charge.try_inverse().unwrap_or(Val::ZERO), ..Sums::default() }
        } else {
            Sums::default()
        }
    }

    /// An access at the sum of operand a and the immediate.
    fn address(&self, ([low, high], k): (Limbs, [bool; 2])) -> Sums {
        let [page, pages] = [high, self.event.pages].map(Val::from_u32);
        let word = Val::from_u32((1 << 14) - 1) - page;
        let bound = match (self.guest(), self.trap(), k[1]) {
            (true, false, _) => pages - Val::ONE - page,
            (true, true, false) => page - pages,
            (true, true, true) => page,
            (false, ..) => {
                if self.is(Flag::Subword) {
                    page
                } else {
                    word
                }
            }
        };
        let aligned = self.guest() && self.direct();
        let elsewhere = self.elsewhere();
        Sums {
            r: [Val::from_u32(low), bound],
            t: if aligned { Val::from_u32(low / 4) } else { Val::ZERO },
            u: page,
            v: if elsewhere { Val::from_u32(self.clk) } else { Val::ZERO },
            k,
            cond: elsewhere,
        }
    }

    fn columns(&self) -> CpuCols<Val> {
        let val = |x: u32| Val::from_u32(x);
        let (event, sums) = (self.event, &self.sums);
        let mut c = zero();
        [c.pc, c.fp, c.depth, c.pages, c.spent] =
            [event.pc, event.fp, event.depth, event.pages, event.spent].map(val);
        c.clk = val(self.clk);
        c.real = Val::ONE;
        c.oof = Val::from_bool(self.oof());
        [_, c.ia, c.ib0, c.ib1, c.ic, c.fuel, c.tag] = program::fields(&self.instr);
        for (column, flag) in c.flag.iter_mut().zip(Flag::ALL) {
            *column = Val::from_bool(self.is(*flag));
        }
        (c.a, c.b) = (self.a().map(val), self.b().map(val));
        if !self.reads_b() && !self.is(Flag::Load) {
            // Of a row out of fuel this may be a slot.
            c.b = [c.ib0, c.ib1];
        }
        c.c = event.c.map(val);
        if self.any(&[Flag::Ne, Flag::Lt, Flag::Slt]) {
            let truth = if self.is(Flag::Ne) { sums.cond } else { sums.k[1] };
            c.c = [Val::from_bool(truth != self.is(Flag::Variant)), Val::ZERO];
        } else if self.instr.op == Op::FuelCharge && !self.oof() {
            c.c = [Val::from_bool(event.outcome == Outcome::Trap), Val::ZERO];
        }
        if self.is(Flag::Push) && self.trap() {
            // Not written, but the rule for calls that do not trap has no room for `trap`.
            c.c = [c.pc + Val::ONE, c.fp];
        }
        c.c_before = event.c_before.map(val);
        [c.a_time, c.b_time, c.c_time] = event.times.map(val);
        (c.r, c.t, c.u, c.v) = (sums.r, sums.t, sums.u, sums.v);
        [c.k0, c.k1] = sums.k.map(Val::from_bool);
        c.cond = Val::from_bool(sums.cond);
        c.trap = Val::from_bool(self.trap());
        self.addresses(&mut c);
        c
    }

    fn addresses(&self, c: &mut CpuCols<Val>) {
        let val = |x: u32| Val::from_u32(x);
        let slot = |i: Val| val(layout::STACK) + c.fp + i;
        let word = if self.is(Flag::Priv) {
            c.r[0] + c.u * val(1 << 16)
        } else {
            c.t + c.u * val(1 << 14)
        };
        if self.is(Flag::Store) {
            (c.b_addr, c.c_addr) = (slot(c.ic), word);
        } else if self.is(Flag::Load) {
            c.b_addr = word;
        } else if self.is(Flag::BRead) {
            c.b_addr = slot(c.ib0);
        } else if self.is(Flag::Ret) {
            c.b_addr = val(layout::FRAME - 1) + c.depth;
        }
        if self.is(Flag::CWrite) {
            c.c_addr = slot(c.ic);
        } else if self.is(Flag::Push) {
            c.c_addr = val(layout::FRAME) + c.depth;
        } else if self.oof() {
            c.c_addr = val(layout::reg::REFUSED_FUEL_LO);
        }
    }

    /// The lookups that the row sends.
    fn count(&self, c: &CpuCols<Val>, counts: &Counts) {
        let used = [self.is(Flag::ARead), self.reads_b(), self.writes_c()];
        let times = [self.clk, self.clk + 1, self.clk + C_TIME];
        for ((used, now), before) in used.into_iter().zip(times).zip(self.event.times) {
            if used {
                counts.range16(now.wrapping_sub(before).wrapping_sub(1));
            }
        }
        use Flag::{Add, BrTable, Enter, Limit, Load, Lt, Ne, Slt, Store, Sub};
        if self.any(&[Add, Sub, Ne, Lt, Slt, BrTable, Load, Store, Enter]) {
            c.r.into_iter().for_each(|r| counts.range16(r.as_canonical_u32()));
        }
        if self.any(&[Slt, Load, Store, Limit, Enter]) {
            counts.range16(c.t.as_canonical_u32());
        }
    }
}
