//! The machine as the verifier sees it: its tables' layouts, its digest, and the public values
//! that tie a shard's STARK proof to the states around the shard.

use std::sync::OnceLock;

use p3_batch_stark::verify_batch;
use rwprove_circuits::{
    Val,
    machine::{Chip, ChipId, Machine},
    shape::{Shape, log_heights},
};
use rwprove_isa::keccak256;

use crate::{
    bytes::{DecodeError, Reader, Writer},
    codec::Proof,
    config::{Config, Parameters, Preset},
    describe::describe,
    layout::{ProofLayout, TableLayout},
    security::{Security, security},
    shards::{Boundary, State},
    step::Step,
    vkey::VerifyingKey,
};

/// Versions that the machine's digest covers besides the tables themselves: rwasm's minor version
/// moves with its instruction set, and the library decides how messages become columns.
const VERSIONS: &[u8] = b"rwprove machine 1, rwasm 0.7, plonky3 0.8.0";

/// The tables of the machine, evaluated once.
#[derive(Debug)]
struct Tables {
    chips: Vec<Chip>,
    layouts: Vec<TableLayout>,
    digest: [u8; 32],
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let chips = Machine::verifier().chips().to_vec();
        let mut out = Writer::default();
        out.bytes(VERSIONS);
        out.u32(chips.len() as u32);
        for chip in &chips {
            describe(chip.id().name(), chip, &mut out);
            let (min, max) = log_heights(chip.id());
            out.u32(min as u32);
            out.u32(max as u32);
        }
        let layouts = chips.iter().map(TableLayout::new).collect();
        Tables { chips, layouts, digest: keccak256(&out.into_bytes()) }
    })
}

/// Digest of all tables with their constraints and messages, and of the versions of what else
/// gives them meaning.
pub fn digest() -> [u8; 32] {
    tables().digest
}

/// The layout of a table, whatever its height.
pub fn table(chip: ChipId) -> &'static TableLayout {
    &tables().layouts[chip as usize]
}

/// The layout of proofs of a shape.
pub fn layout(shape: &Shape, parameters: Parameters) -> ProofLayout<'static> {
    let present = shape.tables().map(|(chip, log_height)| (table(chip), log_height));
    ProofLayout { tables: present.collect(), parameters }
}

/// The provable security of the largest shard that the machine allows.
pub fn largest_security(preset: Preset) -> Security {
    let tallest = ChipId::ALL.iter().map(|&chip| (chip, log_heights(chip).1 as u8));
    security(&layout(&Shape::new(tallest), preset.parameters()))
}

/// The public values of each table of a shard.
pub fn publics(
    shape: &Shape,
    boundary: &Boundary,
    before: &State,
    fuel_limit: u64,
) -> Vec<Vec<Val>> {
    let step = Step::new(boundary, before, fuel_limit);
    shape.tables().map(|(chip, _)| step.publics(chip)).collect()
}

/// Verifies the STARK proof of a shard between two states.
pub(crate) fn verify(
    key: &VerifyingKey,
    config: &Config,
    shape: &Shape,
    publics: &[Vec<Val>],
    proof: &Proof,
) -> Result<(), String> {
    let airs: Vec<Chip> =
        shape.tables().map(|(chip, _)| tables().chips[chip as usize].clone()).collect();
    let common = layout(shape, key.preset.parameters()).common(Some(vec![key.preprocessed].into()));
    verify_batch(config, &airs, proof, publics, &common).map_err(|error| error.to_string())
}

/// A table that is not there, among the bytes of a shape.
const ABSENT: u8 = u8::MAX;

/// Appends a shape: a byte for each table.
pub(crate) fn write_shape(shape: &Shape, out: &mut Writer) {
    for &chip in ChipId::ALL {
        out.bytes(&[shape.log_height(chip).map_or(ABSENT, |log_height| log_height as u8)]);
    }
}

/// Reads a shape, which the caller has to check.
pub(crate) fn read_shape(input: &mut Reader<'_>) -> Result<Shape, DecodeError> {
    let heights: [u8; ChipId::COUNT] = input.array()?;
    let tables = ChipId::ALL.iter().copied().zip(heights);
    Ok(Shape::new(tables.filter(|(_, log_height)| *log_height != ABSENT)))
}

#[cfg(test)]
mod tests {
    use p3_lookup::check_multiplicity_height_bound;
    use rwprove_circuits::shape::always_present;

    use super::*;
    use crate::config::EXTENSION;

    /// The provable security of the smallest shard: some terms fall with a shorter trace.
    fn smallest_security(preset: Preset) -> Security {
        let present = ChipId::ALL.iter().filter(|&&chip| always_present(chip));
        let shortest = present.map(|&chip| (chip, log_heights(chip).0 as u8));
        security(&layout(&Shape::new(shortest), preset.parameters()))
    }

    #[test]
    fn every_shard_has_the_bits_of_its_preset() {
        for (preset, security) in Preset::ALL.into_iter().flat_map(|preset| {
            [largest_security(preset), smallest_security(preset)].map(|security| (preset, security))
        }) {
            let best = security.best();
            assert!(best.bits() >= preset.bits().into(), "{preset:?}: {best:?}");
            // The lookup argument is part of the sum.
            assert!(best.terms.iter().any(|(label, _)| *label == "logup-fingerprint"));
        }
    }

    #[test]
    fn multiplicities_of_the_largest_shard_do_not_wrap() {
        let lookups: Vec<_> = ChipId::ALL.iter().map(|&c| table(c).lookups.clone()).collect();
        let heights: Vec<_> = ChipId::ALL.iter().map(|&c| 1 << log_heights(c).1).collect();
        assert!(check_multiplicity_height_bound(&lookups, &heights).is_ok());
    }

    #[test]
    fn a_cpu_row_is_narrow() {
        let cpu = table(ChipId::Cpu);
        assert_eq!([cpu.width, cpu.lookup_width(), cpu.chunks() * EXTENSION], [62, 40, 10]);
    }

    #[test]
    fn layouts_are_those_of_the_library() {
        for chip in &tables().chips {
            let layout = table(chip.id());
            assert!(layout.degree <= 3 && layout.chunks() <= 2, "{:?}", chip.id());
            let twice = TableLayout::new(chip);
            assert_eq!(twice.lookups.len(), layout.lookups.len());
        }
    }

    #[test]
    fn shapes_keep_their_bytes() {
        let shape = Shape::new([(ChipId::Cpu, 12), (ChipId::Bytes, 16), (ChipId::Fuel, 0)]);
        let mut out = Writer::default();
        write_shape(&shape, &mut out);
        let bytes = out.into_bytes();
        assert_eq!(bytes.len(), ChipId::COUNT);
        assert_eq!(read_shape(&mut Reader::new(&bytes)), Ok(shape));
        // No shape is allowed that lacks a table or has one too high.
        assert!(shape.check(12).is_err());
    }
}
