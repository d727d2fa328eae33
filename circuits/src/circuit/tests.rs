//! Tests of all tables of circuits.

use std::collections::BTreeSet;

use p3_air::BaseAir;
use p3_field::PrimeField32;

use super::*;
use crate::symbolic;

#[test]
fn tables_are_in_order_and_have_their_own_names() {
    let tables = tables();
    assert!(tables.iter().map(Chip::id).eq(ChipId::ALL.iter().copied()));
    let names: BTreeSet<_> = ChipId::ALL.iter().map(|id| id.name()).collect();
    assert_eq!(names.len(), ChipId::COUNT);
    for table in tables {
        let columns = table.columns();
        assert_eq!(columns.iter().collect::<BTreeSet<_>>().len(), columns.len());
    }
}

#[test]
fn degrees_fit_two_messages_a_column() {
    for table in tables() {
        let degrees = each!(&table, table => symbolic::degrees(table));
        assert!(degrees.allowed(), "{:?}: {degrees:?}", table.id());
    }
}

#[test]
fn preprocessed_columns_have_the_width_they_say() {
    let height = 8;
    let empty = [
        Chip::Gate(Gate::new(&[], 0, height)),
        Chip::Hint(Hint::new(&[], height)),
        Chip::Pack(Pack::new(&[], height)),
        Chip::Bits(Bits::new(&[], height)),
        Chip::Hash(Hash::new(&[], height)),
        Chip::Rows(Rows::new(&[], height)),
        Chip::Fold(Fold::new(&[], height)),
        Chip::Public(Public::new(0, height)),
    ];
    for (table, blank) in empty.iter().zip(tables()) {
        assert_eq!(table.id(), blank.id());
        let fixed = table.preprocessed_trace().unwrap();
        assert_eq!((fixed.width, blank.preprocessed_trace()), (blank.preprocessed_width(), None));
    }
}

/// A row reads a wire or block as often as its table's weight says, so that tables of 2^20 rows each
/// are far from wrapping around.
#[test]
fn reads_cannot_wrap() {
    let weight = |table: &Chip| each!(table, table => symbolic::weight(table));
    let all: u64 = tables().iter().map(weight).sum();
    assert!(all << 20 < Val::ORDER_U32.into(), "{all}");
}
