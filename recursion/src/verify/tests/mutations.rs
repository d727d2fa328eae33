//! Proofs with one thing changed, which both verifiers must refuse, and streams with one element
//! changed.

use std::collections::BTreeMap;

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_lookup::LookupTerminal;
use rwprove_circuits::{Challenge, Val};
use rwprove_verifier::{
    Preset,
    codec::Proof,
    config::{Commitment, DIGEST, Digest, EXTENSION},
};

use super::toy;
use crate::{
    backend::Rule,
    testing::{Proved, cases, fixture},
    verify::{FlattenError, flatten},
};

/// One place of a proof.
enum Place<'a> {
    Val(&'a mut Val),
    Challenge(&'a mut Challenge),
    Digest(&'a mut Digest),
    Commitment(&'a mut Commitment),
}

impl Place<'_> {
    /// Number of its elements.
    fn len(&self) -> usize {
        match self {
            Place::Val(_) => 1,
            Place::Challenge(_) => EXTENSION,
            Place::Digest(_) | Place::Commitment(_) => DIGEST,
        }
    }

    /// Adds one to one of its elements.
    fn change(self, element: usize) {
        match self {
            Place::Val(value) => *value += Val::ONE,
            Place::Challenge(value) => {
                let one = |i| Val::from_bool(i == element);
                *value += Challenge::from_basis_coefficients_fn(one);
            }
            Place::Digest(digest) => digest[element] += Val::ONE,
            Place::Commitment(commitment) => {
                let mut digest = commitment.roots()[0];
                digest[element] += Val::ONE;
                *commitment = vec![digest].into();
            }
        }
    }
}

type Change = (&'static str, fn(&mut Proof));
type Visitor<'v> = &'v mut dyn FnMut(&'static str, Place<'_>);

/// Visits all places of a proof, each with the part that it belongs to.
fn visit(proof: &mut Proof, visitor: Visitor<'_>) {
    let commitments = &mut proof.commitments;
    visitor("main", Place::Commitment(&mut commitments.main));
    visitor("quotient", Place::Commitment(&mut commitments.quotient_chunks));
    commitments.permutation.iter_mut().for_each(|c| visitor("lookups", Place::Commitment(c)));
    for instance in &mut proof.opened_values.instances {
        let base = &mut instance.base_opened_values;
        let mut row = |part: &'static str, row: &mut Vec<Challenge>| {
            row.iter_mut().for_each(|value| visitor(part, Place::Challenge(value)));
        };
        row("main, this row", &mut base.trace_local);
        base.trace_next.iter_mut().for_each(|next| row("main, next row", next));
        if let Some(preprocessed) = &mut base.preprocessed {
            row("preprocessed, this row", &mut preprocessed.local);
            preprocessed.next.iter_mut().for_each(|next| row("preprocessed, next row", next));
        }
        base.quotient_chunks.iter_mut().for_each(|chunk| row("quotient chunks", chunk));
        row("lookups, this row", &mut instance.permutation_local);
        row("lookups, next row", &mut instance.permutation_next);
    }
    let terminals = proof.lookup_terminals.iter_mut().flatten();
    terminals.for_each(|terminal| visitor("terminals", Place::Challenge(&mut terminal.0)));
    let witness = proof.lookup_pow_witness.iter_mut();
    witness.for_each(|witness| visitor("witness for lookups", Place::Val(witness)));
    visitor("witness for the point", Place::Val(&mut proof.ood_pow_witness));
    let fri = &mut proof.opening_proof;
    visitor("witness for batching", Place::Val(&mut fri.batch_pow_witness));
    visitor("witness for queries", Place::Val(&mut fri.query_pow_witness));
    let witnesses = fri.commit_pow_witnesses.iter_mut();
    witnesses.for_each(|witness| visitor("witnesses for folds", Place::Val(witness)));
    fri.commit_phase_commits.iter_mut().for_each(|c| visitor("folds", Place::Commitment(c)));
    fri.final_poly.iter_mut().for_each(|c| visitor("last polynomial", Place::Challenge(c)));
    for batch in &mut fri.input_openings {
        let rows = batch.opened_values.iter_mut().flatten().flatten();
        rows.for_each(|value| visitor("rows", Place::Val(value)));
        let siblings = batch.opening_proof.sibling_hashes.iter_mut();
        siblings.for_each(|sibling| visitor("paths", Place::Digest(sibling)));
    }
    for fold in &mut fri.commit_phase_openings {
        let values = fold.sibling_values.iter_mut().flatten();
        values.for_each(|value| visitor("rows of folds", Place::Challenge(value)));
        let siblings = fold.opening_proof.sibling_hashes.iter_mut();
        siblings.for_each(|sibling| visitor("paths of folds", Place::Digest(sibling)));
    }
}

#[track_caller]
fn refused(case: &Proved, proof: &Proof, publics: &[Vec<Val>], root: Digest, what: &str) {
    assert!(!case.library(proof, publics, root), "{what}: the library accepts it");
    assert!(case.ours(proof, publics, root).is_err(), "{what}");
}

/// Changes up to `samples` elements of each part; returns how many in how many parts.
fn change_elements(case: &Proved, samples: usize) -> (usize, usize) {
    let mut parts: BTreeMap<&str, usize> = BTreeMap::new();
    visit(&mut case.proof(), &mut |part, place| *parts.entry(part).or_default() += place.len());
    let mut changed = 0;
    for (part, count) in &parts {
        for sample in 0..samples.min(*count) {
            let element = sample * count / samples.min(*count);
            let mut proof = case.proof();
            let mut at = 0;
            visit(&mut proof, &mut |of, place| {
                if of == *part {
                    let (first, length) = (at, place.len());
                    at += length;
                    if (first..at).contains(&element) {
                        place.change(element - first);
                    }
                }
            });
            refused(case, &proof, &case.publics, case.root, &format!("{part}, element {element}"));
            changed += 1;
        }
    }
    (changed, parts.len())
}

/// Changes what is proved.
fn change_statement(case: &Proved) {
    let proof = case.proof();
    for (table, values) in case.publics.iter().enumerate() {
        for value in 0..values.len() {
            let mut publics = case.publics.clone();
            publics[table][value] += Val::ONE;
            refused(case, &proof, &publics, case.root, "a public value");
            let _ = publics[table].remove(value);
            refused(case, &proof, &publics, case.root, "a public value less");
        }
        let mut publics = case.publics.clone();
        publics[table].push(Val::ZERO);
        refused(case, &proof, &publics, case.root, "a public value more");
    }
    for element in 0..DIGEST {
        let mut root = case.root;
        root[element] += Val::ONE;
        refused(case, &proof, &case.publics, root, "the preprocessed columns");
    }
}

#[test]
fn changed_toys_are_refused() {
    let case = toy::case();
    change_statement(&case);
    let (changed, parts) = change_elements(&case, 48);
    assert!(changed > 400 && parts == 22, "{changed} in {parts}");
}

#[test]
fn changed_shards_are_refused() {
    let case = cases(&fixture("wat/traps: unreachable()"), Preset::P120).remove(0);
    change_statement(&case);
    // No table of the machine reads the next row of preprocessed columns.
    let (changed, parts) = change_elements(&case, 5);
    assert!(changed > 80 && parts == 21, "{changed} in {parts}");
}

#[test]
fn proofs_of_another_form_are_refused() {
    let case = toy::case();
    let changes: &[Change] = &[
        ("a height", |p| p.degree_bits[0] += 1),
        ("a height less", |p| p.degree_bits.truncate(1)),
        ("no terminal", |p| p.lookup_terminals[0] = None),
        ("a terminal too many", |p| p.lookup_terminals[3] = Some(LookupTerminal(Challenge::ZERO))),
        ("terminals less", |p| p.lookup_terminals.truncate(5)),
        ("no lookups", |p| p.commitments.permutation = None),
        ("no witness", |p| p.lookup_pow_witness = None),
        ("a blinding commitment", |p| p.commitments.random = Some(p.commitments.main.clone())),
        ("two roots", |p| {
            let root = p.commitments.main.roots()[0];
            p.commitments.main = vec![root; 2].into();
        }),
        ("a table less", |p| p.opened_values.instances.truncate(5)),
        ("blinding claims", |p| {
            let base = &mut p.opened_values.instances[0].base_opened_values;
            base.random = Some(vec![Challenge::ZERO; EXTENSION]);
        }),
        ("a column less", |p| {
            let _ = p.opened_values.instances[0].base_opened_values.trace_local.pop();
        }),
        ("no next row", |p| p.opened_values.instances[0].base_opened_values.trace_next = None),
        ("a next row", |p| {
            let base = &mut p.opened_values.instances[1].base_opened_values;
            base.trace_next = Some(base.trace_local.clone());
        }),
        ("no preprocessed columns", |p| {
            p.opened_values.instances[1].base_opened_values.preprocessed = None;
        }),
        ("another table's preprocessed columns", |p| {
            let taken = p.opened_values.instances[1].base_opened_values.preprocessed.take();
            p.opened_values.instances[0].base_opened_values.preprocessed = taken;
        }),
        ("another table's chunk", |p| {
            let taken = p.opened_values.instances[2].base_opened_values.quotient_chunks.pop();
            p.opened_values.instances[0].base_opened_values.quotient_chunks.extend(taken);
        }),
        ("another table's lookups", |p| {
            let taken = std::mem::take(&mut p.opened_values.instances[1].permutation_local);
            p.opened_values.instances[3].permutation_local = taken;
            let taken = std::mem::take(&mut p.opened_values.instances[1].permutation_next);
            p.opened_values.instances[3].permutation_next = taken;
        }),
        ("no next row of lookups", |p| p.opened_values.instances[0].permutation_next.clear()),
        ("a fold less", |p| {
            let _ = p.opening_proof.commit_phase_commits.pop();
        }),
        ("a fold's witness less", |p| {
            let _ = p.opening_proof.commit_pow_witnesses.pop();
        }),
        ("a fold's openings less", |p| {
            let _ = p.opening_proof.commit_phase_openings.pop();
        }),
        ("a longer last polynomial", |p| p.opening_proof.final_poly.push(Challenge::ZERO)),
        ("no last polynomial", |p| p.opening_proof.final_poly.clear()),
        ("a batch less", |p| {
            let _ = p.opening_proof.input_openings.pop();
        }),
        ("a query less", |p| {
            let _ = p.opening_proof.input_openings[0].opened_values.pop();
        }),
        ("a matrix less", |p| {
            let _ = p.opening_proof.input_openings[0].opened_values[1].pop();
        }),
        ("an element that moves to the next row", |p| {
            let rows = &mut p.opening_proof.input_openings[0].opened_values[0];
            let moved = rows[0].pop();
            rows[5].splice(0..0, moved);
        }),
        ("a query of a fold less", |p| {
            let _ = p.opening_proof.commit_phase_openings[0].sibling_values.pop();
        }),
        ("a value of a fold less", |p| {
            let _ = p.opening_proof.commit_phase_openings[0].sibling_values[0].pop();
        }),
        ("a sibling less", |p| {
            let _ = p.opening_proof.input_openings[0].opening_proof.sibling_hashes.pop();
        }),
        ("a sibling more", |p| {
            let siblings = &mut p.opening_proof.input_openings[0].opening_proof.sibling_hashes;
            siblings.push([Val::ZERO; DIGEST]);
        }),
        ("no siblings of a fold", |p| {
            p.opening_proof.commit_phase_openings[0].opening_proof.sibling_hashes.clear();
        }),
    ];
    for (what, change) in changes {
        let mut proof = case.proof();
        change(&mut proof);
        assert!(!case.library(&proof, &case.publics, case.root), "{what}");
        let ours = case.ours(&proof, &case.publics, case.root);
        assert!(matches!(ours, Err(FlattenError::Layout(_))), "{what}: {ours:?}");
    }
}

#[test]
fn proofs_of_other_tables_are_refused() {
    let toy = toy::case();
    let shard = cases(&fixture("wat/traps: unreachable()"), Preset::P100).remove(0);
    for (case, other) in [(&toy, &*shard), (&*shard, &toy)] {
        let refused = flatten(&case.stark, &other.proof(), &case.publics, Some(&case.root));
        assert!(matches!(refused, Err(FlattenError::Layout(_))));
    }
}

/// Changes the elements of the stream at these places.
fn change_stream(case: &Proved, places: impl Iterator<Item = usize>) {
    let mut stream = case.stream();
    assert_eq!(case.verify(&stream), Ok(()));
    let length = stream.len();
    for place in places.take_while(|place| *place < length) {
        stream[place] += Val::ONE;
        assert!(case.verify(&stream).is_err(), "element {place}");
        stream[place] -= Val::ONE;
    }
}

#[test]
fn every_element_of_the_stream_counts() {
    change_stream(&toy::case(), 0..);
    let shard = cases(&fixture("wat/traps: unreachable()"), Preset::P100).remove(0);
    let length = shard.stream().len();
    // All of the beginning in small steps, then the queries.
    change_stream(&shard, (0..10_000).step_by(211).chain((10_000..).step_by(length / 50)));
}

#[test]
fn streams_of_another_length_are_refused() {
    let case = toy::case();
    let mut stream = case.stream();
    for length in (0..stream.len()).step_by(13) {
        assert_eq!(case.verify(&stream[..length]), Err(Rule::Stream), "{length}");
    }
    stream.push(Val::ZERO);
    assert_eq!(case.verify(&stream), Err(Rule::Stream));
}
