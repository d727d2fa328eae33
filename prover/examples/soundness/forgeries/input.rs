//! Runs on another input, or as another call, than the statement says.

use rwprove_executor::{Input, Run};

use super::{
    judge::{Judge, Verdict},
    site::mix,
    subject::{Subject, start},
};
use crate::score::Scale;

/// What is not as the statement says.
pub(crate) const KIND: &str = "altered input";

/// Tries other inputs for every subject; the run itself is honest.
pub(crate) fn run(subjects: &[Subject], scale: &Scale) -> Vec<(String, Verdict)> {
    let each = scale.pick(1, 8) as u64;
    let mut tried = Vec::new();
    for (number, subject) in subjects.iter().enumerate() {
        for i in 0..each {
            let seed = mix(scale.seed << 32 ^ (number as u64) << 8 ^ i);
            let input = altered(&subject.input, seed);
            if input != subject.input
                && let Some(verdict) = judged(subject, &input)
            {
                tried.push((format!("{} on {input:?}", subject.name), verdict));
            }
        }
    }
    tried
}

fn altered(input: &Input, seed: u64) -> Input {
    let Input { mut bytes, mut state, fuel_limit } = input.clone();
    let place = (seed >> 8) as usize % bytes.len().max(1);
    match seed % 4 {
        0 => state ^= 1,
        1 => bytes.push((seed >> 16) as u8),
        2 => drop(bytes.pop()),
        _ => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1 << (seed >> 20 & 7)),
    }
    Input { bytes, state, fuel_limit }
}

/// `None` if the run has no end.
fn judged(subject: &Subject, input: &Input) -> Option<Verdict> {
    let mut options = subject.options();
    options.max_rows *= 2;
    let mut run = Run::new(&subject.program, input, options).ok()?;
    let (tree, _) = start(&subject.program, input);
    // The verifier takes the input's digest from the proof, and the state from the statement.
    let said = Input { state: subject.input.state, ..input.clone() };
    let (_, state) = start(&subject.program, &said);
    let mut judge = Judge { subject, tree, state };
    for record in run.by_ref() {
        let filled = judge.fill(&record.ok()?, |_| ());
        if let Err(rule) = judge.shard(filled) {
            return Some(Verdict::Refused(rule));
        }
    }
    Some(judge.end(run.memory()).map_or_else(Verdict::Refused, |()| Verdict::Accepted))
}
