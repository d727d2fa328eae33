//! The coverage table of the documentation is the one that the test-bench makes, and complete.

#[path = "../examples/soundness/forgeries/coverage.rs"]
mod coverage;

use coverage::{KINDS, parse, render};
use rwprove_isa::Op;

#[test]
fn every_instruction_has_a_line() {
    let text = include_str!("../../docs/coverage.md");
    let lines = parse(text).expect("docs/coverage.md is not what the generator makes");
    assert_eq!(render(&lines), text);
    assert!(lines.iter().map(|line| &line.op).eq(Op::ALL));
    for line in lines {
        assert!(line.executed > 0, "{} is executed by no run", line.op.name());
        assert!(!line.constrained.is_empty());
        assert_eq!(line.forged.len(), KINDS.len());
        let refused: Vec<_> = line.forged.iter().flatten().collect();
        assert!(refused.len() > 5 && refused.iter().all(|&&n| n > 0), "{}", line.op.name());
    }
}
