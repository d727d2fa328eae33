//! Numbers of wires or blocks while rows are made: who creates each, and how often it is read.

use rwprove_circuits::circuit::Cell;

/// Wires or blocks. Number 0 is there without a place that creates it.
#[derive(Debug)]
pub(super) struct Names {
    /// What is the same has the same class, its smallest number.
    classes: Vec<u32>,
    /// How often each class is named.
    mentions: Vec<u32>,
    created: Vec<bool>,
}

impl Names {
    pub(super) fn new(classes: Vec<u32>) -> Self {
        let (mentions, mut created) = (vec![0; classes.len()], vec![false; classes.len()]);
        created[0] = true;
        Self { classes, mentions, created }
    }

    pub(super) fn len(&self) -> usize {
        self.classes.len()
    }

    pub(super) fn class(&self, number: u32) -> u32 {
        self.classes[number as usize]
    }

    pub(super) fn mention(&mut self, number: u32) {
        let class = self.class(number);
        self.mentions[class as usize] += 1;
    }

    /// How often it is named.
    pub(super) fn mentions(&self, number: u32) -> u32 {
        self.mentions[self.class(number) as usize]
    }

    /// The cell of a place that could create it: the first such place does, the others read.
    pub(super) fn cell(&mut self, number: u32) -> Cell {
        let index = self.class(number);
        let created = std::mem::replace(&mut self.created[index as usize], true);
        // Whoever creates it does not read it.
        let count = if created { -1 } else { self.mentions[index as usize] as i32 - 1 };
        Cell { index, count }
    }

    /// Reads of all: one less than mentions for what one of them creates.
    pub(super) fn reads(&self) -> u64 {
        let created = self.mentions.iter().skip(1).map(|n| u64::from(n.saturating_sub(1)));
        u64::from(self.mentions(0)) + created.sum::<u64>()
    }
}
