//! Each operation gives what the library gives, for a witness that nothing can change.

use ark_ff::AdditiveGroup;
use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing, TwoAdicField};
use p3_symmetric::{CryptographicHasher, PseudoCompressionFunction};
use rand::RngExt;
use rwprove_circuits::{Challenge, Val};
use rwprove_recursion::backend::{Backend, Rule};

use super::{R1cs, Stream};
use crate::{
    Fr,
    gadget::{Ext, Int},
    native::{self, Compression, Sponge, from_fr, to_fr},
    r1cs::{Builder, Wire},
    testing::{assert_is, attack, holds, large, pinned, pinned_ext, rng},
};

/// Runs operations of the backend inside a circuit, with what a prover sends.
fn with(
    b: &mut Builder,
    felts: &[Val],
    digests: &[Fr],
    run: impl FnOnce(&mut R1cs<'_>) -> Result<(), Rule>,
) -> Result<(), Rule> {
    let builder = std::mem::replace(b, Builder::values_only(&[]));
    let mut backend = R1cs::new(builder, Stream::Proof { felts, digests });
    run(&mut backend)?;
    *b = backend.finish()?;
    Ok(())
}

fn bits(b: &mut Builder, value: usize, count: usize) -> Vec<Wire> {
    let bit = |b: &mut Builder, i| {
        let bit = b.bit(value >> i & 1 == 1);
        assert_is(b, &bit, Fr::from((value >> i & 1) as u64));
        bit
    };
    (0..count).map(|i| bit(b, i)).collect()
}

fn sponge(elements: &[Val]) -> Fr {
    let sponge = Sponge::new(native::permutation()).unwrap();
    let [digest] = sponge.hash_iter(elements.iter().copied());
    to_fr(digest)
}

fn parent(left: Fr, right: Fr) -> Fr {
    let compression = Compression::new(native::permutation());
    let [digest] = compression.compress([left, right].map(|x| [from_fr(x)]));
    to_fr(digest)
}

fn coefficients(values: &[Challenge]) -> Vec<Val> {
    let of = |value: &Challenge| -> Vec<Val> { value.as_basis_coefficients_slice().to_vec() };
    values.iter().flat_map(of).collect()
}

#[test]
fn rows_are_opened() {
    let mut rng = rng();
    let gamma: Challenge = rng.random();
    for widths in [vec![1], vec![3, 1], vec![17, 2, 6]] {
        let row: Vec<Val> = (0..widths.iter().sum()).map(|_| rng.random()).collect();
        let mut rest = row.as_slice();
        let mut sums = Vec::new();
        for width in &widths {
            let (of, after) = rest.split_at(*width);
            sums.push(of.iter().fold(Challenge::ZERO, |sum, x| sum * gamma + *x));
            rest = after;
        }
        let build = |b: &mut Builder| {
            let g = pinned_ext(b, gamma).into();
            let run = |c: &mut R1cs<'_>| {
                let (digest, found) = c.open_rows(&widths, &g)?;
                assert_is(c.builder(), &digest, sponge(&row));
                for (x, y) in found.iter().zip(&sums) {
                    assert_eq!(x.value(), *y);
                    c.assert_eq(Rule::Folding, x, &Ext::constant(*y).into())?;
                }
                Ok(())
            };
            with(b, &row, &[], run).unwrap();
        };
        if row.len() < 6 {
            let _ = attack(build);
        } else {
            assert!(holds(build))
        }
    }
}

#[test]
fn folds_are_the_polynomials() {
    let mut rng = rng();
    for log_arity in 1..=3 {
        let arity = 1 << log_arity;
        let polynomial: Vec<Challenge> = (0..arity).map(|_| rng.random()).collect();
        let at = |x: Challenge| polynomial.iter().rev().fold(Challenge::ZERO, |s, c| s * x + *c);
        let (x, beta): (Val, Challenge) = rng.random();
        let root = Val::two_adic_generator(log_arity);
        let reversed = |j: usize| j.reverse_bits() >> (usize::BITS as usize - log_arity);
        let row: Vec<Challenge> =
            (0..arity).map(|j| at((x * root.exp_u64(reversed(j) as u64)).into())).collect();
        for place in [0, arity - 1] {
            let value = row[place];
            let mut siblings = row.clone();
            let _ = siblings.remove(place);
            let build = |b: &mut Builder| {
                let (v, t) = (pinned_ext(b, value).into(), pinned_ext(b, beta).into());
                let inverse = pinned(b, x.inverse());
                let position = bits(b, place, log_arity);
                let run = |c: &mut R1cs<'_>| {
                    let (folded, digest) = c.fold(&v, &position, &inverse, &t)?;
                    assert_eq!(folded.value(), at(beta));
                    c.assert_eq(Rule::Folding, &folded, &Ext::constant(at(beta)).into())?;
                    assert_is(c.builder(), &digest, sponge(&coefficients(&row)));
                    Ok(())
                };
                with(b, &coefficients(&siblings), &[], run).unwrap();
            };
            if arity == 2 {
                let _ = attack(build);
            } else {
                assert!(holds(build))
            }
        }
    }
}

#[test]
fn paths_are_climbed() {
    let mut rng = rng();
    let siblings = [(); 4].map(|()| large(&mut rng));
    let (leaf, other) = (large(&mut rng), large(&mut rng));
    let index = 0b0110;
    let mut root = leaf;
    for (i, sibling) in siblings.iter().enumerate() {
        let right = index >> i & 1 == 1;
        root = if right { parent(*sibling, root) } else { parent(root, *sibling) };
        if i == 2 {
            root = parent(root, other);
        }
    }
    attack(|b| {
        let path = bits(b, index, 4);
        let inject = [None, None, Some(Wire::constant(other)), None];
        let run = |c: &mut R1cs<'_>| {
            let found = c.climb(&Wire::constant(leaf), &path, &inject)?;
            c.assert_digest_eq(Rule::Path, &found, &Wire::constant(root))
        };
        with(b, &[], &siblings, run).unwrap();
    });
    let wrong = with(&mut Builder::new(&[]), &[], &siblings, |c| {
        let found = c.climb(&Wire::constant(leaf), &vec![Wire::default(); 4], &vec![None; 4])?;
        c.assert_digest_eq(Rule::Path, &found, &Wire::constant(root))
    });
    assert_eq!(wrong, Err(Rule::Path));
}

#[test]
fn products_are_chosen() {
    let mut rng = rng();
    for count in [0, 1, 3, 7, 22] {
        let factors: Vec<Val> = (0..count).map(|_| rng.random()).collect();
        let first: Val = rng.random();
        let set: usize = rng.random_range(0..1 << count);
        let chosen = factors.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
        let expected = first * chosen.map(|(_, f)| *f).product::<Val>();
        attack(|b| {
            let set = bits(b, set, count);
            let run = |c: &mut R1cs<'_>| {
                let product = c.product(first, &set, &factors);
                assert_eq!(product.value(), expected);
                c.assert_felt_eq(Rule::Folding, &product, &Int::constant(expected))
            };
            with(b, &[], &[], run).unwrap();
        });
    }
}

#[test]
fn bits_are_canonical() {
    let x = Val::from_u32(0b1011);
    attack(|b| {
        let x = pinned(b, x);
        let run = |c: &mut R1cs<'_>| {
            let bits = c.bits(Rule::Path, &x, 4, true)?;
            let four = c.compose(&bits);
            c.assert_felt_eq(Rule::Path, &four, &x)
        };
        with(b, &[], &[], run).unwrap();
    });
    let mut b = Builder::new(&[]);
    let y = pinned(&mut b, Val::from_u32(16));
    let run = |c: &mut R1cs<'_>| c.bits(Rule::Path, &y, 4, true).map(|_| ());
    assert_eq!(with(&mut b, &[], &[], run), Err(Rule::Path));
    // A circuit has the rule as a constraint.
    assert!(!holds(|b| {
        let y = pinned(b, Val::from_u32(16));
        let builder = std::mem::replace(b, Builder::values_only(&[]));
        let mut c = R1cs::new(builder, Stream::Zeros);
        c.bits(Rule::Path, &y, 4, true).unwrap();
        *b = c.finish().unwrap();
    }));
}

#[test]
fn elements_undo_digests() {
    let mut rng = rng();
    let elements: [Val; 8] = rng.random();
    attack(|b| {
        let ints = elements.map(|x| pinned(b, x));
        let run = |c: &mut R1cs<'_>| {
            let digest = c.digest(&ints);
            let again = c.elements(&digest);
            again.iter().zip(&ints).try_for_each(|(x, y)| c.assert_felt_eq(Rule::Path, x, y))
        };
        with(b, &[], &[], run).unwrap();
    });
}

#[test]
fn rules_are_named_and_streams_end() {
    let mut rng = rng();
    let (x, y): (Challenge, Challenge) = rng.random();
    let run = |c: &mut R1cs<'_>| {
        let (a, b) = (c.read_ext()?, c.read_ext()?);
        c.assert_eq(Rule::Folding, &a, &b)
    };
    let mut b = Builder::new(&[]);
    assert_eq!(with(&mut b, &coefficients(&[x, y]), &[], run), Err(Rule::Folding));
    let mut b = Builder::new(&[]);
    assert_eq!(with(&mut b, &coefficients(&[x, x])[1..], &[], run), Err(Rule::Stream));
    let mut b = Builder::new(&[]);
    assert_eq!(with(&mut b, &coefficients(&[x, x, x]), &[], run), Err(Rule::Stream));
    let mut b = Builder::new(&[]);
    assert_eq!(with(&mut b, &coefficients(&[x, x]), &[], run), Ok(()));
    let invert = |c: &mut R1cs<'_>| {
        let a = c.read_ext()?;
        c.inverse(&a).map(|_| ())
    };
    let mut b = Builder::new(&[]);
    assert_eq!(with(&mut b, &[Val::ZERO; 5], &[], invert), Err(Rule::Inverse));
}

#[test]
fn sums_by_challenges_are_computed_at_the_end() {
    let mut rng = rng();
    let values: Vec<Challenge> = (0..70).map(|_| rng.random()).collect();
    let (x, k): (Challenge, Val) = rng.random();
    for count in [1, 2, 5, 31, 32, 33, 64, 65, 70] {
        let values = &values[..count];
        assert!(holds(|b| {
            let run = |c: &mut R1cs<'_>| {
                let (alpha, beta) = (c.sample_ext(), c.sample_ext());
                let (a, b) = (alpha.value(), beta.value());
                let read: Vec<_> = values.iter().map(|_| c.read_ext().unwrap()).collect();
                let x = c.read_ext()?;
                // In the two ways in which the algorithm does it, with both orders of factors.
                let (mut one, mut two) = (x.clone(), x.clone());
                let (mut expected, mut other) = (x.value(), x.value());
                for value in &read {
                    one = c.mul_add(&one, &alpha, value);
                    expected = expected * a + value.value();
                    two = c.gate([Val::ONE, Val::ZERO, Val::ZERO, k, k], &alpha, &two, value);
                    other = other * a + value.value() * k + k;
                    assert_eq!(one.value(), expected);
                    assert_eq!(two.value(), other);
                }
                // Sums by two challenges, a sum that is needed twice, and one as a factor.
                let mixed = c.mul_add(&one, &beta, &two);
                let mixed = c.mul_add(&beta, &mixed, &one);
                let twice = c.mul(&mixed, &mixed);
                let mixed_value = (expected * b + other) * b + expected;
                assert_eq!(mixed.value(), mixed_value);
                let square = c.mul_add(&alpha, &alpha, &twice);
                let negative = c.gate(
                    [Val::NEG_ONE, k, Val::ZERO, Val::ONE, Val::ZERO],
                    &alpha,
                    &one,
                    &square,
                );
                let expected = a.square() + mixed_value.square() - a * expected + a * k;
                c.assert_eq(Rule::Folding, &negative, &Ext::constant(expected).into())
            };
            with(b, &[coefficients(values), coefficients(&[x])].concat(), &[], run).unwrap();
        }));
    }
    // Nothing can be changed.
    let values = [values[0], values[1], values[2]];
    attack(|b| {
        let run = |c: &mut R1cs<'_>| {
            let alpha = c.sample_ext();
            let mut sum = c.read_ext()?;
            c.assert_eq(Rule::Path, &sum, &Ext::constant(values[0]).into())?;
            for value in &values[1..] {
                let next = c.read_ext()?;
                c.assert_eq(Rule::Path, &next, &Ext::constant(*value).into())?;
                sum = c.mul_add(&sum, &alpha, &next);
            }
            let a = alpha.value();
            let expected = (values[0] * a + values[1]) * a + values[2];
            c.assert_eq(Rule::Folding, &sum, &Ext::constant(expected).into())
        };
        with(b, &coefficients(&values), &[], run).unwrap();
    });
}

#[test]
fn zeros_give_the_same_circuit() {
    let mut rng = rng();
    let felts: Vec<Val> = (0..200).map(|_| rng.random()).collect();
    let digests = [(); 5].map(|()| large(&mut rng));
    let run = |stream: Stream<'_>| {
        let mut c = R1cs::new(Builder::new(&[Fr::ZERO]), stream);
        c.begin();
        let root = c.read_digest().unwrap();
        c.observe_digest(&root);
        let x = c.read_ext().unwrap();
        c.observe_ext(&x);
        let gamma = c.sample_ext();
        let place = c.sample_bits(3).unwrap();
        let (_, sums) = c.open_rows(&[5, 9], &gamma).unwrap();
        let square = c.mul(&sums[0], &sums[1]);
        let inverse = c.inverse(&x).unwrap();
        let value = c.mul(&square, &inverse);
        let point = c.product(Val::TWO, &place, &[Val::TWO; 3]);
        let (folded, digest) = c.fold(&value, &place, &point, &gamma).unwrap();
        let _ = c.climb(&digest, &place, &[None, Some(root), None]).unwrap();
        let sum = c.mul_add(&folded, &gamma, &value);
        let _ = c.multiply(&point, &point);
        let _ = c.mul(&sum, &sum);
        c.builder.finish()
    };
    let (zeros, _) = run(Stream::Zeros);
    let (proof, assignment) = run(Stream::Proof { felts: &felts, digests: &digests });
    let proof = proof.unwrap();
    assert_eq!(proof.digest(), zeros.unwrap().digest());
    assert_eq!(proof.broken(&assignment.values), None);
}
