//! tmp
mod ops;
use crate::score::{Scale, Score};
use ops::*;
use rwprove_executor::{Input, Options as E, Rows, Run};
use rwprove_prover::{Options, check, prove, setup};
pub(crate) fn run(_: &Scale) -> Score {
    let score = Score::default();
    let lasts = Last::all();
    let program = program(&lasts, 0);
    let all = 1 << 12;
    let limits = Rows {
        cpu: ROWS + 2,
        bitwise: all,
        shift: all,
        mul: all,
        div: all,
        bits: all,
        access: all,
        refresh: all,
        keccak: 40,
        fuel: all,
        merkle: all,
    };
    let input = Input { bytes: b"rwprove".to_vec(), state: 1, fuel_limit: None };
    let records: Vec<_> =
        Run::new(&program, &input, E { limits, max_rows: 1 << 20 }).unwrap().collect();
    for (i, record) in records.iter().enumerate() {
        let record = match record {
            Ok(r) => r,
            Err(e) => {
                eprintln!("{i} {e}");
                break;
            }
        };
        let last = record.cpu.last().unwrap();
        let want = lasts.get(i).map(|l| (l.op(), l.rows()));
        let got = (program.code[last.pc as usize].op, record.cpu.len() as u64);
        if want != Some(got) {
            eprintln!("{i} {:?} {want:?} {got:?} {:?}", lasts.get(i), last.outcome);
        }
    }
    let t = std::time::Instant::now();
    let (key, vkey) = setup(program, Default::default()).unwrap();
    eprintln!("setup {:?}", t.elapsed());
    let options = Options { limits: Some(limits), ..Options::default() };
    let t = std::time::Instant::now();
    let n = check(&key, &input, &options, &mut |_| ()).unwrap().1.shards;
    eprintln!("check {n} {:?}", t.elapsed());
    let program = ops::program(
        &[Last::Plain(rwprove_isa::Op::CallReg), Last::Plain(rwprove_isa::Op::FuelCharge)],
        0,
    );
    let (key, vkey) = setup(program, Default::default()).unwrap();
    let t = std::time::Instant::now();
    let proved = prove(&key, &input, &options, &mut |e| eprintln!("{e:?}")).unwrap();
    eprintln!("prove {:?} {}", t.elapsed(), proved.proof.len());
    let t = std::time::Instant::now();
    rwprove_verifier::shards::verify(&vkey.digest(), &proved.statement, &proved.proof).unwrap();
    eprintln!("verify {:?}", t.elapsed());
    score
}
