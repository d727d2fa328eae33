//! Rewriting keeps values, and comparison tells functions apart.

use super::super::compare::{Classes, Equality};
use super::super::source::numeric::shift_by;
use super::super::term::{Fun, Leaf, Node, Term, Terms, eval};
use super::super::wide::Wide;
use crate::Op;

/// A small generator.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) % u64::from(n)) as u32
    }

    fn word(&mut self) -> u32 {
        const SPECIAL: [u32; 8] = [0, 1, 2, 31, 32, 1 << 31, u32::MAX, 0x7fff_ffff];
        match self.below(3) {
            0 => self.below(1 << 31) << 1 | self.below(2),
            _ => SPECIAL[self.below(8) as usize],
        }
    }
}

const FUNS: &[Fun] = &[
    Fun::Alu(Op::Add, 0),
    Fun::Alu(Op::Sub, 0),
    Fun::Alu(Op::And, 0),
    Fun::Alu(Op::Or, 0),
    Fun::Alu(Op::Xor, 0),
    Fun::Alu(Op::Mul, 0),
    Fun::Alu(Op::Shl, 0),
    Fun::Alu(Op::ShrS, 0),
    Fun::Alu(Op::Fshl, 7),
    Fun::Alu(Op::Fshl, 0),
    Fun::Eq,
    Fun::LtU,
    Fun::LtS,
    Fun::Not,
    Fun::Ite,
];

/// A random term over four slots, with its value computed without any rewriting.
fn random(terms: &mut Terms, random_: &mut Random, slots: &[u32; 4], depth: u32) -> (Term, u32) {
    if depth == 0 || random_.below(6) == 0 {
        if random_.below(3) == 0 {
            let value = random_.word();
            return (terms.constant(value), value);
        }
        let slot = random_.below(4);
        return (terms.leaf(Leaf::Slot(slot as i32)), slots[slot as usize]);
    }
    let fun = FUNS[random_.below(FUNS.len() as u32) as usize];
    let mut part = |terms: &mut Terms, truth: bool| {
        let (term, value) = random(terms, random_, slots, depth - 1);
        if truth { (terms.truth(term), (value != 0) as u32) } else { (term, value) }
    };
    let parts = match fun {
        Fun::Not => vec![part(terms, true)],
        Fun::Ite => vec![part(terms, true), part(terms, false), part(terms, false)],
        Fun::LtU | Fun::LtS => vec![part(terms, false), part(terms, false), part(terms, true)],
        _ => vec![part(terms, false), part(terms, false)],
    };
    let (args, values): (Vec<Term>, Vec<u32>) = parts.into_iter().unzip();
    (terms.app(fun, &args), eval(fun, &values).unwrap())
}

fn value(terms: &Terms, slots: &[u32; 4], term: Term) -> u32 {
    match terms.node(term) {
        Node::Const(value) => *value,
        Node::Leaf(Leaf::Slot(slot)) => slots[*slot as usize],
        Node::Leaf(leaf) => panic!("{leaf:?}"),
        Node::App(fun, args) => {
            let args: Vec<u32> = args.iter().map(|&a| value(terms, slots, a)).collect();
            eval(*fun, &args).unwrap()
        }
    }
}

#[test]
fn rewriting_keeps_values() {
    let mut numbers = Random(7);
    for _ in 0..40_000 {
        let slots = std::array::from_fn(|_| numbers.word());
        let mut terms = Terms::new(u64::MAX);
        let (term, expected) = random(&mut terms, &mut numbers, &slots, 4);
        let found = value(&terms, &slots, term);
        assert_eq!(found, expected, "{:?} {slots:?}", terms.node(term));
        assert!(!terms.is_truth(term) || found <= 1);
    }
}

fn equal(terms: &Terms, excluded: &[Term], a: Term, b: Term) -> bool {
    let mut equality = Equality::new(u64::MAX);
    let mut classes = Classes::new(terms, a + 1, &mut equality);
    excluded.iter().for_each(|&when| classes.exclude(when));
    classes.equal(a, b)
}

#[test]
fn different_expansions_of_one_value_are_equal() {
    let t = &mut Terms::new(u64::MAX);
    let [low, high, by] = [0, 1, 2].map(|slot| t.leaf(Leaf::Slot(slot)));
    let wide = t.app(Fun::Wide(Wide::Shl, 0), &[low, high, by, by]);
    let (zero, mask) = (t.constant(0), t.constant(32));
    let far = t.op(Op::And, by, mask);
    let far = t.truth(far);
    let shifted = t.op(Op::Shl, low, by);
    let expanded = t.ite(far, zero, shifted);
    assert!(equal(t, &[], wide, expanded));
    let wrong = t.ite(far, shifted, zero);
    assert!(!equal(t, &[], wide, wrong));
    let wrong = t.op(Op::Shl, low, by);
    assert!(!equal(t, &[], wide, wrong));
}

#[test]
fn parts_found_equal_count_as_equal_in_larger_terms() {
    let t = &mut Terms::new(u64::MAX);
    let [a, b] = [0, 1].map(|slot| t.leaf(Leaf::Slot(slot)));
    let sum = t.op(Op::Xor, a, b);
    let (or, and) = (t.op(Op::Or, a, b), t.op(Op::And, a, b));
    let same = t.op(Op::Sub, or, and);
    let (one, other) = (t.op(Op::Mul, sum, a), t.op(Op::Mul, a, same));
    assert!(equal(t, &[], one, other));
    let other = t.op(Op::Mul, b, same);
    assert!(!equal(t, &[], one, other));
}

#[test]
fn excluded_conditions_are_not_tried() {
    let t = &mut Terms::new(u64::MAX);
    let [a, b] = [0, 1].map(|slot| t.leaf(Leaf::Slot(slot)));
    let zero = t.constant(0);
    let by_zero = t.eq(b, zero);
    let quotient = t.app(Fun::Alu(Op::DivU, 0), &[a, b]);
    let guarded = t.ite(by_zero, zero, quotient);
    assert!(!equal(t, &[], quotient, guarded));
    assert!(equal(t, &[by_zero], quotient, guarded));
}

#[test]
fn conditions_that_are_never_met_are_not_equal_by_evaluation() {
    let t = &mut Terms::new(u64::MAX);
    let slots = [0, 1, 2, 3].map(|slot| t.leaf(Leaf::Slot(slot)));
    let rare = |t: &mut Terms, constant: u32| {
        let all = slots.map(|slot| {
            let constant = t.constant(constant);
            let product = t.op(Op::Mul, slot, slot);
            t.eq(product, constant)
        });
        all.into_iter().reduce(|a, b| t.and(a, b)).unwrap()
    };
    let (one, other) = (rare(t, 0x1234_5679), rare(t, 0x1234_5681));
    assert!(!equal(t, &[], one, other));
    assert!(equal(t, &[], one, one));
}

#[test]
fn uninterpreted_reads_of_other_places_differ() {
    let t = &mut Terms::new(u64::MAX);
    let index = t.leaf(Leaf::Slot(0));
    let zero = t.constant(0);
    for at in [index, zero] {
        let reads = [(5, 0), (5, 1), (6, 0)].map(|(base, v)| t.app(Fun::Read(base, v), &[at]));
        let truths = reads.map(|read| t.truth(read));
        for (i, j) in [(0, 1), (0, 2), (1, 2)] {
            assert!(!equal(t, &[], reads[i], reads[j]));
            assert!(!equal(t, &[], truths[i], truths[j]));
        }
    }
}

#[test]
fn shifts_by_constants_are_those_of_64_bits() {
    let mut numbers = Random(3);
    for wide in [Wide::Shl, Wide::ShrS, Wide::ShrU, Wide::Rotl, Wide::Rotr] {
        for n in 0..64 {
            let mut terms = Terms::new(u64::MAX);
            let words = [0, 1].map(|slot| terms.leaf(Leaf::Slot(slot)));
            let shifted = shift_by(&mut terms, wide, words, n);
            for _ in 0..20 {
                let slots = [numbers.word(), numbers.word(), 0, 0];
                let found = shifted.map(|term| value(&terms, &slots, term));
                let expected = wide.eval(&[slots[0], slots[1], n, 0]).unwrap();
                assert_eq!(found[..], expected, "{wide:?} {n} {slots:?}");
            }
        }
    }
}

/// Words of wide results that are called zero are zero, whatever the other words are.
#[test]
fn words_called_zero_are_zero() {
    use Wide::*;
    let all = [Shl, ShrS, ShrU, Rotl, Rotr, MulS, MulU];
    let (mut numbers, mut found) = (Random(11), 0);
    for wide in all {
        for zeros in 0..16 {
            for _ in 0..100 {
                let v: [u32; 4] =
                    std::array::from_fn(|i| if zeros >> i & 1 == 1 { 0 } else { numbers.word() });
                for (i, word) in wide.eval(&v).unwrap().into_iter().enumerate() {
                    if wide.is_zero(i as u8, |j| zeros >> j & 1 == 1) {
                        assert_eq!(word, 0, "{wide:?} {v:x?} word {i}");
                        found += 1;
                    }
                }
            }
        }
    }
    assert!(found > 5000);
}
