//! Sizes of circuits.
#![allow(missing_docs, clippy::unwrap_used)]
use rwprove_circuits::{circuit::{self, ChipId}, shape::listed};
use rwprove_recursion::{circuit::Builder, layers, verify::Stark, backend::Backend};
use rwprove_verifier::{Preset, config::Parameters, layout::{ProofLayout, TableLayout}, machine, security::security};
fn main() {
    let parameters = Preset::P100.parameters();
    let names: Vec<_> = ChipId::ALL.iter().map(|c| c.name()).collect();
    println!("{names:?}");
    let mut max = [0usize; 8];
    for (i, shape) in listed().enumerate() {
        let start = std::time::Instant::now();
        let stark = Stark::new(&machine::layout(&shape, parameters)).unwrap();
        let mut b = Builder::new();
        let digest = layers::leaf(&mut b, &shape, &stark).unwrap();
        b.expose(&digest);
        let circuit = b.finish().unwrap();
        let h = circuit.heights();
        if !shape.tables().any(|(c, _)| c.name() == "keccak") { for (m, h) in max.iter_mut().zip(h) { *m = (*m).max(h); } }
        println!("{i} {:?} {:?} {:?}", shape.tables().map(|(_, h)| h).collect::<Vec<_>>(), h, start.elapsed());
    }
    let layouts: Vec<TableLayout> = circuit::tables().iter().map(TableLayout::new).collect();
    for (name, t) in names.iter().zip(&layouts) { println!("{name}: main {} pre {} lookup {} quotient {}", t.width, t.preprocessed, t.lookup_width(), 5 * t.chunks()); }
    let _ = Parameters { ..parameters };
    let mut heights = max.map(|rows| rows.next_power_of_two().trailing_zeros() as usize).map(|h| h.max(3));
    for round in 0..3 {
        let p = Parameters { log_blowup: 2, queries: 90, query_bits: 16, batch_bits: 8, commit_bits: 4, ood_bits: 0, lookup_bits: 0 };
        let layout = ProofLayout { tables: layouts.iter().zip(heights).collect(), parameters: p };
        println!("bits {:?}", security(&layout).best().bits());
        let stark = Stark::new(&layout).unwrap();
        let mut b = Builder::new();
        let d = layers::join(&mut b, &stark, 5).unwrap();
        b.expose(&d);
        let c = b.finish().unwrap();
        println!("join over {heights:?}: {:?}", c.heights());
        let mut b = Builder::new();
        let d = layers::root(&mut b, &stark, 5).unwrap();
        b.expose(&d);
        let c2 = b.finish().unwrap();
        println!("root over {heights:?}: {:?}", c2.heights());
        for (h, rows) in heights.iter_mut().zip(c.log_heights()) { *h = (*h).max(rows); }
        if round == 2 {
            let mut hh = c2.log_heights();
            for _ in 0..4 {
            let p = Parameters { log_blowup: 4, queries: 45, query_bits: 16, batch_bits: 8, commit_bits: 4, ood_bits: 0, lookup_bits: 0 };
            let layout = ProofLayout { tables: layouts.iter().zip(hh).collect(), parameters: p };
            println!("bits {:?}", security(&layout).best().bits());
            let stark = Stark::new(&layout).unwrap();
            let mut b = Builder::new();
            let d = layers::shrink(&mut b, &stark, &[Default::default(); 8]).unwrap();
            b.expose(&d);
            let c = b.finish().unwrap();
            println!("shrink over {hh:?}: {:?}", c.heights());
            hh = c.log_heights();
            }
        }
    }
    let _ = Builder::new().felt(Default::default());
}
