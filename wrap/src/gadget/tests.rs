//! Every gadget gives what the library gives, its system is satisfied, and no single variable of
//! the witness can have another value.

use ark_ff::Field;
use p3_challenger::{CanObserve, CanSample, CanSampleBits};
use p3_field::{BasedVectorSpace, Field as _, PrimeCharacteristicRing, PrimeField32};
use p3_symmetric::{CryptographicHasher, Hash, Permutation, PseudoCompressionFunction};
use rand::RngExt;
use rwprove_circuits::{Challenge, Val};

use super::{
    Ext, Int, Transcript, Uint,
    bits::{element, pack},
    uint::P,
};
use crate::{
    Fr,
    native::{self, Challenger, Compression, Sponge, to_fr},
    r1cs::{Builder, Wire},
    testing::{assert_is, attack, holds, large, pinned, pinned_ext, pinned_large, rng},
};

#[test]
fn at_most_is_exact() {
    for max in [0, 1, 2, 5, 6, 7, 8, 11, 30, 31] {
        for x in 0..32 {
            let build = |b: &mut Builder| {
                let bits = b.bits(Uint::new(x), 5);
                b.assert_at_most(&bits, Uint::new(max));
            };
            assert_eq!(holds(build), x <= max, "{x} <= {max}");
        }
    }
    // The canonical form costs two constraints.
    let count = |canonical: bool| {
        let mut b = Builder::new(&[]);
        let x = b.int(Val::new(7));
        if canonical {
            b.canonical(&x);
        }
        b.constraints()
    };
    assert_eq!((count(false), count(true)), (31, 33));
    for (x, fits) in [(0, true), (P - 1, true), (P, false), (P + 1, false), ((1 << 31) - 1, false)]
    {
        let build = |b: &mut Builder| {
            let bits = b.bits(Uint::new(x.into()), 31);
            let int = Int::packed(&bits);
            b.canonical(&int);
        };
        assert_eq!(holds(build), fits, "{x}");
    }
}

#[test]
fn a_bit_is_a_bit() {
    let mut b = Builder::new(&[]);
    b.bit(true);
    let (circuit, assignment) = b.finish();
    let circuit = circuit.expect("recorded");
    for (value, fits) in [(0, true), (1, true), (2, false)] {
        let values = [assignment.values[0], Fr::from(value)];
        assert_eq!(circuit.broken(&values).is_none(), fits);
    }
}

#[test]
fn arithmetic_is_koalabears() {
    let mut rng = rng();
    for _ in 0..4 {
        let (x, y, z, k): (Val, Val, Val, Val) = rng.random();
        let build = |b: &mut Builder| {
            let (a, c, d) = (pinned(b, x), pinned(b, y), pinned(b, z));
            let mut product = b.int_mul(&a, &c);
            assert_eq!(product.value(), x * y);
            // Long chains are reduced on the way.
            let mut expected = x * y;
            for _ in 0..6 {
                let before = product.clone();
                product = b.int_mul(&product, &d);
                product = b.linear(&[(k, &product), (-Val::ONE, &before)], Val::TWO);
                expected = k * expected * z - expected + Val::TWO;
                assert_eq!(product.value(), expected);
                assert!(product.bound() < Uint::LIMIT);
                assert!(super::bits::integer(product.wire().value()) <= product.bound());
            }
            b.int_assert_eq(&product, &Int::constant(expected));
        };
        attack(build);
    }
}

#[test]
fn reduction_and_equality() {
    let mut rng = rng();
    let (x, y): (Val, Val) = rng.random();
    let constraints = attack(|b| {
        let (a, c) = (pinned(b, x), pinned(b, y));
        let before = b.constraints();
        let product = b.int_mul(&a, &c);
        b.reduce(&product);
        assert_eq!(b.constraints() - before, 1 + 32 + 31 + 1);
        assert!(product.bound() <= Uint::ones(31));
        b.int_assert_eq(&product, &Int::constant(x * y));
    });
    assert!(constraints > 0);
    // A wrong result has no assignment.
    assert!(!holds(|b| {
        let (a, c) = (pinned(b, x), pinned(b, y));
        let product = b.int_mul(&a, &c);
        b.int_assert_eq(&product, &Int::constant(x * y + Val::ONE));
    }));
    // The canonical representative is the only one.
    attack(|b| {
        let a = pinned(b, x);
        let sum = b.linear(&[(Val::TWO, &a)], Val::ONE);
        let bits = b.canonical(&sum);
        let value = (x.double() + Val::ONE).as_canonical_u32();
        assert_is(b, &pack(&bits), element(Uint::new(value.into())));
    });
}

#[test]
fn selection() {
    let mut rng = rng();
    let (x, y): (Val, Val) = rng.random();
    for bit in [false, true] {
        attack(|b| {
            let (a, c) = (pinned(b, x), pinned(b, y));
            let s = pinned_large(b, Fr::from(bit));
            let chosen = b.int_select(&s, &a, &c);
            b.int_assert_eq(&chosen, &Int::constant(if bit { y } else { x }));
        });
    }
}

#[test]
fn extension_is_the_librarys() {
    let mut rng = rng();
    for _ in 0..3 {
        let (x, y, z): (Challenge, Challenge, Challenge) = rng.random();
        attack(|b| {
            let (p, q, r) = (pinned_ext(b, x), pinned_ext(b, y), pinned_ext(b, z));
            let before = b.constraints();
            let product = b.ext_mul(&p, &q);
            assert_eq!(b.constraints() - before, 9);
            assert_eq!(product.value(), x * y);
            // Lazily, on both sides.
            let cube = b.ext_mul(&product, &r);
            let difference = b.ext_sub(&cube, &product);
            let all = b.ext_mul(&difference, &difference);
            let expected = (x * y * z - x * y).square();
            assert_eq!(all.value(), expected);
            b.ext_assert_eq(&all, &Ext::constant(expected));
        });
    }
    let (x, k): (Challenge, Challenge) = rng.random();
    let base: Val = rng.random();
    attack(|b| {
        let (p, q) = (pinned_ext(b, x), pinned(b, base));
        let before = b.constraints();
        let product = b.ext_mul(&Ext::lift(&q), &p);
        assert_eq!(b.constraints() - before, 5);
        let scaled = b.ext_mul(&Ext::constant(k), &p);
        let scaled = b.ext_scale(Val::from_u32(P - 3), &scaled);
        let sum = b.ext_add(&product, &scaled);
        assert_eq!(b.constraints() - before, 5);
        let expected = x * base + k * x * Val::from_u32(P - 3);
        b.ext_assert_eq(&sum, &Ext::constant(expected));
    });
    attack(|b| {
        let p = pinned_ext(b, x);
        let inverse = b.ext_inverse(&p);
        b.ext_assert_eq(&inverse, &Ext::constant(x.inverse()));
    });
    assert!(!holds(|b| {
        let zero = pinned_ext(b, Challenge::ZERO);
        b.ext_inverse(&zero);
    }));
    let parts: [Challenge; 5] = rng.random();
    attack(|b| {
        let ints = parts.map(|part| pinned_ext(b, part));
        let before = b.constraints();
        let all = b.recompose(&ints);
        assert_eq!(b.constraints(), before);
        let basis = |i| Challenge::from_basis_coefficients_fn(|j| Val::from_bool(i == j));
        let expected: Challenge = (0..5).map(|i| parts[i] * basis(i)).sum();
        b.ext_assert_eq(&all, &Ext::constant(expected));
    });
}

#[test]
fn poseidon2_has_its_published_vector() {
    // The known answer of the reference implementation, `kats` in `poseidon2.rs` of zkhash 0.2.0.
    let expected = [
        "0bb61d24daca55eebcb1929a82650f328134334da98ea4f847f760054f4a3033",
        "303b6f7c86d043bfcbcc80214f26a30277a15d3f74ca654992defe7ff8d03570",
        "1ed25194542b12eef8617361c3ba7c52e660b145994427cc86296242cf766ec8",
    ]
    .map(|hex| {
        let limb = |i: usize| u64::from_str_radix(&hex[16 * i..16 * (i + 1)], 16).unwrap();
        element(Uint(ark_ff::BigInt([limb(3), limb(2), limb(1), limb(0)])))
    });
    let input = [0, 1, 2].map(Fr::from);
    let native = native::permutation().permute(input.map(native::from_fr));
    assert_eq!(native.map(to_fr), expected);
    let constraints = attack(|b| {
        let state = input.map(|x| pinned_large(b, x));
        let before = b.constraints();
        let state = b.permute(state);
        assert_eq!(b.constraints() - before, 240);
        for (x, expected) in state.iter().zip(expected) {
            assert_is(b, x, expected);
        }
    });
    assert_eq!(constraints, 246);
}

#[test]
fn poseidon2_is_the_librarys() {
    let mut rng = rng();
    for _ in 0..8 {
        let input = [(); 3].map(|()| large(&mut rng));
        let expected = native::permutation().permute(input.map(native::from_fr)).map(to_fr);
        assert!(holds(|b| {
            let state = b.permute(input.map(Wire::constant));
            assert_eq!(b.constraints(), 0);
            assert_eq!(state.map(|x| x.value()), expected);
            let state = input.map(|x| b.witness(x));
            let state = b.permute(state);
            assert_eq!(state.map(|x| x.value()), expected);
        }));
    }
}

#[test]
fn hashes_are_the_librarys() {
    let mut rng = rng();
    let sponge = Sponge::new(native::permutation()).expect("the fields fit");
    for length in [0_usize, 1, 7, 8, 9, 16, 17, 24, 25, 40] {
        let row: Vec<Val> = (0..length).map(|_| rng.random()).collect();
        let [expected] = sponge.hash_iter(row.iter().copied());
        assert!(holds(|b| {
            let elements: Vec<Int> = row.iter().map(|&x| pinned(b, x)).collect();
            let before = b.constraints();
            let digest = b.hash(&elements);
            assert_eq!(digest.value(), to_fr(expected));
            assert_eq!(b.constraints() - before, length.div_ceil(16) * 240);
        }));
    }
    let row: Vec<Val> = (0..3).map(|_| rng.random()).collect();
    let [expected] = sponge.hash_iter(row.iter().copied());
    attack(|b| {
        let elements: Vec<Int> = row.iter().map(|&x| pinned(b, x)).collect();
        let digest = b.hash(&elements);
        assert_is(b, &digest, to_fr(expected));
    });
}

#[test]
fn merkle_steps_are_the_librarys() {
    let mut rng = rng();
    let compression = Compression::new(native::permutation());
    let (node, sibling) = (large(&mut rng), large(&mut rng));
    for right in [false, true] {
        let pair = if right { [sibling, node] } else { [node, sibling] };
        let [expected] = compression.compress(pair.map(|x| [native::from_fr(x)]));
        attack(|b| {
            let (n, s) = (pinned_large(b, node), pinned_large(b, sibling));
            let bit = pinned_large(b, Fr::from(right));
            let before = b.constraints();
            let parent = b.climb_step(&n, &bit, &s);
            assert_eq!(b.constraints() - before, 241);
            assert_is(b, &parent, to_fr(expected));
        });
    }
}

#[test]
fn transcripts_are_the_librarys() {
    let mut rng = rng();
    for _ in 0..6 {
        let steps: Vec<(u8, Val, Fr)> =
            (0..60).map(|_| (rng.random_range(0..7), rng.random(), large(&mut rng))).collect();
        assert!(holds(|b| {
            let mut native = Challenger::new(native::permutation()).expect("the fields fit");
            let mut transcript = Transcript::default();
            for (step, x, digest) in &steps {
                match step {
                    0..3 => {
                        native.observe(*x);
                        let x = b.int(*x);
                        transcript.observe(b, &x);
                    }
                    3 => {
                        native.observe(Hash::<Val, _, 1>::from([native::from_fr(*digest)]));
                        let digest = b.witness(*digest);
                        transcript.observe_digest(b, &digest);
                    }
                    4 => {
                        let expected = native.sample_bits(9);
                        let x = transcript.sample(b);
                        let bits = b.canonical(&x);
                        assert_eq!(pack(&bits[..9]).value(), Fr::from(expected as u64));
                    }
                    _ => {
                        let expected: Val = native.sample();
                        assert_eq!(transcript.sample(b).value(), expected);
                    }
                }
            }
        }));
    }
    // Each value of the witness is the only one.
    let x: Val = rng.random();
    let mut native = Challenger::new(native::permutation()).expect("the fields fit");
    native.observe(x);
    let expected: Val = native.sample();
    attack(|b| {
        let mut transcript = Transcript::default();
        let x = pinned(b, x);
        transcript.observe(b, &x);
        let y = transcript.sample(b);
        b.int_assert_eq(&y, &Int::constant(expected));
    });
}

#[test]
fn challenges_have_one_form() {
    // The topmost elements have none; the first below them have theirs.
    let p = Uint::new(P.into());
    let p7 = (0..7).fold(Uint::new(1), |power, _| power.times(p));
    let top = (0..7).fold(super::bits::integer(-Fr::ONE), |x, _| x.divide().0);
    for (x, fits) in [
        (Uint::default(), true),
        (top.times(p7).minus(Uint::new(1)), true),
        (top.times(p7), false),
        (super::bits::integer(-Fr::ONE), false),
    ] {
        let fill = |b: &mut Builder| {
            let cell = pinned_large(b, element(x));
            let mut transcript = Transcript::with_cell(cell);
            let digit = transcript.sample(b);
            let _ = digit;
        };
        assert_eq!(holds(fill), fits, "{x:?}");
    }
}

#[test]
fn sha256_is_sha256() {
    use sha2::{Digest, Sha256};
    for length in [0_usize, 3, 55, 56, 64, 119, 161] {
        let message: Vec<u8> = (0..length).map(|i| (i * 7 + 1) as u8).collect();
        let expected = Sha256::digest(&message);
        assert!(holds(|b| {
            let bytes: Vec<[Wire; 8]> = message
                .iter()
                .map(|byte| std::array::from_fn(|i| b.bit(byte >> i & 1 == 1)))
                .collect();
            let digest = b.sha256(&bytes);
            for (byte, expected) in digest.iter().zip(expected) {
                assert_eq!(pack(byte).value(), Fr::from(expected));
            }
        }));
    }
}

#[test]
fn sha256_has_one_witness() {
    // All variables of a block would take minutes: a sample of them, and all inputs.
    use sha2::{Digest, Sha256};
    let expected = Sha256::digest(b"abc");
    let mut b = Builder::new(&[]);
    let bytes: Vec<[Wire; 8]> =
        b"abc".map(|byte| std::array::from_fn(|i| b.bit(byte >> i & 1 == 1))).into();
    for byte in &bytes {
        let value = pack(byte).value();
        assert_is(&mut b, &pack(byte), value);
    }
    for (byte, expected) in b.sha256(&bytes).iter().zip(expected) {
        assert_is(&mut b, &pack(byte), Fr::from(expected));
    }
    let (circuit, assignment) = b.finish();
    let circuit = circuit.expect("recorded");
    let mut values = assignment.values;
    let step = values.len() / 200;
    for variable in (1..=24).chain((25..values.len()).step_by(step)) {
        let right = values[variable];
        values[variable] = Fr::ONE - right;
        assert!(circuit.broken(&values).is_some(), "variable {variable}");
        values[variable] = right;
    }
}
