//! Fills the `cpu` table from the record.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use rwprove_isa::{
    Flag, Instr, Operand, layout,
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
    /// From the row before, if chained.
    carry: bool,
    link: Val,
    sums: Sums,
}

/// Values of the arithmetic helper columns.
#[derive(Default)]
struct Sums {
    r: Limbs,
    t: [Val; 2],
    k: [bool; 2],
    sign: [bool; 2],
}

impl Sums {
    fn add(a: Limbs, b: Limbs, carry: bool) -> Self {
        let low = a[0] + b[0] + u32::from(carry);
        let high = a[1] + b[1] + (low >> 16);
        let r = [low & 0xffff, high & 0xffff];
        Self { r, k: [low >> 16 != 0, high >> 16 != 0], ..Self::default() }
    }

    fn sub(a: Limbs, b: Limbs, borrow: bool) -> Self {
        let low = a[0] as i32 - b[0] as i32 - i32::from(borrow);
        let high = a[1] as i32 - b[1] as i32 - i32::from(low < 0);
        let r = [low, high].map(|x| x as u32 & 0xffff);
        Self { r, k: [low < 0, high < 0], ..Self::default() }
    }
}

impl<'a> Step<'a> {
    /// The row, if it is real.
    fn new(shard: &Shard<'a>, index: usize) -> Option<Self> {
        let event = shard.record.cpu.get(index)?;
        let instr = program::at(shard.program, event.pc);
        // Chains are a few rows long, so this goes back a few rows at most.
        let before = index.checked_sub(1).filter(|_| instr.chain).and_then(|i| Self::new(shard, i));
        let (carry, link) = before.map_or((false, Val::ZERO), |before| before.handed_over());
        let out_of_fuel = event.outcome == Outcome::OutOfFuel;
        let flags = if out_of_fuel { 0 } else { instr.flags() };
        let sums = Sums::default();
        let mut step = Self { event, instr, flags, clk: clock(index), carry, link, sums };
        step.sums = step.sums();
        Some(step)
    }

    fn handed_over(&self) -> (bool, Val) {
        let [r0, r1] = self.sums.r;
        (self.sums.k[1], Val::from_u32(r0 + r1) + self.link)
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

    fn trap(&self) -> bool {
        self.event.outcome == Outcome::Trap
    }

    /// Left to the access table.
    fn mis(&self) -> bool {
        let unaligned = self.event.outcome == Outcome::Unaligned;
        self.access() && !self.trap() && (unaligned || self.is(Flag::Subword))
    }

    fn direct(&self) -> bool {
        !self.mis() && !self.trap()
    }

    fn push(&self) -> bool {
        let pushes = self.is(Flag::Call) || (self.is(Flag::CallReg) && self.is(Flag::Limit));
        pushes && !self.trap()
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
        (self.is(Flag::CWrite) && !self.trap()) || stores || self.push() || self.oof()
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
        } else if self.is(Flag::BImm) && !self.access() {
            self.immediate()
        } else if self.is(Flag::Spent) {
            [self.event.spent + u32::from(self.instr.fuel), 0]
        } else {
            [0, 0]
        }
    }

    fn sums(&self) -> Sums {
        let (a, b) = (self.a(), self.b());
        let val = |x: u32| Val::from_u32(x);
        let [lo, hi] = self.immediate().map(val);
        let [fp, depth] = [self.event.fp, self.event.depth].map(val);
        // The distance on the side of the limit that was taken.
        let side = |within: Val| if self.trap() { -within - Val::ONE } else { within };
        if self.is(Flag::Add) {
            Sums::add(a, b, self.carry)
        } else if self.any(&[Flag::Sub, Flag::Eq, Flag::Lt, Flag::BrTable]) {
            Sums::sub(a, b, self.carry)
        } else if self.is(Flag::Slt) {
            let [s, t] = [a, b].map(|[low, high]| [low, high ^ 0x8000]);
            let sums = Sums::sub(s, t, self.carry);
            Sums { t: [val(s[1]), val(t[1])], sign: [a, b].map(|x| x[1] >> 15 != 0), ..sums }
        } else if self.access() {
            let sums = Sums::add(a, self.immediate(), false);
            let t = self.access_helpers(&sums);
            Sums { t, ..sums }
        } else if self.is(Flag::Alu) {
            Sums { r: a, ..Sums::default() }
        } else if self.is(Flag::Limit) {
            Sums { t: [side(hi - depth), Val::ZERO], ..Sums::default() }
        } else if self.is(Flag::Enter) {
            let limit = val(layout::STACK_LIMIT);
            let deep = self.event.outcome == Outcome::Deep;
            let fast = !deep && !self.trap();
            let t1 = if fast { limit - fp - hi } else { Val::ZERO };
            let calls = (layout::CALL_LIMIT - 1).wrapping_sub(self.event.depth);
            Sums {
                r: [if fast { calls } else { 0 }, 0],
                t: [side(limit - fp - lo), t1],
                k: [false, deep],
                ..Sums::default()
            }
        } else {
            Sums::default()
        }
    }

    /// Word and page of an access at `r`.
    fn access_helpers(&self, sums: &Sums) -> [Val; 2] {
        let [r0, r1] = sums.r;
        let (page, pages) = (Val::from_u32(r1), Val::from_u32(self.event.pages));
        if !self.guest() {
            let bound = Val::from_u32((1 << 14) - 1) - page;
            return [Val::ZERO, if self.is(Flag::Subword) { Val::ZERO } else { bound }];
        }
        let t0 = if self.direct() { r0 / 4 } else { 0 };
        let t1 = match (self.trap(), sums.k[1]) {
            (false, _) => pages - Val::ONE - page,
            (true, false) => page - pages,
            (true, true) => Val::ZERO,
        };
        [Val::from_u32(t0), t1]
    }

    /// Truth of a comparison before negation, or of `Cmov`'s condition.
    fn cond(&self) -> bool {
        if self.is(Flag::Eq) {
            self.handed_over().1.is_zero()
        } else if self.is(Flag::Cmov) {
            self.a() != [0, 0]
        } else {
            self.any(&[Flag::Lt, Flag::Slt]) && self.sums.k[1]
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
        [c.flags, c.ia, c.ib0, c.ib1, c.ic, c.fuel, c.tag] = program::fields(&self.instr);
        for (column, flag) in c.flag.iter_mut().zip(Flag::ALL) {
            *column = Val::from_bool(self.is(*flag));
        }
        (c.a, c.b) = (self.a().map(val), self.b().map(val));
        c.c = event.c.map(val);
        if self.any(&[Flag::Eq, Flag::Lt, Flag::Slt]) {
            c.c = [Val::from_bool(self.cond() != self.is(Flag::Neg)), Val::ZERO];
        } else if self.is(Flag::Fuel) {
            c.c = [Val::from_bool(self.trap()), Val::ZERO];
        }
        c.c_before = event.c_before.map(val);
        [c.a_time, c.b_time, c.c_time] = event.times.map(val);
        (c.r, c.t) = (sums.r.map(val), sums.t);
        [c.k0, c.k1] = sums.k.map(Val::from_bool);
        c.sign = sums.sign.map(Val::from_bool);
        (c.carry, c.link) = (Val::from_bool(self.carry), self.link);
        c.cond = Val::from_bool(self.cond());
        let tested = if self.is(Flag::Eq) {
            self.handed_over().1
        } else if self.is(Flag::Cmov) {
            c.a[0] + c.a[1]
        } else {
            c.oof * c.fuel
        };
        c.inv = tested.try_inverse().unwrap_or(Val::ZERO);
        c.trap = Val::from_bool(self.trap());
        c.mis = Val::from_bool(self.mis());
        c.push = Val::from_bool(self.push());
        if self.is(Flag::Timed) || self.mis() {
            c.req_time = c.clk;
        }
        self.addresses(&mut c);
        c
    }

    fn addresses(&self, c: &mut CpuCols<Val>) {
        let val = |x: u32| Val::from_u32(x);
        let slot = |i: Val| val(layout::STACK) + c.fp + i;
        let word = if self.is(Flag::Priv) {
            c.r[0] + c.r[1] * val(1 << 16)
        } else {
            c.t[0] + c.r[1] * val(1 << 14)
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
        } else if self.push() {
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
        use Flag::{Add, BrTable, Enter, Eq, Limit, Load, Lt, Slt, Store, Sub};
        if self.any(&[Add, Sub, Eq, Lt, Slt, BrTable, Load, Store, Enter]) {
            self.sums.r.into_iter().for_each(|r| counts.range16(r));
        }
        if self.any(&[Slt, Load, Store, Limit, Enter]) {
            c.t.into_iter().for_each(|t| counts.range16(t.as_canonical_u32()));
        }
    }
}
