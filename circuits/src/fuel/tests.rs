//! Tests of the `fuel` table.

use p3_field::PrimeCharacteristicRing;
use rwprove_isa::{
    Instr, Op,
    layout::reg,
    record::{FuelEvent, Outcome, clock, limbs},
};

use super::Fuel;
use crate::{
    Val,
    coprocessor::tester::{Case, binary, bound, random, with},
    table::Fill,
};

/// A shard under construction: consumed fuel as a plain number.
struct Run {
    case: Case,
    consumed: u64,
    spent: u32,
}

impl Run {
    fn new(start: u64, limit: u64) -> Self {
        let mut case = Case::default();
        case.record.start.fuel = start;
        case.record.fuel_limit = limit;
        Self { case, consumed: start, spent: 0 }
    }

    fn row(&mut self, op: Op, [x, y, z]: [u32; 3], outcome: Outcome) -> u32 {
        let instr = Instr { fuel: 7, ..binary(op) };
        let row = self.case.push(instr, x, y, z, outcome);
        self.case.record.cpu[row as usize].spent = self.spent;
        self.spent += 7;
        self.consumed += 7;
        row
    }

    /// Rows of other operations, which charge too.
    fn idle(&mut self, rows: usize) {
        for _ in 0..rows {
            self.row(Op::Add, [0; 3], Outcome::Plain);
        }
    }

    fn charge(&mut self, amount: u64) {
        let (x, y) = ((amount >> 32) as u32, amount as u32);
        let row = self.row(Op::FuelCharge, [x, y, 0], Outcome::Plain);
        self.consumed += amount;
        self.ask(Op::FuelCharge, row, [limbs(x), limbs(y), [0; 2]]);
    }

    fn refuse(&mut self, amount: u64) {
        let (x, y) = ((amount >> 32) as u32, amount as u32);
        let row = self.row(Op::FuelCharge, [x, y, 1], Outcome::Trap);
        let now = clock(row as usize) + 2;
        self.case.memory(reg::REFUSED_FUEL_LO, (0, 0), (y, now));
        self.case.memory(reg::REFUSED_FUEL_HI, (0, 0), (x, now));
        self.ask(Op::FuelCharge, row, [limbs(x), limbs(y), [1, 0]]);
    }

    fn left(&mut self) {
        for (op, shift) in [(Op::FuelLeftLo, 0), (Op::FuelLeftHi, 32)] {
            let row = self.row(op, [0; 3], Outcome::Plain);
            let left = (self.case.record.fuel_limit - self.consumed) >> shift;
            self.ask(op, row, [[self.spent, 0], [0; 2], limbs(left as u32)]);
        }
    }

    fn ask(&mut self, op: Op, row: u32, xyz: [[u32; 2]; 3]) {
        self.case.ask(Instr::new(op).tag(), clock(row as usize), xyz);
        self.case.record.fuel.push(FuelEvent { row, times: [0; 2] });
    }
}

/// All kinds of rows; ends refused.
fn run() -> Run {
    let mut run = Run::new(0x1_ffff_fff0, 0xffff_0002_ffff_0000);
    run.idle(3);
    run.left();
    run.charge(0xffff_ffff);
    run.idle(100);
    run.charge(0x0123_4567_89ab_cdef);
    run.left();
    run.refuse(0xfedc_ba98_7654_3210);
    run
}

#[test]
fn accepts_charges_questions_and_a_refusal() {
    let run = run();
    let (_, publics) = run.case.accepts(&Fuel, 8);
    run.case.accepts(&Fuel, 16);
    // What the verifier computes from the public values.
    let value = |i: usize| u64::from(p3_field::PrimeField32::as_canonical_u32(&publics[i]));
    let charged = (0..4).map(|i| value(8 + i) << (16 * i)).sum::<u64>();
    assert_eq!(charged, 0xffff_ffff + 0x0123_4567_89ab_cdef);
}

#[test]
fn no_limit_is_a_number() {
    let mut run = Run::new(0, u64::MAX);
    run.left();
    run.charge(u64::MAX - run.consumed - 100);
    run.left();
    run.case.accepts(&Fuel, 8);
}

#[test]
fn the_last_unit_of_fuel_is_accepted() {
    let mut run = Run::new(5, 5 + 7 + 3 + 14);
    run.charge(3);
    run.left();
    run.case.accepts(&Fuel, 4);
}

#[test]
fn full_table_with_random_charges_is_accepted() {
    let mut run = Run::new(3, u64::MAX);
    let mut next = random();
    for _ in 0..500 {
        run.charge(u64::from(next()) << 15 | 0xffff_0000_ffff);
    }
    (0..6).for_each(|_| run.left());
    run.case.accepts(&Fuel, 512);
}

#[test]
fn empty_table_keeps_zero_sums() {
    let case = Case::default();
    let (trace, mut publics) = case.accepts(&Fuel, 4);
    assert!(trace.values.iter().all(|v| *v == Val::ZERO));
    publics[9] = Val::ONE;
    assert!(case.refuses(&Fuel, &trace, &publics));
}

#[test]
fn every_column_of_a_real_row_is_bound() {
    let filled = run().case.accepts(&Fuel, 16);
    bound(&Fuel, &filled, 0..16);
}

#[test]
fn public_values_are_bound() {
    let run = run();
    let (trace, publics) = run.case.accepts(&Fuel, 8);
    for i in 0..12 {
        let mut changed = publics.clone();
        changed[i] += Val::ONE;
        assert!(run.case.refuses(&Fuel, &trace, &changed), "public value {i}");
    }
}

#[test]
fn rows_out_of_order_are_refused() {
    let mut run = Run::new(0, 1000);
    run.charge(100);
    run.left();
    let (_, publics) = run.case.accepts(&Fuel, 4);
    // The question is answered before the charge: more is left.
    run.case.record.fuel.rotate_left(1);
    let trace = Fuel.fill(&run.case.shard(), 4, &Default::default());
    assert!(run.case.refuses(&Fuel, &trace, &publics));
}

#[test]
fn a_hole_in_the_real_rows_is_refused() {
    let mut run = Run::new(0, 1000);
    run.charge(1);
    let (trace, publics) = run.case.accepts(&Fuel, 4);
    let mut moved = trace.clone();
    let width = trace.width;
    moved.values.copy_within(0..width, 2 * width);
    moved.values[..width].fill(Val::ZERO);
    for row in 0..3 {
        moved = with(&Fuel, &moved, row, &[("sums[0]", Val::ZERO)]);
    }
    assert!(run.case.refuses(&Fuel, &moved, &publics));
}

/// A charge that is not refused cannot leave its amount out, nor can a refused one add it.
#[test]
fn refusal_decides_the_sum() {
    let mut run = Run::new(0, 1000);
    run.charge(9);
    let (trace, publics) = run.case.accepts(&Fuel, 1);
    let refused = with(&Fuel, &trace, 0, &[("refused", Val::ONE), ("z[0]", Val::ONE)]);
    assert!(run.case.refuses(&Fuel, &refused, &publics));
    let free = [&publics[..8], &[Val::ZERO; 4]].concat();
    assert!(run.case.refuses(&Fuel, &trace, &free));
    // Now the constraints hold, but the cpu row did not trap.
    assert!(run.case.refuses(&Fuel, &refused, &free));
}

/// `2^16 · 32512 = p - 1`: such a carry would take one unit of fuel away.
#[test]
fn a_carry_around_the_field_is_refused() {
    let mut run = Run::new(0, 0x7fff_0000_0000_ffff);
    run.left();
    let (trace, publics) = run.case.accepts(&Fuel, 2);
    let left = |spent: u64| 0x7fff_0000_0000_ffff - spent;
    // One less in limb 0 means 32512 less in limb 1, of which limb 2 makes up.
    let forged_left = left(7) - 1 - (32512 << 16);
    let limb = |i: u32| Val::from_u64(forged_left >> (16 * i) & 0xffff);
    let cells = [
        ("left[0]", limb(0)),
        ("left[1]", limb(1)),
        ("left[2]", limb(2)),
        ("left[3]", limb(3)),
        ("carry[0]", Val::new(32512)),
        ("carry[1]", Val::ONE),
        ("carry[2]", Val::ONE),
        ("z[0]", limb(0)),
        ("z[1]", limb(1)),
    ];
    let forged = with(&Fuel, &trace, 0, &cells);
    let mut wrong = Case::default();
    for (row, op, z) in [
        (0, Op::FuelLeftLo, limbs(forged_left as u32)),
        (1, Op::FuelLeftHi, limbs((left(14) >> 32) as u32)),
    ] {
        wrong.ask(Instr::new(op).tag(), clock(row), [[7 * (row as u32 + 1), 0], [0; 2], z]);
    }
    assert!(wrong.lookups_refuse(&Fuel, &forged, &publics) > 0);
}
