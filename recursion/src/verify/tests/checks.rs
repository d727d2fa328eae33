//! Each check alone: proofs of what is not true, and a head that changes after the transcript, so
//! that nothing but the check can notice.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{Challenge, Val};

use super::toy;
use crate::{
    backend::Rule,
    native::Native,
    testing::Proved,
    verify::{Head, constraints, flatten, queries, terminals},
};

const ONE: Challenge = Challenge::ONE;

/// Proves other rows; what the algorithm says.
fn proved(table: usize, value: usize) -> Result<(), Rule> {
    let case = toy::changed(|traces| traces[table].values[value] += Val::ONE);
    let proof = case.proof();
    assert!(!case.library(&proof, &case.publics, case.root));
    let stream = flatten(&case.stark, &proof, &case.publics, Some(&case.root)).unwrap();
    case.verify(&stream)
}

#[test]
fn every_table_is_checked() {
    // First, second and last rows.
    for (table, value) in [(0, 0), (0, 3), (0, 14), (2, 1), (3, 0), (4, 127), (5, 9)] {
        assert_eq!(proved(table, value), Err(Rule::Constraints(table)), "{table}: {value}");
    }
}

#[test]
fn messages_that_nobody_sends_are_refused() {
    assert_eq!(proved(1, 0), Err(Rule::Terminals));
    assert_eq!(proved(1, 9), Err(Rule::Terminals));
}

type Change = fn(&mut Head<Native<'_>>);
type Answers = [Result<(), Rule>; 3];

/// Changes the head; what constraints, terminals and queries say then.
fn checked(case: &Proved, stream: &[Val], change: Change) -> Answers {
    let b = &mut Native::new(stream);
    let mut head = Head::read(b, &case.stark, &case.publics, Some(&case.root)).unwrap();
    change(&mut head);
    [
        constraints(b, &case.stark, &head, &case.publics),
        terminals(b, &head),
        queries(b, &case.stark, &head),
    ]
}

#[test]
fn everything_in_the_head_is_checked() {
    let case = toy::case();
    let stream = case.stream();
    let (path, folding, terminals) = (Err(Rule::Path), Err(Rule::Folding), Err(Rule::Terminals));
    let table = |table| Err(Rule::Constraints(table));
    let changes: &[(&str, Change, Answers)] = &[
        ("nothing", |_| (), [Ok(()); 3]),
        ("main root", |h| h.roots[0][7] += Val::ONE, [Ok(()), Ok(()), path]),
        ("quotient root", |h| h.roots[1][0] += Val::ONE, [Ok(()), Ok(()), path]),
        ("preprocessed root", |h| h.roots[2][1] += Val::ONE, [Ok(()), Ok(()), path]),
        ("lookup root", |h| h.roots[3][2] += Val::ONE, [Ok(()), Ok(()), path]),
        ("main", |h| h.claims[0][4].local[1] += ONE, [table(4), Ok(()), path]),
        ("next", |h| h.claims[0][5].next[0] += ONE, [table(5), Ok(()), path]),
        ("next, unread", |h| h.claims[0][5].next[1] += ONE, [Ok(()), Ok(()), path]),
        ("single", |h| h.claims[0][3].local[0] += ONE, [table(3), Ok(()), folding]),
        ("chunk", |h| h.claims[1][0].local[4] += ONE, [table(0), Ok(()), path]),
        (
            "last chunk",
            |h| h.claims[1].last_mut().unwrap().local[0] += ONE,
            [table(5), Ok(()), path],
        ),
        ("preprocessed", |h| h.claims[2][0].local[0] += ONE, [table(1), Ok(()), path]),
        ("preprocessed next", |h| h.claims[2][1].next[0] += ONE, [table(2), Ok(()), path]),
        ("fractions", |h| h.claims[3][2].local[5] += ONE, [table(5), Ok(()), path]),
        ("sum", |h| h.claims[3][1].next[0] += ONE, [table(1), Ok(()), path]),
        ("prefix", |h| h.prefixes[0] += ONE, [table(0), Ok(()), Ok(())]),
        ("terminal", |h| h.terminals[2] += ONE, [table(5), terminals, Ok(())]),
        ("alpha", |h| h.alpha += ONE, [table(0), Ok(()), Ok(())]),
        ("zeta", |h| h.zeta += ONE, [table(0), Ok(()), path]),
        ("batching", |h| h.batching += ONE, [Ok(()), Ok(()), path]),
        ("first fold", |h| h.folding.rounds[0].root[0] += Val::ONE, [Ok(()), Ok(()), path]),
        (
            "last fold",
            |h| h.folding.rounds.last_mut().unwrap().root[0] += Val::ONE,
            [Ok(()), Ok(()), path],
        ),
        ("first beta", |h| h.folding.rounds[0].beta += ONE, [Ok(()), Ok(()), path]),
        (
            "last beta",
            |h| h.folding.rounds.last_mut().unwrap().beta += ONE,
            [Ok(()), Ok(()), folding],
        ),
        ("roll-in", |h| h.folding.rounds[0].power += ONE, [Ok(()), Ok(()), path]),
        ("last polynomial", |h| h.folding.last[0] += ONE, [Ok(()), Ok(()), folding]),
        ("position", |h| h.queries[0][0] ^= true, [Ok(()), Ok(()), path]),
        ("last position", |h| h.queries.last_mut().unwrap()[7] ^= true, [Ok(()), Ok(()), path]),
    ];
    for (what, change, expected) in changes {
        assert_eq!(checked(&case, &stream, *change), *expected, "{what}");
    }
}
