use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_matrix::dense::RowMajorMatrix;
use rwprove_isa::{Op, Operand::Imm, record::MAX_GAP};

use super::{Refresh, RefreshCols};
use crate::{
    Val,
    check::{Check, Lookups},
    coprocessor::tester::bound,
    harness::{self, START, mov, op, program},
    machine::ChipId,
    symbolic, testing,
};

#[test]
fn degrees_fit_two_messages_a_column() {
    assert!(symbolic::degrees(&Refresh).allowed());
}

#[test]
fn a_word_that_rests_long_is_refreshed() {
    let again = START as i32 + 2;
    let turns = MAX_GAP / 4;
    let code = [
        mov(0, 0),
        mov(1, 7),
        op(Op::Add, 0, 0, Imm(1)),
        op(Op::BrLtU, again, 0, Imm(turns)),
        op(Op::Add, 1, 1, Imm(1)),
    ];
    let cases = harness::run(&program(&code, 1), None, 1 << 17);
    assert!(!cases[0].record.refresh.is_empty());
    let instances = cases[0].accepted();
    let refresh = instances.iter().find(|i| i.chip.id() == ChipId::Refresh).unwrap();
    let filled = (refresh.trace.clone(), Vec::new());
    bound(&Refresh, &filled, 0..cases[0].record.refresh.len() + 2);
}

/// A word at address 9 with value (5, 6) carried from one time to another by one row.
fn carries(before: u32, after: u32, cells: RefreshCols<u32>) -> bool {
    let mut row = vec![0; RefreshCols::<u32>::WIDTH];
    cells.write_to(&mut row);
    let row = row.into_iter().map(Val::from_u32).collect();
    let trace = RowMajorMatrix::new(row, RefreshCols::<Val>::WIDTH);
    let mut check = Check::default();
    testing::memory_access(&mut check, 9, ([5, 6], before), ([5, 6], after));
    check.table(&Refresh, &trace, &[]).is_ok() && check.finish(Lookups::Free).is_ok()
}

#[test]
fn time_rises() {
    let cells = RefreshCols { real: 1, addr: 9, value: [5, 6], time: [3, 1], gap: [2, 1] };
    assert!(carries(0, 0x1_0003, cells));
    assert!(carries(0x1_0000, 0x1_0003, RefreshCols { gap: [2, 0], ..cells }));
    assert!(!carries(0, 0x1_0003, RefreshCols { gap: [3, 1], ..cells }));
    // The same time, or going back, would need a gap that is not a number of 24 bits.
    let minus_one = (-Val::ONE).as_canonical_u32();
    assert!(!carries(0x1_0003, 0x1_0003, RefreshCols { gap: [minus_one, 0], ..cells }));
    let wrapped = (-Val::from_u32(2) / Val::from_u32(1 << 16)).as_canonical_u32();
    assert!(!carries(0x1_0004, 0x1_0003, RefreshCols { gap: [0, wrapped], ..cells }));
    // A value that changes on the way, or a row that is not there.
    assert!(!carries(0, 0x1_0003, RefreshCols { value: [5, 7], ..cells }));
    assert!(!carries(0, 0x1_0003, RefreshCols { real: 0, ..cells }));
}
