//! One shard: its tables, and their proof between the states around it.

use p3_batch_stark::{ProverData, ProverOnlyData, StarkInstance, prove_batch};
use p3_field::PrimeField32;
use rwprove_circuits::{
    Val, cpu,
    machine::{ChipId, Instance},
    shape::Shape,
    table,
};
use rwprove_verifier::{
    codec::Proof,
    config::Config,
    machine,
    shards::{Boundary, Shard, State},
    step,
};

use crate::{error::ProveError, execution::Cut, keys::ProvingKey, shapes::Shapes};

/// A proved shard between two states of a run.
#[allow(missing_debug_implementations)] // the library's proof has none
pub struct ProvedShard {
    /// Its place in the run, from 0.
    pub number: u32,
    /// Shape, boundary and proof.
    pub shard: Shard,
    /// The state before it.
    pub before: State,
    /// The state after it.
    pub after: State,
}

/// Proves shards of one run, in any order.
pub(crate) struct ShardProver<'a> {
    pub(crate) key: &'a ProvingKey,
    pub(crate) shapes: &'a Shapes,
    pub(crate) fuel_limit: u64,
    preprocessed: ProverOnlyData<Config>,
}

impl<'a> ShardProver<'a> {
    pub(crate) fn new(key: &'a ProvingKey, shapes: &'a Shapes, fuel_limit: u64) -> Self {
        Self { key, shapes, fuel_limit, preprocessed: key.preprocessed() }
    }

    /// Proves a shard, whatever its tables say.
    pub(crate) fn prove(&mut self, cut: &Cut) -> Result<ProvedShard, ProveError> {
        let (shape, instances) = fill(self.key, self.shapes, cut)?;
        let boundary = boundary(&instances, cut);
        let (number, (before, after)) = (cut.record.index, states(cut));
        debug_assert_eq!(
            machine::publics(&shape, &boundary, &before, self.fuel_limit),
            instances.iter().map(|i| i.publics.clone()).collect::<Vec<_>>(),
        );
        let proof = self
            .stark(&shape, &instances)
            .map_err(|error| ProveError::Stark { shard: number, error })?;
        Ok(ProvedShard { number, shard: Shard { shape, boundary, proof }, before, after })
    }

    fn stark(&mut self, shape: &Shape, instances: &[Instance]) -> Result<Proof, String> {
        let key = &self.key.key;
        let layout = machine::layout(shape, key.preset.parameters());
        let common = layout.common(Some(vec![key.preprocessed].into()));
        let prover_only = std::mem::replace(&mut self.preprocessed, ProverOnlyData::empty());
        let data = ProverData { common, prover_only };
        let stark = instances.iter().map(|Instance { chip, trace, publics }| StarkInstance {
            air: chip,
            trace,
            public_values: publics.clone(),
        });
        let stark: Vec<_> = stark.collect();
        let proof = prove_batch(&self.key.config, &stark, &data);
        self.preprocessed = data.prover_only;
        proof.map_err(|error| error.to_string())
    }
}

/// The states around a shard.
pub(crate) fn states(cut: &Cut) -> (State, State) {
    let Cut { record, merkle } = cut;
    (
        State { registers: record.start, root: merkle.root_before },
        State { registers: record.end, root: merkle.root_after },
    )
}

/// The tables of a shard.
pub(crate) fn fill(
    key: &ProvingKey,
    shapes: &Shapes,
    cut: &Cut,
) -> Result<(Shape, Vec<Instance>), ProveError> {
    let Cut { record, merkle } = cut;
    let shape = shapes.of_cut(key, cut)?;
    let shard = table::Shard { program: &key.program, record, merkle };
    Ok((shape, key.machine.fill_all(&shard, &shape)))
}

/// What the public values say of a shard.
fn boundary(instances: &[Instance], cut: &Cut) -> Boundary {
    let public = |chip: ChipId, place: usize| {
        let table = instances.iter().find(|instance| instance.chip.id() == chip);
        table.and_then(|t| t.publics.get(place)).map_or(0, Val::as_canonical_u32)
    };
    Boundary {
        end: std::array::from_fn(|i| public(ChipId::Cpu, cpu::public::END + i)),
        spent: public(ChipId::Cpu, cpu::public::SPENT),
        charged: std::array::from_fn(|i| public(ChipId::Fuel, step::FUEL_CHARGED + i)),
        root: cut.merkle.root_after,
    }
}
