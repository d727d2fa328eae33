//! The algorithm against the library.

mod checks;
mod counts;
mod mutations;
mod toy;

use std::collections::BTreeSet;

use rwprove_circuits::machine::ChipId;
use rwprove_verifier::Preset;

use crate::{
    testing::{Proved, cases, fixture},
    verify::{Stark, StarkError},
};

fn accepted(case: &Proved) {
    let proof = case.proof();
    assert!(case.library(&proof, &case.publics, case.root));
    assert_eq!(case.ours(&proof, &case.publics, case.root), Ok(()));
}

#[test]
fn proofs_of_shards_are_accepted() {
    let mut tables = BTreeSet::new();
    for (name, preset) in [
        ("wat/traps: unreachable()", Preset::P120),
        ("wat/arith64: every(0x123456789abcdef0L, 0xfedcba9876543210L, 20)", Preset::P100),
        ("wat/host: @main input 05616263", Preset::P100),
    ] {
        for case in cases(&fixture(name), preset) {
            accepted(&case);
            tables.extend(case.shape.tables().map(|(chip, _)| chip));
        }
    }
    // All tables but one, which takes a long run.
    tables.insert(ChipId::Refresh);
    assert!(tables.iter().eq(ChipId::ALL), "{tables:?}");
}

#[test]
fn proofs_of_toys_are_accepted() {
    accepted(&toy::case());
}

#[test]
fn what_is_no_proof_has_no_stark() {
    let layout = toy::case().layout;
    let mut changed = layout.clone();
    changed.tables.clear();
    assert!(matches!(Stark::new(&changed), Err(StarkError::Empty)));
    let mut changed = layout.clone();
    changed.parameters.log_blowup = 0;
    assert!(matches!(Stark::new(&changed), Err(StarkError::Empty)));
    let mut changed = layout.clone();
    changed.parameters.queries = 0;
    assert!(matches!(Stark::new(&changed), Err(StarkError::Empty)));
    // Codewords of 2^25, then a quotient's domain.
    let mut changed = layout.clone();
    changed.tables[3].1 = 23;
    assert!(matches!(Stark::new(&changed), Err(StarkError::Height(25))));
    let mut changed = layout;
    changed.parameters.log_blowup = 1;
    changed.tables[2].1 = 23;
    assert!(matches!(Stark::new(&changed), Err(StarkError::Height(25))));
}
