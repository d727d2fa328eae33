//! Gives the values of a block their slots and emits its rows.
//!
//! At a block's start and end the words of the stack that somebody still reads are in their rWasm
//! slots; between, a value may be anywhere that nothing else needs. A row writes its result
//! straight into the slot where the block must leave it, if that slot's old word is not read any
//! more; otherwise a move at the end does it.

use std::collections::{BTreeMap, HashMap};

use super::LowerError;
use super::ir::{Block, Dest, Id, Kind, Node, Row, Source, Target, Val};
use super::liveness::{Slots, last_uses};
use crate::{Instr, MAX_FUEL, Op, Operand, Slot};

/// An emitted row; the target of its field c is filled in when all blocks have their pcs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Emitted {
    pub instr: Instr,
    pub target: Option<Target>,
    pub weight: u16,
}

/// The rows of a block. `live_if_taken` are the slots that are read if its last branch is taken, if
/// it ends with a conditional one.
pub(super) fn emit(
    block: &Block,
    live_out: &Slots,
    live_if_taken: Option<&Slots>,
) -> Result<Vec<Emitted>, LowerError> {
    let mut alloc = Allocator { live_if_taken, ..Allocator::new(block, live_out) };
    for (i, node) in block.nodes.iter().enumerate() {
        alloc.node(i, node)?;
    }
    alloc.end()?;
    Ok(alloc.rows)
}

/// A move to a slot.
type Move = (Slot, Val);

struct Allocator<'a> {
    block: &'a Block,
    live_out: &'a Slots,
    live_if_taken: Option<&'a Slots>,
    last: Vec<Option<usize>>,
    /// Slots where the block must leave the value.
    finals: HashMap<Id, Vec<Slot>>,
    /// Calls: node, first slot that does not survive.
    calls: Vec<(usize, Slot)>,
    place: Vec<Option<Slot>>,
    /// What the slots hold.
    holds: BTreeMap<Slot, Id>,
    rows: Vec<Emitted>,
    fuel: u16,
    weight: u16,
}

impl<'a> Allocator<'a> {
    fn new(block: &'a Block, live_out: &'a Slots) -> Self {
        let last = last_uses(block, live_out);
        let mut finals: HashMap<Id, Vec<Slot>> = HashMap::new();
        for (slot, val) in (block.low..).zip(&block.stack) {
            if let Some(Val::Id(id)) = val
                && live_out.contains(slot)
            {
                finals.entry(*id).or_default().push(slot);
            }
        }
        let calls = block
            .nodes
            .iter()
            .enumerate()
            .filter_map(|(i, node)| match node.kind {
                Kind::Call { base, .. } => Some((i, base)),
                _ => None,
            })
            .collect();
        let mut place = vec![None; block.values.len()];
        let mut holds = BTreeMap::new();
        for (id, value) in block.values.iter().enumerate() {
            if let Source::Entry(slot) = value.source {
                place[id] = Some(slot);
                holds.insert(slot, id);
            }
        }
        // A conditional move works in place: what it starts from should be computed there.
        for node in block.nodes.iter().rev() {
            if let (Kind::Cmov(Val::Id(old)), Some(out)) = (&node.kind, node.outs().next())
                && !finals.contains_key(old)
                && let Some(slots) = finals.get(&out).cloned()
            {
                finals.insert(*old, slots);
            }
        }
        Self {
            block,
            live_out,
            live_if_taken: None,
            last,
            finals,
            calls,
            place,
            holds,
            rows: Vec::new(),
            fuel: 0,
            weight: 0,
        }
    }

    // Emitting.

    fn push(&mut self, instr: Instr, target: Option<Target>) {
        let (fuel, weight) = (std::mem::take(&mut self.fuel), std::mem::take(&mut self.weight));
        self.rows.push(Emitted { instr: Instr { fuel, ..instr }, target, weight });
    }

    fn charge(&mut self, fuel: u32) {
        let Some(small) = u16::try_from(fuel).ok().filter(|fuel| *fuel <= MAX_FUEL) else {
            self.push(Instr { b: Operand::Imm(fuel), ..Instr::new(Op::FuelCharge) }, None);
            return;
        };
        self.flush_fuel();
        self.fuel = small;
    }

    /// Charges that wait for a row get one of their own.
    fn flush_fuel(&mut self) {
        if self.fuel != 0 {
            self.push(Instr::new(Op::Jump), Some(Target::Next));
        }
    }

    fn slot_of(&self, id: Id) -> Result<Slot, LowerError> {
        self.place.get(id).copied().flatten().ok_or(LowerError::Lost(self.block.start))
    }

    fn operand(&self, val: Option<Val>) -> Result<Operand, LowerError> {
        Ok(match val {
            None => Operand::None,
            Some(Val::Const(c)) => Operand::Imm(c),
            Some(Val::Id(id)) => Operand::Slot(self.slot_of(id)?),
        })
    }

    fn emit_row(&mut self, row: &Row, out: Option<Slot>) -> Result<(), LowerError> {
        let a = match row.a {
            None | Some(Val::Const(0)) => None,
            Some(Val::Const(_)) => return Err(LowerError::Lost(self.block.start)),
            Some(Val::Id(id)) => Some(self.slot_of(id)?),
        };
        let b = self.operand(row.b)?;
        let (c, target) = match row.c {
            Dest::None => (0, None),
            Dest::Out(_) => (out.ok_or(LowerError::Lost(self.block.start))?, None),
            Dest::Stored(Val::Id(id)) => (self.slot_of(id)?, None),
            Dest::Stored(Val::Const(_)) => return Err(LowerError::Lost(self.block.start)),
            Dest::Goto(target) => (0, Some(target)),
        };
        self.push(Instr { op: row.op, chain: row.chain, a, b, c, k: row.k, fuel: 0 }, target);
        Ok(())
    }

    fn emit_move(&mut self, to: Slot, from: Operand) {
        self.push(Instr { b: from, c: to, ..Instr::new(Op::Mov) }, None);
    }

    // Slots.

    fn used_after(&self, id: Id, at: usize) -> bool {
        self.last.get(id).copied().flatten().is_some_and(|last| last > at)
    }

    /// Whether a row of node `at` may overwrite the slot after reading its operands.
    fn free(&self, slot: Slot, at: usize) -> bool {
        match self.holder(slot) {
            Some(id) => !self.used_after(id, at),
            None => !self.passes(slot),
        }
    }

    /// Whether a move before node `at` may overwrite the slot.
    fn idle(&self, slot: Slot, at: usize) -> bool {
        match self.holder(slot) {
            Some(id) => self.last.get(id).copied().flatten().is_none_or(|last| last < at),
            None => !self.passes(slot),
        }
    }

    /// The value that lives in the slot (a value that has moved on leaves only a copy).
    fn holder(&self, slot: Slot) -> Option<Id> {
        let id = *self.holds.get(&slot)?;
        (self.place.get(id).copied().flatten() == Some(slot)).then_some(id)
    }

    /// Whether the block must leave alone a slot that it never mentions.
    fn passes(&self, slot: Slot) -> bool {
        let index = usize::try_from(slot - self.block.low).unwrap_or(usize::MAX);
        slot < self.block.low
            || (self.live_out.contains(slot)
                && self.block.stack.get(index).copied().flatten().is_none())
    }

    /// Whether a value defined by node `at` survives in the slot until its last use.
    fn survives(&self, id: Id, slot: Slot, at: usize) -> bool {
        let last = self.last.get(id).copied().flatten().unwrap_or(at);
        let first = self.calls.partition_point(|call| call.0 <= at);
        let calls = self.calls.get(first..).unwrap_or_default().iter();
        !calls.take_while(|call| call.0 < last).any(|call| slot >= call.1)
    }

    /// Makes room where the block must leave a result: what is there and only waits to be moved
    /// elsewhere is moved now.
    fn make_room(&mut self, id: Id, at: usize) {
        for slot in self.finals.get(&id).cloned().unwrap_or_default() {
            let Some(held) = self.holder(slot).filter(|_| !self.free(slot, at)) else { continue };
            let finals = self.finals.get(&held).cloned().unwrap_or_default();
            let to = finals.iter().copied().find(|&to| {
                self.live_out.contains(to) && self.idle(to, at) && self.survives(held, to, at)
            });
            if let Some(to) = to.filter(|_| !finals.contains(&slot)) {
                self.emit_move(to, Operand::Slot(slot));
                self.settle(held, to);
                return;
            }
        }
    }

    /// A slot for the result of node `at`, none of `taken`.
    fn choose(&self, id: Id, at: usize, taken: &[Slot]) -> Slot {
        let fits = |slot: Slot| self.free(slot, at) && !taken.contains(&slot);
        let home = self.block.values.get(id).map_or(0, |value| value.home);
        let finals = self.finals.get(&id).into_iter().flatten().copied();
        finals
            .chain([home])
            .find(|&slot| fits(slot) && self.survives(id, slot, at))
            .unwrap_or_else(|| self.any_slot(home, fits))
    }

    fn any_slot(&self, from: Slot, fits: impl Fn(Slot) -> bool) -> Slot {
        let mut slot = from.max(self.block.low);
        while !fits(slot) {
            slot += 1;
        }
        slot
    }

    fn settle(&mut self, id: Id, slot: Slot) {
        self.holds.insert(slot, id);
        if let Some(place) = self.place.get_mut(id) {
            *place = Some(slot);
        }
    }

    // Nodes.

    fn node(&mut self, at: usize, node: &Node) -> Result<(), LowerError> {
        self.weight = self.weight.saturating_add(node.weight);
        let needed = node.outs().any(|id| self.last.get(id).copied().flatten().is_some());
        if node.pure && !needed {
            return Ok(());
        }
        match &node.kind {
            Kind::Fuel(fuel) => {
                self.charge(*fuel);
                Ok(())
            }
            Kind::Rows => self.group(at, &node.rows),
            Kind::Cmov(old) => self.conditional(at, node, *old),
            Kind::Call { base, args, results, below } => {
                self.before_call(at, *base, args, below, &node.rows)?;
                for row in &node.rows {
                    self.emit_row(row, None)?;
                }
                drop(self.holds.split_off(base));
                for &(slot, id) in results {
                    self.settle(id, slot);
                }
                Ok(())
            }
        }
    }

    /// Rows that must stand together: no result may overwrite what a later row reads.
    fn group(&mut self, at: usize, rows: &[Row]) -> Result<(), LowerError> {
        let mut written: Vec<(Id, Slot)> = Vec::new();
        // Trailing links of a carry chain that nobody reads are left out.
        let unread = |row: &&Row| {
            row.chain
                && matches!(row.op, Op::Add | Op::Sub)
                && row.out().is_some_and(|id| self.last.get(id).copied().flatten().is_none())
        };
        let dropped = rows.iter().rev().take_while(unread).count();
        let rows = rows.get(..rows.len() - dropped).unwrap_or(rows);
        if let [row] = rows
            && let Some(id) = row.out()
        {
            self.make_room(id, at);
        }
        for (i, row) in rows.iter().enumerate() {
            let out = match row.out() {
                None => None,
                Some(id) => {
                    let mut taken: Vec<Slot> = written.iter().map(|w| w.1).collect();
                    for later in rows.iter().skip(i + 1).flat_map(Row::reads) {
                        taken.push(self.slot_of(later)?);
                    }
                    let slot = self.choose(id, at, &taken);
                    written.push((id, slot));
                    Some(slot)
                }
            };
            self.emit_row(row, out)?;
        }
        for (id, slot) in written {
            self.settle(id, slot);
        }
        Ok(())
    }

    fn conditional(&mut self, at: usize, node: &Node, old: Val) -> Result<(), LowerError> {
        let (Some(row), Some(id)) = (node.rows.first(), node.outs().next()) else {
            return Err(LowerError::Lost(self.block.start));
        };
        let reads = row.reads().map(|id| self.slot_of(id)).collect::<Result<Vec<_>, _>>()?;
        let from = self.operand(Some(old))?;
        let in_place = match (old, from) {
            (Val::Id(old), Operand::Slot(slot))
                if !self.used_after(old, at) && self.survives(id, slot, at) =>
            {
                Some(slot)
            }
            _ => None,
        };
        let slot = match in_place {
            Some(slot) => slot,
            None => {
                let slot = self.choose(id, at, &reads);
                self.emit_move(slot, from);
                slot
            }
        };
        self.emit_row(row, Some(slot))?;
        self.settle(id, slot);
        Ok(())
    }

    /// Puts arguments where the callee expects them, and what must survive below `base`.
    fn before_call(
        &mut self,
        at: usize,
        base: Slot,
        args: &[Move],
        below: &[(Slot, Id)],
        rows: &[Row],
    ) -> Result<(), LowerError> {
        let mut moves: Vec<Move> = Vec::new();
        let endangered: Vec<Id> = self
            .holds
            .range(base..)
            .filter(|&(&slot, &id)| self.holder(slot) == Some(id) && self.used_after(id, at))
            .map(|(_, &id)| id)
            .collect();
        let mut saved: Vec<(Id, Slot)> = Vec::new();
        let mut simple = true;
        for &id in &endangered {
            let home = below.iter().find(|&&(slot, held)| {
                held == id && self.free(slot, at) && !saved.iter().any(|s| s.1 == slot)
            });
            match home {
                Some(&(slot, _)) => saved.push((id, slot)),
                None => simple = false,
            }
        }
        if !simple {
            // Everything goes to its own slot at once.
            saved.clear();
            for &(slot, id) in below {
                if self.used_after(id, at) {
                    saved.push((id, slot));
                }
            }
            if endangered.iter().any(|id| !saved.iter().any(|s| s.0 == *id)) {
                return Err(LowerError::Lost(self.block.start));
            }
        }
        moves.extend(saved.iter().map(|&(id, slot)| (slot, Val::Id(id))));
        moves.extend(args);
        let reads: Vec<Id> = rows.iter().flat_map(Row::reads).collect();
        self.parallel(&moves, &reads)?;
        for &(id, slot) in &saved {
            self.settle(id, slot);
        }
        Ok(())
    }

    /// All moves at once. Values of `keep` that a move overwrites go elsewhere first.
    fn parallel(&mut self, moves: &[Move], keep: &[Id]) -> Result<(), LowerError> {
        let mut pending: Vec<(Slot, Operand)> = Vec::new();
        for &(to, val) in moves {
            let from = self.operand(Some(val))?;
            if from != Operand::Slot(to) {
                pending.push((to, from));
            }
        }
        let mut spare = self.spare(moves);
        for &id in keep {
            let slot = self.slot_of(id)?;
            if !moves.iter().any(|&(to, val)| to == slot && val != Val::Id(id)) {
                continue;
            }
            // One of the moves may bring it to where it can stay.
            let copy = moves.iter().find(|&&(_, val)| val == Val::Id(id)).map(|m| m.0);
            let place = copy.unwrap_or(spare);
            if copy.is_none() {
                pending.push((spare, Operand::Slot(slot)));
                spare += 1;
            }
            if let Some(old) = self.place.get_mut(id) {
                *old = Some(place);
            }
        }
        self.emit_moves(pending, spare);
        Ok(())
    }

    /// Emits moves in an order in which none overwrites what a later one reads.
    fn emit_moves(&mut self, moves: Vec<(Slot, Operand)>, spare: Slot) {
        let mut readers: HashMap<Slot, Vec<Slot>> = HashMap::new();
        for &(to, from) in &moves {
            if let Operand::Slot(from) = from {
                readers.entry(from).or_default().push(to);
            }
        }
        let mut left: HashMap<Slot, usize> =
            readers.iter().map(|(slot, readers)| (*slot, readers.len())).collect();
        let unread = |left: &HashMap<Slot, usize>, to| left.get(&to).is_none_or(|n| *n == 0);
        let mut pending: BTreeMap<Slot, Operand> = moves.into_iter().collect();
        let mut ready: Vec<Slot> =
            pending.keys().copied().filter(|to| unread(&left, *to)).collect();
        loop {
            while let Some(to) = ready.pop() {
                let Some(from) = pending.remove(&to) else { continue };
                self.emit_move(to, from);
                if let Operand::Slot(from) = from
                    && let Some(n) = left.get_mut(&from)
                {
                    *n -= 1;
                    if *n == 0 && pending.contains_key(&from) {
                        ready.push(from);
                    }
                }
            }
            // Only cycles are left: one slot is copied away, which opens its cycle.
            let Some((&to, _)) = pending.first_key_value() else { return };
            self.emit_move(spare, Operand::Slot(to));
            for reader in readers.get(&to).into_iter().flatten() {
                if let Some(from) = pending.get_mut(reader) {
                    *from = Operand::Slot(spare);
                }
            }
            ready.push(to);
        }
    }

    /// A slot above all that is in use.
    fn spare(&self, moves: &[Move]) -> Slot {
        let held = self.holds.keys().next_back().copied().unwrap_or(0);
        let moved = moves.iter().map(|m| m.0).max().unwrap_or(0);
        let passing = self.block.height.max(self.block.exit_height);
        held.max(moved).max(passing).max(-1) + 1
    }

    fn end(&mut self) -> Result<(), LowerError> {
        self.weight = self.weight.saturating_add(self.block.last_weight);
        let mut moves: Vec<Move> = Vec::new();
        let mut late: Vec<Move> = Vec::new();
        let mut reads: Vec<Id> = self.block.last.iter().flat_map(|row| row.reads()).collect();
        for (slot, val) in (self.block.low..).zip(&self.block.stack) {
            let Some(val) = *val else { continue };
            if !self.live_out.contains(slot) {
                continue;
            }
            // What only the fall-through path reads is moved after the branch.
            match self.live_if_taken {
                Some(taken) if !taken.contains(slot) => late.push((slot, val)),
                _ => moves.push((slot, val)),
            }
        }
        let (late, early) = self.sinkable(&moves, late)?;
        moves.extend(early);
        reads.extend(late.iter().filter_map(|&(_, val)| match val {
            Val::Id(id) => Some(id),
            Val::Const(_) => None,
        }));
        self.parallel(&moves, &reads)?;
        for row in &self.block.last {
            self.emit_row(row, None)?;
        }
        self.parallel(&late, &[])?;
        self.flush_fuel();
        if let Some(last) = self.rows.last_mut() {
            last.weight = last.weight.saturating_add(self.weight);
        }
        Ok(())
    }

    /// Parts the late moves whose values survive the early moves from the others.
    fn sinkable(
        &self,
        early: &[Move],
        late: Vec<Move>,
    ) -> Result<(Vec<Move>, Vec<Move>), LowerError> {
        let mut parts = (Vec::new(), Vec::new());
        for (to, val) in late {
            let survives = match val {
                Val::Const(_) => true,
                Val::Id(id) => {
                    let slot = self.slot_of(id)?;
                    let overwritten = early.iter().any(|&(to, v)| to == slot && v != val);
                    !overwritten || early.iter().any(|&(_, v)| v == val)
                }
            };
            if survives { parts.0.push((to, val)) } else { parts.1.push((to, val)) }
        }
        Ok(parts)
    }
}
