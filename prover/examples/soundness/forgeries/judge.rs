//! Plays the verifier, with the check of all rules in place of a proof: public values are made
//! from the states around a shard, shards follow each other, the end is held to the statement.

use p3_field::PrimeField32;
use rwprove_circuits::{
    check::{Lookups, Violation},
    machine::{ChipId, Instance, gather},
    merkle::{MemoryTree, MerkleUpdate},
    shape::Shape,
    table::Shard,
};
use rwprove_circuits::{cpu, merkle::opening::OPENED_WORDS};
use rwprove_executor::Memory;
use rwprove_isa::{
    Exit, HALT_PC, Statement,
    layout::{REG, reg},
    record::Record,
};
use rwprove_verifier::{
    claim, machine,
    shards::{Boundary, State},
    step::FUEL_CHARGED,
};

use super::subject::Subject;

/// What became of a forgery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It changed nothing.
    Same,
    /// Refused by this rule.
    Refused(String),
    /// Everything holds.
    Accepted,
}

/// What stands before the next shard.
pub(crate) struct Judge<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) tree: MemoryTree,
    pub(crate) state: State,
}

/// The tables of a shard, and what of them is not in the record.
pub(crate) struct Filled {
    pub(crate) instances: Vec<Instance>,
    shape: Shape,
    root_after: [rwprove_circuits::Val; 8],
}

impl Judge<'_> {
    /// Fills the tables of the next shard; `update` may be meddled with. An adversary that cannot
    /// even do this has tried nothing, and panics.
    pub(crate) fn fill(
        &mut self,
        record: &Record,
        update: impl FnOnce(&mut MerkleUpdate),
    ) -> Filled {
        let mut merkle = self.tree.apply(&record.chunks).unwrap();
        update(&mut merkle);
        let shard = Shard { program: &self.subject.program, record, merkle: &merkle };
        let machine = &self.subject.machine;
        let shape = Shape::for_shard(machine, &shard).unwrap();
        // Lookups count as a dishonest prover likes, so this table need not be there.
        let tables = shape.tables().filter(|(chip, _)| *chip != ChipId::Bytes);
        let shape = Shape::new(tables.map(|(chip, log_height)| (chip, log_height as u8)));
        let instances = machine.fill_all(&shard, &shape);
        Filled { instances, shape, root_after: merkle.root_after }
    }

    /// Checks the next shard, with the public values that a verifier would make.
    pub(crate) fn shard(&mut self, filled: Filled) -> Result<(), String> {
        let Filled { mut instances, shape, root_after } = filled;
        let public = |chip: ChipId, place: usize| {
            let table = instances.iter().find(|instance| instance.chip.id() == chip);
            table.map_or(0, |table| table.publics[place].as_canonical_u32())
        };
        let boundary = Boundary {
            end: std::array::from_fn(|i| public(ChipId::Cpu, cpu::public::END + i)),
            spent: public(ChipId::Cpu, cpu::public::SPENT),
            charged: std::array::from_fn(|i| public(ChipId::Fuel, FUEL_CHARGED + i)),
            root: root_after,
        };
        let limit = self.subject.statement.fuel_limit;
        let publics = machine::publics(&shape, &boundary, &self.state, limit);
        for (instance, publics) in instances.iter_mut().zip(publics) {
            instance.publics = publics;
        }
        self.state = boundary.after(&self.state).ok_or("fuel exceeds 64 bits")?;
        let holds = gather(&instances).and_then(|check| check.finish(Lookups::Free));
        holds.map_err(|violation| rule(&violation))
    }

    /// Holds the end to what the adversary wants to be believed: that the honest input led to the
    /// end that this run's memory shows.
    pub(crate) fn end(&self, memory: &Memory) -> Result<(), String> {
        if self.state.registers.pc != HALT_PC {
            return Err("verifier: the run is not over".into());
        }
        let mut words = [0; OPENED_WORDS];
        for (address, word) in (REG..).zip(&mut words) {
            *word = memory.word(address).unwrap_or(0);
        }
        let opened = self.tree.open_results(words);
        if opened.root() != self.state.root {
            return Err("verifier: the results are not in the last memory".into());
        }
        let fuel = self.state.registers.fuel;
        let statement = said(&self.subject.statement, &words, fuel);
        let statement = statement.ok_or("verifier: no such exit")?;
        claim::check(&statement, fuel, &opened).map_err(|error| match error {
            claim::ClaimError::NotOutOfFuel { .. } => "verifier: the refused charge fits".into(),
            claim::ClaimError::OverLimit { .. } => "verifier: more fuel than the limit".into(),
            claim::ClaimError::Input => "verifier: digest of the input".into(),
            other => format!("verifier: {other}"),
        })
    }
}

/// The statement that fits the words of the results, and is like an honest one otherwise.
pub(crate) fn said(
    honest: &Statement,
    words: &[u32; OPENED_WORDS],
    fuel: u64,
) -> Option<Statement> {
    let word = |address: u32| words[(address - REG) as usize];
    let output = (reg::OUTPUT_DIGEST..).take(8).flat_map(|at| word(at).to_le_bytes());
    Some(Statement {
        exit: Exit::from_parts(word(reg::EXIT_KIND), word(reg::EXIT_CODE))?,
        fuel,
        output: output.collect::<Vec<_>>().try_into().ok()?,
        ..honest.clone()
    })
}

/// The rule that a violation breaks, whatever its row and values.
fn rule(violation: &Violation) -> String {
    match violation {
        Violation::Shape { table, .. } => format!("shape of {table}"),
        Violation::Constraint { table, columns, .. } => {
            let shown = columns.iter().take(6).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if columns.len() > 6 { ", …" } else { "" };
            format!("{table} constraint over {shown}{more}")
        }
        Violation::Bus { kind, sender, .. } => {
            let kind = kind.split(" of level").next().unwrap_or(kind);
            let sent_by = sender.map_or("nobody", |(table, _)| table);
            match kind {
                "range16" | "pair" | "and" | "pow" => format!("bus: {kind} from {sent_by}"),
                _ if kind.starts_with("request") => "bus: request".into(),
                _ => format!("bus: {kind}"),
            }
        }
    }
}
