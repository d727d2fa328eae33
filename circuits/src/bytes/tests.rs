use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;

use super::{Bytes, BytesCols, LOG_HEIGHT};
use crate::{
    Val, bus,
    check::{Check, Lookups, Violation},
    counts::Counts,
    symbolic,
};

fn val(x: u32) -> Val {
    Val::from_u32(x)
}

/// The balance with the given lookups counted.
fn filled(count: impl Fn(&Counts)) -> Check {
    let counts = Counts::default();
    count(&counts);
    let height = 1 << LOG_HEIGHT;
    let mut values = Val::zero_vec(height * BytesCols::<Val>::WIDTH);
    super::fill(&counts, &mut values);
    let trace = RowMajorMatrix::new(values, BytesCols::<Val>::WIDTH);
    let mut check = Check::default();
    check.table(&Bytes, &trace, &[]).unwrap();
    check
}

#[test]
fn degrees_fit_two_messages_a_column() {
    assert!(symbolic::degrees(&Bytes).allowed());
}

#[test]
fn every_kind_of_lookup_balances() {
    let mut check = filled(|counts| {
        [0, 1, 0xff, 0x100, 0xffff].into_iter().for_each(|x| counts.range16(x));
        counts.range16(0);
        counts.and(0xf0, 0x3c);
        counts.pair(0xff, 0xff);
        counts.pair(0, 1);
        (0..=16).for_each(|j| counts.pow(j));
    });
    [0, 0, 1, 0xff, 0x100, 0xffff].into_iter().for_each(|x| check.send(bus::range16(val(x))));
    check.send(bus::and(val(0xf0), val(0x3c), val(0x30)));
    check.send(bus::pair(val(0xff), val(0xff)));
    check.send(bus::pair(val(0), val(1)));
    (0..=16).for_each(|j| check.send(bus::pow(val(j), val(1 << j))));
    check.finish(Lookups::Counted).unwrap();
}

#[test]
fn what_is_false_cannot_be_looked_up() {
    let false_messages = [
        bus::range16(val(1 << 16)),
        bus::range16(-Val::ONE),
        bus::and(val(3), val(5), val(2)),
        bus::and(val(256), val(0), val(0)),
        bus::pair(val(0), val(256)),
        bus::pair(-Val::ONE, val(0)),
        bus::pow(val(1), val(1)),
        bus::pow(val(17), val(1 << 17)),
        bus::pow(val(17), val(0)),
    ];
    for message in false_messages {
        let mut check = filled(|_| {});
        check.send(message);
        for lookups in [Lookups::Counted, Lookups::Free] {
            assert!(matches!(check.finish(lookups), Err(Violation::Bus { .. })), "{message:?}");
        }
    }
}

#[test]
fn lookups_that_nobody_made_do_not_balance() {
    assert!(filled(|counts| counts.range16(5)).finish(Lookups::Counted).is_err());
    assert!(filled(|counts| counts.pow(5)).finish(Lookups::Counted).is_err());
    // Rows beyond 16 have no power to provide.
    assert!(filled(|counts| counts.pow(17)).finish(Lookups::Counted).is_ok());
}
