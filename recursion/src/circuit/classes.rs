//! Numbers of wires or blocks, and which of them are the same.

/// Numbers from 0 on, of which some are the same. Number 0 is there from the beginning.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    /// A smaller number of the same class, or the number itself.
    same: Vec<u32>,
    /// Whether the step that creates it cannot read it.
    rigid: Vec<bool>,
}

impl Default for Classes {
    fn default() -> Self {
        Self { same: vec![0], rigid: vec![false] }
    }
}

impl Classes {
    /// The first of so many new numbers.
    pub(super) fn more(&mut self, count: usize) -> u32 {
        let first = self.same.len() as u32;
        self.same.extend(first..first + count as u32);
        self.rigid.resize(self.same.len(), false);
        first
    }

    /// The same for numbers whose step cannot read them.
    pub(super) fn more_rigid(&mut self, count: usize) -> u32 {
        let first = self.more(count);
        self.rigid[first as usize..].fill(true);
        first
    }

    pub(super) fn is_rigid(&self, number: u32) -> bool {
        self.rigid[number as usize]
    }

    /// The smallest number of a class.
    pub(super) fn class(&self, mut number: u32) -> u32 {
        while self.same[number as usize] != number {
            number = self.same[number as usize];
        }
        number
    }

    /// Makes two numbers the same.
    pub(super) fn unite(&mut self, x: u32, y: u32) {
        let (x, y) = (self.class(x), self.class(y));
        let (small, large) = (x.min(y), x.max(y));
        self.same[large as usize] = small;
    }

    /// The class of every number.
    pub(super) fn all(&self) -> Vec<u32> {
        let mut classes: Vec<u32> = Vec::with_capacity(self.same.len());
        // A number stands behind the smaller ones.
        self.same.iter().enumerate().for_each(|(number, &same)| {
            classes.push(if same as usize == number { same } else { classes[same as usize] });
        });
        classes
    }
}
