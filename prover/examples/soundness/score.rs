//! How much is tried, and what came of it.

use serde_json::{Map, Value};

/// How much to try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// All of it, instead of a fixed sample.
    pub(crate) full: bool,
    /// Where random choices start.
    pub(crate) seed: u64,
}

impl Scale {
    /// The one number or the other.
    pub(crate) fn pick(&self, quick: usize, full: usize) -> usize {
        if self.full { full } else { quick }
    }
}

/// What a suite found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Score {
    counts: Vec<(&'static str, u64)>,
    /// What was accepted and must not be, or went wrong otherwise; empty in a suite that passes.
    pub(crate) failures: Vec<String>,
    /// What a reader of the score should know besides.
    pub(crate) notes: Vec<String>,
}

impl Score {
    /// Adds to a count, which appears in the order of first use.
    pub(crate) fn add(&mut self, name: &'static str, count: u64) {
        match self.counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += count,
            None => self.counts.push((name, count)),
        }
    }

    /// Counts an attempt, and whether it was refused as it must be.
    pub(crate) fn attempt(&mut self, refused: bool, what: impl FnOnce() -> String) {
        self.add("tried", 1);
        self.add("refused", refused.into());
        if !refused {
            self.failures.push(what());
        }
    }

    /// For people.
    pub(crate) fn line(&self) -> String {
        let counts: Vec<_> = self.counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
        counts.join(", ")
    }

    /// For machines.
    pub(crate) fn json(&self) -> Value {
        let mut object: Map<_, _> =
            self.counts.iter().map(|(name, n)| ((*name).into(), (*n).into())).collect();
        for (name, list) in [("failures", &self.failures), ("notes", &self.notes)] {
            if !list.is_empty() {
                object.insert(name.into(), list.clone().into());
            }
        }
        Value::Object(object)
    }
}
