//! Is every constraint and every message of the tables of circuits needed? The score:
//!
//!     cargo test -p rwprove-circuits --lib -- circuit::deletions --nocapture
//!
//! A constraint is *killed* by rows that break it and no other: without it they would be accepted.
//! The tables' own tests have these rows.
//!
//! A message is killed by rows that keep all constraints, and that only this message contradicts.
//! - One that *reads*: the rows change, and all else that they read is what it was. What they create
//!   follows. So without the message the row's input is the prover's choice.
//! - One that *creates*: the rows are honest, and whoever reads has another value. Nothing but this
//!   message says which one is right, so it must be there in some row.

use std::collections::BTreeSet;

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_matrix::{Matrix, dense::RowMajorMatrix};

use super::*;
use crate::{
    Challenge, EXTENSION,
    bus::Message,
    check,
    circuit::tester::{challenge, elements},
    symbolic,
    table::Table,
};

/// What a forger changes in the values of a row.
type Change<V> = Box<dyn Fn(&mut V)>;

/// Killed, and all there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Score {
    killed: usize,
    total: usize,
}

type Trace = RowMajorMatrix<Val>;
type Said = Vec<Vec<(Message<Val>, Val)>>;

/// What each message says on all rows. All constraints hold.
fn said<T: Table>(table: &T, trace: &Trace, publics: &[Val]) -> Said {
    let rows = check::Rows::new(table, trace, publics).unwrap();
    let mut said = vec![Vec::new(); symbolic::build(table).global_interactions().len()];
    for row in 0..trace.height() {
        let (broken, messages) = rows.all_on(trace, row);
        assert_eq!(broken, [0; 0], "{} row {row}", T::NAME);
        messages.into_iter().for_each(|m| said[m.site].push((m.message, m.count)));
    }
    said
}

/// The messages that honest rows and forged ones kill; these may have other public values.
fn messages<T: Table>(
    table: &T,
    honest: (Trace, Vec<Val>),
    forged: Vec<(Trace, Vec<Val>)>,
) -> Score {
    let honest = said(table, &honest.0, &honest.1);
    let reads = |(_, count): &(Message<Val>, Val)| *count == Val::NEG_ONE;
    let creates = |all: &&Vec<(Message<Val>, Val)>| all.iter().any(|said| !reads(said));
    let created = honest.iter().enumerate().filter(|(_, all)| creates(all)).map(|(site, _)| site);
    let mut killed: BTreeSet<usize> = created.collect();
    for (trace, publics) in forged {
        let other = said(table, &trace, &publics);
        let changed = (0..honest.len()).filter(|site| {
            let pairs = honest[*site].iter().zip(&other[*site]);
            pairs.into_iter().any(|(before, after)| before != after && reads(before))
        });
        let changed: Vec<_> = changed.collect();
        if let [site] = changed[..] {
            killed.insert(site);
        }
    }
    let missing: Vec<_> = (0..honest.len()).filter(|site| !killed.contains(site)).collect();
    assert!(missing.is_empty(), "{}: nothing kills the messages {missing:?}", T::NAME);
    Score { killed: killed.len(), total: honest.len() }
}

/// The same for a table without public values, where the values of one place change at a time.
fn each<T: Table, V: Clone>(
    table: &T,
    fill: impl Fn(&V) -> Trace,
    values: &V,
    changes: Vec<Change<V>>,
) -> Score {
    let forged = changes.into_iter().map(|change| {
        let mut values = values.clone();
        change(&mut values);
        (fill(&values), Vec::new())
    });
    messages(table, (fill(values), Vec::new()), forged.collect())
}

fn created(index: u32) -> Cell {
    Cell { index, count: 1 }
}

fn gate_messages() -> Score {
    let mut random = elements();
    // Behind the gate of wire 0, one of each lane.
    let row = |number: u32| gate::Row {
        m: Val::ONE,
        p: Val::TWO,
        q: Val::TWO,
        r: Val::TWO,
        k: Val::ONE,
        operands: [number, number + 1, number + 2],
        result: created(number + 3),
    };
    let table = Gate::new(&[10, 20, 30].map(row), 0, 2);
    let result = |[a, b, c]: [Challenge; 3]| a * b + (a + b + c).double() + Challenge::ONE;
    let fill = |operands: &[[Challenge; 3]; 3]| {
        let values = |operands: [Challenge; 3]| gate::Values { operands, result: result(operands) };
        gate::fill(&operands.map(values), 2)
    };
    let operands = [(); 3].map(|()| [(); 3].map(|()| challenge(&mut random)));
    let places = (0..2).flat_map(|lane| (0..3).map(move |operand| (lane, operand)));
    let changes = places.map(|(gate, operand)| -> Change<[[Challenge; 3]; 3]> {
        Box::new(move |operands| operands[gate][operand] += Challenge::ONE)
    });
    each(&table, fill, &operands, changes.collect())
}

fn hint_messages() -> Score {
    let table = Hint::new(&[hint::Row { felt: false, wire: created(1) }], 8);
    each(&table, |value| hint::fill(&[*value], 8), &Challenge::TWO, Vec::new())
}

fn pack_messages() -> Score {
    let felts = std::array::from_fn(|i| created(i as u32 + 1));
    let table = Pack::new(&[pack::Row { block: created(1), wire: created(9), felts }], 8);
    let elements = std::array::from_fn(Val::from_usize);
    each(&table, |elements| pack::fill(&[*elements], 8), &elements, Vec::new())
}

fn bits_messages() -> Score {
    let table = Bits::new(&[bits::Row { felt: 50, bits: 1, counts: [1; _] }], 8);
    let change: Change<Val> = Box::new(|felt| *felt += Val::ONE);
    each(&table, |felt| bits::fill(&[*felt], 8), &Val::from_u32(77), vec![change])
}

fn hash_messages() -> Score {
    use hash::Step;
    #[derive(Clone)]
    struct Inputs {
        left: [Val; BLOCK],
        sibling: [Val; BLOCK],
        right: [Val; BLOCK],
        bit: bool,
    }
    let steps = [
        Step::Sponge { first: true, block: 1, len: BLOCK },
        Step::Climb { bit: 1 },
        Step::Inject { right: 2 },
    ];
    let rows = [(steps[0], 10), (steps[1], 11), (steps[2], 12)];
    let rows = rows.map(|(step, output)| hash::Row { step, output: created(output) });
    let table = Hash::new(&rows, 4);
    let fill = |inputs: &Inputs| {
        let Inputs { left, sibling, right, bit } = *inputs;
        let halves = [(left, left, false), (sibling, left, bit), (left, right, false)];
        let mut before = [Val::ZERO; crate::poseidon2::WIDTH];
        let values = std::array::from_fn::<_, 3, _>(|i| {
            let (left, right, bit) = halves[i];
            let input = steps[i].input(&before, left, right, bit);
            before = crate::poseidon2::permuted(input);
            hash::Values { input, bit }
        });
        hash::fill(&values, 4)
    };
    let mut random = elements();
    let mut block = || std::array::from_fn(|_| random());
    let inputs = Inputs { left: block(), sibling: block(), right: block(), bit: false };
    let changes: Vec<Change<Inputs>> = vec![
        Box::new(|inputs| inputs.left[3] += Val::ONE),
        Box::new(|inputs| inputs.right[0] += Val::ONE),
        Box::new(|inputs| inputs.bit = true),
    ];
    each(&table, fill, &inputs, changes)
}

fn rows_messages() -> Score {
    let leaf = rows::Leaf { block: 10, sums: vec![(5, created(2)), (7, created(3))] };
    let segments = [rows::Segment { gamma: 1, leaves: vec![leaf] }];
    let table = Rows::new(&segments, 8);
    let fill = |values: &rows::Values| rows::fill(&segments, std::slice::from_ref(values), 8);
    let mut random = elements();
    let blocks = (0..2).map(|_| std::array::from_fn(|_| random())).collect();
    let values = rows::Values { gamma: challenge(&mut random), blocks };
    let change: Change<rows::Values> = Box::new(|values| values.gamma += Challenge::ONE);
    each(&table, fill, &values, vec![change])
}

fn fold_messages() -> Score {
    let row = fold::Row {
        k: 3,
        value: 1,
        position: 2,
        x_inverse: 5,
        beta: 6,
        block: 10,
        result: created(7),
    };
    let table = Fold::new(&[row], 2);
    let fill = |values: &fold::Values| fold::fill(&[row], &[*values], 2);
    // All values are the same, so that one at another position is no other value.
    let mut random = elements();
    let value: [Val; EXTENSION] = std::array::from_fn(|_| random());
    let mut blocks = [[Val::ZERO; BLOCK]; 5];
    let all = value.into_iter().cycle();
    blocks.as_flattened_mut().iter_mut().zip(all).for_each(|(cell, value)| *cell = value);
    let values =
        fold::Values { blocks, position: 0, x_inverse: random(), beta: challenge(&mut random) };
    let mut changes: Vec<Change<fold::Values>> = vec![
        Box::new(|values| values.blocks[0][0] += Val::ONE),
        Box::new(|values| values.x_inverse += Val::ONE),
        Box::new(|values| values.beta += Challenge::from_basis_coefficients_fn(Val::from_usize)),
    ];
    for bit in 0..3 {
        changes.push(Box::new(move |values| values.position ^= 1 << bit));
    }
    each(&table, fill, &values, changes)
}

fn public_messages() -> Score {
    let filled = |first: u32| {
        let block = std::array::from_fn(|i| Val::from_u32(first + i as u32));
        (public::fill(block, 8), block.to_vec())
    };
    messages(&Public::new(7, 8), filled(1), vec![filled(2)])
}

#[test]
fn everything_is_needed() {
    let scores = [
        (ChipId::Gate, gate::tests::constraints(), gate_messages()),
        (ChipId::Hint, hint::tests::constraints(), hint_messages()),
        // It has no constraint.
        (ChipId::Pack, 0, pack_messages()),
        (ChipId::Bits, bits::tests::constraints(), bits_messages()),
        (ChipId::Hash, hash::tests::constraints(), hash_messages()),
        (ChipId::Rows, rows::tests::constraints(), rows_messages()),
        (ChipId::Fold, fold::tests::constraints(), fold_messages()),
        (ChipId::Public, public::tests::constraints(), public_messages()),
    ];
    assert!(scores.iter().map(|(id, ..)| id).eq(ChipId::ALL));
    assert_eq!(symbolic::build(&Pack::default()).base_constraints().len(), 0);
    let mut all = Score::default();
    for (id, constraints, messages) in scores {
        let name = id.name();
        eprintln!("{name:>12}: {constraints} constraints, {} messages: all killed", messages.total);
        all.killed += constraints + messages.killed;
        all.total += constraints + messages.total;
    }
    eprintln!("killed {} of {}", all.killed, all.total);
    assert_eq!(all.killed, all.total);
}
