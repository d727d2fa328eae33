//! Dishonest provers: values that no stream gives.

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{
    Challenge, Val,
    circuit::{self, ChipId, Instance},
};

use super::builder::Case;
use crate::circuit::{Execution, LogHeights};

/// A circuit with its honest values.
struct Honest {
    case: Case,
    log_heights: LogHeights,
    execution: Execution,
    instances: Vec<Instance>,
}

impl Honest {
    fn new(seed: u64) -> Self {
        let case = Case::random(seed, 25);
        let log_heights = case.circuit.log_heights();
        let execution = case.circuit.run(&case.stream).unwrap();
        let instances = case.circuit.instances(&execution, &log_heights).unwrap();
        circuit::check(&instances).unwrap();
        Self { case, log_heights, execution, instances }
    }

    /// Whether a change of values that changes any table is refused. The change is the same wherever
    /// the values stand.
    fn refuses(&self, change: impl FnOnce(&mut Execution)) -> Option<bool> {
        let mut execution = self.execution.clone();
        change(&mut execution);
        let traces = self.case.circuit.traces(&execution, &self.log_heights);
        let mut instances = self.instances.clone();
        let mut changed = false;
        for (instance, trace) in instances.iter_mut().zip(traces) {
            changed |= instance.trace != trace;
            instance.trace = trace;
        }
        changed.then(|| circuit::check(&instances).is_err())
    }
}

#[test]
fn no_wire_has_another_value() {
    let mut lies = 0;
    for seed in 0..4 {
        let honest = Honest::new(seed);
        for wire in (1..honest.execution.wires.len()).step_by(5) {
            let Some(refused) = honest.refuses(|e| e.wires[wire] += Challenge::ONE) else {
                continue;
            };
            assert!(refused, "{seed}: wire {wire}");
            lies += 1;
        }
    }
    assert!(lies > 100, "{lies}");
}

#[test]
fn no_block_has_another_element() {
    let mut lies = 0;
    for seed in 0..4 {
        let honest = Honest::new(seed);
        for block in (1..honest.execution.blocks.len()).step_by(3) {
            let place = block % 8;
            let Some(refused) = honest.refuses(|e| e.blocks[block][place] += Val::ONE) else {
                continue;
            };
            assert!(refused, "{seed}: block {block}");
            lies += 1;
        }
    }
    assert!(lies > 50, "{lies}");
}

#[test]
fn no_permutation_has_another_input() {
    for seed in 0..4 {
        let honest = Honest::new(seed);
        for row in (0..honest.execution.hashes.len()).step_by(3) {
            let place = row % 16;
            let refused = honest.refuses(|e| e.hashes[row].input[place] += Val::ONE);
            assert_eq!(refused, Some(true), "{seed}: row {row}");
            // Rows that are no climbs have no bit.
            let refused = honest.refuses(|e| e.hashes[row].bit ^= true);
            assert_ne!(refused, Some(false), "{seed}: row {row}");
        }
    }
}

#[test]
fn no_circuit_says_anything_else() {
    let honest = Honest::new(1);
    for i in 0..8 {
        let mut instances = honest.instances.clone();
        let public = instances.iter_mut().find(|i| i.chip.id() == ChipId::Public).unwrap();
        public.publics[i] += Val::ONE;
        assert!(circuit::check(&instances).is_err());
        public_row(&mut instances, i);
        // Now the table agrees with its public values, but not with the block.
        assert!(circuit::check(&instances).is_err());
    }
}

fn public_row(instances: &mut [Instance], i: usize) {
    for instance in instances {
        if instance.chip.id() == ChipId::Public {
            let width = instance.trace.width;
            instance.trace.values.iter_mut().skip(i).step_by(width).for_each(|x| *x += Val::ONE);
        }
    }
}

/// Every cell of used rows, one at a time.
#[test]
fn no_cell_has_another_value() {
    let honest = Honest::new(2);
    let check = circuit::gather(&honest.instances).unwrap();
    let heights = honest.case.circuit.heights();
    for (instance, rows) in honest.instances.iter().zip(heights) {
        let mutations = instance.mutate((0..rows).step_by(4), &check, 1).unwrap();
        for survivor in mutations.survivors {
            let free = match instance.chip.id() {
                // It has nothing to show where there are no ones.
                ChipId::Bits => survivor.column == "inverse",
                // Behind the coefficients of a wire, where there is no block.
                ChipId::Pack => (5..8).any(|i| survivor.column == format!("elements[{i}]")),
                _ => false,
            };
            assert!(free, "{survivor:?}");
        }
    }
}
