//! How often each entry of the fixed tables is looked up, gathered while tables are filled.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Counters of all lookups into the `bytes` table; shared by the fillers, which run in parallel.
/// A filler reports each lookup that its rows send, real rows and padding alike.
#[derive(Debug)]
pub struct Counts {
    pub(crate) range16: Box<[AtomicU32]>,
    pub(crate) and: Box<[AtomicU32]>,
    pub(crate) pair: Box<[AtomicU32]>,
    pub(crate) pow: Box<[AtomicU32]>,
}

impl Default for Counts {
    fn default() -> Self {
        let zeros = |n| (0..n).map(|_| AtomicU32::new(0)).collect();
        Self { range16: zeros(1 << 16), and: zeros(1 << 16), pair: zeros(1 << 16), pow: zeros(32) }
    }
}

impl Counts {
    /// A value below 2^16; a larger one (a dishonest or wrong trace) is not counted, so the bus
    /// will not balance.
    pub fn range16(&self, x: u32) {
        bump(&self.range16, x);
    }

    /// A conjunction of two bytes.
    pub fn and(&self, x: u32, y: u32) {
        bump(&self.and, x | y << 8);
    }

    /// A pair of bytes.
    pub fn pair(&self, x: u32, y: u32) {
        bump(&self.pair, x | y << 8);
    }

    /// A power of two with exponent at most 16.
    pub fn pow(&self, j: u32) {
        bump(&self.pow, j);
    }
}

fn bump(counters: &[AtomicU32], index: u32) {
    if let Some(counter) = counters.get(index as usize) {
        counter.fetch_add(1, Relaxed);
    }
}
