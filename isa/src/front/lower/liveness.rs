//! Which slots are read later: within a block, and across the blocks of a function.

use super::ir::{Block, Exit, Id, Source, Val};
use crate::Slot;

/// A set of slots of one function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Slots {
    low: Slot,
    words: Vec<u64>,
}

impl Slots {
    pub(super) fn new(low: Slot) -> Self {
        Self { low, words: Vec::new() }
    }

    pub(super) fn contains(&self, slot: Slot) -> bool {
        let Ok(index) = usize::try_from(slot - self.low) else { return false };
        self.words.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    pub(super) fn insert(&mut self, slot: Slot) {
        let Ok(index) = usize::try_from(slot - self.low) else { return };
        if index / 64 >= self.words.len() {
            self.words.resize(index / 64 + 1, 0);
        }
        if let Some(word) = self.words.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    /// Adds the other's slots below `height`.
    fn add(&mut self, other: &Slots, height: i32) {
        for slot in other.iter().take_while(|slot| *slot < height) {
            self.insert(slot);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Slot> + '_ {
        self.words.iter().enumerate().flat_map(move |(i, word)| {
            (0..64)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| self.low + (i * 64 + bit) as Slot)
        })
    }
}

/// Last use of each value: index of a node, the number of nodes for the block's end, or none.
pub(super) fn last_uses(block: &Block, live_out: &Slots) -> Vec<Option<usize>> {
    let mut last = vec![None; block.values.len()];
    let end = block.nodes.len();
    let mark = |last: &mut Vec<Option<usize>>, id: Id, at: usize| {
        if let Some(last @ None) = last.get_mut(id) {
            *last = Some(at);
        }
    };
    for (slot, val) in (block.low..).zip(&block.stack) {
        if let Some(Val::Id(id)) = val
            && live_out.contains(slot)
        {
            mark(&mut last, *id, end);
        }
    }
    for id in block.last.iter().flat_map(|row| row.reads()) {
        mark(&mut last, id, end);
    }
    for (i, node) in block.nodes.iter().enumerate().rev() {
        let used = |id: Id| last.get(id).copied().flatten().is_some();
        if !node.pure || node.outs().any(used) {
            for id in node.reads() {
                mark(&mut last, id, i);
            }
        }
    }
    last
}

fn live_in(block: &Block, live_out: &Slots) -> Slots {
    let mut slots = Slots::new(block.low);
    for slot in live_out.iter() {
        let index = usize::try_from(slot - block.low).unwrap_or(usize::MAX);
        if block.stack.get(index).copied().flatten().is_none() {
            slots.insert(slot);
        }
    }
    for (value, last) in block.values.iter().zip(last_uses(block, live_out)) {
        if let (Source::Entry(slot), Some(_)) = (value.source, last) {
            slots.insert(slot);
        }
    }
    slots
}

/// The slots that are read from the start of each block on, and after each. `successors` gives the
/// indices of the blocks after a block.
pub(super) fn live(blocks: &[Block], successors: &[Vec<usize>]) -> (Vec<Slots>, Vec<Slots>) {
    let mut outs: Vec<Slots> = blocks.iter().map(|block| Slots::new(block.low)).collect();
    let mut ins = outs.clone();
    let mut callers = vec![Vec::new(); blocks.len()];
    for (from, to) in successors.iter().enumerate() {
        for &to in to {
            if let Some(callers) = callers.get_mut(to) {
                callers.push(from);
            }
        }
    }
    let mut waiting = vec![true; blocks.len()];
    let mut work: Vec<usize> = (0..blocks.len()).collect();
    while let Some(index) = work.pop() {
        let (Some(block), Some(next)) = (blocks.get(index), successors.get(index)) else {
            continue;
        };
        waiting[index] = false;
        let mut out = Slots::new(block.low);
        if block.exit == Exit::Frame {
            for slot in block.low..block.exit_height {
                out.insert(slot);
            }
        }
        for &next in next {
            out.add(&ins[next], block.exit_height);
        }
        let found = live_in(block, &out);
        outs[index] = out;
        if found != ins[index] {
            ins[index] = found;
            for &caller in &callers[index] {
                if !std::mem::replace(&mut waiting[caller], true) {
                    work.push(caller);
                }
            }
        }
    }
    (ins, outs)
}
