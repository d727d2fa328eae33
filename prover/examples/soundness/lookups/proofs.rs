//! Attacks on a real proof: terminals of the lookup argument, heights in its shape, and a table
//! that is left out.

use p3_air::BaseAir;
use p3_batch_stark::{ProverData, StarkInstance, prove_batch};
use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{
    Challenge, Val,
    machine::{Chip, ChipId, Instance},
    shape::{CPU_CLASSES, Shape, always_present, log_heights},
};
use rwprove_isa::Statement;
use rwprove_prover::{Options, Proved, prove, testing::Filled};
use rwprove_verifier::{
    VerifyingKey,
    bytes::{Reader, Writer},
    codec::Proof,
    config::Config,
    machine,
    shards::{Shard, State, VerifyError, verify},
};

use crate::{
    programs::Case,
    score::{Scale, Score},
};

pub(super) fn run(scale: &Scale, score: &mut Score) {
    let fixtures = rwprove_fixtures::sample();
    let fixture = fixtures.iter().find(|f| f.name.starts_with("wat/control: collatz")).unwrap();
    let target = Target::new(&Case::new(fixture));
    for (name, change) in terminals(target.shard().proof.lookup_terminals.len()) {
        let mut shard = target.shard();
        change(&mut shard.proof);
        target.attempt(score, &format!("terminals: {name}"), &shard);
    }
    for (name, shape) in shapes(&target.filled.shape) {
        let shard = Shard { shape, ..target.shard() };
        let mut out = Writer::default();
        shard.write(&mut out);
        let bytes = out.into_bytes();
        let read = Shard::read(&target.key, 0, &mut Reader::new(&bytes));
        let early = matches!(read, Err(VerifyError::Shape { .. }));
        let refused = early && target.verify_bytes(&bytes).is_err();
        score.attempt(refused, || format!("shape: {name}: not refused before verification"));
    }
    let optional = target.filled.instances.iter().map(|instance| instance.chip.id());
    let optional: Vec<_> = optional.filter(|&id| !always_present(id)).collect();
    for id in optional.into_iter().take(scale.pick(1, ChipId::COUNT)) {
        target.left_out(score, id);
    }
}

/// An honest proof of one shard.
struct Target {
    key: VerifyingKey,
    config: Config,
    statement: Statement,
    fuel_limit: u64,
    filled: Filled,
    /// The proof up to its shard.
    head: Vec<u8>,
    shard: Vec<u8>,
}

impl Target {
    fn new(case: &Case) -> Self {
        let options = Options::default();
        let Proved { mut proof, statement, .. } =
            prove(&case.key, &case.input, &options, &mut |_| ()).unwrap();
        let mut shards = case.filled();
        assert_eq!(shards.len(), 1);
        let filled = shards.remove(0);
        // A shard begins with its shape.
        let shape: Vec<u8> = ChipId::ALL
            .iter()
            .map(|&id| filled.shape.log_height(id).map_or(u8::MAX, |height| height as u8))
            .collect();
        let at = proof.windows(shape.len()).position(|bytes| bytes == shape).unwrap();
        let shard = proof.split_off(at);
        let key = *case.key.verifying_key();
        let config = key.preset.parameters().config();
        let fuel_limit = case.input.fuel_limit.unwrap_or(u64::MAX);
        let target = Self { key, config, statement, fuel_limit, filled, head: proof, shard };
        target.verify_bytes(&target.shard).unwrap();
        target.verify(&target.shard()).unwrap();
        target
    }

    fn shard(&self) -> Shard {
        Shard::read(&self.key, 0, &mut Reader::new(&self.shard)).unwrap()
    }

    /// Verifies the whole proof with these bytes of a shard.
    fn verify_bytes(&self, shard: &[u8]) -> Result<(), VerifyError> {
        let proof = [&self.head, shard].concat();
        verify(&self.key.digest(), &self.statement, &proof).map(|_| ())
    }

    /// Verifies a shard as it is, even if no bytes say the same.
    fn verify(&self, shard: &Shard) -> Result<(), VerifyError> {
        let Filled { record, merkle, .. } = &self.filled;
        let before = State { registers: record.start, root: merkle.root_before };
        shard.verify(&self.key, &self.config, 0, self.fuel_limit, &before).map(|_| ())
    }

    fn attempt(&self, score: &mut Score, name: &str, shard: &Shard) {
        let mut out = Writer::default();
        shard.write(&mut out);
        let bytes = out.into_bytes();
        if bytes == self.shard {
            return score.failures.push(format!("{name}: changes nothing"));
        }
        let refused = self.verify(shard).is_err() && self.verify_bytes(&bytes).is_err();
        score.attempt(refused, || name.into());
    }

    /// Proves the shard without one of its tables, then makes the terminals add up.
    fn left_out(&self, score: &mut Score, id: ChipId) {
        let name = id.name();
        let rest = self.filled.instances.iter().filter(|instance| instance.chip.id() != id);
        let rest: Vec<_> = rest.cloned().collect();
        let heights = self.filled.shape.tables().filter(|(other, _)| *other != id);
        let shape = Shape::new(heights.map(|(other, height)| (other, height as u8)));
        let proof = match self.prove(&shape, &rest) {
            Ok(proof) => proof,
            Err(error) => return score.failures.push(format!("{name} left out: {error}")),
        };
        let mut shard = Shard { shape, proof, boundary: self.shard().boundary };
        self.attempt(score, &format!("{name} is left out of the shape"), &shard);
        let terminals = &mut shard.proof.lookup_terminals;
        let sum: Challenge = terminals.iter().flatten().map(|terminal| terminal.0).sum();
        assert_ne!(sum, Challenge::ZERO);
        if let Some(terminal) = &mut terminals[0] {
            terminal.0 -= sum;
        }
        self.attempt(score, &format!("{name} is left out and a terminal makes up for it"), &shard);
    }

    /// A proof of these tables, whether their messages balance or not.
    fn prove(&self, shape: &Shape, instances: &[Instance]) -> Result<Proof, String> {
        let layout = machine::layout(shape, self.key.preset.parameters());
        let fixed = instances.iter().filter(|i| i.chip.preprocessed_width() > 0);
        let (fixed, heights): (Vec<Chip>, Vec<usize>) =
            fixed.map(|i| (i.chip.clone(), shape.log_height(i.chip.id()).unwrap_or(0))).unzip();
        let data = ProverData::from_airs_and_degrees(&self.config, &fixed, &heights)
            .map_err(|error| error.to_string())?;
        let common = layout.common(Some(vec![self.key.preprocessed].into()));
        let data = ProverData { common, prover_only: data.prover_only };
        let stark: Vec<_> = instances
            .iter()
            .map(|Instance { chip, trace, publics }| StarkInstance {
                air: chip,
                trace,
                public_values: publics.clone(),
            })
            .collect();
        prove_batch(&self.config, &stark, &data).map_err(|error| error.to_string())
    }
}

type Change = Box<dyn Fn(&mut Proof)>;

/// Adds to the terminal of a table.
fn add(proof: &mut Proof, table: usize, value: Challenge) {
    if let Some(terminal) = &mut proof.lookup_terminals[table] {
        terminal.0 += value;
    }
}

/// Changes of the terminals of so many tables.
fn terminals(tables: usize) -> Vec<(String, Change)> {
    let one = Challenge::ONE;
    let mut all: Vec<(String, Change)> = Vec::new();
    for table in 0..tables {
        let next = (table + 1) % tables;
        all.push((format!("{table} plus one"), Box::new(move |proof| add(proof, table, one))));
        let cancel = move |proof: &mut Proof| {
            add(proof, table, one);
            add(proof, next, -one);
        };
        all.push((format!("{table} plus one, {next} minus one"), Box::new(cancel)));
        let missing = move |proof: &mut Proof| proof.lookup_terminals[table] = None;
        all.push((format!("{table} is missing"), Box::new(missing)));
        let moved = move |proof: &mut Proof| {
            let value = proof.lookup_terminals[table].map_or(one, |terminal| terminal.0);
            add(proof, table, -value);
            add(proof, next, value);
        };
        all.push((format!("{table} moves to {next}"), Box::new(moved)));
    }
    let scaled = |factor: Challenge| {
        move |proof: &mut Proof| {
            proof.lookup_terminals.iter_mut().flatten().for_each(|t| t.0 *= factor);
        }
    };
    all.push(("all are zero".into(), Box::new(scaled(Challenge::ZERO))));
    all.push(("all are negated".into(), Box::new(scaled(-one))));
    all.push(("all are doubled".into(), Box::new(scaled(Challenge::TWO))));
    all.push(("in reverse".into(), Box::new(|proof| proof.lookup_terminals.reverse())));
    all.push(("there is none".into(), Box::new(|proof| proof.lookup_terminals.fill(None))));
    let uncommitted = |proof: &mut Proof| {
        proof.lookup_terminals.fill(None);
        proof.commitments.permutation = None;
        proof.lookup_pow_witness = None;
    };
    all.push(("there is no lookup argument".into(), Box::new(uncommitted)));
    let witness = |proof: &mut Proof| proof.lookup_pow_witness = Some(Val::NEG_ONE);
    all.push(("another grinding witness".into(), Box::new(witness)));
    all
}

/// Shapes that no proof may have.
fn shapes(honest: &Shape) -> Vec<(String, Shape)> {
    let mut all = Vec::new();
    let with = |id: ChipId, height: Option<u8>| {
        let rest = honest.tables().filter(|(other, _)| *other != id);
        let rest = rest.map(|(other, height)| (other, height as u8));
        Shape::new(rest.chain(height.map(|height| (id, height))))
    };
    for &id in ChipId::ALL {
        let (min, max) = log_heights(id);
        let heights = [min - 1, max + 1, 31, 32, 64, 254];
        let name = id.name();
        all.extend(heights.map(|h| (format!("{name} 2^{h}"), with(id, Some(h as u8)))));
        if always_present(id) {
            all.push((format!("{name} is missing"), with(id, None)));
        }
    }
    let (min, max) = (CPU_CLASSES[0], CPU_CLASSES[CPU_CLASSES.len() - 1]);
    for class in (min..max).filter(|class| !CPU_CLASSES.contains(class)) {
        all.push((format!("cpu 2^{class}, no class"), with(ChipId::Cpu, Some(class as u8))));
    }
    let program = honest.log_height(ChipId::Program).unwrap() as u8;
    for height in [program - 1, program + 1] {
        all.push((format!("program 2^{height}"), with(ChipId::Program, Some(height))));
    }
    all
}
