//! Compares the blocks of one function with their rows.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Classes, Equality, slots};
use super::labels::{Label, Labels};
use super::source::{self, Source};
use super::state::{Callee, Effect, Exit, Key, Run};
use super::target::{self, Start};
use super::term::{Leaf, Term, Terms};
use super::{Difference, ValidateError};
use crate::front::Module;
use crate::{Instr, Pc, Slot};

/// What liveness needs of a block.
struct Flow {
    /// Slots that the block itself depends on.
    uses: BTreeSet<Slot>,
    /// Of each exit to a block: the block, and what the changed slots depend on.
    exits: Vec<(u32, BTreeMap<Slot, BTreeSet<Slot>>)>,
}

/// Validates one function.
pub(super) fn function(
    module: &Module,
    code: &[Instr],
    labels: &Labels,
    index: u32,
    blocks: &[(Pc, Label)],
    equality: &mut Equality,
) -> Result<(), ValidateError> {
    let info = module.heights.functions.get(index as usize);
    let info = info.ok_or(ValidateError::Map(index))?;
    let low = -(info.params as Slot);
    let starts: BTreeSet<u32> = blocks.iter().map(|(_, label)| label.source).collect();
    let live = live(module, index, &starts, low, &mut equality.left)?;

    let (mut needed, mut room) = (None, None);
    for &(pc, label) in blocks {
        let mut terms = Terms::new(equality.left);
        let at = (index, label.source, label.deep);
        let source = source::run(module, &mut terms, at, &starts)?;
        let nothing = BTreeSet::new();
        let start = Start {
            code,
            labels,
            label,
            pc,
            rows: label.rows,
            low,
            live: live.get(&label.source).unwrap_or(&nothing),
            source: &source.run,
        };
        let known = terms.len();
        let target = target::run(&start, &mut terms)?;
        needed = needed.max(source.snippet_room);
        room = room.or(target.room);
        let compared = compare((&mut terms, known), &source, &target.run, &live, low, equality);
        equality.left = terms.left();
        if equality.left == 0 {
            return Err(ValidateError::Work);
        }
        compared.map_err(|what| {
            let version = if label.deep { "deep" } else { "fast" };
            ValidateError::Differs { block: label.source, pc, version, what }
        })?;
    }
    if needed > room {
        return Err(ValidateError::Room(info.entry));
    }
    Ok(())
}

/// The slots at each block's start that anything after it depends on: the least fixpoint.
fn live(
    module: &Module,
    function: u32,
    starts: &BTreeSet<u32>,
    low: Slot,
    left: &mut u64,
) -> Result<BTreeMap<u32, BTreeSet<Slot>>, ValidateError> {
    let mut flows = BTreeMap::new();
    let mut callers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for &pc in starts {
        let mut terms = Terms::new(*left);
        let source = source::run(module, &mut terms, (function, pc, false), starts)?;
        let flow = flow(&mut terms, &source, low);
        *left = terms.left();
        if *left == 0 {
            return Err(ValidateError::Work);
        }
        for (to, _) in &flow.exits {
            callers.entry(*to).or_default().push(pc);
        }
        flows.insert(pc, flow);
    }
    let mut live: BTreeMap<u32, BTreeSet<Slot>> =
        flows.iter().map(|(&pc, flow)| (pc, flow.uses.clone())).collect();
    let mut work: Vec<u32> = starts.iter().copied().collect();
    while let Some(pc) = work.pop() {
        let Some(flow) = flows.get(&pc) else { continue };
        let mut here = live.get(&pc).cloned().unwrap_or_default();
        let before = here.len();
        for (to, changed) in &flow.exits {
            let after = live.get(to).map_or(0, BTreeSet::len);
            *left = left.saturating_sub(8 * (before + after) as u64);
            if *left == 0 {
                return Err(ValidateError::Work);
            }
            for slot in live.get(to).into_iter().flatten() {
                match changed.get(slot) {
                    Some(slots) => here.extend(slots),
                    None => _ = here.insert(*slot),
                }
            }
        }
        if here.len() > before {
            live.insert(pc, here);
            work.extend(callers.get(&pc).into_iter().flatten());
        }
    }
    Ok(live)
}

fn flow(terms: &mut Terms, source: &Source, low: Slot) -> Flow {
    let mut uses = BTreeSet::new();
    for effect in &source.run.effects {
        slots(terms, effect_terms(effect), &mut uses);
    }
    let mut exits = Vec::new();
    for exit in &source.run.exits {
        slots(terms, [exit.guard], &mut uses);
        slots(terms, exit.path.words.values().copied(), &mut uses);
        if let Key::Tail(Callee::Indirect(term), _) = exit.key {
            slots(terms, [term], &mut uses);
        }
        if let Key::Block(to) = exit.key {
            let of = |(&slot, &term): (&Slot, &Term)| {
                let mut leaves = BTreeSet::new();
                slots(terms, [term], &mut leaves);
                (slot, leaves)
            };
            exits.push((to, exit.path.slots.iter().map(of).collect()));
        } else {
            for slot in low..source.height {
                let term = source.run.slot(terms, &exit.path, slot);
                slots(terms, [term], &mut uses);
            }
        }
    }
    Flow { uses, exits }
}

fn effect_terms(effect: &Effect) -> Vec<Term> {
    match effect {
        Effect::Leave { when, .. } => vec![*when],
        Effect::Fuel { low, high } => vec![*low, *high],
        Effect::Stack(_) | Effect::Depth(_) => Vec::new(),
        Effect::Load { address, .. } => vec![*address],
        Effect::Store { address, value, .. } => vec![*address, *value],
        Effect::Write { index, value, .. } => vec![*index, *value],
        Effect::Call { callee, args, words, .. } => {
            let mut terms = args.clone();
            terms.extend(words.iter().map(|(_, term)| *term));
            if let Callee::Indirect(term) = callee {
                terms.push(*term);
            }
            terms
        }
    }
}

/// Words of both sides at one moment, after `calls` calls: those that one side has not written
/// are unchanged.
fn words<'w>(
    terms: &mut Terms,
    ours: impl Iterator<Item = (&'w u32, &'w Term)> + Clone,
    theirs: impl Iterator<Item = (&'w u32, &'w Term)> + Clone,
    calls: u32,
) -> Vec<(u32, Term, Term)> {
    let names: BTreeSet<u32> = ours.clone().chain(theirs.clone()).map(|(word, _)| *word).collect();
    let (ours, theirs): (BTreeMap<_, _>, BTreeMap<_, _>) = (ours.collect(), theirs.collect());
    let mut value = |side: &BTreeMap<&u32, &Term>, word| match side.get(&word) {
        Some(&&term) => term,
        None => terms.leaf(Leaf::Word(word, calls)),
    };
    names.into_iter().map(|w| (w, value(&ours, w), value(&theirs, w))).collect()
}

/// What must be equal at an exit.
struct Pair {
    guards: [Term; 2],
    keys: [Key; 2],
    slots: Vec<(Slot, Term, Term)>,
    words: Vec<(u32, Term, Term)>,
}

fn compare(
    (terms, known): (&mut Terms, Term),
    source: &Source,
    target: &Run,
    live: &BTreeMap<u32, BTreeSet<Slot>>,
    low: Slot,
    equality: &mut Equality,
) -> Result<(), Difference> {
    let ours = &source.run;
    // All terms are made first: comparing only reads them.
    let mut call_words = Vec::new();
    for (a, b) in ours.effects.iter().zip(&target.effects) {
        if let (Effect::Call { words: a, .. }, Effect::Call { words: b, .. }) = (a, b) {
            let pairs = |list: &'_ Vec<(u32, Term)>| list.clone();
            let (a, b) = (pairs(a), pairs(b));
            let calls = call_words.len() as u32;
            let sides = [&a, &b].map(|side| side.iter().map(|(word, term)| (word, term)));
            let [a, b] = sides;
            call_words.push(words(terms, a, b, calls));
        }
    }
    let pairs = exits(terms, source, target, live, low)?;

    let mut classes = Classes::new(terms, known, equality);
    let mut call_words = call_words.into_iter();
    for (i, (a, b)) in ours.effects.iter().zip(&target.effects).enumerate() {
        if !same_effect(&mut classes, a, b, &mut call_words) {
            return Err(Difference::Effect(i));
        }
        if let Effect::Leave { when, .. } = a {
            classes.exclude(*when);
        }
    }
    if ours.effects.len() != target.effects.len() {
        return Err(Difference::Effects);
    }
    for (exit, pair) in pairs.into_iter().enumerate() {
        if !same_key(&mut classes, pair.keys) {
            return Err(Difference::Exits);
        }
        if !classes.equal(pair.guards[0], pair.guards[1]) {
            return Err(Difference::Guard(exit));
        }
        for (slot, a, b) in pair.slots {
            if !classes.equal(a, b) {
                return Err(Difference::Slot { exit, slot });
            }
        }
        for (word, a, b) in pair.words {
            if !classes.equal(a, b) {
                return Err(Difference::Word { exit, word });
            }
        }
    }
    Ok(())
}

/// Exits that only differ in how they name an indirect callee are one place.
fn place(key: Key) -> (u8, u32, Slot) {
    match key {
        Key::Block(pc) => (0, pc, 0),
        Key::Deep(pc) => (1, pc, 0),
        Key::Return => (2, 0, 0),
        Key::Tail(Callee::Function(pc), shift) => (3, pc, shift),
        Key::Tail(Callee::Indirect(_), shift) => (4, 0, shift),
        Key::Tail(Callee::Routine(routine), shift) => (5, routine as u32, shift),
    }
}

fn exits(
    terms: &mut Terms,
    source: &Source,
    target: &Run,
    live: &BTreeMap<u32, BTreeSet<Slot>>,
    low: Slot,
) -> Result<Vec<Pair>, Difference> {
    let ours = &source.run;
    let find = |key: Key| ours.exits.iter().find(|exit| place(exit.key) == place(key));
    let mut pairs = Vec::new();
    for theirs in &target.exits {
        if !terms.spend(2 * ours.exits.len() as u64) {
            return Err(Difference::Exits);
        }
        // The deep version takes over where the fast one would go on.
        let key = match theirs.key {
            Key::Deep(pc) => Key::Block(pc),
            key => key,
        };
        let exit = find(key).ok_or(Difference::Exits)?;
        let slots: Vec<Slot> = match key {
            Key::Block(pc) => live.get(&pc).into_iter().flatten().copied().collect(),
            _ => (low..source.height).collect(),
        };
        let slots = slots
            .into_iter()
            .map(|slot| {
                let a = ours.slot(terms, &exit.path, slot);
                (slot, a, target.slot(terms, &theirs.path, slot))
            })
            .collect();
        let calls = ours.calls();
        let words = words(terms, exit.path.words.iter(), theirs.path.words.iter(), calls);
        let (guards, keys) = ([exit.guard, theirs.guard], [exit.key, key]);
        pairs.push(Pair { guards, keys, slots, words });
    }
    let reached = |exit: &Exit| target.exits.iter().any(|e| place(e.key) == place(exit.key));
    if terms.spend((ours.exits.len() * target.exits.len()) as u64) && ours.exits.iter().all(reached)
    {
        Ok(pairs)
    } else {
        Err(Difference::Exits)
    }
}

fn same_key(classes: &mut Classes<'_>, keys: [Key; 2]) -> bool {
    match keys {
        [Key::Tail(Callee::Indirect(a), x), Key::Tail(Callee::Indirect(b), y)] => {
            x == y && classes.equal(a, b)
        }
        [a, b] => a == b,
    }
}

fn same_effect(
    classes: &mut Classes<'_>,
    ours: &Effect,
    theirs: &Effect,
    call_words: &mut impl Iterator<Item = Vec<(u32, Term, Term)>>,
) -> bool {
    use Effect::*;
    let mut equal = |a: &Term, b: &Term| classes.equal(*a, *b);
    match (ours, theirs) {
        (Leave { when: a, pc: x }, Leave { when: b, pc: y }) => x == y && equal(a, b),
        (Fuel { low: a, high: x }, Fuel { low: b, high: y }) => equal(a, b) && equal(x, y),
        (Stack(_) | Depth(_), _) => ours == theirs,
        (Load { op: x, address: a, offset: i }, Load { op: y, address: b, offset: j }) => {
            x == y && i == j && equal(a, b)
        }
        (
            Store { op: x, address: a, offset: i, value: v },
            Store { op: y, address: b, offset: j, value: w },
        ) => x == y && i == j && equal(a, b) && equal(v, w),
        (Write { base: x, index: a, value: v }, Write { base: y, index: b, value: w }) => {
            x == y && equal(a, b) && equal(v, w)
        }
        (
            Call { callee: x, base: i, args: a, results: k, .. },
            Call { callee: y, base: j, args: b, results: l, .. },
        ) => {
            let callee = match (x, y) {
                (Callee::Indirect(x), Callee::Indirect(y)) => equal(x, y),
                _ => x == y,
            };
            let words = call_words.next().unwrap_or_default();
            callee
                && i == j
                && k == l
                && a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| equal(a, b))
                && words.iter().all(|(_, a, b)| equal(a, b))
        }
        _ => false,
    }
}
