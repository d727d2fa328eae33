//! A toy machine through configuration and codec.

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_batch_stark::{ProverData, StarkInstance, prove_batch, verify_batch};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;
use rwprove_circuits::{Val, bus};

use crate::{
    bytes::{DecodeError, Reader, Writer},
    codec::{Proof, read_proof, write_proof},
    config::Preset,
    layout::{ProofLayout, TableLayout},
};

/// Two tables: a counter whose values are range-checked, and the range table.
#[derive(Clone, Debug)]
enum Toy {
    Counter,
    Range,
}

const RANGE: usize = 16;

impl BaseAir<Val> for Toy {
    fn width(&self) -> usize {
        match self {
            Toy::Counter => 2,
            Toy::Range => 1,
        }
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<Val>> {
        match self {
            Toy::Counter => None,
            Toy::Range => Some(RowMajorMatrix::new_col((0..RANGE).map(Val::from_usize).collect())),
        }
    }

    fn preprocessed_width(&self) -> usize {
        matches!(self, Toy::Range).into()
    }

    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        Vec::new()
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        match self {
            Toy::Counter => vec![0],
            Toy::Range => Vec::new(),
        }
    }

    fn num_public_values(&self) -> usize {
        matches!(self, Toy::Counter).into()
    }
}

impl<AB: InteractionBuilder<F = Val>> Air<AB> for Toy {
    fn eval(&self, builder: &mut AB) {
        match self {
            Toy::Counter => {
                let main = builder.main();
                let (now, next) = (main.current_slice()[0], main.next_slice()[0]);
                let cube = main.current_slice()[1];
                let start = builder.public_values()[0];
                builder.when_first_row().assert_eq(now, start);
                builder.when_transition().assert_eq(now + AB::Expr::ONE, next);
                builder.assert_eq(now * now * now, cube);
                bus::send(builder, bus::range16(now.into()), AB::Expr::ONE);
            }
            Toy::Range => {
                let value = builder.preprocessed().current_slice()[0];
                let count = builder.main().current_slice()[0];
                bus::provide(builder, bus::range16(value.into()), count);
            }
        }
    }
}

fn toy_layout() -> [TableLayout; 2] {
    [TableLayout::new(&Toy::Counter), TableLayout::new(&Toy::Range)]
}

fn layout(tables: &[TableLayout; 2], preset: Preset) -> ProofLayout<'_> {
    let [counter, range] = tables;
    ProofLayout { tables: vec![(counter, 3), (range, 4)], parameters: preset.parameters() }
}

/// A counter from 2 to 9.
fn prove(preset: Preset) -> (Proof, ProverData<crate::config::Config>) {
    let config = preset.parameters().config();
    let airs = [Toy::Counter, Toy::Range];
    let counter = (2..10).flat_map(|x| [x, x * x * x]).map(Val::from_u32).collect();
    let counts = (0..RANGE).map(|x| Val::from_bool((2..10).contains(&x))).collect();
    let traces = [RowMajorMatrix::new(counter, 2), RowMajorMatrix::new_col(counts)];
    let data = ProverData::from_airs_and_degrees(&config, &airs, &[3, 4]).expect("setup");
    let instances = [
        StarkInstance { air: &airs[0], trace: &traces[0], public_values: vec![Val::TWO] },
        StarkInstance { air: &airs[1], trace: &traces[1], public_values: vec![] },
    ];
    (prove_batch(&config, &instances, &data).expect("proof"), data)
}

fn verify(
    preset: Preset,
    start: u32,
    bytes: &[u8],
    data: &ProverData<crate::config::Config>,
) -> Result<(), String> {
    let tables = toy_layout();
    let layout = layout(&tables, preset);
    let mut input = Reader::new(bytes);
    let proof = read_proof(&layout, &mut input).map_err(|e| e.to_string())?;
    input.finish().map_err(|e| e.to_string())?;
    let root = data.common.preprocessed.as_ref().map(|p| p.commitment.clone());
    let publics = [vec![Val::from_u32(start)], vec![]];
    verify_batch(
        &preset.parameters().config(),
        &[Toy::Counter, Toy::Range],
        &proof,
        &publics,
        &layout.common(root),
    )
    .map_err(|e| e.to_string())
}

fn encode(proof: &Proof) -> Vec<u8> {
    let mut out = Writer::default();
    write_proof(proof, &mut out);
    out.into_bytes()
}

#[test]
fn round_trip_in_every_preset() {
    for preset in Preset::ALL {
        let (proof, data) = prove(preset);
        let bytes = encode(&proof);
        assert_eq!(verify(preset, 2, &bytes, &data), Ok(()));
        assert!(verify(preset, 3, &bytes, &data).is_err());
        let tables = toy_layout();
        let again = read_proof(&layout(&tables, preset), &mut Reader::new(&bytes)).expect("reads");
        assert_eq!(encode(&again), bytes);
    }
}

#[test]
fn every_changed_element_is_refused() {
    let (proof, data) = prove(Preset::P100);
    let bytes = encode(&proof);
    for at in (0..bytes.len()).step_by(997) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(verify(Preset::P100, 2, &changed, &data).is_err(), "byte {at}");
    }
}

#[test]
fn only_canonical_bytes_are_read() {
    let tables = toy_layout();
    let layout = layout(&tables, Preset::P100);
    let bytes = encode(&prove(Preset::P100).0);
    for end in (0..bytes.len()).step_by(101) {
        let result = read_proof(&layout, &mut Reader::new(&bytes[..end]));
        assert!(matches!(result.err(), Some(DecodeError::Truncated { .. })), "cut at {end}");
    }
    // The first element plus the field's order.
    let mut changed = bytes.clone();
    let element = u32::from_le_bytes(bytes[..4].try_into().expect("four"));
    changed[..4].copy_from_slice(&element.wrapping_add(0x7f00_0001).to_le_bytes());
    let result = read_proof(&layout, &mut Reader::new(&changed));
    assert!(matches!(result.err(), Some(DecodeError::Element { at: 0, .. })));
    // One byte more.
    let mut longer = bytes;
    longer.push(0);
    let mut input = Reader::new(&longer);
    assert!(read_proof(&layout, &mut input).is_ok());
    assert_eq!(input.finish(), Err(DecodeError::Trailing(1)));
}

#[test]
fn proofs_do_not_depend_on_the_run() {
    assert_eq!(encode(&prove(Preset::P100).0), encode(&prove(Preset::P100).0));
}

#[test]
fn layouts_agree_with_the_library() {
    let (_, data) = prove(Preset::P100);
    for (ours, theirs) in toy_layout().iter().zip(&data.common.lookups) {
        assert_eq!(ours.lookups.len(), theirs.len());
        assert_eq!(ours.messages(), 1);
    }
}
