//! Searches for rows that break one rule alone: changes one cell that the rule reads, then repairs
//! whatever else that breaks by changing other cells, and goes back where it does not get on.

use std::collections::HashMap;

use p3_field::{Field, PrimeCharacteristicRing};

use super::{
    system::{Fixed, State, System},
    tape::Read,
};
use crate::{Val, program::REFUSED};

/// How long to search.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Cells that are changed at most where there is a choice.
    pub depth: usize,
    /// How many of the choices are followed.
    pub breadth: usize,
    /// Steps for each first change.
    pub steps: usize,
    /// First changes for each honest trace.
    pub starts: usize,
    /// Rules that may be broken at once; where it is more, as in hashes, nothing is repaired.
    pub broken: usize,
}

/// First changes of a cell with this honest value. Carries are undone by multiples of `2^16` and
/// its inverse.
fn starts(honest: Val) -> Vec<Val> {
    let powers = [0, 8, 16, 4, 1].map(|n| Val::from_u32(1 << n));
    let steps = powers
        .into_iter()
        .flat_map(|p| [p, p.inverse()])
        .chain([Val::from_u32(15) / Val::from_u32(16)]);
    let near = steps.flat_map(|step| [honest + step, honest - step]);
    let fixed = [0, 1, 2, 3, 255, 0xffff, 1 << 15, 1_234_567_890].map(Val::from_u32);
    let mut values: Vec<Val> = Vec::new();
    for value in near.chain(fixed) {
        if value != honest && !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// Changes the state so that the item is the only one that does not hold. Leaves the state as it
/// was if there is no way to be found.
pub(super) fn search(state: &mut State<'_>, item: usize, effort: Effort) -> bool {
    let honest = state.cells.clone();
    let mut tried = 0;
    // The same number in several rows is one cell after the other.
    let cells: Vec<usize> = {
        let reads = &state.system.items[item].reads;
        let rows = 0..state.height;
        let all = rows.flat_map(|row| reads.iter().map(move |&read| (row, read)));
        let mut cells = Vec::new();
        for (row, read) in all {
            let cell = state.cell(row, read);
            if !cells.contains(&cell) {
                cells.push(cell);
            }
        }
        cells
    };
    let first: HashMap<Val, Vec<Val>> =
        cells.iter().map(|&cell| (honest[cell], starts(honest[cell]))).collect();
    for turn in 0..first.values().map(Vec::len).max().unwrap_or(0) {
        for &cell in &cells {
            let Some(&value) = first[&honest[cell]].get(turn) else { continue };
            state.set(cell, value);
            if state.broken.iter().any(|&(broken, _)| broken == item) {
                let mut walk =
                    Walk { target: item, touched: vec![cell], steps: effort.steps, effort };
                if walk.repair(state, effort.depth) {
                    return true;
                }
                tried += 1;
            }
            state.set(cell, honest[cell]);
            if tried == effort.starts {
                return false;
            }
        }
    }
    false
}

struct Walk {
    target: usize,
    touched: Vec<usize>,
    steps: usize,
    effort: Effort,
}

impl Walk {
    /// Repairs everything but the target.
    fn repair(&mut self, state: &mut State<'_>, depth: usize) -> bool {
        let Some((item, row)) = self.worst(state) else {
            return state.broken.iter().any(|&(broken, _)| broken == self.target);
        };
        if self.steps == 0 || state.broken.len() > self.effort.broken {
            return false;
        }
        self.steps -= 1;
        let repairs = self.repairs(state, item, row);
        // Where there is no choice, going on is free.
        let depth = if repairs.len() > 1 { depth.checked_sub(1) } else { Some(depth) };
        let Some(depth) = depth else { return false };
        for repair in repairs.into_iter().take(self.effort.breadth) {
            let known = self.touched.len();
            let mut before = Vec::new();
            for (cell, value) in repair.cells {
                before.push((cell, state.cells[cell]));
                state.set(cell, value);
                self.touched.push(cell);
            }
            if self.repair(state, depth) {
                return true;
            }
            self.touched.truncate(known);
            before.into_iter().for_each(|(cell, value)| state.set(cell, value));
        }
        false
    }

    /// The broken rule that leaves least choice.
    fn worst(&self, state: &State<'_>) -> Option<(usize, usize)> {
        let choice = |&&(item, row): &&(usize, usize)| {
            let reads = &state.system.items[item].reads;
            reads.iter().filter(|&&read| !self.touched.contains(&state.cell(row, read))).count()
        };
        let others = state.broken.iter().filter(|(item, _)| *item != self.target);
        others.min_by_key(choice).copied()
    }

    /// Changes that make the rule hold, those first that leave least to repair: of one cell, or if
    /// there is none, of two, as in a product that shall not be zero.
    fn repairs(&self, state: &mut State<'_>, item: usize, row: usize) -> Vec<Repair> {
        let reads = state.system.items[item].reads.clone();
        let cells: Vec<_> = reads.into_iter().map(|read| (state.cell(row, read), read)).collect();
        let cells: Vec<_> =
            cells.into_iter().filter(|(cell, _)| !self.touched.contains(cell)).collect();
        let mut repairs = Vec::new();
        for &(_, read) in &cells {
            self.solve(state, (item, row), read, &[], &mut repairs);
        }
        if repairs.is_empty() {
            for &(first, _) in &cells {
                let before = state.cells[first];
                for value in [Val::ONE, Val::ZERO] {
                    if value == before {
                        continue;
                    }
                    state.set(first, value);
                    for &(_, read) in cells.iter().filter(|(cell, _)| *cell != first) {
                        self.solve(state, (item, row), read, &[(first, value)], &mut repairs);
                    }
                    state.set(first, before);
                }
            }
        }
        repairs.sort_by(|a, b| (a.left, &a.cells).cmp(&(b.left, &b.cells)));
        repairs
    }

    /// The values of one cell that make the rule hold, after others were changed.
    fn solve(
        &self,
        state: &mut State<'_>,
        (item, row): (usize, usize),
        read: Read,
        others: &[(usize, Val)],
        repairs: &mut Vec<Repair>,
    ) {
        let cell = state.cell(row, read);
        let before = state.cells[cell];
        for value in values(state, item, row, read) {
            state.set(cell, value);
            let targets = state.broken.iter().filter(|(i, _)| *i == self.target).count();
            if targets > 0 && !state.broken.contains(&(item, row)) {
                let left = state.broken.len() - targets;
                repairs.push(Repair { left, cells: [others, &[(cell, value)]].concat() });
            }
            state.set(cell, before);
        }
    }
}

/// Changes of cells, and how many rules are broken after it besides the target.
struct Repair {
    left: usize,
    cells: Vec<(usize, Val)>,
}

/// Values of a cell that might make the rule hold.
fn values(state: &mut State<'_>, item: usize, row: usize, read: Read) -> Vec<Val> {
    let system: &System = state.system;
    let cell = state.cell(row, read);
    let before = state.cells[cell];
    // What the tape says for 0, 1, 2 in the cell.
    let mut said: Vec<Vec<Val>> = Vec::new();
    for x in [Val::ZERO, Val::ONE, Val::TWO] {
        state.cells[cell] = x;
        let results = state.eval(item, row).to_vec();
        said.push(results);
    }
    state.cells[cell] = before;
    let solve = |result: usize, wanted: Val| {
        let [f0, f1, f2] = [0, 1, 2].map(|i| said[i][result]);
        let slope = f1 - f0;
        (f2 - f1 == slope)
            .then(|| slope.try_inverse().map(|inverse| (wanted - f0) * inverse))
            .flatten()
    };
    let mut values: Vec<Val> = Vec::new();
    values.extend(solve(0, Val::ZERO));
    values.extend([Val::ZERO, Val::ONE]);
    let numbers = |numbers: &[u32]| numbers.iter().map(|&n| Val::from_u32(n)).collect::<Vec<_>>();
    match system.items[item].fixed {
        None => {}
        Some(Fixed::Range16) => {
            values.extend(numbers(&[0, 1, 0xffff]).into_iter().filter_map(|n| solve(1, n)));
        }
        Some(Fixed::Pair | Fixed::And) => {
            for field in 0..said[0].len() - 1 {
                let wanted = numbers(&[0, 1, 254, 255]);
                values.extend(wanted.into_iter().filter_map(|n| solve(1 + field, n)));
            }
            if system.items[item].fixed == Some(Fixed::And) {
                let now = state.eval(item, row).to_vec();
                let [x, y] = [1, 2].map(|i| p3_field::PrimeField32::as_canonical_u32(&now[i]));
                values.extend(solve(3, Val::from_u32(x & y)));
            }
        }
        Some(Fixed::Pow) => {
            for j in 0..=16 {
                values.extend(solve(1, Val::from_u32(j)));
                values.extend(solve(2, Val::from_u32(1 << j)));
            }
        }
        Some(Fixed::Fetch) => {
            let now = state.eval(item, row).to_vec();
            let pc = p3_field::PrimeField32::as_canonical_u32(&now[1]) as usize;
            if let Some(entry) = state.code.get(pc) {
                values.extend((0..entry.len()).filter_map(|i| solve(1 + i, entry[i])));
                values.extend(solve(2, Val::from_u32(REFUSED)));
            }
            values.extend((0..state.code.len()).filter_map(|pc| solve(1, Val::from_usize(pc))));
        }
    }
    values.retain(|&v| v != before);
    values.sort_unstable();
    values.dedup();
    values
}
