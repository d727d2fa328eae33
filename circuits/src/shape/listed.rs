//! The listed shapes: those that proofs of proofs have a circuit for.
//!
//! A circuit that verifies a shard costs about the same whatever the shard's size, so these shapes
//! are large, and a shard is cut when it fits none of them any more. What the circuit pays for is
//! columns and *different* heights: each of them opens one more row in every commitment and ends a
//! step of folding, which otherwise folds by 8. So heights lie on few levels, and 16 is always one
//! of them because `bytes` has it. Keccak has more columns than all other tables together, and
//! doubles the circuit; so most shapes do without it, and a shard in one of them ends before the
//! first permutation.
//!
//! Nothing is ever out of reach: every shape holds a group of any instructions but permutations,
//! and every height of the program has shapes with room for those. A program of more than
//! `2^19` instructions has no listed shape; its table would not fit in the circuit.

use super::Shape;
use crate::machine::ChipId;

/// log2 of the heights of all tables of a shape but those that the program fixes; 0 if absent.
type Heights = [u8; ChipId::COUNT - 2];

/// Shapes for programs of up to `2^16` instructions, by rising cost, give or take a fiftieth:
/// committed cells of a shard, and [`KECCAK_COST`] for keccak.
#[rustfmt::skip]
const USUAL: [Heights; 9] = [
    // cpu, bitwise, shift, mul, div, bits, access, refresh, keccak, fuel, merkle
    [16, 13, 13, 13, 13, 13, 13, 13, 10, 10, 13], // a short run, or the end of a long one
    [20, 16, 16, 16, 13, 13, 16, 16,  0, 13, 13], // control and additions
    [18, 18, 16, 16, 13, 13, 16, 16, 13, 13, 13], // a longer run
    [20, 18, 18, 18, 13, 13, 16, 18,  0, 13, 13], // arithmetic
    [20, 20, 18, 16, 13, 13, 16, 16,  0, 13, 13], // logic, as in 64-bit hash functions
    [18, 18, 18, 18, 16, 16, 18, 18,  0, 13, 18], // anything, and memory at random
    [19, 19, 16, 16, 13, 13, 16, 16, 13, 13, 13], // a still longer run
    [20, 18, 18, 18, 13, 13, 18, 18,  0, 13, 16], // bytes and arithmetic
    [19, 19, 16, 16, 13, 13, 16, 19, 16, 13, 16], // permutations one after the other
];

/// The same for programs of up to `2^19` instructions: fewer, and on fewer levels.
#[rustfmt::skip]
const HUGE: [Heights; 6] = [
    [16, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13],
    [20, 16, 16, 16, 13, 13, 16, 16,  0, 13, 13],
    [19, 18, 18, 18, 13, 13, 18, 18,  0, 13, 16],
    [18, 18, 18, 18, 16, 16, 18, 18,  0, 13, 18],
    [19, 19, 16, 16, 13, 13, 16, 16, 13, 13, 13],
    [19, 19, 16, 16, 13, 13, 16, 19, 16, 13, 16],
];

/// What keccak costs beyond its cells, in cells: its leaf is twice as large and has to be lifted.
pub const KECCAK_COST: u64 = 100_000_000;

/// log2 of the program's height, with the shapes that there are for it.
const BY_PROGRAM: [(u8, &[Heights]); 3] = [(13, &USUAL), (16, &USUAL), (19, &HUGE)];

/// All listed shapes, for each height of the program by rising cost.
pub fn listed() -> impl Iterator<Item = Shape> {
    BY_PROGRAM
        .into_iter()
        .flat_map(|(program, shapes)| shapes.iter().map(move |s| shape(program, s)))
}

fn shape(program: u8, heights: &Heights) -> Shape {
    let run = ChipId::ALL.iter().copied().zip(heights.iter().copied());
    let fixed = [(ChipId::Program, program), (ChipId::Bytes, crate::bytes::LOG_HEIGHT as u8)];
    Shape::new(run.filter(|(_, height)| *height > 0).chain(fixed))
}
