//! Shards made by hand, to test one coprocessor alone.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{
    Instr, Operand, Program,
    record::{CpuEvent, Limbs, Outcome, Record, limbs},
};

use crate::{
    Val,
    bus::{self, Message},
    check::{Check, Lookups, Violation},
    counts::Counts,
    merkle::MerkleUpdate,
    symbolic,
    table::{Fill, Shard, Table},
    testing,
};

/// A program with one instruction for each row of the cpu table, and the messages that the tables
/// which are not there say.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) program: Program,
    pub(crate) record: Record,
    merkle: MerkleUpdate,
    sent: Vec<Message<Val>>,
    received: Vec<Message<Val>>,
}

impl Default for Case {
    fn default() -> Self {
        let program = Program {
            module_hash: [0; 32],
            code: Vec::new(),
            start: 0,
            pages: 0,
            fuel: 0,
            image: Vec::new(),
            weights: Vec::new(),
        };
        let (record, merkle) = (Record::default(), MerkleUpdate::default());
        Self { program, record, merkle, sent: Vec::new(), received: Vec::new() }
    }
}

impl Case {
    /// Adds a row of the cpu table and returns its index; the caller lists it in the record.
    pub(crate) fn push(&mut self, instr: Instr, a: u32, b: u32, c: u32, outcome: Outcome) -> u32 {
        let row = self.program.code.len() as u32;
        self.program.code.push(instr);
        let (a, b, c) = (limbs(a), limbs(b), limbs(c));
        self.record.cpu.push(CpuEvent { pc: row, a, b, c, outcome, ..CpuEvent::default() });
        row
    }

    /// Adds a row with an operation on values and the request that it sends.
    pub(crate) fn operation(&mut self, instr: Instr, a: u32, b: u32, c: u32) -> u32 {
        let row = self.push(instr, a, b, c, Outcome::Plain);
        self.ask(instr.tag(), 0, [limbs(a), limbs(b), limbs(c)]);
        row
    }

    /// The cpu sends this request.
    pub(crate) fn ask(&mut self, tag: u32, time: u32, xyz: [Limbs; 3]) {
        let [x, y, z] = xyz.map(|w| w.map(Val::from_u32));
        self.sent.push(bus::request(Val::from_u32(tag), Val::from_u32(time), x, y, z));
    }

    /// The word at `addr` held `before` since some time and is accessed at `now`.
    pub(crate) fn memory(&mut self, addr: u32, before: (u32, u32), now: (u32, u32)) {
        let message = |(value, time): (u32, u32)| {
            bus::memory(Val::from_u32(addr), limbs(value).map(Val::from_u32), Val::from_u32(time))
        };
        self.sent.push(message(before));
        self.received.push(message(now));
    }

    /// The shard of the case.
    pub(crate) fn shard(&self) -> Shard<'_> {
        Shard { program: &self.program, record: &self.record, merkle: &self.merkle }
    }

    /// Fills the table and checks constraints, messages, degrees and that each lookup was counted.
    pub(crate) fn accepts<T: Fill + Sync>(
        &self,
        table: &T,
        height: usize,
    ) -> (RowMajorMatrix<Val>, Vec<Val>) {
        assert!(symbolic::degrees(table).allowed(), "{:?}", symbolic::degrees(table));
        let counts = Counts::default();
        let trace = table.fill(&self.shard(), height, &counts);
        let publics = table.publics(&self.shard());
        let mut check = self.check(table, &trace, &publics).unwrap();
        provide(&mut check, &counts);
        check.finish(Lookups::Counted).unwrap();
        (trace, publics)
    }

    /// Whether a trace breaks a constraint or the balance of the bus.
    pub(crate) fn refuses<T: Table + Sync>(
        &self,
        table: &T,
        trace: &RowMajorMatrix<Val>,
        publics: &[Val],
    ) -> bool {
        self.check(table, trace, publics).and_then(|check| check.finish(Lookups::Free)).is_err()
    }

    /// Whether lookups are all that is wrong with a trace, and how often: constraints hold and all
    /// other messages balance.
    pub(crate) fn lookups_refuse<T: Table + Sync>(
        &self,
        table: &T,
        trace: &RowMajorMatrix<Val>,
        publics: &[Val],
    ) -> usize {
        let mut check = self.check(table, trace, publics).unwrap();
        let mut wrong = 0;
        while let Err(violation) = check.finish(Lookups::Free) {
            let Violation::Bus { kind, fields, .. } = &violation else { panic!("{violation}") };
            let fields: Vec<_> = fields.iter().map(|&x| Val::from_u32(x)).collect();
            let message = match (kind.as_str(), &fields[..]) {
                ("range16", &[x]) => bus::range16(x),
                ("and", &[x, y, z]) => bus::and(x, y, z),
                ("pair", &[x, y]) => bus::pair(x, y),
                ("pow", &[j, p]) => bus::pow(j, p),
                _ => panic!("{violation}"),
            };
            check.receive(message);
            wrong += 1;
        }
        wrong
    }

    fn check<T: Table + Sync>(
        &self,
        table: &T,
        trace: &RowMajorMatrix<Val>,
        publics: &[Val],
    ) -> Result<Check, Violation> {
        let mut check = Check::default();
        check.table(table, trace, publics)?;
        self.sent.iter().for_each(|m| check.send(*m));
        self.received.iter().for_each(|m| check.receive(*m));
        Ok(check)
    }
}

/// Provides the lookups that were counted.
fn provide(check: &mut Check, counts: &Counts) {
    let mut provide = |counters: &[AtomicU32], message: fn(usize, usize) -> Message<Val>| {
        for (i, counter) in counters.iter().enumerate() {
            for _ in 0..counter.load(Relaxed) {
                check.receive(message(i & 255, i >> 8));
            }
        }
    };
    provide(&counts.range16, |low, high| bus::range16(Val::from_usize(low | high << 8)));
    provide(&counts.and, |x, y| {
        bus::and(Val::from_usize(x), Val::from_usize(y), Val::from_usize(x & y))
    });
    provide(&counts.pair, |x, y| bus::pair(Val::from_usize(x), Val::from_usize(y)));
    provide(&counts.pow, |j, _| bus::pow(Val::from_usize(j), Val::from_usize(1 << j)));
}

/// Changes every cell of these rows: each change must be refused, or be one of a cell that may be
/// free.
pub(crate) fn bound<T: Table + Sync>(
    table: &T,
    filled: &(RowMajorMatrix<Val>, Vec<Val>),
    rows: impl IntoIterator<Item = usize>,
) {
    let (trace, publics) = filled;
    let found = testing::mutate(table, trace, publics, rows, &Check::default(), 1).unwrap();
    assert_eq!(found.survivors, []);
}

/// An instruction with two operands.
pub(crate) fn binary(op: rwprove_isa::Op) -> Instr {
    Instr { a: Some(0), b: Operand::Slot(1), c: 2, ..Instr::new(op) }
}

/// Operands at the edges.
pub(crate) const EDGES: [u32; 14] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    u32::MAX,
];

/// Numbers that look random and are the same each time.
pub(crate) fn random() -> impl FnMut() -> u32 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (state >> 32) as u32
    }
}

/// The trace with one cell, named by its column, changed.
pub(crate) fn with<T: Table>(
    table: &T,
    trace: &RowMajorMatrix<Val>,
    row: usize,
    cells: &[(&str, Val)],
) -> RowMajorMatrix<Val> {
    let mut changed = trace.clone();
    let names = table.columns();
    for (name, value) in cells {
        let column = names.iter().position(|n| n == name).unwrap();
        changed.values[row * trace.width + column] = *value;
    }
    changed
}

/// Whether all rows from `row` on are zero.
pub(crate) fn padded(trace: &RowMajorMatrix<Val>, row: usize) -> bool {
    trace.values[row * trace.width..].iter().all(|v| *v == Val::ZERO)
}

/// The trace with 256 moved from one byte of a limb to the other: the limb stays the same.
pub(crate) fn moved<T: Table>(
    table: &T,
    trace: &RowMajorMatrix<Val>,
    row: usize,
    low: &str,
    high: &str,
) -> RowMajorMatrix<Val> {
    let names = table.columns();
    let cell = |name: &str| {
        let column = names.iter().position(|n| n == name).unwrap();
        trace.values[row * trace.width + column]
    };
    let cells = [(low, cell(low) + Val::new(256)), (high, cell(high) - Val::ONE)];
    with(table, trace, row, &cells)
}
