//! Table routines against rwasm's rules.

use super::*;
use crate::layout::{ELEM, ELEM_DROPPED, TABLE, TABLE_SIZE, TABLE_STRIDE};

const TRAP: End = End::At(2);

fn elements(m: &Machine, table: u32) -> Vec<u32> {
    (0..m.word(TABLE_SIZE + table)).map(|i| m.word(TABLE + table * TABLE_STRIDE + i)).collect()
}

fn two_tables() -> (Machine, Vec<u32>, Vec<u32>) {
    let mut m = machine();
    assert_eq!(result(&mut m, Routine::TableGrow, &[0, 20, 3]), 0);
    assert_eq!(result(&mut m, Routine::TableGrow, &[0, 10, 5]), 0);
    for i in 0..20 {
        m.words.insert(TABLE + 3 * TABLE_STRIDE + i, 100 + i);
        if i < 10 {
            m.words.insert(TABLE + 5 * TABLE_STRIDE + i, 500 + i);
        }
    }
    let (three, five) = (elements(&m, 3), elements(&m, 5));
    (m, three, five)
}

#[test]
fn tables_grow_to_1024() {
    let mut m = machine();
    assert_eq!(result(&mut m, Routine::TableGrow, &[9, 1020, 7]), 0);
    assert_eq!(result(&mut m, Routine::TableGrow, &[8, 5, 7]), u32::MAX);
    assert_eq!(result(&mut m, Routine::TableGrow, &[8, u32::MAX, 7]), u32::MAX);
    assert_eq!(result(&mut m, Routine::TableGrow, &[8, 0, 7]), 1020);
    assert_eq!(result(&mut m, Routine::TableGrow, &[8, 4, 7]), 1020);
    assert_eq!(result(&mut m, Routine::TableGrow, &[8, 1, 7]), u32::MAX);
    assert_eq!(elements(&m, 7), [vec![9; 1020], vec![8; 4]].concat());
    assert_eq!(m.word(TABLE + 8 * TABLE_STRIDE), 0);
}

#[test]
fn fill() {
    let (mut m, mut three, five) = two_tables();
    assert_eq!(call(&mut m, Routine::TableFill, &[4, 77, 6, 3]), End::Returned);
    assert_eq!(call(&mut m, Routine::TableFill, &[20, 77, 0, 3]), End::Returned);
    three[4..10].fill(77);
    for (i, n) in [(21, 0), (20, 1), (0, 21), (u32::MAX, 1), (1, u32::MAX)] {
        assert_eq!(call(&mut m, Routine::TableFill, &[i, 1, n, 3]), TRAP, "{i} {n}");
    }
    assert_eq!((elements(&m, 3), elements(&m, 5)), (three, five));
}

#[test]
fn copy_within_and_between() {
    for (dst, src, n) in [(0, 5, 10), (5, 0, 10), (5, 5, 5), (1, 0, 19), (0, 1, 19), (20, 20, 0)] {
        let (mut m, mut three, _) = two_tables();
        three.copy_within(src as usize..(src + n) as usize, dst as usize);
        assert_eq!(call(&mut m, Routine::TableCopy, &[dst, src, n, 3, 3]), End::Returned);
        assert_eq!(elements(&m, 3), three, "{dst} {src} {n}");
    }
    let (mut m, three, mut five) = two_tables();
    five[2..9].copy_from_slice(&three[11..18]);
    assert_eq!(call(&mut m, Routine::TableCopy, &[2, 11, 7, 5, 3]), End::Returned);
    for (dst, src, n) in [(0, 14, 7), (4, 0, 7), (11, 0, 0), (0, 21, 0), (u32::MAX, 0, 2)] {
        assert_eq!(call(&mut m, Routine::TableCopy, &[dst, src, n, 5, 3]), TRAP);
    }
    assert_eq!((elements(&m, 3), elements(&m, 5)), (three, five));
}

#[test]
fn init_from_segments() {
    let (mut m, mut three, _) = two_tables();
    for i in 0..6 {
        m.words.insert(ELEM + i, 900 + i);
    }
    assert_eq!(call(&mut m, Routine::TableInit, &[7, 1, 5, 2, 3, 6]), End::Returned);
    three[7..12].copy_from_slice(&[901, 902, 903, 904, 905]);
    assert_eq!(elements(&m, 3), three);
    for (dst, src, n) in [(16, 0, 5), (0, 2, 5), (21, 0, 0), (0, 7, 0), (0, u32::MAX, 2)] {
        assert_eq!(call(&mut m, Routine::TableInit, &[dst, src, n, 2, 3, 6]), TRAP);
    }
    m.words.insert(ELEM_DROPPED + 2, 1);
    assert_eq!(call(&mut m, Routine::TableInit, &[0, 0, 1, 2, 3, 6]), TRAP);
    assert_eq!(call(&mut m, Routine::TableInit, &[0, 0, 0, 2, 3, 6]), End::Returned);
    assert_eq!(elements(&m, 3), three);
}
