//! Nothing of a proof may be chosen after the challenges that depend on it.
//!
//! The gate has four steps. An honest shard A is proved and its transcript recorded. Then another
//! shard B, of another program and run and with other heights, is proved with A's challenges
//! *frozen*: every item differs from A's. A verifier with frozen challenges accepts that proof, so
//! nothing but the transcript can refuse it; the real one must.
//!
//! Then each item by itself: the transcript absorbs all that A said, and of B's proof this one
//! item. Only the challenges right after it are new, so a refusal shows that this item is bound
//! by these challenges. Work witnesses count as found, so none of it is refused for want of work.
//!
//! What is absorbed is compared with a schedule written down from layout and proof; that of the
//! smallest shape is the committed `inventory.txt`, whose every change asks for a review.

mod schedule;
pub(crate) mod stark;
pub(crate) mod tape;

use std::ops::Range;

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use rwprove_circuits::{Val, machine::ChipId, shape::Shape};
use rwprove_executor::Input;
use rwprove_isa::{
    Instr, Op, Program, STUCK_PC,
    layout::STACK,
    record::{Record, RefreshEvent, clock},
};
use rwprove_prover::{setup, testing::filled};
use rwprove_verifier::{
    Preset,
    bytes::Writer,
    codec::{Proof, write_proof},
    config::{DIGEST, EXTENSION, Parameters},
};

use crate::{
    score::{Scale, Score},
    shards::{ops, proof::options},
};
use schedule::{Kind, Source, Step, inventory, schedule};
use stark::{TapeProof, Witness};
use tape::{Event, Script, Tape};

const INVENTORY: &str = include_str!("inventory.txt");

pub(crate) fn run(scale: &Scale) -> Score {
    let mut score = Score::default();
    smallest(&mut score);
    let presets = if scale.full { Preset::ALL.as_slice() } else { &[Preset::P100] };
    for preset in presets {
        gate(*preset, scale, &mut score);
    }
    score
}

/// One side of the gate.
struct Side {
    seed: u32,
    /// The middle shard to take; as many passes over all operations go before it.
    shard: usize,
    state: u32,
    fuel_limit: u64,
    /// log2 of all tables' heights, in their order. Both sides have the same set of heights, and
    /// so the same folds, but only `bytes` has the same on both.
    heights: [u8; ChipId::COUNT],
}

const A: Side = Side {
    seed: 5,
    shard: 1,
    state: 1,
    fuel_limit: 0xfff1_fff2_fff3_fff4,
    heights: [12, 14, 9, 8, 9, 8, 9, 8, 9, 8, 13, 16, 16],
};
const B: Side = Side {
    seed: 0x1234_5679,
    shard: 2,
    state: 0,
    fuel_limit: 0xeee1_eee2_eee3_eee4,
    heights: [14, 9, 8, 9, 8, 9, 8, 9, 8, 9, 12, 13, 16],
};

impl Side {
    fn witness(&self, preset: Preset) -> Witness {
        let pass = ops::Last::all();
        let lasts = vec![pass.clone(); self.shard + 2].concat();
        let mut program = ops::program(&lasts, 16, self.seed);
        let code = 1 << (self.heights[ChipId::Program as usize] - 1);
        let stuck = Instr { c: STUCK_PC as i32, ..Instr::new(Op::Jump) };
        let code = program.code.len().max(code + 1);
        program.code.resize(code, stuck);
        let (key, vkey) = setup(program.clone(), preset).unwrap();
        let input = Input {
            bytes: self.seed.to_le_bytes().to_vec(),
            state: self.state,
            fuel_limit: Some(self.fuel_limit),
        };
        let options = options(&program, 16 * pass.len() as u64);
        let mut shard = filled(&key, &input, &options).unwrap().swap_remove(self.shard);
        refresh(&mut shard.record, &program);
        let heights = ChipId::ALL.iter().copied().zip(self.heights);
        Witness::new(&program, vkey, &shard, Shape::new(heights))
    }
}

/// Carries a word to a later time once, which the executor would do after a long gap alone.
fn refresh(record: &mut Record, program: &Program) {
    let (row, event, slot) = record
        .cpu
        .iter_mut()
        .enumerate()
        .find_map(|(row, event)| {
            let slot = program.code[event.pc as usize].a?;
            (event.times[0] + 1 < clock(row)).then_some((row, event, slot))
        })
        .unwrap();
    let (before, time) = (event.times[0], clock(row) - 1);
    event.times[0] = time;
    let addr = STACK.wrapping_add(event.fp).wrapping_add_signed(slot);
    record.refresh.push(RefreshEvent { addr, value: event.a, before, time });
}

/// Items with their places in the transcript.
fn placed(steps: &[Step]) -> impl Iterator<Item = (&Step, Range<usize>)> {
    steps.iter().scan(0, |at, step| {
        let start = *at;
        *at += step.len();
        Some((step, start..*at))
    })
}

/// The four steps, then each item.
fn gate(preset: Preset, scale: &Scale, score: &mut Score) {
    let (a, b) = (A.witness(preset), B.witness(preset));
    // Step 1: an honest proof.
    let tape = Tape::real();
    let honest = a.prove(&tape);
    let script = tape.log();
    let tape = Tape::real();
    if a.verify(&honest, &tape).is_err() || tape.log() != script {
        score.failures.push("prover and verifier have different transcripts".into());
        return;
    }
    expect(&schedule(&a, &honest), &script, score);
    // Steps 2 and 3: another, with the same challenges.
    let other = b.prove(&Tape::frozen(&script));
    let tape = Tape::frozen(&script);
    if let Err(error) = b.verify(&other, &tape) {
        score.failures.push(format!("with frozen challenges: {error}"));
        return;
    }
    let said = tape.log();
    let steps = schedule(&b, &other);
    expect(&steps, &said, score);
    items(&b, &other, &steps, [&script, &said], scale, score);
    // Step 4: the verifier of the product.
    let other = b.shard(other);
    complete(&steps, &b, &other.proof, score);
    let refused = b.accepts(&other).is_err();
    score.attempt(refused, || "a proof with frozen challenges is accepted".into());
    let honest = a.shard(honest);
    if let Err(error) = a.accepts(&honest) {
        score.failures.push(format!("an honest proof is refused: {error}"));
    }
}

/// Each item of `other` alone among all that the honest proof said.
fn items(
    b: &Witness,
    other: &TapeProof,
    steps: &[Step],
    [script, said]: [&Script; 2],
    scale: &Scale,
    score: &mut Score,
) {
    let refused = |item: Range<usize>, shift: Val, all_later: bool| {
        b.verify(other, &Tape::mixed(script, item, shift, all_later)).is_err()
    };
    // Without any item of its own it is the frozen transcript.
    if refused(0..0, Val::ZERO, true) {
        score.failures.push("the honest transcript gives other challenges".into());
    }
    let mut attacks = Vec::new();
    for (step, item) in placed(steps) {
        let Kind::Absorb(source, _) = step.kind else { continue };
        let same = script[item.clone()] == said[item.clone()];
        // Constants are the same on both sides; they are changed artificially.
        let constant = source == Source::Seed && !step.label.starts_with("height")
            || ["height of bytes", "preprocessed of bytes, now"].contains(&&*step.label);
        if same != constant {
            score.failures.push(format!("{}: the same on both sides: {same}", step.label));
        }
        let shift = if same { Val::ONE } else { Val::ZERO };
        let label = &step.label;
        attacks.extend([false, true].map(|all| (label, item.clone(), shift, all)));
        // Single elements of it too, in quick one.
        let (first, step) = match scale.full {
            _ if item.len() == 1 => continue,
            false => (scale.seed as usize % item.len(), item.len()),
            true => (0, 29),
        };
        for place in item.skip(first).step_by(step) {
            let shift = if script[place] == said[place] { Val::ONE } else { Val::ZERO };
            attacks.push((label, place..place + 1, shift, false));
        }
    }
    let refused: Vec<_> = attacks
        .into_par_iter()
        .map(|(label, item, shift, all_later)| (label, refused(item, shift, all_later)))
        .collect();
    for (label, refused) in refused {
        score.attempt(refused, || format!("{label} does not change what is accepted"));
    }
}

/// Whether a transcript is the one that the schedule says.
fn expect(steps: &[Step], log: &Script, score: &mut Score) {
    let total: usize = steps.iter().map(Step::len).sum();
    if total != log.len() {
        let found = log.len();
        score.failures.push(format!("the schedule has {total} elements, the transcript {found}"));
    }
    for (step, place) in placed(steps) {
        let found = log.get(place).unwrap_or_default();
        let right = match &step.kind {
            Kind::Absorb(_, values) => {
                values.iter().map(|value| Event::Absorb(*value)).eq(found.iter().copied())
            }
            Kind::Elements(_) => found.iter().all(|event| matches!(event, Event::Squeeze(_))),
            Kind::Bits(_, bits) => {
                found.iter().all(|e| matches!(e, Event::Bits(drawn) if drawn >> bits == 0))
            }
        };
        if !right {
            score
                .failures
                .push(format!("{} is not in the transcript where it should be", step.label));
            return;
        }
    }
}

/// Every element of a proof is absorbed, but for what opens commitments at the positions drawn,
/// and for the witnesses of no work, which the library holds to zero.
fn complete(steps: &[Step], witness: &Witness, proof: &Proof, score: &mut Score) {
    let mut out = Writer::default();
    write_proof(proof, &mut out);
    let all = out.into_bytes().len() / 4;
    let fri = &proof.opening_proof;
    let rows = fri.input_openings.iter().map(|batch| {
        let values = batch.opened_values.iter().flatten().map(Vec::len).sum::<usize>();
        values + 1 + DIGEST * batch.opening_proof.sibling_hashes.len()
    });
    let folds = fri.commit_phase_openings.iter().map(|fold| {
        let values = fold.sibling_values.iter().map(Vec::len).sum::<usize>();
        EXTENSION * values + 1 + DIGEST * fold.opening_proof.sibling_hashes.len()
    });
    let Parameters { lookup_bits, ood_bits, .. } = witness.key.preset.parameters();
    let free = [(lookup_bits, proof.lookup_pow_witness), (ood_bits, Some(proof.ood_pow_witness))];
    let free = free.iter().filter(|(bits, witness)| *bits == 0 && witness.is_some()).count();
    let absorbed = steps.iter().filter(|s| matches!(s.kind, Kind::Absorb(Source::Proof, _)));
    let absorbed = absorbed.map(Step::len).sum::<usize>();
    let left = all - rows.sum::<usize>() - folds.sum::<usize>() - free;
    if left != absorbed {
        score.failures.push(format!("{left} elements must be absorbed, {absorbed} are"));
    }
    score.add("elements", absorbed as u64);
}

/// The smallest shape: its schedule is the inventory.
fn smallest(score: &mut Score) {
    let program = ops::program(&[ops::Last::Plain(Op::Mov); 3], ops::ROWS, 1);
    let (key, vkey) = setup(program.clone(), Preset::P100).unwrap();
    let input = Input::default();
    let shard = filled(&key, &input, &options(&program, ops::ROWS)).unwrap().swap_remove(1);
    let witness = Witness::new(&program, vkey, &shard, shard.shape);
    let tape = Tape::real();
    let proof = witness.prove(&tape);
    let steps = schedule(&witness, &proof);
    expect(&steps, &tape.log(), score);
    let found = inventory(&steps);
    if found != INVENTORY {
        let path = std::env::temp_dir().join("rwprove-inventory.txt");
        std::fs::write(&path, found).unwrap();
        let path = path.display();
        score.failures.push(format!("the inventory is another: review {path}, then commit it"));
    }
}
