//! Which shapes the shards of a run may have.

use rwprove_circuits::{
    machine::{ChipId, Machine},
    shape::{Shape, ShapeError, listed},
    table::Shard,
};
use rwprove_executor::Rows;
use rwprove_verifier::{
    VerifyingKey,
    compressed::{self, Fixed},
    config::Layer,
    head::Kind,
    machine,
};

use crate::{
    error::ProveError,
    execution::Cut,
    keys::ProvingKey,
    memory::{self, estimate, rows},
    prove::Options,
};

/// Which shapes the shards of a run may have.
#[derive(Clone, Debug)]
pub(crate) enum Shapes {
    /// The smallest heights that hold what happened, which is within these rows.
    Free(Rows),
    /// The first of these that holds it, which is within the same rows besides.
    Listed(Vec<Shape>, Rows),
}

impl Shapes {
    /// The shapes for a kind of proof.
    pub(crate) fn new(key: &VerifyingKey, options: &Options) -> Result<Self, ProveError> {
        let Options { kind, limits, max_memory, .. } = options;
        match (kind, limits) {
            (Kind::Shards, Some(rows)) => Ok(Self::Free(*rows)),
            (Kind::Shards, None) => Ok(Self::Free(memory::limits(key, *max_memory)?)),
            (Kind::Compressed, rows) => {
                Self::listed(key, *max_memory, rows.unwrap_or(Rows::each(u64::MAX)))
            }
        }
    }

    /// The listed shapes for the program that prove in `memory` bytes; shards are within `rows`
    /// besides.
    fn listed(key: &VerifyingKey, memory: u64, within: Rows) -> Result<Self, ProveError> {
        let program = key.log_height as usize;
        let mut of_program =
            listed().filter(|s| s.log_height(ChipId::Program) == Some(program)).peekable();
        if of_program.peek().is_none() {
            return Err(ProveError::ProgramHeight(program));
        }
        let wide = &Fixed::of(key.preset).wide;
        // Shards and circuits are proved by turns, and no circuit is larger than a wide leaf.
        let circuit = estimate(&compressed::layout(wide, key.preset, Layer::Inner));
        let needed =
            |shape: &Shape| estimate(&machine::layout(shape, key.preset.parameters())).max(circuit);
        let (mut smallest, mut shapes) = (u64::MAX, Vec::new());
        for shape in of_program {
            let needed = needed(&shape);
            if shape.room(ChipId::Keccak) > 0 {
                smallest = smallest.min(needed);
            }
            if needed <= memory {
                shapes.push(shape);
            }
        }
        // A run ends with permutations.
        if smallest > memory {
            return Err(ProveError::Memory { needed: smallest, allowed: memory });
        }
        Ok(Self::Listed(shapes, within))
    }

    /// What the executor may put into a shard.
    pub(crate) fn limits(&self) -> Vec<Rows> {
        match self {
            Self::Free(rows) => vec![*rows],
            Self::Listed(shapes, within) => {
                shapes.iter().map(|shape| rows(shape).within(within)).collect()
            }
        }
    }

    /// The shape of what was cut from a run.
    pub(crate) fn of_cut(&self, key: &ProvingKey, cut: &Cut) -> Result<Shape, ProveError> {
        let Cut { record, merkle } = cut;
        self.of(&key.machine, &Shard { program: &key.program, record, merkle })
            .map_err(|error| ProveError::Shape { shard: record.index, error })
    }

    /// The shape of a shard.
    pub(crate) fn of(&self, machine: &Machine, shard: &Shard<'_>) -> Result<Shape, ShapeError> {
        match self {
            Self::Free(_) => Shape::for_shard(machine, shard),
            Self::Listed(shapes, _) => Shape::first(shapes, machine, shard),
        }
    }
}
