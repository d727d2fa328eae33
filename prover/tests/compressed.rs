//! A run from its input to one proof, and proofs that must be refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fs, path::PathBuf};

use rwprove_executor::{Input, Rows};
use rwprove_isa::{Exit, Operand, Program, Statement};
use rwprove_prover::{
    Event, Options, ProveError, Proved, ProvingKey, prove, setup,
    testing::{SMALL, assembled},
};
use rwprove_recursion::system::Id;
use rwprove_verifier::{
    Preset, VerifyingKey,
    claim::ClaimError,
    compressed::{contents, encode, verify},
    error::VerifyError,
    head::{Kind, peek},
    shards,
};

/// A loop of 3000 turns.
fn program() -> Program {
    use rwprove_isa::{
        Op,
        runtime::{Library, Routine},
    };
    assembled(5, |asm| {
        asm.mov(0, Operand::Imm(3000));
        let again = asm.here_label();
        asm.op(Op::Sub, 0, 0, Operand::Imm(1));
        asm.branch(Op::BrNe, 0, Operand::Imm(0), again);
        let done = asm.pc_label(Library::get().entry(Routine::Done));
        asm.jump(done);
    })
}

fn input() -> Input {
    Input { bytes: b"rwprove".to_vec(), state: 1, fuel_limit: Some(20_000) }
}

/// Two shards.
fn options(resume: Option<PathBuf>) -> Options {
    let limits = Some(Rows { cpu: 1 << 12, ..SMALL });
    Options { kind: Kind::Compressed, limits, resume, ..Options::default() }
}

/// Proves the run; what was proved of the recursion, and whether it was there already.
fn proved(key: &ProvingKey, options: &Options) -> (Result<Proved, ProveError>, Vec<(Id, bool)>) {
    let mut seen = Vec::new();
    let proved = prove(key, &input(), options, &mut |event| {
        if let Event::Recursed { circuit, reused, .. } = event {
            seen.push((*circuit, *reused));
        }
    });
    (proved, seen)
}

fn refused(vkey: &VerifyingKey, statement: &Statement, bytes: &[u8]) -> VerifyError {
    verify(&vkey.digest(), statement, bytes).unwrap_err()
}

/// One test, because the proof takes its time.
#[test]
fn a_run_in_one_proof() {
    let (key, vkey) = setup(program(), Preset::P100).unwrap();
    let path = std::env::temp_dir().join(format!("rwprove-compressed-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    let (first, seen) = proved(&key, &options(Some(path.clone())));
    let Proved { proof, statement, report } = first.unwrap();
    assert_eq!((statement.exit, report.shards), (Exit::Ok, 2));
    let shard = [(Id::WideLeaf(0), false), (Id::Lift, false)];
    let last = [(Id::Root, false), (Id::Last, false)];
    assert_eq!(seen, [&shard[..], &shard, &[(Id::Join, false)], &last].concat());
    assert_eq!(verify(&vkey.digest(), &statement, &proof).unwrap(), vkey);

    // What was finished is used again if it proves what it must: the second shard's file is broken.
    let broken = path.join("node-00000001-00000001");
    let whole = fs::read(&broken).unwrap();
    fs::write(&broken, &whole[1..]).unwrap();
    fs::copy(path.join("node-00000000-00000001"), path.join("node-00000000-00000002")).unwrap();
    let (again, seen) = proved(&key, &options(Some(path.clone())));
    assert_eq!(again.unwrap().proof, proof);
    let reused = [(Id::Lift, true)];
    assert_eq!(seen, [&reused[..], &shard, &[(Id::Join, false)], &last].concat());
    assert_eq!(fs::read(&broken).unwrap(), whole);
    // The same directory is no place for shards of the other kind.
    let other = Options { kind: Kind::Shards, ..options(Some(path.clone())) };
    assert!(matches!(proved(&key, &other).0, Err(ProveError::OtherRun(_))));
    fs::remove_dir_all(&path).unwrap();

    // Every byte counts, and every field of the statement.
    for at in (0..proof.len()).step_by(proof.len() / 60).chain([proof.len() - 1]) {
        let mut changed = proof.clone();
        changed[at] ^= 1;
        assert!(verify(&vkey.digest(), &statement, &changed).is_err(), "byte {at}");
    }
    assert!(matches!(refused(&vkey, &statement, &proof[1..]), VerifyError::Magic));
    assert!(matches!(
        refused(&vkey, &statement, &proof[..proof.len() - 4]),
        VerifyError::Decode(_)
    ));
    let longer = [&proof[..], &[0]].concat();
    assert!(matches!(refused(&vkey, &statement, &longer), VerifyError::Decode(_)));
    assert!(matches!(
        shards::verify(&vkey.digest(), &statement, &proof),
        Err(VerifyError::Kind(2))
    ));
    assert!(matches!(verify(&[0; 32], &statement, &proof), Err(VerifyError::KeyDigest)));
    let claim = |change: fn(&mut Statement)| {
        let mut said = statement.clone();
        change(&mut said);
        let (mut head, compressed) = contents(&proof).unwrap();
        head.statement = said.clone();
        let bytes = encode(&head, &compressed);
        assert_eq!(peek(&bytes).unwrap().statement, said);
        verify(&vkey.digest(), &said, &bytes).map(|_| ())
    };
    assert!(claim(|_| ()).is_ok());
    assert!(matches!(claim(|s| s.state = 0), Err(VerifyError::Compressed(_))));
    assert!(matches!(claim(|s| s.fuel_limit += 1), Err(VerifyError::Compressed(_))));
    let wrong = claim(|s| s.fuel += 1);
    assert!(matches!(wrong, Err(VerifyError::Compressed(_) | VerifyError::Claim(_))));
    for change in [
        (|s| s.exit = Exit::Code(0)) as fn(&mut Statement),
        |s| s.output[0] ^= 1,
        |s| s.host[5] = 1,
        |s| s.input = rwprove_isa::InputDigest::Public([0; 32]),
    ] {
        assert!(matches!(claim(change), Err(VerifyError::Claim(_))));
    }
    assert!(matches!(claim(|s| s.vkey[0] ^= 1), Err(VerifyError::Claim(ClaimError::Key))));
    // The last registers are the proof's to say, but not to make up.
    let (head, mut compressed) = contents(&proof).unwrap();
    for place in 0..compressed.end.len() {
        compressed.end[place] ^= 1;
        let bytes = encode(&head, &compressed);
        assert!(matches!(refused(&vkey, &statement, &bytes), VerifyError::Compressed(_)));
        compressed.end[place] ^= 1;
    }
}
