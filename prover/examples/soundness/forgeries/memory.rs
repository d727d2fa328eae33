//! False memory: its first and last words, its tree, and the times of its accesses.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{
    Val,
    cpu::public,
    machine::{ChipId, Instance},
    merkle::{Below, MemoryTree, MerkleUpdate, Node},
    poseidon2::{Digest, compress},
};
use rwprove_executor::Moment;
use rwprove_isa::{
    Instr,
    layout::TREE_DEPTH,
    record::{ChunkEvent, Limbs, Record, RefreshEvent},
};

use super::site::{Fault, NOTHING, ORDER, Site, flip, now, place, set};

/// Notes a port that reads alone.
fn reads(s: &mut Site) -> bool {
    let Some(port) = s.reader() else { return false };
    s.memo[0] = port as u32;
    s.plain()
}

/// Port and address that the fault is about.
fn target(s: &Site) -> (usize, u32) {
    let port = s.memo[0] as usize;
    (port, s.ports[port].unwrap_or(0))
}

fn honest(s: &Site) -> Limbs {
    [s.event.a, s.event.b][target(s).0]
}

fn show(m: &mut Moment, s: &mut Site, value: Limbs) -> Option<Instr> {
    set(m, target(s).1, value);
    None
}

/// Memory is again what it was before the read.
fn hide(m: &mut Moment, s: &mut Site) {
    set(m, target(s).1, honest(s));
}

/// The read happened, but at another time; to all others it is as if it had not.
fn alone(m: &mut Moment, s: &mut Site, before: u32) {
    let (port, addr) = target(s);
    hide(m, s);
    m.stamp(addr, s.event.times[port]);
    m.event.times[port] = before;
}

fn false_value(m: &mut Moment, s: &mut Site) -> Option<Instr> {
    let value = flip(honest(s), s.pick(1 << 40));
    show(m, s, value)
}

/// Notes a read of a word that was written before, the old value, and since when it was there.
fn stale(s: &mut Site) -> bool {
    let found = s.rewritten().map(|(port, event)| (port, event.c_before, event.times[2]));
    let Some((port, [low, high], time)) = found else { return false };
    s.memo = [port as u32, low, high, time];
    s.plain()
}

fn old_value(m: &mut Moment, s: &mut Site) -> Option<Instr> {
    show(m, s, [s.memo[1], s.memo[2]])
}

/// The honest words of a chunk at the start of the shard.
fn first_words<'a>(s: &Site<'a>, addr: u32) -> Option<&'a ChunkEvent> {
    s.record.chunks.iter().find(|event| event.chunk == place(addr).0)
}

/// Notes a read of a word that has changed since the shard began.
fn changed(s: &mut Site) -> bool {
    if !reads(s) {
        return false;
    }
    let (_, addr) = target(s);
    let Some([low, high]) = first_words(s, addr).map(|event| event.before[place(addr).1]) else {
        return false;
    };
    (s.memo[1], s.memo[2]) = (low, high);
    [low, high] != honest(s)
}

/// A read of a word that nobody touched before.
fn first_read(s: &mut Site) -> bool {
    reads(s) && s.event.times[target(s).0] == 0
}

/// What the false memory has at the place.
fn noted(s: &Site) -> Limbs {
    flip(honest(s), s.pick(1 << 40))
}

/// The chunk as the adversary's memory had it all the time.
fn first_false(record: &mut Record, s: &Site) {
    first(record, s, noted(s));
}

fn first_true(record: &mut Record, s: &Site) {
    first(record, s, honest(s));
}

fn first(record: &mut Record, s: &Site, value: Limbs) {
    let (chunk, place) = place(target(s).1);
    for event in record.chunks.iter_mut().filter(|event| event.chunk == chunk) {
        event.before[place] = value;
    }
}

/// A tree over the false memory.
fn false_tree(tree: &mut MemoryTree, s: &Site) {
    let (chunk, place) = place(target(s).1);
    let Some(event) = first_words(s, target(s).1) else { return };
    let mut after = event.before;
    after[place] = noted(s);
    let event = ChunkEvent { chunk, before: event.before, after, times: [0; 8] };
    let _ = tree.apply(&[event]);
}

fn cells(node: &mut [Val; 16], place: usize, value: Limbs) {
    [node[2 * place], node[2 * place + 1]] = value.map(Val::from_u32);
}

/// The tree is true, its leaf is not.
fn false_leaf(update: &mut MerkleUpdate, s: &Site) -> bool {
    let (chunk, place) = place(target(s).1);
    let leaf = update.nodes.iter_mut().find(|node| is_leaf(node, chunk));
    leaf.is_some_and(|leaf| {
        cells(&mut leaf.before, place, noted(s));
        true
    })
}

fn is_leaf(node: &Node, chunk: u32) -> bool {
    node.level as usize == TREE_DEPTH && node.index == chunk
}

/// A second leaf of the same chunk gives the word's first value once more; with some of the
/// nodes above it, up to all of them.
fn second_leaf(update: &mut MerkleUpdate, s: &Site) -> bool {
    let (port, addr) = target(s);
    let (chunk, place) = place(addr);
    let Some(leaf) = update.nodes.iter().find(|node| is_leaf(node, chunk)) else { return false };
    let mut times = [0; 8];
    times[place] = rwprove_isa::record::clock(s.local) + port as u32;
    let leaf = Node { after: leaf.before, below: Below::Words(times), ..leaf.clone() };
    let top = [TREE_DEPTH, 20, 1, 0][s.pick(4) as usize];
    let above = |node: &&Node| {
        let level = node.level as usize;
        (top..TREE_DEPTH).contains(&level) && chunk >> (TREE_DEPTH - level) == node.index
    };
    let path: Vec<_> = update.nodes.iter().filter(above).cloned().collect();
    for node in path {
        let side = chunk >> (TREE_DEPTH - node.level as usize - 1) & 1;
        let below = Below::Nodes([side == 0, side == 1]);
        update.nodes.push(Node { after: node.before, below, ..node });
    }
    update.nodes.push(leaf);
    true
}

/// An inner node is exchanged for another; all above it follow.
fn false_node(update: &mut MerkleUpdate, s: &Site) -> bool {
    let free = |node: &Node| match node.below {
        Below::Nodes(touched) => touched.iter().position(|touched| !touched),
        Below::Words(_) => None,
    };
    let places: Vec<_> =
        (0..update.nodes.len()).filter(|&i| free(&update.nodes[i]).is_some()).collect();
    if places.is_empty() {
        return false;
    }
    let mut at = places[s.pick(places.len() as u64) as usize];
    let side = free(&update.nodes[at]).unwrap_or(0);
    update.nodes[at].after[8 * side] += Val::ONE;
    loop {
        let Node { level, index, after, .. } = update.nodes[at].clone();
        let digest: Digest = compress(after);
        if level == 0 {
            update.root_after = digest;
            return true;
        }
        let parent = |node: &Node| node.level + 1 == level && node.index == index / 2;
        let Some(up) = update.nodes.iter().position(parent) else { return false };
        let half = 8 * (index as usize % 2);
        update.nodes[up].after[half..half + 8].copy_from_slice(&digest);
        at = up;
    }
}

/// Some word is another one at the end of the shard.
fn last_word(record: &mut Record, s: &Site) {
    let chunk = s.pick(record.chunks.len().max(1) as u64) as usize;
    if let Some(event) = record.chunks.get_mut(chunk) {
        let place = s.pick(8) as usize;
        event.after[place] = flip(event.after[place], s.pick(1 << 40));
    }
}

/// A chunk that nobody touched changes.
fn untouched(record: &mut Record, s: &Site) {
    let chunk = 100_000 + s.pick(1000) as u32;
    let place = record.chunks.partition_point(|event| event.chunk < chunk);
    let mut after = [[0; 2]; 8];
    after[s.pick(8) as usize] = [7, 0];
    let event = ChunkEvent { chunk, before: [[0; 2]; 8], after, times: [0; 8] };
    record.chunks.insert(place, event);
}

fn reordered(record: &mut Record, s: &Site) {
    if s.local + 1 < record.cpu.len() {
        record.cpu.swap(s.local, s.local + 1);
    }
}

/// The times of two accesses are exchanged.
fn exchanged(record: &mut Record, s: &Site) {
    let (a, b) = [(0, 1), (0, 2), (1, 2)][s.pick(3) as usize];
    if let Some(event) = record.cpu.get_mut(s.local) {
        event.times.swap(a, b);
    }
}

/// A read whose own message is the one that it receives.
fn itself(m: &mut Moment, s: &mut Site) {
    let now = now(m, target(s).0);
    alone(m, s, now);
}

/// Notes a later row that reads the same word again.
fn twice(s: &mut Site) -> bool {
    if !reads(s) {
        return false;
    }
    let port = target(s).0;
    let Some((row, again)) = s.read_again(port) else { return false };
    s.other = Some(s.row - s.local as u64 + row as u64);
    s.memo[1] = again as u32;
    true
}

/// Two reads that receive each other's message: the first from the future.
fn backward(m: &mut Moment, s: &mut Site) {
    let (port, addr) = target(s);
    let own = rwprove_isa::record::clock(s.local) + port as u32;
    let again = s.memo[1] as usize;
    let later = s.other.unwrap_or(0) - (s.row - s.local as u64);
    let later_time = rwprove_isa::record::clock(later as usize) + again as u32;
    hide(m, s);
    m.stamp(addr, s.event.times[port]);
    if m.row == s.row {
        m.event.times[port] = later_time;
    } else {
        m.event.times[again] = own;
    }
}

/// A read before time began; a refresh carries its message there.
fn overflow(m: &mut Moment, s: &mut Site) {
    let (port, addr) = target(s);
    let (now, value) = (now(m, port), m.get(addr));
    let time = ORDER - 1 - s.pick(100) as u32;
    alone(m, s, time);
    m.record().refresh.push(RefreshEvent { addr, value, before: now, time });
}

/// A refresh brings another value than it took.
fn refreshed(m: &mut Moment, s: &mut Site) {
    let (port, addr) = target(s);
    let time = now(m, port) - 1;
    let (value, before) = (m.get(addr), m.event.times[port]);
    if time <= before {
        return;
    }
    m.event.times[port] = time;
    m.record().refresh.push(RefreshEvent { addr, value, before, time });
}

fn public_fuel(instances: &mut [Instance], _: &Record, s: &Site) -> bool {
    let (chip, place) = match s.pick(2) {
        0 => (ChipId::Cpu, public::SPENT),
        _ => (ChipId::Fuel, rwprove_verifier::step::FUEL_CHARGED),
    };
    let table = instances.iter_mut().find(|table| table.chip.id() == chip);
    table.is_some_and(|table| {
        table.publics[place] += Val::ONE;
        true
    })
}

fn public_registers(instances: &mut [Instance], _: &Record, s: &Site) -> bool {
    let table = instances.iter_mut().find(|table| table.chip.id() == ChipId::Cpu);
    table.is_some_and(|table| {
        table.publics[public::END + s.pick(4) as usize] += Val::ONE;
        true
    })
}

/// Faults of runs.
pub(super) const FAULTS: &[Fault] = &[
    Fault { name: "stale read", fits: stale, before: old_value, after: hide, ..NOTHING },
    Fault {
        name: "stale read at its old time",
        fits: stale,
        before: old_value,
        after: |m, s| alone(m, s, s.memo[3]),
        ..NOTHING
    },
    Fault { name: "false read", fits: reads, before: false_value, after: hide, ..NOTHING },
    Fault {
        name: "wrong initial memory, true tree",
        fits: first_read,
        before: false_value,
        record: first_true,
        tree: false_leaf,
        ..NOTHING
    },
    Fault {
        name: "wrong initial memory, false tree",
        fits: first_read,
        start: false_tree,
        before: false_value,
        record: first_false,
        ..NOTHING
    },
    Fault { name: "wrong final memory", record: last_word, ..NOTHING },
    Fault { name: "untouched memory changes", record: untouched, ..NOTHING },
    Fault { name: "false node of the memory tree", tree: false_node, ..NOTHING },
    Fault {
        name: "double initialisation of a chunk",
        fits: changed,
        before: old_value,
        after: |m, s| alone(m, s, 0),
        tree: second_leaf,
        ..NOTHING
    },
    Fault { name: "reordered steps", record: reordered, ..NOTHING },
    Fault {
        name: "exchanged timestamps",
        fits: |s| s.ports.iter().flatten().count() > 1,
        record: exchanged,
        ..NOTHING
    },
    Fault {
        name: "repeated timestamp",
        fits: reads,
        before: false_value,
        after: itself,
        ..NOTHING
    },
    Fault {
        name: "backward timestamp",
        fits: twice,
        before: false_value,
        after: backward,
        ..NOTHING
    },
    Fault {
        name: "overflowing timestamp",
        fits: reads,
        before: false_value,
        after: overflow,
        ..NOTHING
    },
    Fault {
        name: "altered while it is carried",
        fits: |s| reads(s) && s.event.times[target(s).0] > 0,
        before: false_value,
        after: refreshed,
        ..NOTHING
    },
    Fault { name: "wrong sum of fuel", tables: public_fuel, ..NOTHING },
    Fault { name: "wrong registers at the end", tables: public_registers, ..NOTHING },
];
