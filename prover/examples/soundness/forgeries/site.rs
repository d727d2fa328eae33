//! A row of an honest run where something can go wrong, and what a fault is made of.

use rwprove_circuits::{
    machine::{ChipId, Instance},
    merkle::{MemoryTree, MerkleUpdate},
};
use rwprove_executor::Moment;
use rwprove_isa::{
    Flag, Instr, Op,
    Operand::Imm,
    layout::{CHUNK_WORDS, FRAME, STACK, reg},
    record::{C_TIME, CpuEvent, Limbs, Outcome, Record, clock, word},
};

use super::subject::Subject;

/// Field order: times before zero are just below it.
pub(crate) const ORDER: u32 = 0x7f00_0001;

/// Where a fault happens, and what the honest run did there.
#[derive(Clone)]
pub(crate) struct Site<'a> {
    pub(crate) subject: &'a Subject,
    /// The honest record of the shard.
    pub(crate) record: &'a Record,
    pub(crate) shard: usize,
    /// Row in the shard.
    pub(crate) local: usize,
    /// Row in the run.
    pub(crate) row: u64,
    pub(crate) instr: Instr,
    pub(crate) event: CpuEvent,
    /// The pc after the row.
    pub(crate) next: u32,
    /// Addresses of the ports that the row used.
    pub(crate) ports: [Option<u32>; 3],
    /// Where the fault's own choices come from.
    pub(crate) seed: u64,
    /// Another row that the fault needs.
    pub(crate) other: Option<u64>,
    /// What one hook leaves for the next.
    pub(crate) memo: [u32; 4],
    /// Fuel that was left before the fault.
    pub(crate) left: u64,
}

/// A well mixed number.
pub(crate) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

impl<'a> Site<'a> {
    pub(crate) fn new(subject: &'a Subject, shard: usize, local: usize, seed: u64) -> Self {
        let honest = &subject.shards[shard];
        let record = &honest.record;
        let event = record.cpu[local];
        let instr = subject.instr(event.pc);
        let next = record.cpu.get(local + 1).map_or(record.end.pc, |event| event.pc);
        Self {
            subject,
            record,
            shard,
            local,
            row: honest.first + local as u64,
            instr,
            event,
            next,
            ports: ports(&instr, &event),
            seed,
            other: None,
            memo: [0; 4],
            left: 0,
        }
    }

    /// A choice among `n`.
    pub(crate) fn pick(&self, n: u64) -> u64 {
        mix(self.seed) % n
    }

    pub(crate) fn op(&self) -> Op {
        self.instr.op
    }

    pub(crate) fn is(&self, flag: Flag) -> bool {
        self.instr.op.flags() & flag.bit() != 0
    }

    pub(crate) fn any(&self, flags: &[Flag]) -> bool {
        flags.iter().any(|&flag| self.is(flag))
    }

    pub(crate) fn plain(&self) -> bool {
        !matches!(self.event.outcome, Outcome::Trap | Outcome::OutOfFuel)
    }

    /// Bytes that the row accesses through the access table: the last one's address.
    pub(crate) fn access(&self) -> Option<u32> {
        let row = self.local as u32;
        let at = self.record.access.binary_search_by_key(&row, |access| access.row).ok()?;
        Some(self.record.access[at].last_byte)
    }

    /// An instruction that only reads the row's operands.
    pub(crate) fn neutral(&self) -> Instr {
        let b = match self.instr.b {
            _ if self.is(Flag::Store) => rwprove_isa::Operand::Slot(self.instr.c),
            _ if self.is(Flag::Load) => rwprove_isa::Operand::None,
            b => b,
        };
        Instr { b, a: self.instr.a, fuel: self.instr.fuel, ..Instr::new(Op::Cmp) }
    }

    /// The last write by a cpu row, before this row, of a word that a port reads: which port, the
    /// row, and what it replaced.
    pub(crate) fn rewritten(&self) -> Option<(usize, &CpuEvent)> {
        let ports = [0, 1].into_iter().filter(|&port| self.reads_alone(port));
        ports.into_iter().find_map(|port| {
            let addr = self.ports[port]?;
            let rows = self.record.cpu[..self.local].iter().rev().take(400);
            let mut writes = rows.filter(|event| {
                ports_of(self.subject, event)[2] == Some(addr) && event.c_before != event.c
            });
            Some((port, writes.next()?))
        })
    }

    /// Whether no other port of the row is at the address of this one.
    pub(crate) fn reads_alone(&self, port: usize) -> bool {
        let addr = self.ports[port];
        addr.is_some() && (0..3).all(|other| other == port || self.ports[other] != addr)
    }

    /// A port that reads alone, if there is one.
    pub(crate) fn reader(&self) -> Option<usize> {
        let first = self.pick(2) as usize;
        [first, 1 - first].into_iter().find(|&port| self.reads_alone(port))
    }

    /// The next access of the word that the port reads, if it is a read, too: row and port.
    pub(crate) fn read_again(&self, port: usize) -> Option<(usize, usize)> {
        let (addr, now) = (self.ports[port]?, clock(self.local) + port as u32);
        let rows = self.record.cpu.iter().enumerate().skip(self.local + 1).take(400);
        rows.into_iter().find_map(|(row, event)| {
            let ports = ports_of(self.subject, event);
            let found = (0..2).find(|&p| ports[p] == Some(addr) && event.times[p] == now)?;
            (ports[2] != Some(addr) && ports[0] != ports[1]).then_some((row, found))
        })
    }

    /// The row that overwrites the row's result, if that is the next access of the word.
    pub(crate) fn overwritten(&self) -> Option<usize> {
        let (addr, now) = (self.ports[2]?, clock(self.local) + C_TIME);
        let rows = self.record.cpu.iter().enumerate().skip(self.local + 1).take(400);
        let mut rows = rows.filter(|(_, event)| event.times[2] == now);
        let (row, _) = rows.find(|(_, event)| {
            let ports = ports_of(self.subject, event);
            ports[2] == Some(addr) && ports[0] != Some(addr) && ports[1] != Some(addr)
        })?;
        Some(row)
    }

    /// Other functions of the program: targets of its calls.
    pub(crate) fn other_callee(&self) -> Option<u32> {
        let code = &self.subject.program.code;
        let targets: Vec<_> =
            code.iter().filter(|i| i.op == Op::Call).map(|i| i.c as u32).collect();
        let others: Vec<_> = targets.into_iter().filter(|&pc| pc != self.next).collect();
        (!others.is_empty()).then(|| others[self.pick(others.len() as u64) as usize])
    }
}

fn ports_of(subject: &Subject, event: &CpuEvent) -> [Option<u32>; 3] {
    ports(&subject.instr(event.pc), event)
}

/// The word addresses of ports a, b and c, as the specification has them.
fn ports(instr: &Instr, event: &CpuEvent) -> [Option<u32>; 3] {
    let flags = instr.flags();
    let is = |flag: Flag| flags & flag.bit() != 0;
    let slot = |slot: i32| (STACK + event.fp).wrapping_add_signed(slot);
    let trap = event.outcome == Outcome::Trap;
    if event.outcome == Outcome::OutOfFuel {
        return [None, None, Some(reg::REFUSED_FUEL_LO)];
    }
    let offset = if let Imm(imm) = instr.b { imm } else { 0 };
    let at = word(event.a).wrapping_add(offset);
    let at = if is(Flag::Priv) { at } else { at / 4 };
    let inline = !trap && event.outcome != Outcome::Unaligned && !is(Flag::Subword);
    let a = instr.a.filter(|_| is(Flag::ARead)).map(slot);
    let b = match instr.b {
        _ if is(Flag::Store) => Some(slot(instr.c)),
        _ if is(Flag::Load) => inline.then_some(at),
        _ if is(Flag::Ret) => Some(FRAME + event.depth - 1),
        rwprove_isa::Operand::Slot(b) => Some(slot(b)),
        _ => None,
    };
    let pushes = is(Flag::Push);
    let c = match trap {
        true => None,
        _ if is(Flag::CWrite) => Some(slot(instr.c)),
        _ if is(Flag::Store) => inline.then_some(at),
        _ if pushes => Some(FRAME + event.depth),
        _ => None,
    };
    [a, b, c]
}

/// One way of going wrong. The hooks come in this order; each may do nothing.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// Whether it can happen at a site; notes what it needs there.
    pub(crate) fits: fn(&mut Site) -> bool,
    /// Changes memory before the shard, as the adversary keeps it.
    pub(crate) start: fn(&mut MemoryTree, &Site),
    /// Before the step.
    pub(crate) before: fn(&mut Moment, &mut Site) -> Option<Instr>,
    /// After the step.
    pub(crate) after: fn(&mut Moment, &mut Site),
    /// Changes the record of the shard.
    pub(crate) record: fn(&mut Record, &Site),
    /// Changes what the shard does to the memory tree.
    pub(crate) tree: fn(&mut MerkleUpdate, &Site) -> bool,
    /// Changes the filled tables.
    pub(crate) tables: fn(&mut [Instance], &Record, &Site) -> bool,
    /// Ends the run before this row.
    pub(crate) ends: bool,
}

/// A fault that does nothing.
pub(crate) const NOTHING: Fault = Fault {
    name: "nothing",
    fits: |_| true,
    start: |_, _| (),
    before: |_, _| None,
    after: |_, _| (),
    record: |_, _| (),
    tree: |_, _| false,
    tables: |_, _, _| false,
    ends: false,
};

/// Sets a word where the machine has one; an adversary that misses is not counted. What the chunk
/// was at the start of the shard is noted first, so that it stays what the memory tree has.
pub(crate) fn set(m: &mut Moment, addr: u32, value: Limbs) {
    // After all accesses of the row.
    let time = m.touch(addr, C_TIME + 1);
    m.stamp(addr, time);
    let _ = m.set(addr, value);
}

/// Chunk and place in it of a word.
pub(crate) fn place(addr: u32) -> (u32, usize) {
    (addr / CHUNK_WORDS as u32, addr as usize % CHUNK_WORDS)
}

/// The time of a port's access in the row that is being run.
pub(crate) fn now(m: &mut Moment, port: usize) -> u32 {
    clock(m.record().cpu.len()) + [0, 1, C_TIME][port]
}

/// Another value of a word.
pub(crate) fn flip(value: Limbs, seed: u64) -> Limbs {
    let old = word(value);
    let new = match seed % 4 {
        0 => old.wrapping_add(1),
        1 => old ^ 1 << (seed >> 8 & 31),
        2 => old ^ 1 << 31,
        _ => old.wrapping_add(0x1_0000),
    };
    rwprove_isa::record::limbs(new)
}

/// Writes cells of a row of a table, by name.
pub(crate) fn write(
    instances: &mut [Instance],
    chip: ChipId,
    row: usize,
    cells: &[(&str, rwprove_circuits::Val)],
) -> bool {
    let Some(table) = instances.iter_mut().find(|table| table.chip.id() == chip) else {
        return false;
    };
    let (columns, width) = (table.chip.columns(), table.trace.width);
    let mut changed = false;
    for (name, value) in cells {
        let column = columns.iter().position(|column| column == name);
        let column = column.unwrap_or_else(|| panic!("{chip:?} has no column {name}"));
        let cell = &mut table.trace.values[row * width + column];
        changed |= cell != value;
        *cell = *value;
    }
    changed
}
