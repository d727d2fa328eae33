//! Small programs from setup to verification, and proofs that must be refused.

use std::{fs, path::PathBuf, sync::OnceLock};

use rwprove_circuits::machine::ChipId;
use rwprove_executor::Input;
use rwprove_isa::{
    Exit, InputDigest, Instr, Op, Operand, Program, Statement, Trap, keccak256,
    runtime::{Library, Routine},
};
use rwprove_verifier::{
    Preset, VerifyingKey,
    claim::ClaimError,
    shards::{VerifyError, peek, verify},
};

use crate::{
    Event, Options, ProveError, Proved, ProvingKey, check, prove, setup,
    testing::{SMALL, assembled},
};

const FUEL: u64 = 5 + 3 * 3500;

/// A loop of 3500 turns, each with 3 fuel, and a question about fuel.
fn busy() -> Program {
    let (imm, slot) = (Operand::Imm, Operand::Slot);
    assembled(5, |asm| {
        asm.mov(0, imm(3500));
        let again = asm.here_label();
        asm.op(Op::Add, 1, 1, slot(0));
        asm.access(Op::Store, 1, None, 3);
        asm.emit(Instr { a: Some(0), b: imm(1), c: 0, fuel: 3, ..Instr::new(Op::Sub) });
        asm.branch(Op::BrNe, 0, imm(0), again);
        asm.emit(Instr { c: 2, ..Instr::new(Op::FuelLeftLo) });
        let done = asm.pc_label(Library::get().entry(Routine::Done));
        asm.jump(done);
    })
}

fn input(fuel_limit: Option<u64>) -> Input {
    Input { bytes: b"rwprove".to_vec(), state: 1, fuel_limit }
}

/// Shards of at most 2^12 instructions.
fn options() -> Options {
    Options { limits: Some(SMALL), ..Options::default() }
}

/// A proof of four shards, with the shards' bytes.
struct Fixture {
    key: ProvingKey,
    vkey: VerifyingKey,
    proved: Proved,
    shards: Vec<Vec<u8>>,
}

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("rwprove-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    path
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let (key, vkey) = setup(busy(), Preset::P100).unwrap();
        let path = directory("fixture");
        let options = Options { resume: Some(path.clone()), ..options() };
        let proved = prove(&key, &input(Some(20_000)), &options, &mut |_| ()).unwrap();
        let shards = (0..4).map(|i| fs::read(path.join(format!("shard-{i:08}"))).unwrap());
        let shards = shards.collect();
        fs::remove_dir_all(&path).unwrap();
        Fixture { key, vkey, proved, shards }
    })
}

impl Fixture {
    /// The proof with other shards.
    fn with_shards(&self, shards: &[usize]) -> Vec<u8> {
        let length: usize = self.shards.iter().map(Vec::len).sum();
        let mut bytes = self.proved.proof[..self.proved.proof.len() - length - 4].to_vec();
        bytes.extend((shards.len() as u32).to_le_bytes());
        shards.iter().for_each(|&shard| bytes.extend(&self.shards[shard]));
        bytes
    }

    /// Verifies the same shards with another statement, in proof and argument alike.
    fn claim(&self, change: impl FnOnce(&mut Statement)) -> Result<(), VerifyError> {
        let (before, mut after) = (self.proved.statement.to_bytes(), self.proved.statement.clone());
        change(&mut after);
        let mut bytes = self.proved.proof.clone();
        let at = bytes.windows(before.len()).position(|part| part == before).unwrap();
        bytes[at..at + before.len()].copy_from_slice(&after.to_bytes());
        assert_eq!(peek(&bytes).unwrap().statement, after);
        verify(&self.vkey.digest(), &after, &bytes).map(|_| ())
    }

    fn verify(&self, bytes: &[u8]) -> Result<u32, VerifyError> {
        verify(&self.vkey.digest(), &self.proved.statement, bytes).map(|verified| verified.shards)
    }
}

#[test]
fn a_run_in_shards() {
    let fixture = fixture();
    let Proved { proof, statement, report } = &fixture.proved;
    assert_eq!(statement.exit, Exit::Ok);
    assert_eq!((statement.fuel, report.shards), (FUEL, 4));
    assert_eq!(statement.input, InputDigest::Public(keccak256(b"rwprove")));
    assert_eq!(fixture.with_shards(&[0, 1, 2, 3]), *proof);
    assert_eq!(fixture.verify(proof).unwrap(), 4);
    let head = peek(proof).unwrap();
    assert_eq!((head.key, head.statement), (fixture.vkey, statement.clone()));
    let (checked, _) = check(&fixture.key, &input(Some(20_000)), &options(), &mut |_| ()).unwrap();
    assert_eq!(checked, *statement);
}

#[test]
fn every_field_of_the_statement_is_proved() {
    let claim = |change: fn(&mut Statement)| fixture().claim(change).unwrap_err();
    assert!(fixture().claim(|_| ()).is_ok());
    assert!(matches!(claim(|s| s.vkey[0] ^= 1), VerifyError::Claim(ClaimError::Key)));
    // These two are in the first root and in the fuel table.
    assert!(matches!(claim(|s| s.state = 0), VerifyError::Stark { shard: 0, .. }));
    assert!(matches!(claim(|s| s.fuel_limit += 1), VerifyError::Stark { .. }));
    let input = claim(|s| s.input = InputDigest::Public([0; 32]));
    assert!(matches!(input, VerifyError::Claim(ClaimError::Input)));
    assert!(matches!(claim(|s| s.host[5] = 1), VerifyError::Claim(ClaimError::Host)));
    for exit in [Exit::Code(0), Exit::Trap(Trap::OutOfFuel)] {
        let error = fixture().claim(|s| s.exit = exit).unwrap_err();
        assert!(matches!(error, VerifyError::Claim(ClaimError::Exit { .. })));
    }
    assert!(matches!(claim(|s| s.fuel += 1), VerifyError::Claim(ClaimError::Fuel { .. })));
    assert!(matches!(claim(|s| s.output[31] ^= 1), VerifyError::Claim(ClaimError::Output)));
    // Less may be said.
    assert!(fixture().claim(|s| s.input = InputDigest::Private).is_ok());
}

#[test]
fn another_key_or_statement_is_refused() {
    let Fixture { vkey, proved: Proved { proof, statement, .. }, .. } = fixture();
    let other = Statement { fuel: 1, ..statement.clone() };
    let refused = verify(&vkey.digest(), &other, proof);
    assert!(matches!(refused, Err(VerifyError::OtherStatement)));
    assert!(matches!(verify(&[0; 32], statement, proof), Err(VerifyError::KeyDigest)));
    // A key of another machine, consistent in itself.
    let changed = VerifyingKey { machine: [1; 32], ..*vkey };
    let said = Statement { vkey: changed.digest(), ..statement.clone() };
    let mut bytes = proof.clone();
    bytes[12..44].copy_from_slice(&changed.machine);
    let refused = verify(&changed.digest(), &said, &bytes);
    assert!(matches!(refused, Err(VerifyError::Machine)));
}

#[test]
fn shards_form_one_chain() {
    let fixture = fixture();
    let refused = |shards: &[usize]| fixture.verify(&fixture.with_shards(shards)).unwrap_err();
    assert!(matches!(refused(&[]), VerifyError::NoShards));
    assert!(matches!(refused(&[0, 1, 2]), VerifyError::NotHalted(_)));
    for (shards, at) in [
        (&[1, 2, 3][..], 0),
        (&[0, 2, 3], 1),
        (&[0, 1, 3], 2),
        (&[0, 0, 1, 2, 3], 1),
        (&[0, 2, 1, 3], 1),
        (&[0, 1, 2, 3, 3], 4),
        (&[3], 0),
    ] {
        let error = refused(shards);
        assert!(matches!(error, VerifyError::Stark { shard, .. } if shard == at), "{shards:?}");
    }
}

#[test]
fn what_a_shard_says_is_bound_to_its_proof() {
    let fixture = fixture();
    let proof = &fixture.proved.proof;
    let start = proof.len() - fixture.shards.iter().map(Vec::len).sum::<usize>();
    // The shape has a byte a table; pc, frame base, depth, pages, spent fuel, four limbs of charged
    // fuel and the root follow.
    let with = |place: usize, byte: u8| {
        let mut changed = proof.clone();
        changed[start + place] = byte;
        fixture.verify(&changed).unwrap_err()
    };
    let changed = |word: usize| {
        let place = ChipId::COUNT + 4 * word;
        with(place, proof[start + place] ^ 1)
    };
    for word in (0..5).chain(9..17) {
        assert!(matches!(changed(word), VerifyError::Stark { shard: 0, .. }), "word {word}");
    }
    // The first shard has no fuel table, so nothing would bind these.
    for word in 5..9 {
        assert!(matches!(changed(word), VerifyError::FuelWithoutTable(0)));
    }
    let shape = |chip: ChipId, log_height| with(chip as usize, log_height);
    for (chip, log_height) in
        [(ChipId::Cpu, 13), (ChipId::Cpu, 255), (ChipId::Merkle, 255), (ChipId::Bytes, 15)]
    {
        assert!(matches!(shape(chip, log_height), VerifyError::Shape { shard: 0, .. }));
    }
    assert!(matches!(shape(ChipId::Program, 16), VerifyError::Shape { .. }));
    // Another allowed height changes what the bytes after it mean.
    let _ = shape(ChipId::Merkle, 9);
}

#[test]
fn changed_bytes_are_refused() {
    let fixture = fixture();
    let proof = &fixture.proved.proof;
    let start = proof.len() - fixture.shards.iter().map(Vec::len).sum::<usize>();
    // Some of everything before the shards and in the first shard.
    let shard = start + fixture.shards[0].len();
    let samples = (0..start).step_by(83).chain((start..start + 80).step_by(9));
    for at in samples.chain((start..shard).step_by(160_009)) {
        let mut changed = proof.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(fixture.verify(&changed).is_err(), "byte {at}");
    }
    for end in (0..start).step_by(13).chain((start..proof.len()).step_by(900_001)) {
        assert!(fixture.verify(&proof[..end]).is_err(), "cut at {end}");
    }
    let mut longer = proof.clone();
    longer.push(0);
    assert!(matches!(fixture.verify(&longer), Err(VerifyError::Decode(_))));
}

#[test]
fn finished_shards_are_used_again_if_they_hold() {
    let fixture = fixture();
    let path = directory("again");
    let options = Options { resume: Some(path.clone()), ..options() };
    fs::create_dir_all(&path).unwrap();
    let run = |input: &Input| {
        let mut reused = Vec::new();
        let proved = prove(&fixture.key, input, &options, &mut |event| {
            if let Event::Proved { reused: again, .. } = event {
                reused.push(*again);
            }
        });
        proved.map(|proved| (proved, reused))
    };
    // As if an earlier attempt had left these; one of them is of another place in the run.
    let place = |i: usize, bytes: &[u8]| fs::write(path.join(format!("shard-{i:08}")), bytes);
    place(0, &fixture.shards[0]).unwrap();
    place(1, &fixture.shards[2]).unwrap();
    place(2, &fixture.shards[2][1..]).unwrap();
    place(3, &fixture.shards[3]).unwrap();
    let (proved, reused) = run(&input(Some(20_000))).unwrap();
    assert_eq!(reused, [true, false, false, true]);
    assert_eq!(proved.proof, fixture.proved.proof);
    let other = run(&input(None));
    assert!(matches!(other, Err(ProveError::OtherRun(_))));
    fs::remove_dir_all(&path).unwrap();
}

/// The library falls back to one thread without a word if its feature is not asked for.
#[test]
fn the_library_uses_all_threads() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    assert_eq!(pool.install(p3_maybe_rayon::prelude::current_num_threads), 2);
}

#[test]
fn threads_do_not_change_a_proof() {
    let fixture = fixture();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let proved = pool
        .install(|| prove(&fixture.key, &input(Some(20_000)), &options(), &mut |_| ()))
        .unwrap();
    assert_eq!(proved.proof, fixture.proved.proof);
}

#[test]
fn traps_have_proofs_in_the_higher_preset() {
    let (key, vkey) = setup(busy(), Preset::P120).unwrap();
    let options = Options { private_input: true, ..options() };
    let proved = prove(&key, &input(Some(FUEL / 10)), &options, &mut |_| ()).unwrap();
    let statement = &proved.statement;
    assert_eq!(statement.exit, Exit::Trap(Trap::OutOfFuel));
    assert_eq!(statement.input, InputDigest::Private);
    assert_ne!(vkey.digest(), fixture().vkey.digest());
    let verified = verify(&vkey.digest(), statement, &proved.proof).unwrap();
    assert_eq!(verified.key, vkey);
}

#[test]
fn memory_bounds_shards() {
    let (_, key) = &setup(busy(), Preset::P100).unwrap();
    let cpu = |bytes| crate::memory::limits(key, bytes).map(|limits| limits.cpu);
    assert!(cpu(1 << 40).unwrap() == 1 << 20);
    assert!(cpu(2 << 30).unwrap() < 1 << 20);
    assert!(cpu(1 << 30).unwrap() <= cpu(2 << 30).unwrap());
    assert!(matches!(cpu(1 << 20), Err(ProveError::Memory { .. })));
}
