//! Leaves of real shards, natively.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use rwprove_circuits::{Val, machine::ChipId};
use rwprove_verifier::{
    Preset,
    step::{Claim, FUEL_LIMBS, Point, fuel_limbs},
};

use super::{fuel, leaf, stream};
use crate::{
    backend::{Backend, Rule},
    native::Native,
    testing::{Case, cases, fixture},
};

fn told(case: &Case) -> stream::Told {
    let proof = case.proof();
    let shard = stream::Shard {
        shape: &case.shape,
        fuel_limit: case.fuel_limit,
        before: &case.before,
        boundary: &case.boundary,
        proof: &proof,
    };
    stream::leaf_stream(&case.stark, &[Val::TWO; 8], &case.root, shard).unwrap()
}

/// What a leaf of the case says after reading a stream.
fn says(case: &Case, stream: &[Val]) -> Result<[Val; 8], Rule> {
    let mut native = Native::new(stream);
    let claim = leaf(&mut native, &case.shape, &case.stark)?;
    native.finish()?;
    Ok(claim)
}

#[test]
fn a_leaf_says_what_its_shard_does() {
    // Two shards, so one that does not start the run and one that does not end it.
    let cases = cases(&fixture("wat/globals: count(1000)"), Preset::P100);
    assert!(cases.len() >= 2);
    let all: Vec<_> = cases.iter().map(told).collect();
    for (case, told) in cases.iter().zip(&all) {
        assert_eq!(says(case, &told.stream), Ok(stream::digest(&told.claim)));
    }
    assert!(all.windows(2).all(|pair| pair[0].claim.after == pair[1].claim.before));
}

/// What comes before the proof in a leaf's stream.
fn head(case: &Case) -> usize {
    let charged = case.shape.log_height(ChipId::Fuel).map_or(0, |_| FUEL_LIMBS);
    Claim::<Val>::LEN - FUEL_LIMBS + 1 + charged
}

#[test]
fn a_leaf_says_nothing_else() {
    let case = &cases(&fixture("wat/globals: count(1000)"), Preset::P100)[0];
    let told = told(case);
    let honest = stream::digest(&told.claim);
    for at in 0..head(case) {
        let mut stream = told.stream.clone();
        stream[at] += Val::ONE;
        let said = says(case, &stream);
        // What no table of this shard says is only passed on: the set of keys, the fuel limit, and
        // the fuel before, to which the shard adds. What else is changed breaks the proof.
        match at {
            0..8 | 16..20 | 24..28 => assert!(said.is_ok_and(|digest| digest != honest), "{at}"),
            _ => assert!(said.is_err(), "{at}"),
        }
    }
    assert_eq!(case.shape.log_height(ChipId::Fuel), None);
}

fn add(before: u64, spent: u32, charged: Option<[u32; FUEL_LIMBS]>) -> Result<u64, Rule> {
    let mut native = Native::new(&[]);
    let before = fuel_limbs(before).map(Val::from_u32);
    let charged = charged.map(|limbs| limbs.map(Val::from_u32));
    let after = fuel::add(&mut native, &before, &Val::from_u32(spent), charged.as_ref())?;
    let sum = |sum: u64, limb: &Val| sum << 16 | u64::from(limb.as_canonical_u32());
    assert!(after.iter().all(|limb| limb.as_canonical_u32() < 1 << 16));
    Ok(after.iter().rev().fold(0, sum))
}

#[test]
fn fuel_is_added_as_integers() {
    let p = Val::ORDER_U32;
    for before in [0, 1, 0xffff, 0xffff_ffff, 1 << 63, u64::MAX - (1 << 40)] {
        for spent in [0, 1, 0xffff, 0x1_0000, p - 1] {
            for low in [0, 1, 0xffff, p - 1] {
                for charged in [None, Some([low, 0, 0, 0]), Some([low, 1, 0xffff, 0])] {
                    let sum = charged.into_iter().flatten().enumerate();
                    let sum = sum.map(|(i, limb)| u128::from(limb) << (16 * i)).sum::<u128>();
                    let wanted = u128::from(before) + u128::from(spent) + sum;
                    let found = add(before, spent, charged).ok().map(u128::from);
                    assert_eq!(found, Some(wanted).filter(|sum| *sum >> 64 == 0));
                }
            }
        }
    }
    assert_eq!(add(u64::MAX, 0, None), Ok(u64::MAX));
    assert_eq!(add(u64::MAX, 1, None), Err(fuel::RULE));
    assert_eq!(add(0, 0, Some([0, 0, 0, 0xffff])), Ok(0xffff << 48));
    assert_eq!(add(0, 0, Some([0, 0, 0, 0x1_0000])), Err(fuel::RULE));
    assert_eq!(add(0, 0, Some([0, 0, 0, p - 1])), Err(fuel::RULE));
}

#[test]
fn points_are_read_in_the_order_of_their_elements() {
    let elements: Vec<_> = (1..=Claim::<Val>::LEN).map(Val::from_usize).collect();
    let mut native = Native::new(&elements);
    let claim = super::read_claim(&mut native).unwrap();
    assert_eq!(claim.elements(), elements);
    let Point { registers, .. } = claim.before;
    assert_eq!(registers[0], Val::from_usize(8 + 8 + FUEL_LIMBS + 1));
    assert_eq!(native.read_felt(), Err(Rule::Stream));
}
