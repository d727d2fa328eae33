//! Checks a record against the rules of the specification without running anything: every port of
//! every row is an access, and the accesses of each word form one chain in time.
//!
//! The rules of the ports are written down here a second time, from the instruction's flags as the
//! specification has them, and not as the interpreter goes about it.

use std::collections::BTreeMap;

use rwprove_isa::{
    Flag, Instr, MAX_FUEL, Op, Operand, Program,
    layout::{CHUNK_WORDS, FRAME, SPONGE, STACK, reg},
    record::{
        C_TIME, COPROCESSOR_TIME, CpuEvent, Limbs, MAX_GAP, Outcome, Record, Registers, clock,
        limbs, word,
    },
};
use thiserror::Error;

/// Which rule a record breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The pc of a row has no instruction.
    #[error("row {row}: no instruction at pc {pc}")]
    Pc {
        /// The row.
        row: usize,
        /// Its pc.
        pc: u32,
    },
    /// A row disagrees with its instruction or the row before.
    #[error("row {row}: {rule}")]
    Row {
        /// The row.
        row: usize,
        /// The rule.
        rule: &'static str,
    },
    /// The accesses of a word do not form a chain.
    #[error("word {addr:#x} at time {time}: {rule}")]
    Word {
        /// The word.
        addr: u32,
        /// Time of the access.
        time: u32,
        /// The rule.
        rule: &'static str,
    },
    /// Something about the whole shard.
    #[error("shard: {0}")]
    Shard(&'static str),
}

/// One access of a word.
struct Access {
    addr: u32,
    before_time: u32,
    time: u32,
    before: Limbs,
    after: Limbs,
    refresh: bool,
}

/// Word addresses of the ports a, b and c that a row uses.
fn ports(instr: &Instr, event: &CpuEvent) -> [Option<u32>; 3] {
    let slot = |slot: i32| STACK.wrapping_add(event.fp).wrapping_add(slot as u32);
    if event.outcome == Outcome::OutOfFuel {
        return [None, None, Some(reg::REFUSED_FUEL_LO)];
    }
    let trap = event.outcome == Outcome::Trap;
    let imm = if let Operand::Imm(imm) = instr.b { imm } else { 0 };
    let sum = word(event.a).wrapping_add(imm);
    // The word of an access that the row itself makes.
    let inline = if instr.has(Flag::Subword) || event.outcome == Outcome::Unaligned || trap {
        None
    } else if instr.has(Flag::Priv) {
        Some(sum)
    } else {
        Some(sum / 4)
    };
    let b = if instr.has(Flag::Load) {
        inline
    } else if instr.has(Flag::Store) {
        Some(slot(instr.c))
    } else if instr.has(Flag::Ret) {
        Some(FRAME + event.depth.wrapping_sub(1))
    } else if let Operand::Slot(b) = instr.b {
        Some(slot(b))
    } else {
        None
    };
    let call = instr.has(Flag::Push);
    let c = if trap {
        None
    } else if instr.has(Flag::CWrite) {
        Some(slot(instr.c))
    } else if instr.has(Flag::Store) {
        inline
    } else if call {
        Some(FRAME + event.depth)
    } else {
        None
    };
    [instr.a.map(slot), b, c]
}

/// Checks the record of one shard of a run of the program.
///
/// # Errors
/// The first [`AuditError`] found.
pub fn audit(record: &Record, program: &Program) -> Result<(), AuditError> {
    let mut accesses = Vec::new();
    let mut spent = 0;
    let mut fuel = 0u64;
    let mut asks = Asks::default();
    for (row, event) in record.cpu.iter().enumerate() {
        let pc = event.pc;
        let instr = program.code.get(pc as usize).ok_or(AuditError::Pc { row, pc })?;
        let check = |ok, rule| if ok { Ok(()) } else { Err(AuditError::Row { row, rule }) };
        check(event.spent == spent, "static fuel spent")?;
        check(row > 0 || !linked(instr), "a shard must not start with a chained row")?;
        if event.outcome != Outcome::OutOfFuel {
            spent += instr.fuel as u32;
            check(instr.fuel <= MAX_FUEL, "static charge")?;
        }
        let next = record.cpu.get(row + 1).map_or(record.end, registers);
        let now = Registers { fuel: 0, ..registers(event) };
        let control = control(instr, event, next.pc);
        check(control == (next.pc, next.fp, next.depth), "pc, frame base, depth")?;
        check(next.pages == now.pages || instr.op == Op::Pages, "pages")?;
        values(instr, event).map_err(|rule| AuditError::Row { row, rule })?;
        let used = ports(instr, event);
        for (port, addr) in used.into_iter().enumerate() {
            let before_time = event.times[port];
            let Some(addr) = addr else {
                check(before_time == 0, "time of a port that is not used")?;
                continue;
            };
            let time = clock(row) + [0, 1, C_TIME][port];
            let (before, after) =
                [(event.a, event.a), (event.b, event.b), (event.c_before, event.c)][port];
            accesses.push(Access { addr, before_time, time, before, after, refresh: false });
        }
        check(used[2].is_some() || event.c_before == [0; 2], "old c without port")?;
        if instr.op == Op::FuelCharge && event.outcome == Outcome::Plain {
            fuel += word(event.b) as u64 | (word(event.a) as u64) << 32;
        }
        asks.row(instr, event, row as u32);
    }
    asks.check(record)?;
    coprocessors(record, program, &mut accesses);
    for event in &record.refresh {
        accesses.push(Access {
            addr: event.addr,
            before_time: event.before,
            time: event.time,
            before: event.value,
            after: event.value,
            refresh: true,
        });
    }
    for event in &record.fuel {
        let cpu = &record.cpu[event.row as usize];
        if cpu.outcome == Outcome::Trap {
            let time = clock(event.row as usize) + COPROCESSOR_TIME;
            for (i, after) in [cpu.b, cpu.a].into_iter().enumerate() {
                let (addr, before_time) = (reg::REFUSED_FUEL_LO + i as u32, event.times[i]);
                let before = [0; 2];
                accesses.push(Access { addr, before_time, time, before, after, refresh: false });
            }
        }
    }
    chains(record, accesses)?;
    let shard = |ok, rule| if ok { Ok(()) } else { Err(AuditError::Shard(rule)) };
    let first = record.cpu.first().map_or(record.end, registers);
    shard(Registers { fuel: record.start.fuel, ..first } == record.start, "start registers")?;
    shard(record.start.fuel + spent as u64 + fuel == record.end.fuel, "fuel")?;
    shard(record.end.fuel <= record.fuel_limit, "fuel limit")?;
    shard(record.last == (record.end.pc == rwprove_isa::HALT_PC), "the last shard halts")
}

fn registers(event: &CpuEvent) -> Registers {
    let CpuEvent { pc, fp, depth, pages, .. } = *event;
    Registers { pc, fp, depth, pages, fuel: 0 }
}

fn linked(instr: &Instr) -> bool {
    instr.chain || matches!(instr.op, Op::DivU64Hi | Op::RemU64Hi)
}

/// The pc, frame base and depth after a row. A chained branch also depends on the row before: of
/// its two successors `next` is taken.
fn control(instr: &Instr, event: &CpuEvent, next: u32) -> (u32, u32, u32) {
    let CpuEvent { pc, fp, depth, .. } = *event;
    let (a, b) = (word(event.a), event.b);
    let moved = || fp.wrapping_add(b[0]).wrapping_sub(b[1]);
    match (event.outcome, instr.op) {
        (Outcome::OutOfFuel, _) => (9, fp, depth),
        (Outcome::Deep, _) => (instr.c as u32, fp, depth),
        (Outcome::Trap, Op::FuelCharge) => (9, fp, depth),
        (Outcome::Trap, op) if op.flags() & (Flag::Load.bit() | Flag::Store.bit()) != 0 => {
            (1, fp, depth)
        }
        (Outcome::Trap, _) => (7, fp, depth),
        (_, Op::Jump) => (instr.c as u32, moved(), depth),
        (_, Op::JumpReg) => (a, moved(), depth),
        (_, Op::Call) => (instr.c as u32, fp + b[0], depth + 1),
        (_, Op::CallReg) => (a, fp + b[0], depth + 1),
        (_, Op::Ret) => (b[0], b[1], depth - 1),
        (_, Op::BrTable) => (pc + 1 + a.min(word(b)), fp, depth),
        (_, op) if op.branches() => {
            let (a, b) = (a, word(b));
            let holds = match op {
                Op::BrEq => a == b,
                Op::BrNe => a != b,
                Op::BrLtU => a < b,
                Op::BrGeU => a >= b,
                Op::BrLtS => (a as i32) < b as i32,
                _ => a as i32 >= b as i32,
            };
            let holds = if instr.chain { next != pc + 1 } else { holds };
            (if holds { instr.c as u32 } else { pc + 1 }, fp, depth)
        }
        _ => (pc + 1, fp, depth),
    }
}

/// What the values of a row have to do with each other, whatever memory holds.
fn values(instr: &Instr, event: &CpuEvent) -> Result<(), &'static str> {
    let check = |ok, rule| if ok { Ok(()) } else { Err(rule) };
    let plain = event.outcome != Outcome::OutOfFuel;
    check(plain && instr.a.is_some() || event.a == [0; 2], "a without operand")?;
    if !plain {
        check(event.b == [0; 2], "b of a row out of fuel")?;
        return check(event.c == limbs(instr.fuel as u32), "refused charge");
    }
    let access = instr.has(Flag::Load) || instr.has(Flag::Store);
    if let (Operand::Imm(imm), false) = (instr.b, access) {
        check(event.b == limbs(imm), "b is the constant")?;
    }
    if event.outcome == Outcome::Trap {
        return check(event.c == [0; 2], "a trap has no result");
    }
    match instr.op {
        Op::Mov => check(event.c == event.b, "moved word"),
        Op::Cmov => {
            check(event.c == if event.a == [0; 2] { event.c_before } else { event.b }, "cmov")
        }
        Op::Call | Op::CallReg => check(event.c == [event.pc + 1, event.fp], "pushed frame"),
        Op::Pages => check(word(event.c) == event.pages, "pages"),
        Op::Load | Op::LoadWord if event.outcome == Outcome::Plain => {
            check(event.b == event.c, "loaded word")
        }
        Op::Store | Op::StoreWord if event.outcome == Outcome::Plain => {
            check(event.b == event.c, "stored word")
        }
        op if op.flags() & (Flag::CWrite.bit()) == 0 => check(event.c == [0; 2], "no result"),
        _ => Ok(()),
    }
}

/// Which rows must appear in which list.
#[derive(Default)]
struct Asks {
    lists: [Vec<u32>; 8],
}

impl Asks {
    fn row(&mut self, instr: &Instr, event: &CpuEvent, row: u32) {
        let unaligned = event.outcome == Outcome::Unaligned;
        let done = !matches!(event.outcome, Outcome::Trap | Outcome::OutOfFuel);
        let list = match instr.op {
            _ if event.outcome == Outcome::OutOfFuel => return,
            Op::And | Op::Or | Op::Xor => 0,
            Op::Shl | Op::ShrU | Op::ShrS | Op::Rotl | Op::Rotr | Op::Fshl => 1,
            Op::Mul | Op::MulHi => 2,
            Op::DivU | Op::RemU | Op::DivU64Lo | Op::RemU64Lo => 3,
            Op::Clz | Op::Ctz | Op::Popcnt | Op::Extend8S | Op::Extend16S => 4,
            Op::FuelCharge | Op::FuelLeftLo | Op::FuelLeftHi => 7,
            Op::KeccakF => 6,
            _ if done && (instr.has(Flag::Subword) || unaligned) => 5,
            _ => return,
        };
        self.lists[list].push(row);
    }

    fn check(&self, record: &Record) -> Result<(), AuditError> {
        let access: Vec<_> = record.access.iter().map(|event| event.row).collect();
        let keccak: Vec<_> = record.keccak.iter().map(|event| event.row).collect();
        let fuel: Vec<_> = record.fuel.iter().map(|event| event.row).collect();
        let found = [
            &record.bitwise,
            &record.shift,
            &record.mul,
            &record.div,
            &record.bits,
            &access,
            &keccak,
            &fuel,
        ];
        if self.lists.iter().ne(found) {
            return Err(AuditError::Shard("rows that asked the coprocessors"));
        }
        Ok(())
    }
}

/// Accesses of the access and keccak tables.
fn coprocessors(record: &Record, program: &Program, accesses: &mut Vec<Access>) {
    for event in &record.access {
        let time = clock(event.row as usize) + COPROCESSOR_TIME;
        let size = size(program.code[record.cpu[event.row as usize].pc as usize].op);
        let addrs = [(event.last_byte - (size - 1)) / 4, event.last_byte / 4];
        let words = 1 + (addrs[0] != addrs[1]) as usize;
        for (i, addr) in addrs.into_iter().enumerate().take(words) {
            accesses.push(Access {
                addr,
                before_time: event.times[i],
                time,
                before: limbs(event.before[i]),
                after: limbs(event.after[i]),
                refresh: false,
            });
        }
    }
    for event in &record.keccak {
        let mut after = event.state;
        tiny_keccak::keccakf(&mut after);
        for (i, addr) in (SPONGE..).take(50).enumerate() {
            let half = |state: &[u64; 25]| limbs((state[i / 2] >> (32 * (i % 2))) as u32);
            accesses.push(Access {
                addr,
                before_time: event.times[i],
                time: clock(event.row as usize) + COPROCESSOR_TIME,
                before: half(&event.state),
                after: half(&after),
                refresh: false,
            });
        }
    }
}

/// Bytes of an access.
fn size(op: Op) -> u32 {
    match op {
        Op::Load | Op::Store | Op::LoadBytes => 4,
        Op::Load16S | Op::Load16U | Op::Store16 => 2,
        _ => 1,
    }
}

/// Every word: from what its chunk was at the start, through its accesses in time, to what the
/// chunk is at the end.
fn chains(record: &Record, accesses: Vec<Access>) -> Result<(), AuditError> {
    let mut words = BTreeMap::<u32, Vec<Access>>::new();
    for access in accesses {
        words.entry(access.addr).or_default().push(access);
    }
    for pair in record.chunks.windows(2) {
        if pair[0].chunk >= pair[1].chunk {
            return Err(AuditError::Shard("chunks in rising order, each once"));
        }
    }
    for event in &record.chunks {
        if event.times == [0; CHUNK_WORDS] {
            return Err(AuditError::Shard("a chunk that nothing touched"));
        }
        for i in 0..CHUNK_WORDS {
            let addr = event.chunk * CHUNK_WORDS as u32 + i as u32;
            let mut list = words.remove(&addr).unwrap_or_default();
            list.sort_by_key(|access| access.time);
            let (mut value, mut last) = (event.before[i], 0);
            for Access { before_time, time, before, after, refresh, .. } in list {
                let check = |ok, rule| match ok {
                    true => Ok(()),
                    false => Err(AuditError::Word { addr, time, rule }),
                };
                check(before_time == last, "time of the access before")?;
                check(time > before_time, "time rises")?;
                check(refresh || time - before_time - 1 < MAX_GAP, "gap")?;
                check(before == value, "value of the access before")?;
                (value, last) = (after, time);
            }
            let check = |ok, rule| match ok {
                true => Ok(()),
                false => Err(AuditError::Word { addr, time: last, rule }),
            };
            check(event.times[i] == last, "last time of the chunk")?;
            check(event.after[i] == value, "last value of the chunk")?;
        }
    }
    match words.keys().next() {
        Some(&addr) => Err(AuditError::Word { addr, time: 0, rule: "access without chunk" }),
        None => Ok(()),
    }
}
