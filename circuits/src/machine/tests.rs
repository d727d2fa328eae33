use std::collections::BTreeSet;

use p3_air::BaseAir;
use p3_field::PrimeField32;
use rwprove_isa::{Instr, Op, Operand::Imm};

use super::{Chip, ChipId, Machine, check};
use crate::{
    Val,
    harness::{self, START, accepts, everything, mov, program},
    shape::{CPU_CLASSES, Shape, ShapeError, always_present, log_heights},
    symbolic,
};

fn machine() -> Machine {
    Machine::new(&program(&[mov(0, 1)], 1))
}

#[test]
fn tables_are_in_order_and_have_their_own_names() {
    let machine = machine();
    let ids: Vec<_> = machine.chips().iter().map(|chip| chip.id()).collect();
    assert_eq!(ids, ChipId::ALL);
    let names: BTreeSet<_> = ids.iter().map(|id| id.name()).collect();
    assert_eq!(names.len(), ChipId::COUNT);
}

#[test]
fn every_column_has_its_own_name() {
    for chip in machine().chips() {
        let columns = chip.columns();
        let names: BTreeSet<_> = columns.iter().collect();
        assert_eq!(names.len(), columns.len(), "{:?}", chip.id());
        assert_eq!(BaseAir::<Val>::width(chip), columns.len());
    }
}

#[test]
fn degrees_fit_two_messages_a_column() {
    for chip in machine().chips() {
        let degrees = each!(chip, table => symbolic::degrees(table));
        assert!(degrees.allowed(), "{:?}: {degrees:?}", chip.id());
    }
}

/// LogUp is sound while no message is asked for `p` times: the largest shape keeps the sum of all
/// weights below that.
#[test]
fn multiplicities_cannot_wrap() {
    let most = machine().chips().iter().fold(0, |sum, chip| {
        let weight = each!(chip, table => symbolic::weight(table));
        sum + (weight << log_heights(chip.id()).1)
    });
    assert!(most < u64::from(Val::ORDER_U32), "{most}");
}

#[test]
fn preprocessed_columns_have_the_width_they_say() {
    let machine = machine();
    for (chip, blank) in machine.chips().iter().zip(Machine::verifier().chips()) {
        let width = chip.preprocessed_trace().map_or(0, |trace| trace.width);
        assert_eq!(chip.preprocessed_width(), width);
        assert_eq!(blank.preprocessed_width(), width);
    }
}

#[test]
fn a_run_through_all_tables() {
    let code = everything();
    let (_, instances) = accepts(&code);
    let absent: Vec<_> =
        ChipId::ALL.iter().filter(|&&id| instances.iter().all(|i| i.chip.id() != id)).collect();
    assert_eq!(absent, [&ChipId::Refresh]);
}

#[test]
fn a_refused_dynamic_charge_traps() {
    let charge = Instr { b: Imm(100), ..Instr::new(Op::FuelCharge) };
    for (limit, next) in [(100, START + 1), (99, 9)] {
        let cases = harness::run(&program(&[charge], 1), Some(limit), 1 << 12);
        cases[0].accepted();
        assert_eq!(cases[0].record.cpu[1].pc, next);
    }
}

#[test]
fn a_missing_table_is_noticed() {
    let (_, instances) = accepts(&everything());
    for skip in 0..instances.len() {
        let mut rest = instances.clone();
        rest.remove(skip);
        assert!(check(&rest).is_err(), "{:?}", instances[skip].chip.id());
    }
}

// SHAPES

#[test]
fn shapes_hold_their_shards() {
    let (case, instances) = accepts(&[mov(0, 1)]);
    let machine = Machine::new(&case.program);
    let shape = Shape::for_shard(&machine, &case.shard()).unwrap();
    let present: Vec<_> = shape.tables().map(|(id, _)| id).collect();
    assert!(present.iter().all(|&id| always_present(id)));
    assert_eq!(instances.iter().map(|i| i.chip.id()).collect::<Vec<_>>(), present);
    assert_eq!(shape.log_height(ChipId::Cpu), Some(CPU_CLASSES[0]));
    shape.check(13).unwrap();
}

#[test]
fn the_largest_shapes_are_allowed() {
    for &class in CPU_CLASSES {
        let shape = Shape::largest(class, 16);
        shape.check(16).unwrap();
        assert_eq!(shape.room(ChipId::Cpu), 1 << class);
        assert!(shape.room(ChipId::Keccak) >= 1);
    }
}

#[test]
fn other_shapes_are_refused() {
    let good: Vec<_> = Shape::largest(16, 13).tables().map(|(id, h)| (id, h as u8)).collect();
    let with = |id: ChipId, height: Option<u8>| {
        let rest = good.iter().copied().filter(|(other, _)| *other != id);
        Shape::new(rest.chain(height.map(|height| (id, height)))).check(13)
    };
    for &id in ChipId::ALL {
        let missing = with(id, None);
        assert_eq!(missing.is_err(), always_present(id), "{id:?}");
        let (min, max) = log_heights(id);
        for height in [0, min - 1, max + 1, 31, 255] {
            let found = with(id, Some(height as u8));
            assert!(matches!(found, Err(ShapeError::Height { .. })), "{id:?} {height}");
        }
    }
    assert_eq!(with(ChipId::Cpu, Some(13)), Err(ShapeError::Class(13)));
    assert!(with(ChipId::Program, Some(16)).is_err());
}

#[test]
fn a_shard_that_is_too_long_has_no_shape() {
    let (mut case, _) = accepts(&[mov(0, 1)]);
    let machine = Machine::new(&case.program);
    let event = case.record.cpu[0];
    case.record.cpu.resize(1 << 20, event);
    let shape = Shape::for_shard(&machine, &case.shard());
    assert!(matches!(shape, Err(ShapeError::Height { table: "cpu", found: 21, .. })));
}
