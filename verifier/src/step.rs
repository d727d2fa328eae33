//! A shard as a step between two points of a run, and a run as a claim, over any kind of element:
//! field elements for who verifies natively, wires for a circuit that does.

use rwprove_circuits::{Val, cpu::public, machine::ChipId};
use rwprove_isa::record::Registers;

use crate::{
    config::DIGEST,
    shards::{Boundary, State},
};
use p3_field::PrimeCharacteristicRing;

/// Limbs of 16 bits that fuel has, lowest first.
pub const FUEL_LIMBS: usize = 4;
/// Registers besides fuel: pc, frame base, depth, pages.
pub const REGISTERS: usize = 4;
/// Where the fuel table's public values have the limbs of what was charged.
pub const FUEL_CHARGED: usize = 2 * FUEL_LIMBS;

/// The limbs of fuel.
pub fn fuel_limbs(fuel: u64) -> [u32; FUEL_LIMBS] {
    [0, 16, 32, 48].map(|shift| (fuel >> shift) as u32 & 0xffff)
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point<T> {
    /// Pc, frame base, depth and pages.
    pub registers: [T; REGISTERS],
    /// Fuel consumed.
    pub fuel: [T; FUEL_LIMBS],
    /// The root of the memory tree.
    pub root: [T; DIGEST],
}

impl<T: Clone> Point<T> {
    /// Number of elements.
    pub const LEN: usize = REGISTERS + FUEL_LIMBS + DIGEST;

    /// All elements: registers, fuel, root.
    pub fn elements(&self) -> impl Iterator<Item = &T> {
        self.registers.iter().chain(&self.fuel).chain(&self.root)
    }
}

impl From<&State> for Point<Val> {
    fn from(state: &State) -> Self {
        let Registers { pc, fp, depth, pages, fuel } = state.registers;
        Self {
            registers: [pc, fp, depth, pages].map(Val::from_u32),
            fuel: fuel_limbs(fuel).map(Val::from_u32),
            root: state.root,
        }
    }
}

/// What a shard's tables say in public.
#[derive(Clone, Debug)]
pub struct Step<T> {
    /// The fuel limit.
    pub limit: [T; FUEL_LIMBS],
    /// The point before the shard.
    pub before: Point<T>,
    /// The registers after it.
    pub end: [T; REGISTERS],
    /// Static fuel charged.
    pub spent: T,
    /// Dynamic fuel charged, as sums of 16-bit limbs.
    pub charged: [T; FUEL_LIMBS],
    /// The root after it.
    pub root: [T; DIGEST],
}

impl<T: Clone> Step<T> {
    /// The public values of a table.
    pub fn publics(&self, chip: ChipId) -> Vec<T> {
        let Self { limit, before, end, spent, charged, root } = self;
        let spent = std::slice::from_ref(spent);
        match chip {
            ChipId::Cpu => [before.registers.as_slice(), end, spent].concat(),
            ChipId::Merkle => [before.root.as_slice(), root].concat(),
            ChipId::Fuel => [before.fuel.as_slice(), limit, charged].concat(),
            _ => Vec::new(),
        }
    }
}

impl Step<Val> {
    /// The step from a state.
    pub fn new(boundary: &Boundary, before: &State, fuel_limit: u64) -> Self {
        Self {
            limit: fuel_limbs(fuel_limit).map(Val::from_u32),
            before: before.into(),
            end: boundary.end.map(Val::from_u32),
            spent: Val::from_u32(boundary.spent),
            charged: boundary.charged.map(Val::from_u32),
            root: boundary.root,
        }
    }
}

const _: () = assert!(public::START == 0 && public::END == REGISTERS);
const _: () = assert!(public::SPENT == 2 * REGISTERS && public::COUNT == 2 * REGISTERS + 1);

/// What a proof of the recursion says: a program got from one point to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim<T> {
    /// Digest of the set of keys that proofs below may have.
    pub keys: [T; DIGEST],
    /// Commitment to the program's preprocessed columns.
    pub program: [T; DIGEST],
    /// The fuel limit.
    pub limit: [T; FUEL_LIMBS],
    /// Where it starts.
    pub before: Point<T>,
    /// Where it ends.
    pub after: Point<T>,
}

impl<T: Clone> Claim<T> {
    /// Number of elements.
    pub const LEN: usize = 2 * DIGEST + FUEL_LIMBS + 2 * Point::<T>::LEN;

    /// All elements in the order in which they are hashed.
    pub fn elements(&self) -> Vec<T> {
        let Self { keys, program, limit, before, after } = self;
        let start = keys.iter().chain(program).chain(limit);
        start.chain(before.elements()).chain(after.elements()).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(first: u32) -> Point<u32> {
        let mut next = first..;
        let mut take = || next.next().unwrap();
        Point {
            registers: [(); REGISTERS].map(|()| take()),
            fuel: [(); FUEL_LIMBS].map(|()| take()),
            root: [(); DIGEST].map(|()| take()),
        }
    }

    #[test]
    fn claims_list_everything_once() {
        let digest = |first| std::array::from_fn(|i| first + i as u32);
        let claim = Claim {
            keys: digest(0),
            program: digest(8),
            limit: [16, 17, 18, 19],
            before: point(20),
            after: point(36),
        };
        assert_eq!(claim.elements(), (0..Claim::<u32>::LEN as u32).collect::<Vec<_>>());
    }

    #[test]
    fn limbs_add_up() {
        let fuel = 0x0123_4567_89ab_cdef;
        let sum = fuel_limbs(fuel).iter().rev().fold(0, |sum, &limb| sum << 16 | u64::from(limb));
        assert_eq!(sum, fuel);
    }
}
