//! The algorithm against the library.

mod counts;

use rwprove_circuits::machine::ChipId;
use rwprove_verifier::Preset;

use crate::testing::{Case, cases, fixture};

fn accepted(case: &Case) {
    let proof = case.proof();
    assert!(case.library(&proof, &case.publics, case.root), "{:?}", case.shape);
    assert_eq!(case.ours(&proof, &case.publics, case.root), Ok(()), "{:?}", case.shape);
}

#[test]
fn proofs_of_shards_are_accepted() {
    let mut tables = std::collections::BTreeSet::new();
    for name in [
        "wat/traps: unreachable()",
        "wat/arith64: every(0x123456789abcdef0L, 0xfedcba9876543210L, 20)",
        "wat/host: @main input 05616263",
    ] {
        for case in cases(&fixture(name), Preset::P100) {
            accepted(&case);
            tables.extend(case.shape.tables().map(|(chip, _)| chip));
        }
    }
    // All tables but one, which takes a long run.
    tables.insert(ChipId::Refresh);
    assert!(tables.iter().eq(ChipId::ALL), "{tables:?}");
}
