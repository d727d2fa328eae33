//! Counts constraints: of gadgets, and of the circuit for L1, part by part.
//!
//!     cargo run --release -p rwprove-wrap --example count -- [LOG_BLOWUP QUERIES]
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::{error::Error, time::Instant};

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{Challenge, Val};
use rwprove_recursion::{prove::layout, system::Id};
use rwprove_verifier::{
    compressed::Fixed,
    config::{Layer, Parameters},
};
use rwprove_wrap::{
    Fr,
    gadget::{Ext, Int, Transcript},
    r1cs::Builder,
    settlement::{PRESET, Settlement},
};

/// Constraints of what is built.
fn count(
    name: &str,
    prepare: impl FnOnce(&mut Builder) -> Vec<Ext>,
    build: impl FnOnce(&mut Builder, &[Ext]),
) {
    let mut b = Builder::new(&[]);
    let prepared = prepare(&mut b);
    let before = b.constraints();
    build(&mut b, &prepared);
    println!("{:>9}  {name}", b.constraints() - before);
}

fn gadgets() {
    let two = |b: &mut Builder| vec![b.ext(Challenge::ONE), b.ext(Challenge::ONE)];
    let none = |_: &mut Builder| Vec::new();
    let last = |b: &mut Builder, x: &Ext| b.ext_reduce(x);
    count("element, 31 bits", none, |b, _| {
        let _ = b.int(Val::ONE);
    });
    count("element, canonical", none, |b, _| {
        let x = b.int(Val::ONE);
        let _ = b.canonical(&x);
    });
    count("product", two, |b, x| {
        let _ = b.int_mul(&x[0].0[0], &x[1].0[0]);
    });
    count("product, reduced", two, |b, x| {
        let product = b.int_mul(&x[0].0[0], &x[1].0[0]);
        b.reduce(&product);
    });
    count("x = y of a product and an element", two, |b, x| {
        let product = b.int_mul(&x[0].0[0], &x[1].0[0]);
        b.int_assert_eq(&product, &x[1].0[1]);
    });
    count("extension: product", two, |b, x| {
        let _ = b.ext_mul(&x[0], &x[1]);
    });
    count("extension: product, reduced", two, |b, x| {
        let product = b.ext_mul(&x[0], &x[1]);
        last(b, &product);
    });
    count("extension: product with an element", two, |b, x| {
        let _ = b.ext_mul(&Ext::lift(&x[0].0[0]), &x[1]);
    });
    count("extension: inverse", two, |b, x| {
        let _ = b.ext_inverse(&x[0]);
    });
    count("Poseidon2, width 3", none, |b, _| {
        let state = [(); 3].map(|()| b.witness(Fr::from(0)));
        let _ = b.permute(state);
    });
    count("step of a Merkle path", none, |b, _| {
        let [node, bit, sibling] = [(); 3].map(|()| b.witness(Fr::from(0)));
        let _ = b.climb_step(&node, &bit, &sibling);
    });
    count(
        "hash of 100 elements",
        |b| (0..20).map(|_| b.ext(Challenge::ONE)).collect(),
        |b, x| {
            let elements: Vec<Int> = x.iter().flat_map(|x| x.0.clone()).collect();
            let _ = b.hash(&elements);
        },
    );
    count("transcript: seven challenges", none, |b, _| {
        let mut transcript = Transcript::default();
        for _ in 0..7 {
            let _ = transcript.sample(b);
        }
    });
    count("SHA-256 of 161 bytes", none, |b, _| {
        let message: Vec<_> =
            (0..161).map(|_| std::array::from_fn(|_| b.witness(Fr::from(0)))).collect();
        let _ = b.sha256(&message);
    });
}

/// The circuit for L1 of proofs with these parameters.
fn settlement(parameters: Parameters) -> Result<(), Box<dyn Error>> {
    let heights = Id::Settle.heights(Fixed::of(PRESET)).map(usize::from);
    // A key is a constant, whichever.
    let settlement = Settlement::new(&layout(&heights, parameters), Fr::from(1))?;
    let start = Instant::now();
    let b = settlement.parts()?;
    println!("\n{parameters:?}");
    for (part, constraints) in b.parts() {
        println!("{constraints:>9}  {part}");
    }
    let total = b.constraints();
    let circuit = b.finish().0.ok_or("constraints are recorded")?;
    println!(
        "{total:>9}  in all (2^{:.2}); {} variables, {} coefficients, built in {:.1?}",
        (total as f64).log2(),
        circuit.variables(),
        circuit.non_zero(),
        start.elapsed()
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<usize> =
        std::env::args().skip(1).map(|x| x.parse()).collect::<Result<_, _>>()?;
    gadgets();
    let fixed = PRESET.layer(Layer::Settle);
    let parameters = match arguments.as_slice() {
        [log_blowup, queries] => Parameters { log_blowup: *log_blowup, queries: *queries, ..fixed },
        [] => fixed,
        _ => return Err("usage: count [LOG_BLOWUP QUERIES]".into()),
    };
    settlement(parameters)
}
