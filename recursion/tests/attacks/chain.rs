//! Children that are proved, and do not belong together.

use rwprove_circuits::Val;
use rwprove_recursion::{backend::Rule, layers::stream};
use rwprove_verifier::step::{Claim, FUEL_LIMBS, Point};

use super::toy::{RUN, TOY, changed, claim};

const MEET: Rule = Rule::Between("neighbours meet");
/// Where the parts of a claim begin.
const PROGRAM: usize = 8;
const LIMIT: usize = 16;
const BEFORE: usize = LIMIT + FUEL_LIMBS;
const AFTER: usize = BEFORE + Point::<Val>::LEN;

#[test]
fn swapped_children() {
    assert_eq!(TOY.join_of(&RUN[1], &RUN[0]), Err(MEET));
}

#[test]
fn the_same_child_twice() {
    for child in &*RUN {
        assert_eq!(TOY.join_of(child, child), Err(MEET));
    }
}

#[test]
fn a_missing_middle_child() {
    assert_eq!(TOY.join_of(&RUN[0], &RUN[2]), Err(MEET));
}

/// Joins the first stretch with a neighbour that claims something else in one element, and a
/// neighbour with the last one; all of it is proved.
fn with_another_neighbour(elements: std::ops::Range<usize>, expected: Rule) {
    for element in elements {
        let right = TOY.given(1, changed(&RUN[1].claim, element));
        assert_eq!(TOY.join_of(&RUN[0], &right), Err(expected), "element {element}");
    }
}

#[test]
fn past_31_sp1_continuity() {
    with_another_neighbour(BEFORE..AFTER, MEET);
    // The other side of the same boundary.
    for element in AFTER..Claim::<Val>::LEN {
        let left = TOY.given(0, changed(&RUN[0].claim, element));
        assert_eq!(TOY.join_of(&left, &RUN[1]), Err(MEET), "element {element}");
    }
}

#[test]
fn another_programs_child() {
    with_another_neighbour(PROGRAM..LIMIT, Rule::Between("one program"));
}

#[test]
fn a_child_with_another_fuel_limit() {
    with_another_neighbour(LIMIT..BEFORE, Rule::Between("one fuel limit"));
}

#[test]
fn a_child_with_another_set_of_keys() {
    // Its own key is not in the set that it claims.
    with_another_neighbour(0..PROGRAM, Rule::Between("a key is one of the set"));
}

#[test]
fn past_32_sp1_incomplete() {
    // Parts of the run are proved and joined, and say no more than that: who verifies asks for the
    // digest of all of it.
    let whole = stream::digest(&claim(TOY.set.root(), 0, 3));
    let without_last = TOY.join_of(&RUN[0], &RUN[1]).unwrap();
    let without_first = TOY.join_of(&RUN[1], &RUN[2]).unwrap();
    let first = TOY.root(&TOY.pass_stream(&RUN[0])).unwrap();
    for part in [without_last, without_first, first] {
        assert_ne!(part, whole);
    }
}
