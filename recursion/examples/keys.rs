//! Makes what is fixed about the circuits of a preset: heights and keys, as Rust.
//!
//!     cargo run --release -p rwprove-recursion --example keys -- 100 \
//!         > p100.rs && mv p100.rs verifier/src/compressed/fixed/
//!
//! Heights are found by building circuits until all fit; then keys are made in the order in which
//! circuits hold them.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is its purpose")]

use std::{error::Error, time::Instant};

use p3_field::PrimeField32;
use rwprove_recursion::{
    circuit::Circuit,
    prove::Key,
    system::{Id, build, log_heights},
};
use rwprove_verifier::{
    Preset,
    compressed::{Fixed, LogHeights},
    config::Digest,
    machine,
};

fn main() -> Result<(), Box<dyn Error>> {
    let bits = std::env::args().nth(1).ok_or("say the preset: 100 or 120")?.parse()?;
    let preset = Preset::from_bits(bits).ok_or("there is no such preset")?;
    let leaves = Id::all().filter(|id| matches!(id, Id::Leaf(_))).count();
    let wide = Id::all().filter(|id| matches!(id, Id::WideLeaf(_))).count();
    // Heights do not depend on keys, but on how many there are; these are as different as any.
    const SOME: [u32; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
    let mut fixed = Fixed {
        machine: machine::digest(),
        standard: [3; _],
        wide: [3; _],
        root: [3; _],
        last: [3; _],
        settle: [3; _],
        leaves: vec![SOME; leaves].leak(),
        wide_leaves: vec![SOME; wide].leak(),
        lift_key: SOME,
        join_key: SOME,
        root_key: SOME,
        last_key: SOME,
    };
    let height = |fixed: &Fixed, id: Id| -> Result<LogHeights, Box<dyn Error>> {
        let circuit = build(id, fixed, preset)?;
        eprintln!("{}: {:?} rows", id.name(), circuit.heights());
        Ok(log_heights(&circuit))
    };
    let leaves = Id::all().filter(|id| matches!(id, Id::Leaf(_) | Id::WideLeaf(_)));
    for id in leaves {
        let needed = height(&fixed, id)?;
        let place = if let Id::Leaf(_) = id { &mut fixed.standard } else { &mut fixed.wide };
        *place = highest(place, &needed);
    }
    // Lift and join have the heights of the leaves that they verify.
    loop {
        let lift = height(&fixed, Id::Lift)?;
        let both = highest(&lift, &height(&fixed, Id::Join)?);
        let needed = highest(&fixed.standard, &both);
        if needed == fixed.standard {
            break;
        }
        fixed.standard = needed;
    }
    fixed.root = height(&fixed, Id::Root)?;
    fixed.last = height(&fixed, Id::Last)?;
    fixed.settle = height(&fixed, Id::Settle)?;

    let mut leaves = Vec::new();
    let mut wide = Vec::new();
    for id in Id::all() {
        let start = Instant::now();
        let circuit = build(id, &fixed, preset)?;
        let key = key(&circuit, id, &fixed, preset)?;
        eprintln!("{}: {key:?} ({:.1} s)", id.name(), start.elapsed().as_secs_f64());
        match id {
            Id::Leaf(_) => leaves.push(key),
            Id::WideLeaf(_) => wide.push(key),
            Id::Lift => fixed.lift_key = key,
            Id::Join => fixed.join_key = key,
            Id::Root => fixed.root_key = key,
            Id::Last => fixed.last_key = key,
            Id::Settle => {}
        }
        fixed.leaves = leaves.clone().leak();
        fixed.wide_leaves = wide.clone().leak();
    }
    print(&fixed, preset);
    Ok(())
}

fn highest(x: &LogHeights, y: &LogHeights) -> LogHeights {
    std::array::from_fn(|i| x[i].max(y[i]))
}

fn key(
    circuit: &Circuit,
    id: Id,
    fixed: &Fixed,
    preset: Preset,
) -> Result<[u32; 8], Box<dyn Error>> {
    let heights = id.heights(fixed).map(usize::from);
    let key: Digest = *Key::new(circuit, &heights, preset.layer(id.layer()))?.commitment();
    Ok(key.map(|element| element.as_canonical_u32()))
}

fn print(fixed: &Fixed, preset: Preset) {
    let bits = preset.bits();
    println!("//! Preset {bits}, made by the example `keys`.\n\nuse super::Fixed;\n");
    println!("#[rustfmt::skip]\npub(super) const P{bits}: Fixed = Fixed {{");
    println!("    machine: {:?},", fixed.machine);
    for (name, heights) in [
        ("standard", &fixed.standard),
        ("wide", &fixed.wide),
        ("root", &fixed.root),
        ("last", &fixed.last),
        ("settle", &fixed.settle),
    ] {
        println!("    {name}: {heights:?},");
    }
    for (name, keys) in [("leaves", fixed.leaves), ("wide_leaves", fixed.wide_leaves)] {
        println!("    {name}: &[");
        keys.iter().for_each(|key| println!("        {key:?},"));
        println!("    ],");
    }
    for (name, key) in [
        ("lift_key", fixed.lift_key),
        ("join_key", fixed.join_key),
        ("root_key", fixed.root_key),
        ("last_key", fixed.last_key),
    ] {
        println!("    {name}: {key:?},");
    }
    println!("}};");
}
