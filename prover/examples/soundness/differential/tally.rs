//! What became of the modules and their runs.

use std::collections::{BTreeMap, BTreeSet};

use rwprove_fixtures::{Exit, smith::Class};

use super::generated::Sampled;
use crate::score::Score;

/// Names of the trap codes, in their order.
const TRAPS: [&str; 13] = [
    "unreachable",
    "memory_bounds",
    "table_bounds",
    "null_call",
    "division_by_zero",
    "integer_overflow",
    "bad_conversion",
    "stack_overflow",
    "bad_signature",
    "out_of_fuel",
    "unknown_function",
    "illegal_opcode",
    "other_trap",
];
/// Name of the count of [`Tally::refused`]; one in a thousand lowerings is allowed.
const REFUSED: &str = "refused_by_validator";
/// Runs of fewer instructions say little.
pub(super) const SHORT: u64 = 20;

/// Sums over modules.
#[derive(Default)]
pub(super) struct Tally {
    /// Modules that both sides compile and that were called.
    pub(super) modules: u64,
    /// Runs for the constraints.
    pub(super) samples: Vec<Sampled>,
    counts: BTreeMap<&'static str, u64>,
    classes: BTreeMap<Class, [u64; 3]>,
    /// Names of rWasm opcodes in blocks that ran to their end.
    pub(super) opcodes: BTreeSet<String>,
    failures: Vec<String>,
    refused: Vec<String>,
    /// Why rwasm refuses modules.
    reasons: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn add(&mut self, name: &'static str, count: u64) {
        *self.counts.entry(name).or_default() += count;
    }

    /// Something that must not be, counted under a name.
    pub(super) fn fail(&mut self, name: &'static str, what: String) {
        self.add(name, 1);
        self.failures.push(format!("{name}: {what}"));
    }

    /// An honest lowering that the validator does not see through.
    pub(super) fn refused(&mut self, what: String) {
        self.add(REFUSED, 1);
        self.refused.push(what);
    }

    /// A module that rwasm does not compile.
    pub(super) fn not_compiled(&mut self, why: String) {
        self.add("not_compiled", 1);
        *self.reasons.entry(why).or_default() += 1;
    }

    /// A run that both machines have made.
    pub(super) fn ran(&mut self, class: Class, exit: Exit, rows: u64, instructions: u64) {
        let end = match exit {
            Exit::Ok => "returns",
            Exit::Code(_) => "exit_codes",
            Exit::Trap(code) => TRAPS[usize::from(code).min(TRAPS.len() - 1)],
        };
        self.add(end, 1);
        self.add("calls", 1);
        self.add("rows", rows);
        self.add("instructions", instructions);
        self.add("calls_of_few_instructions", (instructions < SHORT).into());
        let [calls, returns, sum] = self.classes.entry(class).or_default();
        *calls += 1;
        *returns += u64::from(exit == Exit::Ok);
        *sum += instructions;
    }

    pub(super) fn merge(&mut self, other: Tally) {
        self.modules += other.modules;
        self.samples.extend(other.samples);
        other.counts.iter().for_each(|(name, count)| self.add(name, *count));
        for (class, counts) in other.classes {
            let sums = self.classes.entry(class).or_default();
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        self.opcodes.extend(other.opcodes);
        self.failures.extend(other.failures);
        self.refused.extend(other.refused);
        for (why, count) in other.reasons {
            *self.reasons.entry(why).or_default() += count;
        }
    }

    pub(super) fn report(&self, score: &mut Score) {
        let count = |name: &str| self.counts.get(name).copied().unwrap_or_default();
        score.add("modules", self.modules);
        let first = ["calls", "differences", "lowerings", REFUSED];
        first.iter().for_each(|&name| score.add(name, count(name)));
        for (name, count) in &self.counts {
            if !first.contains(name) {
                score.add(name, *count);
            }
        }
        score.add("opcodes_reached", self.opcodes.len() as u64);
        for (class, [calls, returns, instructions]) in &self.classes {
            score.notes.push(format!(
                "{class:?}: {calls} calls, {returns} return, {} instructions each",
                instructions / calls.max(&1)
            ));
        }
        for (why, count) in &self.reasons {
            score.notes.push(format!("not compiled by rwasm ({count}): {why}"));
        }
        let names: Vec<_> = self.opcodes.iter().map(String::as_str).collect();
        score.notes.push(format!("opcodes reached: {}", names.join(" ")));
        score.failures.extend_from_slice(&self.failures);
        // It errs on the safe side, but honest modules must hardly ever meet that.
        let refused = self.refused.iter().map(|what| format!("{REFUSED}: {what}"));
        if count(REFUSED) * 1000 > count("lowerings") {
            score.failures.extend(refused);
        } else {
            score.notes.extend(refused);
        }
    }
}
