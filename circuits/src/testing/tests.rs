//! Mutation of the whole machine.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::Matrix;
use rwprove_isa::{Instr, Op, Operand::Imm, record::MAX_GAP};

use super::Mutations;
use crate::{
    Val,
    check::Lookups,
    harness::{self, START, accepts, everything, mov, op, program},
    machine::{ChipId, Instance, gather},
};

/// Rows of the first half and the last row; few of the widest table.
fn rows(instance: &Instance) -> Vec<usize> {
    let height = instance.trace.height();
    match instance.chip.id() {
        ChipId::Keccak => vec![0, 5, 23, 24, height - 1],
        _ => (0..60.min(height - 1)).chain([height - 1]).collect(),
    }
}

fn mutate(instances: &[Instance]) -> Mutations {
    let check = gather(instances).unwrap();
    let mut all = Mutations::default();
    for instance in instances {
        all.add(instance.mutate(rows(instance), &check, 7).unwrap());
    }
    all
}

#[test]
fn every_cell_is_bound_or_listed_and_every_line_of_the_list_is_needed() {
    let charge = Instr { b: Imm(100), ..Instr::new(Op::FuelCharge) };
    // A word that rests so long that it is refreshed.
    let again = START as i32 + 2;
    let long = [
        mov(0, 0),
        mov(1, 7),
        op(Op::Add, 0, 0, Imm(1)),
        op(Op::BrLtU, again, 0, Imm(MAX_GAP / 7)),
        op(Op::Add, 1, 1, Imm(1)),
    ];
    let mut all = mutate(&accepts(&everything()).1);
    for (code, limit, rows) in [(&[charge][..], Some(99), 1 << 12), (&long[..], None, 1 << 17)] {
        all.add(mutate(&harness::run(&program(code, 1), limit, rows)[0].accepted()));
    }
    assert_eq!(all.survivors, []);
    assert_eq!(all.unneeded(), [] as [String; 0]);
    assert!(all.refused() > 10 * all.accepted());
}

/// The judgement of a change from the rows around it is that of the whole machine.
#[test]
fn mutation_agrees_with_the_check_of_all_tables() {
    let (_, mut instances) = accepts(&everything());
    let check = gather(&instances).unwrap();
    let at = instances.iter().position(|i| i.chip.id() == ChipId::Bitwise).unwrap();
    let names = instances[at].chip.columns();
    let width = names.len();
    for row in [0, instances[at].trace.height() - 1] {
        let free = instances[at].mutate([row], &check, 7).unwrap().free;
        for (column, name) in names.iter().enumerate() {
            let cell = row * width + column;
            instances[at].trace.values[cell] += Val::ONE;
            let accepted = gather(&instances).and_then(|c| c.finish(Lookups::Free)).is_ok();
            instances[at].trace.values[cell] -= Val::ONE;
            assert_eq!(accepted, free.keys().any(|(_, listed)| listed == name), "{row} {name}");
        }
    }
}
