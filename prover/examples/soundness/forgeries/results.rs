//! Rows that compute something wrong, with memory and the other tables made to fit.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{
    Val,
    machine::{ChipId, Instance},
};
use rwprove_executor::Moment;
use rwprove_isa::{
    Flag, Op,
    layout::{INPUT, OUTPUT, RUN, SPONGE, SPONGE_WORDS, TABLE, reg},
    record::{Record, limbs, word},
};

use super::site::{Fault, NOTHING, Site, flip, set, write};

/// Whether the row changes a word of memory.
fn writes(s: &mut Site) -> bool {
    s.plain() && (s.ports[2].is_some() || s.is(Flag::Store) || s.op() == Op::KeccakF)
}

/// Whether it changes one or decides something.
fn results(s: &mut Site) -> bool {
    s.plain() && (writes(s) || s.op().branches() || s.op() == Op::Cmp)
}

fn compares(s: &Site) -> bool {
    s.any(&[Flag::Ne, Flag::Lt, Flag::Slt])
}

/// What the row leaves in memory is wrong, and the row says so.
fn wrong_result(m: &mut Moment, s: &mut Site) {
    let seed = s.pick(1 << 40);
    let row = m.record().cpu.len() as u32;
    if let Some(addr) = m.ports[2] {
        let [low, high] = m.event.c;
        m.event.c = match s.op() {
            Op::Call | Op::CallReg => [low + 1 + seed as u32 % 2, high],
            _ if compares(s) => [1 - low.min(1), 0],
            _ => flip([low, high], seed),
        };
        set(m, addr, m.event.c);
    } else if s.op() == Op::KeccakF {
        let place = seed as u32 % SPONGE_WORDS;
        let value = flip(m.get(SPONGE + place), seed);
        set(m, SPONGE + place, value);
        s.memo = [place, value[0], value[1], 0];
    } else if s.op().branches() {
        let target = s.instr.c as u32;
        m.next = if m.next == target { m.pc + 1 } else { target };
    } else if let Some(access) = m.record().access.last_mut().filter(|access| access.row == row) {
        let (addr, value) = (access.last_byte / 4, flip(limbs(access.after[1]), seed));
        access.after[1] = word(value);
        if access.before[0] == access.before[1] && access.times[0] == access.times[1] {
            access.after[0] = access.after[1];
        }
        set(m, addr, value);
    }
}

/// The other tables, and the helper columns of the row, agree with the wrong result.
fn everywhere(instances: &mut [Instance], record: &Record, s: &Site) -> bool {
    let row = s.local;
    let Some(event) = record.cpu.get(row) else { return false };
    let [low, high] = event.c.map(Val::from_u32);
    let number = |list: &[u32], row: usize| list.iter().position(|&asked| asked as usize == row);
    let z = |instances: &mut [Instance], chip, row: Option<usize>, names: [&str; 2]| {
        row.is_some_and(|row| write(instances, chip, row, &[(names[0], low), (names[1], high)]))
    };
    let whole = ["z[0]", "z[1]"];
    match s.op() {
        Op::Mov => {
            let cells = [("b[0]", low), ("b[1]", high), ("r[0]", low), ("r[1]", high)];
            write(instances, ChipId::Cpu, row, &cells)
        }
        _ if s.any(&[Flag::Add, Flag::Sub]) => {
            write(instances, ChipId::Cpu, row, &[("r[0]", low), ("r[1]", high)])
        }
        _ if compares(s) => opposite(instances, row, s),
        Op::And | Op::Or | Op::Xor => {
            z(instances, ChipId::Bitwise, number(&record.bitwise, row), whole)
        }
        Op::Shl | Op::ShrU | Op::ShrS | Op::Rotl | Op::Rotr | Op::Fshl => {
            z(instances, ChipId::Shift, number(&record.shift, row), whole)
        }
        Op::Mul | Op::MulHi => z(instances, ChipId::Mul, number(&record.mul, row), whole),
        Op::DivU | Op::RemU | Op::DivU64Lo | Op::RemU64Lo => {
            z(instances, ChipId::Div, number(&record.div, row), whole)
        }
        Op::DivU64Hi | Op::RemU64Hi => {
            z(instances, ChipId::Div, number(&record.div, row - 1), ["z[2]", "z[3]"])
        }
        Op::Clz | Op::Ctz | Op::Popcnt | Op::Extend8S | Op::Extend16S => {
            z(instances, ChipId::Bits, number(&record.bits, row), whole)
        }
        Op::FuelLeftLo | Op::FuelLeftHi => {
            let at = record.fuel.iter().position(|event| event.row as usize == row);
            z(instances, ChipId::Fuel, at, whole)
        }
        Op::KeccakF => sponge(instances, record, s),
        _ if s.any(&[Flag::Load, Flag::Store]) => {
            let at = record.access.iter().position(|access| access.row as usize == row);
            match at {
                // The table already says what a store left.
                Some(_) if s.is(Flag::Store) => true,
                Some(at) => z(instances, ChipId::Access, Some(at), whole),
                // The row itself reads or stores: port b says the same.
                None => write(instances, ChipId::Cpu, row, &[("b[0]", low), ("b[1]", high)]),
            }
        }
        // Nothing else says anything of the result.
        _ => true,
    }
}

/// A comparison that says the opposite.
fn opposite(instances: &mut [Instance], row: usize, s: &Site) -> bool {
    let Some(cpu) = instances.iter().find(|table| table.chip.id() == ChipId::Cpu) else {
        return false;
    };
    let columns = cpu.chip.columns();
    let not = |name: &str| {
        let column = columns.iter().position(|column| column == name).unwrap();
        Val::ONE - cpu.trace.values[row * cpu.trace.width + column]
    };
    // What memory gets from a `Set` is already the opposite, but the filler writes the truth.
    let mut cells = vec![("c[0]", not("c[0]"))];
    if s.is(Flag::Ne) {
        cells.extend([("cond", not("cond")), ("v", Val::ZERO)]);
    } else {
        cells.push(("k1", not("k1")));
    }
    write(instances, ChipId::Cpu, row, &cells)
}

/// The last row of the permutation shows the wrong word.
fn sponge(instances: &mut [Instance], record: &Record, s: &Site) -> bool {
    const ROUNDS: usize = 24;
    let at = record.keccak.iter().position(|event| event.row as usize == s.local);
    let Some(at) = at else { return false };
    let [word, low, high, _] = s.memo;
    let (lane, limb) = (word / 2, word % 2 * 2);
    let name = |limb: u32| match lane {
        0 => format!("a_prime_prime_prime_0_0_limbs[{limb}]"),
        _ => format!("a_prime_prime[{}]", lane * 4 + limb),
    };
    let (first, second) = (name(limb), name(limb + 1));
    let cells = [(first.as_str(), Val::from_u32(low)), (second.as_str(), Val::from_u32(high))];
    write(instances, ChipId::Keccak, ROUNDS * at + ROUNDS - 1, &cells)
}

/// Whether an address is of a region, or of some words.
fn within(addr: Option<u32>, first: u32, words: u32) -> bool {
    addr.is_some_and(|addr| addr.wrapping_sub(first) < words)
}

const REGION: u32 = rwprove_isa::layout::REGION_WORDS;

fn host_answer(s: &mut Site) -> bool {
    let from = |first, words| {
        s.is(Flag::Load)
            && (within(s.ports[1], first, words)
                || within(s.access().map(|byte| byte / 4), first, words))
    };
    let asked = from(RUN, 8) || from(INPUT, REGION) || matches!(s.op(), Op::KeccakF);
    s.plain() && (asked || matches!(s.op(), Op::FuelLeftLo | Op::FuelLeftHi))
}

fn output(s: &mut Site) -> bool {
    let stored = s.is(Flag::Store).then(|| s.access()).flatten().map(|byte| byte / 4);
    s.plain() && [s.ports[2], stored].into_iter().any(|addr| within(addr, OUTPUT, REGION))
}

fn output_length(s: &mut Site) -> bool {
    s.plain() && s.is(Flag::Store) && s.ports[2] == Some(reg::OUTPUT_LEN) && s.event.c != [0; 2]
}

fn one_less(m: &mut Moment, _: &mut Site) {
    if let Some(addr) = m.ports[2] {
        m.event.c = limbs(word(m.event.c).wrapping_sub(1));
        set(m, addr, m.event.c);
    }
}

fn exit_code(s: &mut Site) -> bool {
    s.plain() && s.is(Flag::Store) && within(s.ports[2], reg::EXIT_KIND, 2)
}

fn digest(s: &mut Site) -> bool {
    s.plain() && s.is(Flag::Store) && within(s.ports[2], reg::INPUT_DIGEST, 16)
}

fn table_element(s: &mut Site) -> bool {
    s.op() == Op::LoadWord && within(s.ports[1], TABLE, 128 * 1024)
}

/// No row of the coprocessor answers.
fn unanswered(record: &mut Record, s: &Site) {
    let row = s.local as u32;
    for list in
        [&mut record.bitwise, &mut record.shift, &mut record.mul, &mut record.div, &mut record.bits]
    {
        list.retain(|&asked| asked != row);
    }
    record.access.retain(|access| access.row != row);
    record.keccak.retain(|event| event.row != row);
    record.fuel.retain(|event| event.row != row);
}

/// The coprocessor does its work twice.
fn twice(record: &mut Record, s: &Site) {
    let row = s.local as u32;
    for list in
        [&mut record.bitwise, &mut record.shift, &mut record.mul, &mut record.div, &mut record.bits]
    {
        if list.contains(&row) {
            list.push(row);
        }
    }
    let again: Vec<_> = record.access.iter().filter(|a| a.row == row).copied().collect();
    record.access.extend(again);
}

fn asks(s: &mut Site) -> bool {
    s.plain() && (s.is(Flag::Alu) || s.access().is_some())
}

/// A carry, borrow or inequality that the row before hands over is ignored.
fn no_carry(m: &mut Moment, s: &mut Site) -> Option<rwprove_isa::Instr> {
    let _ = m;
    Some(rwprove_isa::Instr { chain: false, ..s.instr })
}

/// The row before hands nothing over.
fn carry_gone(instances: &mut [Instance], record: &Record, s: &Site) -> bool {
    let Some(event) = record.cpu.get(s.local) else { return false };
    let c = event.c.map(Val::from_u32);
    let before = write(instances, ChipId::Cpu, s.local - 1, &[("k1", Val::ZERO)]);
    let cells = match s.any(&[Flag::Add, Flag::Sub]) {
        true => vec![("r[0]", c[0]), ("r[1]", c[1])],
        // As if the words of the row before were equal.
        false if s.is(Flag::Ne) => vec![("u", Val::ZERO), ("cond", Val::ZERO)],
        false => vec![],
    };
    write(instances, ChipId::Cpu, s.local, &cells) | before
}

/// Notes a result with a nonzero high limb that nobody reads before it is overwritten.
fn unread(s: &mut Site) -> bool {
    let computed = s.any(&[Flag::Add, Flag::Sub, Flag::Alu, Flag::Subword, Flag::Pages]);
    let Some(row) = s.overwritten().filter(|_| computed && s.is(Flag::CWrite)) else {
        return false;
    };
    s.memo[0] = row as u32;
    s.plain() && s.event.c[1] > 0
}

/// The same number with a low limb that is none.
fn alias(record: &mut Record, s: &Site) {
    let [low, high] = s.event.c;
    let value = [low + (1 << 16), high - 1];
    record.cpu[s.local].c = value;
    record.cpu[s.memo[0] as usize].c_before = value;
}

pub(super) const RESULT: Fault =
    Fault { name: "wrong result", fits: writes, after: wrong_result, ..NOTHING };
pub(super) const RESULT_EVERYWHERE: Fault = Fault {
    name: "wrong result in every table",
    fits: results,
    after: wrong_result,
    tables: everywhere,
    ..NOTHING
};

/// Faults of runs.
pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "altered host answer",
        fits: host_answer,
        after: wrong_result,
        tables: everywhere,
        ..NOTHING
    },
    Fault { name: "altered output", fits: output, after: wrong_result, ..NOTHING },
    Fault { name: "dropped output byte", fits: output_length, after: one_less, ..NOTHING },
    Fault { name: "wrong exit code", fits: exit_code, after: wrong_result, ..NOTHING },
    Fault { name: "wrong digest of a tape", fits: digest, after: wrong_result, ..NOTHING },
    Fault {
        name: "bad table element",
        fits: table_element,
        after: wrong_result,
        tables: everywhere,
        ..NOTHING
    },
    Fault {
        name: "no answer, any result",
        fits: asks,
        after: wrong_result,
        record: unanswered,
        ..NOTHING
    },
    Fault { name: "limb out of range", fits: unread, record: alias, tables: everywhere, ..NOTHING },
    Fault { name: "coprocessor works twice", fits: asks, record: twice, ..NOTHING },
    Fault {
        name: "ignored carry",
        fits: |s| s.plain() && s.instr.chain,
        before: no_carry,
        ..NOTHING
    },
    Fault {
        name: "ignored carry in every column",
        fits: |s| s.plain() && s.instr.chain,
        before: no_carry,
        tables: carry_gone,
        ..NOTHING
    },
];
