//! The walk that finds the heights.

use std::collections::HashMap;

use rwasm::Opcode;

use super::{Function, HeightError, Heights, Place, Signature, table_words};
use crate::front::{effect, host};
use crate::layout::MAX_TABLES;

/// Most slots of one frame, in both directions.
const MAX_HEIGHT: i32 = 16_384;
/// What a run may push before its first `StackCheck` (rwasm reserves 32 cells).
const UNCHECKED: i32 = 16;

/// What happens once a net effect is known.
#[derive(Clone, Copy)]
enum Waiter {
    /// The caller goes on.
    Resume { function: usize, pc: u32, height: i32 },
    /// The caller returns with it (tail call).
    Return { function: usize, pc: u32, height: i32 },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Callee {
    Function(usize),
    Signature(u32),
}

struct State {
    function: Function,
    waiters: Vec<Waiter>,
    /// Lowest slot touched.
    low: i32,
    /// Height up to which the stack is checked.
    checked: i32,
    calls: Vec<(Callee, i32)>,
}

#[derive(Default)]
struct Group {
    net: Option<i32>,
    waiters: Vec<Waiter>,
    members: Vec<usize>,
    low: i32,
}

pub(super) struct Walk<'a> {
    code: &'a [Opcode],
    source: u32,
    places: Vec<Place>,
    leaders: Vec<bool>,
    /// Of each pc, whether the moves there prepare a `ReturnCallIndirect`.
    tail_shuffles: Vec<bool>,
    funcs: Vec<State>,
    index: HashMap<u32, usize>,
    groups: HashMap<u32, Group>,
    work: Vec<(usize, u32, i32)>,
    nets: Vec<(usize, i32)>,
}

/// Where moves prepare a `ReturnCallIndirect`. rwasm's compiler forgets the function index when it
/// counts their height, so they may exceed the checked height by one; rwasm's machine has room for
/// it unless what it has allocated happens to be full to the last cell.
fn tail_shuffles(code: &[Opcode]) -> Vec<bool> {
    let mut found = vec![false; code.len()];
    for (pc, pair) in code.windows(2).enumerate().rev() {
        found[pc] = match pair {
            [Opcode::BulkDrop(_), Opcode::ReturnCallIndirect(_)] => true,
            [Opcode::LocalGet(_) | Opcode::LocalSet(_), _] => found[pc + 1],
            _ => false,
        };
    }
    found
}

impl<'a> Walk<'a> {
    pub(super) fn new(code: &'a [Opcode], source: u32) -> Self {
        Self {
            code,
            source,
            places: vec![Place::Unreached; code.len()],
            leaders: vec![false; code.len()],
            tail_shuffles: tail_shuffles(code),
            funcs: Vec::new(),
            index: HashMap::new(),
            groups: HashMap::new(),
            work: Vec::new(),
            nets: Vec::new(),
        }
    }

    /// Walks everything that the entries and the elements of tables reach.
    pub(super) fn heights(mut self, elements: &[u32]) -> Result<Heights, HeightError> {
        for entry in [0, self.source] {
            let function = self.enter(entry)?;
            self.funcs[function].function.entered_otherwise = true;
        }
        for &element in elements {
            self.take_address(u32::MAX, element)?;
        }
        self.run()?;
        self.params()?;
        Ok(self.finish())
    }

    fn at(&self, pc: u32) -> Result<Opcode, HeightError> {
        self.code.get(pc as usize).copied().ok_or(HeightError::OutOfRange(pc as i64))
    }

    /// The function at this entry; its code will be walked.
    fn enter(&mut self, entry: u32) -> Result<usize, HeightError> {
        if let Some(&function) = self.index.get(&entry) {
            return Ok(function);
        }
        let signature = match self.at(entry)? {
            Opcode::SignatureCheck(signature) => Some(signature),
            _ => None,
        };
        let function = self.funcs.len();
        self.index.insert(entry, function);
        self.funcs.push(State {
            function: Function {
                entry,
                params: 0,
                net: None,
                signature,
                address_taken: false,
                entered_otherwise: false,
                check: None,
                peak: 0,
                blocks: Vec::new(),
            },
            waiters: Vec::new(),
            low: 0,
            checked: if entry == self.source { UNCHECKED } else { 0 },
            calls: Vec::new(),
        });
        self.work.push((function, entry, 0));
        self.lead(entry);
        Ok(function)
    }

    fn take_address(&mut self, pc: u32, target: u32) -> Result<(), HeightError> {
        if target == 0 {
            return Ok(());
        }
        let function = self.enter(target)?;
        let state = &mut self.funcs[function];
        let Some(signature) = state.function.signature else {
            return Err(HeightError::NoHead { pc, target });
        };
        if !state.function.address_taken {
            state.function.address_taken = true;
            state.function.entered_otherwise = true;
            let net = state.function.net;
            self.groups.entry(signature).or_default().members.push(function);
            if let Some(net) = net {
                self.group_net(signature, net)?;
            }
        }
        Ok(())
    }

    fn lead(&mut self, pc: u32) {
        if let Some(leader) = self.leaders.get_mut(pc as usize) {
            *leader = true;
        }
    }

    fn run(&mut self) -> Result<(), HeightError> {
        loop {
            if let Some((function, net)) = self.nets.pop() {
                self.set_net(function, net)?;
            } else if let Some((function, pc, height)) = self.work.pop() {
                self.path(function, pc, height)?;
            } else {
                return Ok(());
            }
        }
    }

    fn set_net(&mut self, function: usize, net: i32) -> Result<(), HeightError> {
        let state = &mut self.funcs[function];
        match state.function.net {
            Some(expected) if expected == net => return Ok(()),
            Some(expected) => {
                let entry = state.function.entry;
                return Err(HeightError::TwoNets { entry, expected, found: net });
            }
            None => state.function.net = Some(net),
        }
        let waiters = std::mem::take(&mut state.waiters);
        let group = state.function.signature.filter(|_| state.function.address_taken);
        self.wake(waiters, net)?;
        group.map_or(Ok(()), |signature| self.group_net(signature, net))
    }

    fn group_net(&mut self, signature: u32, net: i32) -> Result<(), HeightError> {
        let group = self.groups.entry(signature).or_default();
        match group.net {
            Some(expected) if expected != net => {
                return Err(HeightError::SignatureNets { signature, expected, found: net });
            }
            _ => group.net = Some(net),
        }
        let waiters = std::mem::take(&mut group.waiters);
        self.wake(waiters, net)
    }

    fn wake(&mut self, waiters: Vec<Waiter>, net: i32) -> Result<(), HeightError> {
        for waiter in waiters {
            let (Waiter::Resume { function, pc, height } | Waiter::Return { function, pc, height }) =
                waiter;
            let height = height + net;
            if height.abs() > MAX_HEIGHT {
                return Err(HeightError::HeightRange { pc, height });
            }
            match waiter {
                Waiter::Resume { .. } => self.work.push((function, pc, height)),
                Waiter::Return { .. } => self.nets.push((function, height)),
            }
        }
        Ok(())
    }

    fn wait(&mut self, callee: Callee, waiter: Waiter) -> Result<(), HeightError> {
        let (Waiter::Resume { function, height, .. } | Waiter::Return { function, height, .. }) =
            waiter;
        self.funcs[function].calls.push((callee, height));
        let (net, waiters) = match callee {
            Callee::Function(f) => {
                let state = &mut self.funcs[f];
                (state.function.net, &mut state.waiters)
            }
            Callee::Signature(s) => {
                let group = self.groups.entry(s).or_default();
                (group.net, &mut group.waiters)
            }
        };
        match net {
            Some(net) => self.wake(vec![waiter], net),
            None => {
                waiters.push(waiter);
                Ok(())
            }
        }
    }

    /// Marks the payload word of the instruction at `pc` and returns the table that it names.
    fn payload(&mut self, pc: u32) -> Result<u32, HeightError> {
        match self.at(pc + 1) {
            Ok(Opcode::TableGet(table)) => {
                self.mark_payload(pc + 1)?;
                self.table(pc, table)?;
                Ok(table as u32)
            }
            _ => Err(HeightError::NoPayload(pc)),
        }
    }

    fn mark_payload(&mut self, pc: u32) -> Result<(), HeightError> {
        match self.places.get_mut(pc as usize) {
            Some(place @ (Place::Unreached | Place::Payload)) => {
                *place = Place::Payload;
                Ok(())
            }
            Some(Place::Code { .. }) => Err(HeightError::Payload(pc)),
            None => Err(HeightError::OutOfRange(pc as i64)),
        }
    }

    fn table(&self, pc: u32, table: u16) -> Result<(), HeightError> {
        let table = table as u32;
        if table < MAX_TABLES { Ok(()) } else { Err(HeightError::Table { pc, table }) }
    }

    /// Walks from `pc` until the path ends or joins one already walked.
    fn path(&mut self, function: usize, mut pc: u32, mut height: i32) -> Result<(), HeightError> {
        loop {
            let op = self.at(pc)?;
            match self.places[pc as usize] {
                Place::Unreached => {}
                Place::Payload => return Err(HeightError::Payload(pc)),
                Place::Code { function: other, .. } if other as usize != function => {
                    return Err(HeightError::TwoFunctions(pc));
                }
                Place::Code { height: expected, .. } if expected != height => {
                    return Err(HeightError::TwoHeights { pc, expected, found: height });
                }
                Place::Code { .. } => return Ok(()),
            }
            self.places[pc as usize] = Place::Code { function: function as u32, height };
            match self.step(function, pc, height, op)? {
                Some((next, after)) => (pc, height) = (next, after),
                None => return Ok(()),
            }
        }
    }

    /// Checks one instruction; the next pc and height, unless the path ends here.
    fn step(
        &mut self,
        function: usize,
        pc: u32,
        height: i32,
        op: Opcode,
    ) -> Result<Option<(u32, i32)>, HeightError> {
        let next = pc + 1;
        if let Some((pops, pushes)) = effect::of(&op) {
            self.plain(function, pc, height, &op)?;
            let after = self.change(function, pc, height, pops, pushes, false)?;
            let next = if let Opcode::TableInit(_) = op {
                self.payload(pc)?;
                pc + 2
            } else {
                next
            };
            return Ok(Some((next, after)));
        }
        match op {
            Opcode::Br(offset) => {
                let target = self.branch(pc, offset.to_i32())?;
                Ok(Some((target, height)))
            }
            Opcode::BrIfEqz(offset) | Opcode::BrIfNez(offset) => {
                let height = self.change(function, pc, height, 1, 0, false)?;
                let target = self.branch(pc, offset.to_i32())?;
                self.work.push((function, target, height));
                self.lead(next);
                Ok(Some((next, height)))
            }
            Opcode::BrTable(targets) => {
                if targets == 0 {
                    return Err(HeightError::EmptyTable(pc));
                }
                let height = self.change(function, pc, height, 1, 0, false)?;
                let last = pc as u64 + 2 * targets as u64;
                if last >= self.code.len() as u64 {
                    return Err(HeightError::NoPayload(pc));
                }
                for word in table_words(pc, targets) {
                    self.mark_payload(word)?;
                    self.mark_payload(word + 1)?;
                    match (self.at(word)?, self.at(word + 1)?) {
                        (Opcode::Br(offset), Opcode::Return) => {
                            let target = self.branch(word, offset.to_i32())?;
                            self.work.push((function, target, height));
                        }
                        (Opcode::Return, Opcode::Return) => self.nets.push((function, height)),
                        _ => return Err(HeightError::NoPayload(pc)),
                    }
                }
                Ok(None)
            }
            Opcode::Return => {
                self.nets.push((function, height));
                Ok(None)
            }
            Opcode::CallInternal(target) => {
                if height < 0 {
                    return Err(HeightError::CallBelow(pc));
                }
                let callee = Callee::Function(self.enter(target)?);
                self.wait(callee, Waiter::Resume { function, pc: next, height })?;
                Ok(None)
            }
            Opcode::ReturnCallInternal(target) => {
                let callee = self.enter(target)?;
                self.funcs[callee].function.entered_otherwise = true;
                let callee = Callee::Function(callee);
                self.wait(callee, Waiter::Return { function, pc, height })?;
                Ok(None)
            }
            Opcode::CallIndirect(signature) => {
                self.payload(pc)?;
                let height = self.change(function, pc, height, 1, 0, false)?;
                if height < 0 {
                    return Err(HeightError::CallBelow(pc));
                }
                let waiter = Waiter::Resume { function, pc: pc + 2, height };
                self.wait(Callee::Signature(signature), waiter)?;
                Ok(None)
            }
            Opcode::ReturnCallIndirect(signature) => {
                self.payload(pc)?;
                let height = self.change(function, pc, height, 1, 0, false)?;
                let waiter = Waiter::Return { function, pc, height };
                self.wait(Callee::Signature(signature), waiter)?;
                Ok(None)
            }
            Opcode::Call(index) | Opcode::ReturnCall(index) => {
                let Some(call) = host::HostCall::find(index) else { return Ok(None) };
                let (params, results) = (host::slots(call.params), host::slots(call.results));
                let after = self.change(function, pc, height, params, results, true)?;
                // `_exit` does not come back.
                Ok((!call.ends_run()).then_some((next, after)))
            }
            // The rest can only trap: Unreachable, Trap, and opcodes that rwasm does not execute.
            _ => Ok(None),
        }
    }

    /// What a plain instruction must obey beyond its change of height.
    fn plain(
        &mut self,
        function: usize,
        pc: u32,
        height: i32,
        op: &Opcode,
    ) -> Result<(), HeightError> {
        let touched = match *op {
            Opcode::LocalGet(d) | Opcode::LocalTee(d) => Some((d, height)),
            Opcode::LocalSet(d) => Some((d, height - 1)),
            Opcode::StackCheck(checked) => {
                self.stack_check(function, pc, checked)?;
                None
            }
            Opcode::RefFunc(target) => {
                self.take_address(pc, target)?;
                None
            }
            Opcode::TableSize(t)
            | Opcode::TableGrow(t)
            | Opcode::TableFill(t)
            | Opcode::TableGet(t)
            | Opcode::TableSet(t) => {
                self.table(pc, t)?;
                None
            }
            Opcode::TableCopy(dst, src) => {
                self.table(pc, dst)?;
                self.table(pc, src)?;
                None
            }
            _ => None,
        };
        if let Some((depth, top)) = touched {
            if depth == 0 {
                return Err(HeightError::LocalZero(pc));
            }
            let slot = i64::from(top) - i64::from(depth);
            if slot < i64::from(-MAX_HEIGHT) {
                return Err(HeightError::HeightRange { pc, height });
            }
            let state = &mut self.funcs[function];
            state.low = state.low.min(slot as i32);
        }
        Ok(())
    }

    /// A stack check must come before anything that pushes.
    fn stack_check(&mut self, function: usize, pc: u32, checked: u32) -> Result<(), HeightError> {
        let entry = self.funcs[function].function.entry;
        let head = self.code.get(entry as usize..pc as usize).is_some_and(|head| {
            head.iter().all(|op| matches!(op, Opcode::SignatureCheck(_) | Opcode::ConsumeFuel(_)))
        });
        if !head {
            return Err(HeightError::CheckInside(pc));
        }
        let state = &mut self.funcs[function];
        state.function.check = Some(pc);
        state.checked = i32::try_from(checked).map_or(MAX_HEIGHT, |c| c.min(MAX_HEIGHT));
        Ok(())
    }

    fn branch(&mut self, pc: u32, offset: i32) -> Result<u32, HeightError> {
        if offset == 0 {
            return Err(HeightError::ZeroOffset(pc));
        }
        let target = i64::from(pc) + i64::from(offset);
        let target = u32::try_from(target).map_err(|_| HeightError::OutOfRange(target))?;
        self.lead(target);
        Ok(target)
    }

    /// Pops and pushes; host calls check the stack themselves.
    fn change(
        &mut self,
        function: usize,
        pc: u32,
        height: i32,
        pops: u32,
        pushes: u32,
        host: bool,
    ) -> Result<i32, HeightError> {
        let low = i64::from(height) - i64::from(pops);
        let after = low + i64::from(pushes);
        let limit = i64::from(MAX_HEIGHT);
        if low < -limit || after > limit {
            return Err(HeightError::HeightRange { pc, height });
        }
        let (low, after) = (low as i32, after as i32);
        let checked = self.funcs[function].checked;
        let spare = after == checked + 1 && self.tail_shuffles[pc as usize];
        if after > height && after > checked && !host && !spare {
            return Err(HeightError::Unchecked { pc, height: after, checked });
        }
        let state = &mut self.funcs[function];
        state.low = state.low.min(low);
        state.function.peak = state.function.peak.max(after);
        Ok(after)
    }

    /// A caller touches what its callees touch: the least fixpoint over the calls.
    fn params(&mut self) -> Result<(), HeightError> {
        let mut callers: HashMap<Callee, Vec<(Callee, i32)>> = HashMap::new();
        let mut work = Vec::new();
        for (function, state) in self.funcs.iter().enumerate() {
            for &(callee, height) in &state.calls {
                callers.entry(callee).or_default().push((Callee::Function(function), height));
            }
            work.push(Callee::Function(function));
        }
        for (&signature, group) in &self.groups {
            for &member in &group.members {
                let member = callers.entry(Callee::Function(member)).or_default();
                member.push((Callee::Signature(signature), 0));
            }
        }
        let mut budget = 64 * (self.code.len() + 1024);
        while let Some(callee) = work.pop() {
            let low = *self.low(callee);
            for &(caller, height) in callers.get(&callee).into_iter().flatten() {
                budget = budget.checked_sub(1).ok_or(HeightError::UnboundedParams)?;
                let found = height + low;
                let known = self.low(caller);
                if found < *known {
                    *known = found;
                    if found < -MAX_HEIGHT {
                        return Err(HeightError::UnboundedParams);
                    }
                    work.push(caller);
                }
            }
        }
        Ok(())
    }

    fn low(&mut self, callee: Callee) -> &mut i32 {
        match callee {
            Callee::Function(f) => &mut self.funcs[f].low,
            Callee::Signature(s) => &mut self.groups.entry(s).or_default().low,
        }
    }

    fn finish(self) -> Heights {
        let mut functions: Vec<Function> = Vec::with_capacity(self.funcs.len());
        for state in self.funcs {
            functions.push(Function { params: state.low.unsigned_abs(), ..state.function });
        }
        for (pc, _) in self.leaders.iter().enumerate().filter(|l| *l.1) {
            if let Place::Code { function, .. } = self.places[pc] {
                functions[function as usize].blocks.push(pc as u32);
            }
        }
        let signatures = self
            .groups
            .into_iter()
            .filter(|(_, g)| !g.members.is_empty())
            .map(|(s, g)| (s, Signature { net: g.net, params: g.low.unsigned_abs() }))
            .collect();
        Heights { functions, places: self.places, index: self.index, signatures }
    }
}
