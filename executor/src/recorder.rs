//! What watches the interpreter: nothing, or the record of the shard that is being run.

use std::collections::HashSet;

use rwprove_isa::{
    Pc,
    layout::{CHUNK_WORDS, LOG_WORDS, SPONGE, SPONGE_WORDS, TREE_DEPTH, reg},
    record::{
        AccessEvent, COPROCESSOR_TIME, ChunkEvent, CpuEvent, FuelEvent, KeccakEvent, MAX_GAP,
        Outcome, Record, RefreshEvent, Registers, clock,
    },
};

use crate::{Memory, Rows, code::Step, machine::State};

/// Coprocessors that need only the number of the row that asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Table {
    Bitwise,
    Shift,
    Mul,
    Div,
    Bits,
}

/// Watches a run. The interpreter calls it in the order of time and before memory changes.
pub(crate) trait Recorder {
    /// Whether it watches at all.
    const ON: bool;

    /// Whether another group of instructions might not fit; whether it is `keccak` that comes next.
    fn full(&mut self, keccak: bool) -> bool;
    /// The word at `addr` is accessed `at` after the row's clock; returns when it was last.
    fn touch(&mut self, memory: &Memory, addr: u32, at: u32) -> u32;
    /// The row asks a coprocessor.
    fn ask(&mut self, table: Table);
    /// The row accesses the words with the bytes up to `last_byte`.
    fn access(&mut self, memory: &Memory, last_byte: u32, addrs: [u32; 2], words: [[u32; 2]; 2]);
    /// The row permutes the sponge.
    fn keccak(&mut self, memory: &Memory, state: &[u64; 25]);
    /// The row asks the fuel table; a refused charge will be written down.
    fn fuel(&mut self, memory: &Memory, refused: bool);
    /// The row is complete.
    fn row(&mut self, event: CpuEvent, fuel: u16);

    /// Comes before each step and may put another one in its place. Nobody does but the adversary
    /// of `faults`, which test-benches use.
    #[inline(always)]
    fn before(&mut self, _: &Step, _: &mut Memory, _: &mut State) -> Option<Step> {
        None
    }
    /// Comes after each step, before its row is complete, and may change what it did.
    #[inline(always)]
    fn after(&mut self, _: &mut Memory, _: &mut State, _: &mut CpuEvent, _: &mut Pc) {}
}

/// Watches nothing.
#[derive(Debug)]
pub(crate) struct Nothing;

impl Recorder for Nothing {
    const ON: bool = false;

    #[inline(always)]
    fn full(&mut self, _: bool) -> bool {
        false
    }
    #[inline(always)]
    fn touch(&mut self, _: &Memory, _: u32, _: u32) -> u32 {
        0
    }
    #[inline(always)]
    fn ask(&mut self, _: Table) {}
    #[inline(always)]
    fn access(&mut self, _: &Memory, _: u32, _: [u32; 2], _: [[u32; 2]; 2]) {}
    #[inline(always)]
    fn keccak(&mut self, _: &Memory, _: &[u64; 25]) {}
    #[inline(always)]
    fn fuel(&mut self, _: &Memory, _: bool) {}
    #[inline(always)]
    fn row(&mut self, _: CpuEvent, _: u16) {}
}

const LOG_LEAF: usize = 10;

/// Writes the record of one shard.
#[derive(Debug)]
pub(crate) struct ShardRecorder {
    record: Record,
    /// What shards may contain before their last group of instructions.
    rooms: Vec<Rows>,
    /// The first room that what happened so far fits in. Rows only become more, so the rooms before
    /// it are exceeded for good.
    room: usize,
    clock: u32,
    spent: u32,
    /// For each chunk its place in `record.chunks` plus one, 0 if not touched; in pieces that
    /// exist once needed.
    places: Vec<Option<Box<[u32; 1 << LOG_LEAF]>>>,
    /// Touched nodes of the memory tree: node `i` of level `l` is `2^l + i`.
    nodes: HashSet<u32>,
}

impl ShardRecorder {
    /// A shard goes on while it fits in any of `rooms`: each is what a shard may contain before its
    /// last group of instructions.
    pub(crate) fn new(rooms: Vec<Rows>) -> Self {
        let places = vec![None; (1 << (LOG_WORDS - 3)) >> LOG_LEAF];
        let (clock, nodes) = (clock(0), HashSet::from([1]));
        Self { record: Record::default(), rooms, room: 0, clock, spent: 0, places, nodes }
    }

    /// Starts a shard.
    pub(crate) fn start(&mut self, index: u32, start: Registers, fuel_limit: u64) {
        self.record = Record { index, start, fuel_limit, ..Record::default() };
        self.clock = clock(0);
        self.spent = 0;
        self.room = 0;
        self.nodes.clear();
        self.nodes.insert(1); // the root is always there
    }

    /// Ends the shard: the record and its rows. Costs only what was touched.
    pub(crate) fn finish(&mut self, memory: &Memory, end: Registers, last: bool) -> (Record, Rows) {
        let rows = self.rows();
        let mut record = std::mem::take(&mut self.record);
        (record.end, record.last) = (end, last);
        for event in &mut record.chunks {
            event.after = memory.chunk(event.chunk);
            if let Some(place) = place(&mut self.places, event.chunk) {
                *place = 0;
            }
        }
        record.chunks.sort_unstable_by_key(|event| event.chunk);
        (record, rows)
    }

    /// The record so far, for an adversary.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn record(&mut self) -> &mut Record {
        &mut self.record
    }

    /// Rows of the shard so far.
    fn rows(&self) -> Rows {
        let record = &self.record;
        Rows {
            cpu: record.cpu.len() as u64,
            bitwise: record.bitwise.len() as u64,
            shift: record.shift.len() as u64,
            mul: record.mul.len() as u64,
            div: record.div.len() as u64,
            bits: record.bits.len() as u64,
            access: record.access.len() as u64,
            refresh: record.refresh.len() as u64,
            keccak: record.keccak.len() as u64,
            fuel: record.fuel.len() as u64,
            merkle: self.nodes.len() as u64,
        }
    }

    fn this_row(&self) -> u32 {
        self.record.cpu.len() as u32
    }

    /// Adds the path from a chunk to the first node that is known.
    fn add_path(&mut self, chunk: u32) {
        let mut node = 1 << TREE_DEPTH | chunk;
        while self.nodes.insert(node) {
            node /= 2;
        }
    }
}

/// Where the place of a chunk is noted. `None` only for addresses outside the space, for which the
/// interpreter reports a fault.
fn place(places: &mut [Option<Box<[u32; 1 << LOG_LEAF]>>], chunk: u32) -> Option<&mut u32> {
    let piece = places.get_mut(chunk as usize >> LOG_LEAF)?;
    let piece = piece.get_or_insert_with(|| Box::new([0; 1 << LOG_LEAF]));
    piece.get_mut(chunk as usize % (1 << LOG_LEAF))
}

impl Recorder for ShardRecorder {
    const ON: bool = true;

    #[inline]
    fn full(&mut self, keccak: bool) -> bool {
        let mut have = self.rows();
        have.keccak += u64::from(keccak);
        while let Some(room) = self.rooms.get(self.room) {
            if have.fit_in(room) {
                return false;
            }
            self.room += 1;
        }
        true
    }

    #[inline]
    fn touch(&mut self, memory: &Memory, addr: u32, at: u32) -> u32 {
        let now = self.clock + at;
        let chunk = addr / CHUNK_WORDS as u32;
        let Some(place) = place(&mut self.places, chunk) else { return 0 };
        if *place == 0 {
            let before = memory.chunk(chunk);
            self.record.chunks.push(ChunkEvent { chunk, before, after: before, times: [0; 8] });
            *place = self.record.chunks.len() as u32;
            let place = *place;
            self.add_path(chunk);
            return self.stamp(memory, addr, place, now);
        }
        let place = *place;
        self.stamp(memory, addr, place, now)
    }

    #[inline]
    fn ask(&mut self, table: Table) {
        let row = self.this_row();
        match table {
            Table::Bitwise => &mut self.record.bitwise,
            Table::Shift => &mut self.record.shift,
            Table::Mul => &mut self.record.mul,
            Table::Div => &mut self.record.div,
            Table::Bits => &mut self.record.bits,
        }
        .push(row);
    }

    fn access(
        &mut self,
        memory: &Memory,
        last_byte: u32,
        addrs: [u32; 2],
        [before, after]: [[u32; 2]; 2],
    ) {
        let first = self.touch(memory, addrs[0], COPROCESSOR_TIME);
        let second = if addrs[0] == addrs[1] {
            first
        } else {
            self.touch(memory, addrs[1], COPROCESSOR_TIME)
        };
        let (row, times) = (self.this_row(), [first, second]);
        self.record.access.push(AccessEvent { row, last_byte, before, after, times });
    }

    fn keccak(&mut self, memory: &Memory, state: &[u64; 25]) {
        let mut times = [0; SPONGE_WORDS as usize];
        for (addr, time) in (SPONGE..).zip(&mut times) {
            *time = self.touch(memory, addr, COPROCESSOR_TIME);
        }
        let row = self.this_row();
        self.record.keccak.push(KeccakEvent { row, state: *state, times });
    }

    fn fuel(&mut self, memory: &Memory, refused: bool) {
        let mut times = [0; 2];
        if refused {
            times = [reg::REFUSED_FUEL_LO, reg::REFUSED_FUEL_HI]
                .map(|addr| self.touch(memory, addr, COPROCESSOR_TIME));
        }
        let row = self.this_row();
        self.record.fuel.push(FuelEvent { row, times });
    }

    #[inline]
    fn row(&mut self, event: CpuEvent, fuel: u16) {
        self.record.cpu.push(CpuEvent { spent: self.spent, ..event });
        if event.outcome != Outcome::OutOfFuel {
            self.spent += fuel as u32;
        }
        self.clock += 4;
    }
}

impl ShardRecorder {
    /// Notes an access of a touched chunk; a word not seen for long is carried to now first.
    #[inline]
    fn stamp(&mut self, memory: &Memory, addr: u32, place: u32, now: u32) -> u32 {
        let event = self.record.chunks.get_mut(place as usize - 1);
        let times = event.map(|event| &mut event.times);
        let Some(time) = times.and_then(|t| t.get_mut(addr as usize % CHUNK_WORDS)) else {
            return 0;
        };
        let before = std::mem::replace(time, now);
        if now - before - 1 < MAX_GAP {
            return before;
        }
        let time = now - 1;
        self.record.refresh.push(RefreshEvent { addr, value: memory.limbs(addr), before, time });
        time
    }
}
