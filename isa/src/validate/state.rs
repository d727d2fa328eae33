//! What running a block symbolically yields, the same for both sides: effects in order, and exits.

use std::collections::{BTreeMap, BTreeSet};

use super::term::{Fun, Leaf, Term, Terms};
use crate::layout::{GLOBAL, SPONGE, TABLE, TABLE_STRIDE};
use crate::runtime::Routine;
use crate::{Op, Slot};

/// Pretended address of the register `pages`.
pub(super) const PAGES: u32 = u32::MAX;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callee {
    /// The rWasm function at this rWasm pc.
    Function(u32),
    /// The function whose lowered pc this is.
    Indirect(Term),
    /// A routine of the library.
    Routine(Routine),
}

/// Something that can be seen, or that ends the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// If the condition holds the run goes on at the fixed pc: a trap's stub, or `STUCK_PC`.
    Leave { when: Term, pc: u32 },
    /// A charge of fuel, low and high word.
    Fuel { low: Term, high: Term },
    /// Trap if the frame base plus this exceeds the stack limit.
    Stack(u32),
    /// Trap if the depth exceeds this.
    Depth(u32),
    /// A load of linear memory: its result is a leaf.
    Load { op: Op, address: Term, offset: u32 },
    /// A store to linear memory.
    Store { op: Op, address: Term, offset: u32, value: Term },
    /// A store to a table element.
    Write { base: u32, index: Term, value: Term },
    /// A call with the number of its results, if it returns; `words` are the private words
    /// changed since the last one.
    Call {
        callee: Callee,
        base: Slot,
        args: Vec<Term>,
        results: Option<u32>,
        words: Vec<(u32, Term)>,
    },
}

/// Where a path leaves the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Another block of the same version of the function, by rWasm pc.
    Block(u32),
    /// A block of the deep version.
    Deep(u32),
    /// To the caller.
    Return,
    /// To a function in place of this one, with the frame base moved.
    Tail(Callee, Slot),
}

/// The part of the state that paths do not share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path {
    /// What was written to slots.
    pub(super) slots: BTreeMap<Slot, Term>,
    /// Slots from here on that are not listed lost their contents to a call.
    pub(super) lost: Option<Slot>,
    /// Private words at constant addresses.
    pub(super) words: BTreeMap<u32, Term>,
}

/// A path's end.
#[derive(Clone, Debug)]
pub(super) struct Exit {
    pub(super) key: Key,
    /// When it is taken.
    pub(super) guard: Term,
    pub(super) path: Path,
}

/// Most slots and words that the exits of a block may have changed, taken together.
const MAX_KEPT: usize = 1 << 21;

/// A block run to its exits.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) effects: Vec<Effect>,
    pub(super) exits: Vec<Exit>,
    /// Slots that are known at the start; all if nothing is said.
    known: Option<BTreeSet<Slot>>,
    /// Calls so far.
    calls: u32,
    /// Calls and writes so far.
    version: u32,
    /// Slots and words that the exits have changed.
    kept: usize,
}

impl Run {
    /// A run that knows what these slots hold at the start, and nothing of the others.
    pub(super) fn knowing(slots: BTreeSet<Slot>) -> Self {
        Self { known: Some(slots), ..Self::default() }
    }

    /// Calls so far.
    pub(super) fn calls(&self) -> u32 {
        self.calls
    }

    /// The leaf for result `k` of the next effect.
    pub(super) fn result(&self, terms: &mut Terms, k: u32) -> Term {
        terms.leaf(Leaf::Result(self.effects.len() as u32, k))
    }

    /// What a slot holds.
    pub(super) fn slot(&self, terms: &mut Terms, path: &Path, slot: Slot) -> Term {
        if let Some(&term) = path.slots.get(&slot) {
            return term;
        }
        let known = self.known.as_ref().is_none_or(|known| known.contains(&slot));
        let lost = path.lost.is_some_and(|from| slot >= from);
        terms.leaf(if lost || !known { Leaf::Junk(slot, self.calls) } else { Leaf::Slot(slot) })
    }

    /// An effect that leaves if `when` holds; nothing if it never does.
    pub(super) fn leave(&mut self, terms: &Terms, when: Term, pc: u32) {
        if terms.value(when) != Some(0) {
            self.effects.push(Effect::Leave { when, pc });
        }
    }

    /// The private word at `base + index`.
    pub(super) fn word(&self, terms: &mut Terms, path: &Path, base: u32, index: Term) -> Term {
        match constant_word(terms, base, index) {
            Some(word) => match path.words.get(&word) {
                Some(&term) => term,
                None => {
                    // The facts of the run never change.
                    let constant = !is_private(word);
                    let calls = if constant { 0 } else { self.calls };
                    terms.leaf(Leaf::Word(word, calls))
                }
            },
            None => {
                let (base, index) = element(terms, base, index);
                let version = if is_table(base) { self.version } else { 0 };
                terms.app(Fun::Read(base, version), &[index])
            }
        }
    }

    /// Changes the private word at `base + index`; whether it may be changed.
    pub(super) fn set_word(
        &mut self,
        terms: &mut Terms,
        path: &mut Path,
        (base, index): (u32, Term),
        value: Term,
    ) -> bool {
        if let Some(word) = constant_word(terms, base, index) {
            path.words.insert(word, value);
            return is_private(word);
        }
        let (base, index) = element(terms, base, index);
        self.version += 1;
        self.effects.push(Effect::Write { base, index, value });
        is_table(base)
    }

    /// A call: private words are unknown after it.
    pub(super) fn call(
        &mut self,
        path: &mut Path,
        (callee, base): (Callee, Slot),
        args: Vec<Term>,
        results: Option<u32>,
    ) {
        let words = std::mem::take(&mut path.words).into_iter().collect();
        self.effects.push(Effect::Call { callee, base, args, results, words });
        self.calls += 1;
        self.version += 1;
    }

    /// Leaves the block; exits to one place are one exit.
    pub(super) fn exit(&mut self, terms: &mut Terms, key: Key, guard: Term, path: Path) {
        let changed = path.slots.len() + path.words.len();
        self.kept += changed;
        let room = if self.kept > MAX_KEPT { u64::MAX } else { 0 };
        if terms.value(guard) == Some(0)
            || !terms.spend(room.max((self.exits.len() + changed) as u64))
        {
            return;
        }
        match self.exits.iter().position(|e| e.key == key) {
            Some(at) => {
                let old = self.exits[at].clone();
                let merged = self.merge(terms, (old.guard, old.path), (guard, path));
                self.exits[at].guard = merged.0;
                self.exits[at].path = merged.1;
            }
            None => self.exits.push(Exit { key, guard, path }),
        }
    }

    /// Joins two paths.
    fn merge(
        &self,
        terms: &mut Terms,
        (guard, mut path): (Term, Path),
        (other_guard, other): (Term, Path),
    ) -> (Term, Path) {
        let both = terms.or(guard, other_guard);
        if path == other {
            return (both, path);
        }
        let slots: Vec<Slot> = path.slots.keys().chain(other.slots.keys()).copied().collect();
        for slot in slots {
            let ours = self.slot(terms, &path, slot);
            let theirs = self.slot(terms, &other, slot);
            let joined = terms.ite(guard, ours, theirs);
            path.slots.insert(slot, joined);
        }
        let words: Vec<u32> = path.words.keys().chain(other.words.keys()).copied().collect();
        let zero = terms.constant(0);
        for word in words {
            let ours = self.word(terms, &path, word, zero);
            let theirs = self.word(terms, &other, word, zero);
            let joined = terms.ite(guard, ours, theirs);
            path.words.insert(word, joined);
        }
        path.lost = match (path.lost, other.lost) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        (both, path)
    }
}

/// Table elements are named by the table's first word and an index.
fn element(terms: &mut Terms, base: u32, index: Term) -> (u32, Term) {
    match terms.value(index) {
        Some(i) if is_table(base.wrapping_add(i)) => {
            let offset = base.wrapping_add(i) - TABLE;
            let rest = terms.constant(offset % TABLE_STRIDE);
            (TABLE + offset / TABLE_STRIDE * TABLE_STRIDE, rest)
        }
        _ => (base, index),
    }
}

/// The address, if it is constant and not in a table.
fn constant_word(terms: &Terms, base: u32, index: Term) -> Option<u32> {
    let word = base.checked_add(terms.value(index)?)?;
    (!is_table(word)).then_some(word)
}

fn is_table(word: u32) -> bool {
    (TABLE..TABLE + crate::layout::MAX_TABLES * TABLE_STRIDE).contains(&word)
}

/// The private words that code may change by itself.
fn is_private(word: u32) -> bool {
    (GLOBAL..SPONGE).contains(&word) || word == PAGES
}
