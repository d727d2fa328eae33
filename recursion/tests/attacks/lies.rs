//! Tables that are filled with a lie: proofs of what is not true, and traces of circuits whose run
//! refuses.

use p3_batch_stark::{ProverData, StarkInstance, prove_batch};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField32};
use rwprove_circuits::{
    Challenge, Val,
    check::Violation,
    circuit::{self, ChipId, Instance, bits},
};
use rwprove_recursion::{
    backend::{Backend, Rule},
    circuit::Circuit,
    layers::stream,
    native::Native,
    prove,
    verify::{Stark, StarkError, flatten, verify},
};
use rwprove_verifier::codec::Proof;

use super::toy::{Given, PARAMETERS, RUN, TOY, built, leaf_stream};

/// The leaf that lies: it has a hint.
const LIAR: usize = 1;

/// All tables of a run of a circuit.
fn filled(circuit: &Circuit, stream: &[Val]) -> Vec<Instance> {
    let execution = circuit.run(stream).unwrap();
    circuit.instances(&execution, &circuit.log_heights()).unwrap()
}

fn table(instances: &mut [Instance], id: ChipId) -> &mut Instance {
    &mut instances[id as usize]
}

fn is_constraint(instances: &[Instance], name: ChipId) -> bool {
    let verdict = circuit::check(instances);
    matches!(verdict, Err(Violation::Constraint { table, .. }) if table == name.name())
}

fn is_bus(instances: &[Instance]) -> bool {
    matches!(circuit::check(instances), Err(Violation::Bus { .. }))
}

/// The proof of a toy leaf whose tables were changed: the library's prover does not look.
fn lie(change: impl FnOnce(&mut Vec<Instance>)) -> (Proof, [Val; 8]) {
    let leaf = &TOY.leaves[LIAR];
    let heights = leaf.key.log_heights();
    let execution = leaf.circuit.run(&leaf_stream(LIAR, &RUN[0].claim)).unwrap();
    let mut instances = leaf.circuit.instances(&execution, heights).unwrap();
    change(&mut instances);
    let config = PARAMETERS.config();
    let airs: Vec<_> = instances.iter().map(|instance| instance.chip.clone()).collect();
    let data = ProverData::from_airs_and_degrees(&config, &airs, heights).unwrap();
    let common = prove::layout(heights, PARAMETERS).common(Some(vec![leaf.digest()].into()));
    let data = ProverData { common, prover_only: data.prover_only };
    let digest: [Val; 8] = table(&mut instances, ChipId::Public).publics[..].try_into().unwrap();
    let instances: Vec<_> = instances
        .iter()
        .zip(&airs)
        .map(|(Instance { trace, publics, .. }, air)| StarkInstance {
            air,
            trace,
            public_values: publics.clone(),
        })
        .collect();
    (prove_batch(&config, &instances, &data).unwrap(), digest)
}

/// What the algorithm says of such a proof.
fn verdict(proof: &Proof, digest: &[Val; 8]) -> Result<(), Rule> {
    let key = TOY.leaves[LIAR].digest();
    let publics: Vec<_> = TOY.stark.publics().map(|count| digest[..count].to_vec()).collect();
    let stream = flatten(&TOY.stark, proof, &publics, Some(&key)).unwrap();
    verify(&mut Native::new(&stream), &TOY.stark, &publics, Some(&key))
}

#[test]
fn past_10_lambda_vm_every_table_is_checked() {
    let (proof, digest) = lie(|_| ());
    assert_eq!(verdict(&proof, &digest), Ok(()));
    // A cell of each table that a constraint of its own binds.
    for (id, cell) in [
        (ChipId::Gate, 15),
        (ChipId::Hint, 1),
        (ChipId::Bits, 0),
        (ChipId::Hash, 20),
        (ChipId::Rows, 10),
        (ChipId::Fold, 0),
    ] {
        let (proof, digest) = lie(|instances| {
            table(instances, id).trace.values[cell] += Val::TWO;
        });
        let refused = verdict(&proof, &digest);
        assert!(
            matches!(refused, Err(Rule::Constraints(number)) if number == id as usize),
            "{id:?}: {refused:?}"
        );
    }
}

#[test]
fn past_39_rkm_nonzero_sum() {
    // The tables keep all constraints, but a digest is read that nobody made.
    let (proof, digest) = lie(|instances| {
        let public = table(instances, ChipId::Public);
        public.publics[0] += Val::ONE;
        public.trace.values.iter_mut().step_by(8).for_each(|cell| *cell += Val::ONE);
    });
    assert_eq!(verdict(&proof, &digest), Err(Rule::Terminals));
    // Or a felt that is not what was read.
    let (proof, digest) = lie(|instances| {
        table(instances, ChipId::Pack).trace.values[0] += Val::ONE;
    });
    assert_eq!(verdict(&proof, &digest), Err(Rule::Terminals));
}

#[test]
fn a_joins_tables_with_one_cell_changed() {
    let stream = TOY.join_stream(&RUN[0], &RUN[1]);
    let mut instances = filled(&TOY.join, &stream);
    circuit::check(&instances).unwrap();
    for &id in ChipId::ALL {
        let cell = table(&mut instances, id).trace.width + 1;
        table(&mut instances, id).trace.values[cell] += Val::ONE;
        assert!(circuit::check(&instances).is_err(), "{id:?}");
        table(&mut instances, id).trace.values[cell] -= Val::ONE;
    }
}

#[test]
fn another_digest_of_a_join() {
    let stream = TOY.join_stream(&RUN[0], &RUN[1]);
    let mut instances = filled(&TOY.join, &stream);
    let public = table(&mut instances, ChipId::Public);
    public.publics[3] += Val::ONE;
    assert!(is_constraint(&instances, ChipId::Public));
    let public = table(&mut instances, ChipId::Public);
    public.trace.values.iter_mut().skip(3).step_by(8).for_each(|cell| *cell += Val::ONE);
    assert!(is_bus(&instances));
}

fn coefficients(x: Challenge) -> [Val; 5] {
    let slice: &[Val] = x.as_basis_coefficients_slice();
    slice.try_into().unwrap()
}

/// Puts another element wherever one stands as a whole.
fn replace(instances: &mut [Instance], id: ChipId, from: Challenge, to: Challenge) -> usize {
    let (from, to) = (coefficients(from), coefficients(to));
    let places = table(instances, id).trace.values.as_chunks_mut::<5>().0.iter_mut();
    places.filter(|place| **place == from).map(|place| *place = to).count()
}

/// Reads `a`, `b` and `r`, and says so if `r = a / b`.
fn quotient() -> Circuit {
    built(|b| {
        let [x, y, r] = [b.read_ext()?, b.read_ext()?, b.read_ext()?];
        let inverse = b.inverse(&y)?;
        let ratio = b.mul(&x, &inverse);
        b.assert_eq(Rule::Folding, &ratio, &r)?;
        let felt = b.read_felt()?;
        Ok(b.hash(&[felt]))
    })
}

#[test]
fn past_45_ziren_zero_by_zero() {
    let circuit = quotient();
    let element = |i: u32| Challenge::from_basis_coefficients_fn(|j| Val::from_u32(i + j as u32));
    let stream = |all: [Challenge; 3]| [all.map(coefficients).concat(), vec![Val::ONE]].concat();
    let (y, r) = (element(17), element(90));
    let _ = circuit.run(&stream([y * r, y, r])).unwrap();
    // Zero by zero is nothing, nor is anything by zero.
    for x in [Challenge::ZERO, y] {
        assert!(matches!(circuit.run(&stream([x, Challenge::ZERO, r])), Err(Rule::Inverse)));
    }
    // In the tables: what was y is zero, and the quotient what it was.
    let mut instances = filled(&circuit, &stream([Challenge::ZERO, y, Challenge::ZERO]));
    circuit::check(&instances).unwrap();
    let zero = Challenge::ZERO;
    let places = [ChipId::Hint, ChipId::Gate].map(|id| replace(&mut instances, id, y, zero));
    assert!(places.iter().all(|count| *count > 0), "{places:?}");
    assert!(is_constraint(&instances, ChipId::Gate));
}

/// Says the low three bits of a felt, as a number.
fn low_bits(exact: bool) -> Circuit {
    built(|b| {
        let felt = b.read_felt()?;
        let bits = b.bits(Rule::Path, &felt, 3, exact)?;
        let number = b.compose(&bits);
        Ok(b.hash(&[number]))
    })
}

/// The rows of `bits` for the 32 bits of a number, as the constraints have them but for the order.
fn rows_of(number: u64) -> Vec<Val> {
    let mut rows = Vec::new();
    let mut ones = 0;
    for row in 0..bits::ROWS {
        let lowest = 4 * (bits::ROWS - 1 - row);
        let part: [u64; 4] = std::array::from_fn(|i| number >> (lowest + i) & 1);
        rows.extend(part.map(Val::from_u64));
        rows.extend([Val::from_u64(number >> lowest), Val::from_u64(ones)]);
        rows.push(p3_field::Field::try_inverse(&Val::from_u64(7 - ones)).unwrap_or_default());
        ones += if row < 2 { part.iter().sum() } else { 0 };
    }
    rows
}

#[test]
fn bits_of_a_number_beyond_the_order() {
    // 5 and 5 + p are the same felt; the second one's low bits are 6.
    let circuit = low_bits(false);
    let (five, beyond) = (5_u64, 5 + u64::from(Val::ORDER_U32));
    let mut instances = filled(&circuit, &[Val::from_u64(beyond & 7)]);
    let rows = table(&mut instances, ChipId::Bits);
    assert_eq!(rows.trace.values[..7 * bits::ROWS], rows_of(6));
    rows.trace.values[..7 * bits::ROWS].copy_from_slice(&rows_of(beyond));
    let hint = &mut table(&mut instances, ChipId::Hint).trace.values[0];
    assert_eq!(std::mem::replace(hint, Val::from_u64(five)), Val::from_u64(6));
    assert!(is_constraint(&instances, ChipId::Bits));
}

#[test]
fn bits_that_are_none() {
    let circuit = low_bits(true);
    assert!(matches!(circuit.run(&[Val::from_u32(8)]), Err(Rule::Path)));
    let mut instances = filled(&circuit, &[Val::from_u32(5)]);
    // 5 = 3 + 2, with another sum of bits than 5 has.
    let rows = &mut table(&mut instances, ChipId::Bits).trace.values;
    let lowest = 7 * (bits::ROWS - 1);
    rows[lowest] = Val::from_u32(3);
    rows[lowest + 1] = Val::ONE;
    rows[lowest + 2] = Val::ZERO;
    assert!(is_constraint(&instances, ChipId::Bits));
}

#[test]
fn past_42_argument_multiplicities() {
    // The eight tables stay below the bound at every height that the field allows, at which they
    // are refused for their height.
    let layout = |height| prove::layout(&[height; ChipId::COUNT], PARAMETERS);
    Stark::new(&layout(22)).unwrap();
    assert!(matches!(Stark::new(&layout(23)), Err(StarkError::Height(25))));
    // More such tables could have more reads than the field has elements: they have no verifier,
    // hence neither circuit nor key.
    let mut many = layout(22);
    many.tables = many.tables.repeat(20);
    assert!(matches!(Stark::new(&many), Err(StarkError::Multiplicities(_))));
}

#[test]
fn past_40_sp1_order_of_tables() {
    // Other heights, or one table's openings in another's place.
    let mut given = TOY.given(0, RUN[0].claim.clone());
    given.proof.degree_bits[0] += 1;
    assert!(stream::pass_stream(&TOY.stark, given.child()).is_err());
    given.proof.degree_bits[0] -= 1;
    given.proof.opened_values.instances.swap(1, 2);
    assert!(stream::pass_stream(&TOY.stark, given.child()).is_err());
    given.proof.opened_values.instances.swap(1, 2);
    given.proof.lookup_terminals.swap(1, 2);
    let told = stream::pass_stream(&TOY.stark, given.child());
    assert!(told.map_or(true, |told| TOY.root(&told.stream).is_err()));
    given.proof.lookup_terminals.swap(1, 2);
    let told = stream::pass_stream(&TOY.stark, given.child()).unwrap();
    assert!(TOY.root(&told.stream).is_ok());
}

#[test]
fn a_lie_as_a_child() {
    let (proof, _) = lie(|instances| {
        table(instances, ChipId::Gate).trace.values[15] += Val::ONE;
    });
    let (claim, key) = (RUN[0].claim.clone(), TOY.leaves[LIAR].digest());
    let siblings = TOY.set.path(LIAR).unwrap();
    let given = Given { claim, key, place: LIAR, siblings, proof };
    let refused = TOY.root(&TOY.pass_stream(&given));
    assert_eq!(refused, Err(Rule::Constraints(ChipId::Gate as usize)));
}
