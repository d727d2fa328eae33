//! What the algorithm costs, counted without a proof.

use std::collections::BTreeMap;

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{Challenge, Val, machine::ChipId, shape::Shape};
use rwprove_verifier::{Preset, machine::layout};

use crate::{
    backend::{Backend, Rule},
    verify::{Head, Stark, constraints, queries, terminals},
};

/// Counts operations. Values are known if they are constants.
#[derive(Default)]
struct Counter {
    counts: BTreeMap<&'static str, usize>,
    absorbed: usize,
    squeezable: usize,
}

type Known = Option<Challenge>;

impl Counter {
    fn count(&mut self, what: &'static str, number: usize) {
        *self.counts.entry(what).or_default() += number;
    }

    fn gate(&mut self, value: Known) -> Known {
        self.count("gates", usize::from(value.is_none()));
        value
    }

    fn duplex(&mut self) {
        self.count("permutations: transcript", 1);
        (self.absorbed, self.squeezable) = (0, 8);
    }

    fn absorb(&mut self, number: usize) {
        for _ in 0..number {
            self.squeezable = 0;
            self.absorbed += 1;
            if self.absorbed == 8 {
                self.duplex();
            }
        }
    }

    fn squeeze(&mut self, number: usize) {
        for _ in 0..number {
            if self.absorbed > 0 || self.squeezable == 0 {
                self.duplex();
            }
            self.squeezable -= 1;
        }
    }

    fn take(&mut self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut self.counts)
    }
}

impl Backend for Counter {
    type Felt = Option<Val>;
    type Ext = Known;
    type Bit = ();
    type Digest = ();

    fn felt(&mut self, value: Val) -> Option<Val> {
        Some(value)
    }

    fn ext(&mut self, value: Challenge) -> Known {
        Some(value)
    }

    fn read_felt(&mut self) -> Result<Option<Val>, Rule> {
        self.count("hints: felts", 1);
        Ok(None)
    }

    fn read_ext(&mut self) -> Result<Known, Rule> {
        self.count("hints: elements", 1);
        Ok(None)
    }

    fn read_digest(&mut self) -> Result<(), Rule> {
        self.count("hints: digests", 1);
        Ok(())
    }

    fn lift(&mut self, x: &Option<Val>) -> Known {
        x.map(Challenge::from)
    }

    fn add(&mut self, x: &Known, y: &Known) -> Known {
        let value = x.zip(*y).map(|(x, y)| x + y);
        match [x, y].contains(&&Some(Challenge::ZERO)) {
            true => x.or(*y).filter(|_| value.is_some()),
            false => self.gate(value),
        }
    }

    fn sub(&mut self, x: &Known, y: &Known) -> Known {
        self.gate(x.zip(*y).map(|(x, y)| x - y))
    }

    fn mul(&mut self, x: &Known, y: &Known) -> Known {
        match [x, y].contains(&&Some(Challenge::ONE)) {
            true => x.zip(*y).map(|(x, y)| x * y),
            false => self.gate(x.zip(*y).map(|(x, y)| x * y)),
        }
    }

    fn mul_add(&mut self, _: &Known, _: &Known, _: &Known) -> Known {
        self.gate(None)
    }

    fn gate(&mut self, _: [Val; 5], _: &Known, _: &Known, _: &Known) -> Known {
        self.gate(None)
    }

    fn scale(&mut self, k: Val, x: &Known) -> Known {
        if k == Val::ONE { *x } else { self.gate(x.map(|x| x * k)) }
    }

    fn inverse(&mut self, _: &Known) -> Result<Known, Rule> {
        self.count("inverses", 1);
        Ok(None)
    }

    fn recompose(&mut self, _: &[Known; 5]) -> Known {
        self.count("gates", 4);
        None
    }

    fn assert_eq(&mut self, _: Rule, _: &Known, _: &Known) -> Result<(), Rule> {
        self.count("assertions", 1);
        Ok(())
    }

    fn linear(&mut self, terms: &[(Val, &Option<Val>)], _: Val) -> Option<Val> {
        self.count("gates", terms.len().div_ceil(2));
        None
    }

    fn multiply(&mut self, _: &Option<Val>, _: &Option<Val>) -> Option<Val> {
        self.count("gates of products", 1);
        None
    }

    fn assert_felt_eq(&mut self, _: Rule, _: &Option<Val>, _: &Option<Val>) -> Result<(), Rule> {
        self.count("assertions", 1);
        Ok(())
    }

    fn bits(&mut self, _: Rule, _: &Option<Val>, count: usize, _: bool) -> Result<Vec<()>, Rule> {
        self.count("bits", 1);
        Ok(vec![(); count])
    }

    fn compose(&mut self, bits: &[()]) -> Option<Val> {
        self.count("gates", bits.len().div_ceil(2));
        None
    }

    fn product(&mut self, _: Val, bits: &[()], _: &[Val]) -> Option<Val> {
        self.count("gates of products", bits.len());
        None
    }

    fn hash(&mut self, elements: &[Option<Val>]) {
        self.count("permutations: other", elements.len().div_ceil(8));
    }

    fn compress(&mut self, (): &(), (): &()) {
        self.count("permutations: other", 1);
    }

    fn climb(&mut self, (): &(), bits: &[()], inject: &[Option<()>]) -> Result<(), Rule> {
        let inject = inject.iter().flatten().count();
        self.count("permutations: paths", bits.len() + inject);
        self.count("paths", 1);
        Ok(())
    }

    fn assert_digest_eq(&mut self, _: Rule, (): &(), (): &()) -> Result<(), Rule> {
        Ok(())
    }

    fn digest(&mut self, _: &[Option<Val>; 8]) {}

    fn elements(&mut self, (): &()) -> [Option<Val>; 8] {
        [None; 8]
    }

    fn open_rows(&mut self, widths: &[usize], _: &Known) -> Result<((), Vec<Known>), Rule> {
        let blocks = widths.iter().sum::<usize>().div_ceil(8);
        self.count("rows: blocks", blocks);
        self.count("rows: leaves", 1);
        self.count("rows: sums", widths.len());
        self.count("permutations: leaves", blocks);
        Ok(((), vec![None; widths.len()]))
    }

    fn fold(
        &mut self,
        _: &Known,
        position: &[()],
        _: &Option<Val>,
        _: &Known,
    ) -> Result<(Known, ()), Rule> {
        let kind = ["", "folds of 2", "folds of 4", "folds of 8"][position.len()];
        self.count(kind, 1);
        self.count("permutations: folds", (5usize << position.len()).div_ceil(8));
        Ok((None, ()))
    }

    fn begin(&mut self) {
        (self.absorbed, self.squeezable) = (0, 0);
    }

    fn observe(&mut self, _: &Option<Val>) {
        self.absorb(1);
    }

    fn observe_ext(&mut self, _: &Known) {
        self.absorb(5);
    }

    fn observe_digest(&mut self, (): &()) {
        self.absorb(8);
    }

    fn sample_ext(&mut self) -> Known {
        self.squeeze(5);
        None
    }

    fn sample_bits(&mut self, count: usize) -> Result<Vec<()>, Rule> {
        self.squeeze(1);
        self.count("bits", 1);
        Ok(vec![(); count])
    }
}

fn print(what: &str, counts: &BTreeMap<&str, usize>) {
    let sum = |start: &str| -> usize {
        counts.iter().filter(|(name, _)| name.starts_with(start)).map(|(_, n)| n).sum()
    };
    println!("  {what}: {} permutations, {} gates", sum("permutations"), sum("gates"));
    counts.iter().for_each(|(name, number)| println!("    {name}: {number}"));
}

/// Prints the operations for one shape.
fn print_costs(name: &str, shape: &Shape, preset: Preset) {
    let stark = Stark::new(&layout(shape, preset.parameters())).unwrap();
    let b = &mut Counter::default();
    let publics: Vec<_> = stark.publics().map(|count| vec![None; count]).collect();
    let heights: Vec<_> = shape.tables().map(|(chip, h)| format!("{} {h}", chip.name())).collect();
    println!("{name}, {preset:?}: {}", heights.join(", "));
    println!("  folds {:?}", stark.folds);
    let head = Head::read(b, &stark, &publics, Some(&())).unwrap();
    print("head", &b.take());
    constraints(b, &stark, &head, &publics).unwrap();
    terminals(b, &head).unwrap();
    print("constraints", &b.take());
    queries(b, &stark, &head).unwrap();
    print("queries", &b.take());
}

#[test]
fn costs() {
    for log_cpu in 18..=20 {
        print_costs("largest", &Shape::largest(log_cpu, 14), Preset::P100);
    }
    for log_cpu in 18..=20 {
        let h = |below: usize| (log_cpu - below) as u8;
        // About what programs without Keccak have.
        let shape = Shape::new([
            (ChipId::Cpu, h(0)),
            (ChipId::Bitwise, h(2)),
            (ChipId::Shift, h(3)),
            (ChipId::Mul, h(4)),
            (ChipId::Access, h(1)),
            (ChipId::Merkle, h(5)),
            (ChipId::Program, 14),
            (ChipId::Bytes, 16),
        ]);
        print_costs("typical", &shape, Preset::P100);
    }
}
