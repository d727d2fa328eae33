//! One shard's STARK proof with a transcript of our choice.

use p3_batch_stark::{
    BatchProof, CommonData, ProverData, StarkGenericConfig, StarkInstance,
    common::GlobalPreprocessed, prove_batch, verify_batch,
};
use p3_field::PrimeField32;
use p3_uni_stark::StarkConfig;
use rwprove_circuits::{
    Challenge, Val, cpu,
    machine::{Chip, ChipId, Instance, Machine, check},
    shape::Shape,
    table,
};
use rwprove_isa::{Program, record::Record};
use rwprove_prover::testing::Filled;
use rwprove_verifier::{
    Preset, VerifyingKey,
    codec::Proof,
    config::{Commitment, Pcs},
    machine,
    shards::{Boundary, Shard, State},
    step,
};

use super::tape::Tape;

type TapeConfig = StarkConfig<Pcs, Challenge, Tape>;
/// A proof made with such a transcript.
pub(crate) type TapeProof = BatchProof<TapeConfig>;

/// A shard's tables, and the states around it.
pub(crate) struct Witness {
    pub(crate) key: VerifyingKey,
    pub(crate) shape: Shape,
    pub(crate) instances: Vec<Instance>,
    pub(crate) boundary: Boundary,
    pub(crate) before: State,
    pub(crate) fuel_limit: u64,
}

impl Witness {
    /// Fills the tables of a shard to the heights of `shape`, and sees that they are right.
    pub(crate) fn new(
        program: &Program,
        key: VerifyingKey,
        Filled { record, merkle, .. }: &Filled,
        shape: Shape,
    ) -> Self {
        let shard = table::Shard { program, record, merkle };
        let instances = Machine::new(program).fill_all(&shard, &shape);
        check(&instances).unwrap();
        let public = |chip: ChipId, place: usize| {
            let table = instances.iter().find(|instance| instance.chip.id() == chip);
            table.and_then(|t| t.publics.get(place)).map_or(0, Val::as_canonical_u32)
        };
        let boundary = Boundary {
            end: std::array::from_fn(|i| public(ChipId::Cpu, cpu::public::END + i)),
            spent: public(ChipId::Cpu, cpu::public::SPENT),
            charged: std::array::from_fn(|i| public(ChipId::Fuel, step::FUEL_CHARGED + i)),
            root: merkle.root_after,
        };
        let Record { start, fuel_limit, .. } = *record;
        let before = State { registers: start, root: merkle.root_before };
        Self { key, shape, instances, boundary, before, fuel_limit }
    }

    pub(crate) fn publics(&self) -> Vec<Vec<Val>> {
        self.instances.iter().map(|instance| instance.publics.clone()).collect()
    }

    fn chips(&self) -> Vec<Chip> {
        self.instances.iter().map(|instance| instance.chip.clone()).collect()
    }

    fn common(&self) -> CommonData<TapeConfig> {
        let layout = machine::layout(&self.shape, self.key.preset.parameters());
        let CommonData { preprocessed, lookups } =
            layout.common(Some(vec![self.key.preprocessed].into()));
        let preprocessed = preprocessed.map(|p| GlobalPreprocessed::<TapeConfig> {
            commitment: p.commitment,
            instances: p.instances,
            matrix_to_instance: p.matrix_to_instance,
        });
        CommonData { preprocessed, lookups }
    }

    /// Proves the shard with the transcript.
    pub(crate) fn prove(&self, tape: &Tape) -> TapeProof {
        let config = config(self.key.preset, tape);
        let chips = self.chips();
        let heights: Vec<_> = self.shape.tables().map(|(_, log_height)| log_height).collect();
        let mut data = ProverData::from_airs_and_degrees(&config, &chips, &heights).unwrap();
        let committed = data.common.preprocessed.as_ref().map(|p| p.commitment.clone());
        assert_eq!(committed, Some(Commitment::new(vec![self.key.preprocessed])));
        data.common = self.common();
        let instances = self.instances.iter().map(|Instance { chip, trace, publics }| {
            StarkInstance { air: chip, trace, public_values: publics.clone() }
        });
        prove_batch(&config, &instances.collect::<Vec<_>>(), &data).unwrap()
    }

    /// Verifies a proof of the shard with the transcript.
    pub(crate) fn verify(&self, proof: &TapeProof, tape: &Tape) -> Result<(), String> {
        let config = config(self.key.preset, tape);
        verify_batch(&config, &self.chips(), proof, &self.publics(), &self.common())
            .map_err(|error| error.to_string())
    }

    /// The shard as the verifier of the product reads it.
    pub(crate) fn shard(&self, proof: TapeProof) -> Shard {
        let BatchProof {
            commitments,
            opened_values,
            opening_proof,
            lookup_terminals,
            degree_bits,
            lookup_pow_witness,
            ood_pow_witness,
        } = proof;
        let proof = Proof {
            commitments,
            opened_values,
            opening_proof,
            lookup_terminals,
            degree_bits,
            lookup_pow_witness,
            ood_pow_witness,
        };
        Shard { shape: self.shape, boundary: self.boundary, proof }
    }

    /// What the product says of the shard.
    pub(crate) fn accepts(&self, shard: &Shard) -> Result<(), String> {
        let config = self.key.preset.parameters().config();
        let after = shard.verify(&self.key, &config, 0, self.fuel_limit, &self.before);
        after.map(|_| ()).map_err(|error| error.to_string())
    }
}

fn config(preset: Preset, tape: &Tape) -> TapeConfig {
    let parameters = preset.parameters();
    StarkConfig::new(parameters.config().pcs().clone(), tape.clone())
        .with_ood_proof_of_work_bits(parameters.ood_bits)
        .with_lookup_proof_of_work_bits(parameters.lookup_bits)
}
