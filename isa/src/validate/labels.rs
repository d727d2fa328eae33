//! What stands where in the lowered code.

use std::collections::HashMap;

use crate::Pc;
use crate::runtime::{Library, Routine};

/// The start of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// Its rWasm pc.
    pub(super) source: u32,
    /// Its function.
    pub(super) function: u32,
    /// Whether it belongs to the deep version.
    pub(super) deep: bool,
    /// Whether it is its function's entry.
    pub(super) entry: bool,
    /// Whether it comes before the end of its function's stack check.
    pub(super) head: bool,
    /// Number of its rows, for a bound on the work alone.
    pub(super) rows: usize,
}

/// All labels, and the library's routines.
#[derive(Default)]
pub(super) struct Labels {
    labels: HashMap<Pc, Vec<Label>>,
    routines: HashMap<Pc, Routine>,
}

impl Labels {
    pub(super) fn new(labels: impl IntoIterator<Item = (Pc, Label)>) -> Self {
        let mut map: HashMap<Pc, Vec<Label>> = HashMap::new();
        for (pc, label) in labels {
            map.entry(pc).or_default().push(label);
        }
        let library = Library::get();
        let routines = Routine::ALL.iter().map(|&r| (library.entry(r), r)).collect();
        Self { labels: map, routines }
    }

    /// The labels at a pc.
    pub(super) fn at(&self, pc: Pc) -> &[Label] {
        self.labels.get(&pc).map_or(&[], Vec::as_slice)
    }

    /// The routine that starts at a pc.
    pub(super) fn routine(&self, pc: Pc) -> Option<Routine> {
        self.routines.get(&pc).copied()
    }
}
