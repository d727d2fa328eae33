//! Tools of tests and test-benches: what a dishonest prover might try with filled tables.

pub mod delete;
mod free;
mod kinds;
mod mutate;
#[cfg(test)]
mod tests;

use p3_field::PrimeCharacteristicRing;

pub use kinds::{Kinds, kinds};
pub use mutate::{Mutations, Survivor, mutate};

use crate::{Val, bus, check::Check};

/// Plays all the accesses to memory that a table's own rows imply: for a table tested alone, the
/// word at `addr` was last accessed at `before` and is next received at `now`.
pub fn memory_access(check: &mut Check, addr: u32, before: ([u32; 2], u32), now: ([u32; 2], u32)) {
    let message = |(limbs, time): ([u32; 2], u32)| {
        bus::memory(Val::from_u32(addr), limbs.map(Val::from_u32), Val::from_u32(time))
    };
    check.send(message(before));
    check.receive(message(now));
}
