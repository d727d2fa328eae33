use super::*;

fn heights(shape: &Shape) -> Vec<usize> {
    let mut heights: Vec<_> = shape.tables().map(|(_, log_height)| log_height).collect();
    heights.sort_unstable();
    heights.dedup();
    heights
}

#[test]
fn the_list_is_short_and_allowed() {
    let shapes: Vec<_> = listed().collect();
    assert_eq!(shapes.len(), 24);
    for (i, shape) in shapes.iter().enumerate() {
        let program = shape.log_height(ChipId::Program).unwrap();
        shape.check(program).unwrap();
        assert!(program::LOG_HEIGHTS.contains(&program));
        assert!(!shapes[..i].contains(shape), "{shape:?}");
        // The circuit pays for each level.
        assert!(heights(shape).len() <= 4 + usize::from(program == 19), "{shape:?}");
    }
}

/// Whatever comes next in a run, a shard of any listed shape can begin with it, unless it is a
/// permutation, for which there are others.
#[test]
fn a_run_can_always_go_on() {
    // More than any group of instructions adds to a table.
    let group = 1 << 10;
    for shape in listed() {
        let small = |&&chip: &&ChipId| chip != ChipId::Keccak && shape.room(chip) < group;
        assert_eq!(ChipId::ALL.iter().find(small), None, "{shape:?}");
    }
    let [rest @ .., largest] = program::LOG_HEIGHTS;
    for program in rest {
        let mut of_program = listed().filter(|s| s.log_height(ChipId::Program) == Some(program));
        assert!(of_program.any(|shape| shape.room(ChipId::Keccak) > 0));
    }
    assert!(listed().all(|shape| shape.log_height(ChipId::Program) != Some(largest)));
}
