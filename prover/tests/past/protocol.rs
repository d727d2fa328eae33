//! Shards, statement and proof: entries 31 to 33 and 35 to 47.

use p3_batch_stark::{ProverData, StarkInstance, prove_batch, verify_batch};
use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{
    Val,
    bus::{self, Message},
    machine::{Chip, ChipId},
    shape::{Shape, ShapeError, log_heights},
};
use rwprove_isa::{Exit, InputDigest, Op, Trap, keccak256};
use rwprove_prover::testing::filled;
use rwprove_verifier::{
    bytes::{DecodeError, Reader},
    claim::ClaimError,
    machine,
    shards::{Shard, VerifyError, verify},
};

use crate::{
    case::{Case, P, imm, mov, op, slot},
    proof::{Honest, honest, input},
};

/// SP1 PR 466 and 482: continuity of shards was not checked. Here: shards left out, doubled and
/// out of order, and a boundary that says something else than its proof.
#[test]
fn past_31_sp1_continuity() {
    let honest = honest();
    let all = honest.all();
    let last = all.len() - 1;
    let spliced: [Vec<&[u8]>; 5] = [
        all[1..].to_vec(),
        [&all[..1], &all[2..]].concat(),
        [&all[..1], &all[..]].concat(),
        [&all[..last], &all[last - 1..]].concat(),
        [&all[1..2], &all[..1], &all[2..]].concat(),
    ];
    for shards in spliced {
        let error = honest.with_shards(&shards);
        assert!(matches!(error, VerifyError::Stark { .. }), "{error}");
    }
    // pc, frame base, depth and pages where the first shard ends.
    for register in 0..4 {
        let mut shard = honest.first();
        shard.boundary.end[register] += 1;
        let bytes = Honest::bytes(&shard);
        let error = honest.with_shards(&[&[&bytes[..]], &all[1..]].concat());
        assert!(matches!(error, VerifyError::Stark { shard: 0, .. }), "{error}");
    }
}

/// SP1 v3: `is_complete` was not asserted. Here: the first shards of a run pose as the whole.
#[test]
fn past_32_sp1_incomplete() {
    let honest = honest();
    let all = honest.all();
    for end in 1..all.len() {
        let error = honest.with_shards(&all[..end]);
        assert!(matches!(error, VerifyError::NotHalted(_)), "{error}");
    }
    assert!(matches!(honest.with_shards(&[]), VerifyError::NoShards));
}

/// rkm 7: the exit code was checked wrongly. Here: every other way to end is claimed, with the
/// opened words left alone or changed to fit.
#[test]
fn past_33_rkm_exit_code() {
    let honest = honest();
    let traps = Trap::ALL.iter().map(|trap| Exit::Trap(*trap));
    for exit in traps.chain([Exit::Code(0), Exit::Code(1), Exit::Code(-1)]) {
        let error = honest.with_statement(|s| s.exit = exit);
        assert!(matches!(error, VerifyError::Claim(ClaimError::Exit { .. })), "{error}");
    }
    let mut run = honest.run;
    (run.results.words[0], run.results.words[1]) = (2, 7);
    let statement =
        rwprove_isa::Statement { exit: Exit::Code(7), ..honest.proved.statement.clone() };
    let error = honest.verify(honest.vkey, &statement, &run, &honest.all()).unwrap_err();
    assert!(matches!(error, VerifyError::Results), "{error}");
}

/// Jolt (QED, 2026): the commitment to advice was not bound to the execution. Here: another input
/// is claimed, as the digest in the statement, as the region's digest or as its length.
#[test]
fn past_35_jolt_advice() {
    let honest = honest();
    let other = InputDigest::Public(keccak256(b"another"));
    let error = honest.with_statement(|s| s.input = other);
    assert!(matches!(error, VerifyError::Claim(ClaimError::Input)), "{error}");
    let error = honest.with_run(|run| run.input[0] += Val::ONE);
    assert!(matches!(error, VerifyError::Stark { shard: 0, .. }), "{error}");
    let error = honest.with_run(|run| run.input_bytes += 1);
    assert!(matches!(error, VerifyError::Stark { shard: 0, .. }), "{error}");
    // The hash that the run computed cannot be replaced either.
    let error = honest.with_run(|run| run.results.words[8] ^= 1);
    assert!(matches!(error, VerifyError::Results), "{error}");
}

/// Plonky3, GHSA-f69f-5fx9-w9r9: evaluations were not absorbed before the challenge that batches
/// them. Here: each kind of opened value changed, alone and so that a sum of two stays.
#[test]
fn past_36_plonky3_openings() {
    let honest = honest();
    type Change = fn(&mut rwprove_verifier::codec::Proof);
    let changes: [Change; 6] = [
        |p| p.opened_values.instances[0].base_opened_values.trace_local[0] += Val::ONE,
        |p| {
            let next = &mut p.opened_values.instances[0].base_opened_values.trace_next;
            next.as_mut().unwrap()[0] += Val::ONE;
        },
        |p| p.opened_values.instances[0].base_opened_values.quotient_chunks[0][0] += Val::ONE,
        |p| p.opened_values.instances[0].permutation_local[0] += Val::ONE,
        |p| p.opened_values.instances[0].permutation_next[0] += Val::ONE,
        |p| {
            let row = &mut p.opened_values.instances[0].base_opened_values.trace_local;
            row[0] += Val::ONE;
            row[1] -= Val::ONE;
        },
    ];
    for change in changes {
        honest.with_parts(change);
    }
}

/// Jolt 981: a claimed input was missing from the transcript. Here: every public value of the
/// STARK proof is another one than the proof was made for.
#[test]
fn past_37_jolt_public_values() {
    let honest = honest();
    let shard = honest.first();
    for place in 0..17 {
        let mut shard =
            Shard { shape: shard.shape, boundary: shard.boundary, proof: honest.first().proof };
        let boundary = &mut shard.boundary;
        match place {
            0..4 => boundary.end[place] += 1,
            4 => boundary.spent += 1,
            5..9 => boundary.charged[place - 5] += 1,
            _ => boundary.root[place - 9] += Val::ONE,
        }
        assert!(honest.stark(&shard).is_err(), "{place}");
    }
    // The limit is a public value of the fuel table.
    let error = honest.with_statement(|s| s.fuel_limit += 1);
    assert!(matches!(error, VerifyError::Stark { .. }), "{error}");
}

/// rkm 5 and 9: sums were not absorbed, and the prover said which tables count. Here: terminals
/// changed so that their sum stays, and a table left out of the shape.
#[test]
fn past_38_rkm_sums() {
    let honest = honest();
    honest.with_parts(|proof| {
        let mut terminals = proof.lookup_terminals.iter_mut().flatten();
        let (a, b) = (terminals.next().unwrap(), terminals.next().unwrap());
        a.0 += Val::ONE;
        b.0 -= Val::ONE;
    });
    for chip in ChipId::ALL {
        let mut bytes = honest.shards[0].clone();
        if bytes[*chip as usize] == u8::MAX {
            continue;
        }
        bytes[*chip as usize] = u8::MAX;
        honest.with_shards(&[&[&bytes[..]], &honest.all()[1..]].concat());
    }
}

/// rkm 6 and 10: sums that must be zero were not compared with zero. Here: a terminal alone, and
/// an honest proof of tables that do not balance.
#[test]
fn past_39_rkm_nonzero_sum() {
    let honest = honest();
    honest.with_parts(|proof| {
        let terminal = proof.lookup_terminals.iter_mut().flatten().next();
        terminal.unwrap().0 += Val::ONE;
    });
    assert_eq!(unbalanced(false), Ok(()));
    let error = unbalanced(true).unwrap_err();
    assert!(error.to_lowercase().contains("lookup"), "{error}");
}

/// Proves one shard by the library alone, with or without one fetch too many in the program's
/// table, which no constraint sees.
fn unbalanced(forged: bool) -> Result<(), String> {
    let honest = honest();
    let options = rwprove_prover::Options::default();
    let mut shard = filled(&honest.key, &input(), &options).unwrap().remove(0);
    if forged {
        let program = shard.instances.iter_mut().find(|i| i.chip.id() == ChipId::Program);
        program.unwrap().trace.values[0] += Val::ONE;
    }
    let config = honest.vkey.preset.parameters().config();
    let airs: Vec<Chip> = shard.instances.iter().map(|i| i.chip.clone()).collect();
    let heights: Vec<_> = shard.shape.tables().map(|(_, height)| height).collect();
    let layout = machine::layout(&shard.shape, honest.vkey.preset.parameters());
    let data = ProverData::from_airs_and_degrees(&config, &airs, &heights).unwrap();
    let root = data.common.preprocessed.as_ref().map(|fixed| fixed.commitment.clone());
    let data = ProverData { common: layout.common(root.clone()), prover_only: data.prover_only };
    let publics: Vec<_> = shard.instances.iter().map(|i| i.publics.clone()).collect();
    let instances: Vec<_> = shard
        .instances
        .iter()
        .map(|i| StarkInstance { air: &i.chip, trace: &i.trace, public_values: i.publics.clone() })
        .collect();
    let proof = prove_batch(&config, &instances, &data).map_err(|e| e.to_string())?;
    verify_batch(&config, &airs, &proof, &publics, &layout.common(root)).map_err(|e| e.to_string())
}

/// SP1 v3, `OpenVM` 1.6: the order of tables was the prover's. Here: heights exchanged between
/// tables, and parts of the proof exchanged between tables and commitments.
#[test]
fn past_40_sp1_order_of_tables() {
    let honest = honest();
    let heights = &honest.shards[0][..ChipId::COUNT];
    for a in 0..ChipId::COUNT {
        for b in (0..a).filter(|&b| heights[a] != heights[b]) {
            let mut bytes = honest.shards[0].clone();
            bytes.swap(a, b);
            honest.with_shards(&[&[&bytes[..]], &honest.all()[1..]].concat());
        }
    }
    honest.with_parts(|proof| proof.degree_bits.swap(0, 1));
    honest.with_parts(|proof| proof.opened_values.instances.swap(0, 1));
    honest.with_parts(|proof| proof.lookup_terminals.swap(0, 1));
    honest.with_parts(|proof| {
        let commitments = &mut proof.commitments;
        std::mem::swap(&mut commitments.main, &mut commitments.quotient_chunks);
    });
}

/// `lambda_vm` 344: lists that were too short were accepted, and the accumulator's first row was
/// free. Here: every list of the proof is one shorter, and the accumulator starts elsewhere.
#[test]
fn past_41_lambda_vm_short_lists() {
    let honest = honest();
    type Change = fn(&mut rwprove_verifier::codec::Proof);
    let changes: [Change; 12] = [
        |p| assert!(p.lookup_terminals.pop().is_some()),
        |p| assert!(p.opened_values.instances.pop().is_some()),
        |p| assert!(p.degree_bits.pop().is_some()),
        |p| p.lookup_terminals[0] = None,
        |p| assert!(p.opened_values.instances[0].permutation_local.pop().is_some()),
        |p| assert!(p.opened_values.instances[0].permutation_next.pop().is_some()),
        |p| assert!(p.opened_values.instances[0].base_opened_values.trace_local.pop().is_some()),
        |p| {
            assert!(p.opened_values.instances[0].base_opened_values.quotient_chunks.pop().is_some())
        },
        |p| p.opened_values.instances[0].base_opened_values.trace_next = None,
        |p| assert!(p.opening_proof.commit_phase_commits.pop().is_some()),
        |p| assert!(p.opening_proof.input_openings.pop().is_some()),
        |p| assert!(p.opening_proof.input_openings[0].opened_values.pop().is_some()),
    ];
    for change in changes {
        honest.with_parts(change);
    }
    honest.with_parts(|p| {
        let accumulator = &mut p.opened_values.instances[0];
        *accumulator.permutation_local.last_mut().unwrap() += Val::ONE;
        *accumulator.permutation_next.last_mut().unwrap() += Val::ONE;
    });
}

/// SP1 and Lurk (argument.xyz): multiplicities could exceed the field's order. Here: all messages
/// of the largest shard are fewer, and no table may be higher.
#[test]
fn past_42_argument_multiplicities() {
    let messages =
        |chip: &ChipId| (machine::table(*chip).messages() as u64) << log_heights(*chip).1;
    let sum: u64 = ChipId::ALL.iter().map(messages).sum();
    assert!(sum < P.into(), "{sum}");
    let honest = honest();
    for chip in ChipId::ALL {
        let (min, max) = log_heights(*chip);
        for height in [min - 1, max + 1] {
            let mut bytes = honest.shards[0].clone();
            bytes[*chip as usize] = height as u8;
            let error = honest.with_shards(&[&[&bytes[..]], &honest.all()[1..]].concat());
            let refused =
                matches!(error, VerifyError::Shape { shard: 0, error: ShapeError::Height { .. } });
            assert!(refused, "{chip:?} {height}: {error}");
        }
    }
    let tallest = ChipId::ALL.iter().map(|&chip| (chip, log_heights(chip).1 as u8));
    assert!(Shape::new(tallest).check(log_heights(ChipId::Program).1).is_ok());
}

/// SP1 v4, items 7 and 8: two kinds of message had one digest, and the key's digest left something
/// out. Here: kinds never agree, whatever their fields, and every field of the key counts.
#[test]
fn past_43_sp1_kinds_and_key() {
    let kinds: [fn(Val) -> Message<Val>; 9] = [
        |x| bus::range16(x),
        |x| bus::and(x, x, x),
        |x| bus::pair(x, x),
        |x| bus::pow(x, x),
        |x| bus::fetch(x, x, x, [x, x], x, x, x),
        |x| bus::memory(x, [x, x], x),
        |x| bus::request(Val::from_u32(70), x, [x, x], [x, x], [x, x]),
        |x| bus::node(Val::ZERO, 0, x, [x; 8]),
        |x| bus::node(Val::ZERO, 1, x, [x; 8]),
    ];
    // Small numbers, tags among them, and the largest.
    let fields = || [0, 1, 2, 3, 64, 70, 1024, 1025, P - 1].map(Val::new);
    for (i, a) in kinds.iter().enumerate() {
        for b in &kinds[..i] {
            let pairs = fields().into_iter().flat_map(|x| fields().map(|y| (x, y)));
            assert!(pairs.into_iter().all(|(x, y)| a(x) != b(y)));
        }
    }
    let honest = honest();
    let machine = honest.with_key(|key| key.machine[31] ^= 1);
    assert!(matches!(machine, VerifyError::Machine), "{machine}");
    honest.with_key(|key| key.preset = rwprove_verifier::Preset::P120);
    honest.with_key(|key| key.log_height += 1);
    for error in [
        honest.with_key(|key| key.preprocessed[7] += Val::ONE),
        honest.with_key(|key| key.regions[0][0] += Val::ONE),
        honest.with_key(|key| key.regions[31][7] += Val::ONE),
        honest.with_key(|key| key.start += 1),
        honest.with_key(|key| key.pages += 1),
    ] {
        assert!(matches!(error, VerifyError::Stark { shard: 0, .. }), "{error}");
    }
    let fuel = honest.with_key(|key| key.fuel += 1);
    assert!(matches!(fuel, VerifyError::Stark { .. } | VerifyError::Claim(_)), "{fuel}");
    // The module's hash is a name: only the digest has it, so the honest digest refuses it.
    let mut key = honest.vkey;
    key.module[0] ^= 1;
    assert_ne!(key.digest(), honest.vkey.digest());
}

/// rkm 4, sp1 2648: a root of verification keys was not a constant, later a placeholder of zeros.
/// Here: nothing that the key commits to is a placeholder, and zeros in its place are refused.
#[test]
fn past_44_rkm_placeholder() {
    let honest = honest();
    assert_ne!(machine::digest(), [0; 32]);
    assert_ne!(honest.vkey.preprocessed, [Val::ZERO; 8]);
    assert!(honest.vkey.regions.iter().all(|region| *region != [Val::ZERO; 8]));
    let machine = honest.with_key(|key| key.machine = [0; 32]);
    assert!(matches!(machine, VerifyError::Machine), "{machine}");
    for error in [
        honest.with_key(|key| key.preprocessed = [Val::ZERO; 8]),
        honest.with_key(|key| key.regions = [[Val::ZERO; 8]; 32]),
    ] {
        assert!(matches!(error, VerifyError::Stark { shard: 0, .. }), "{error}");
    }
}

/// Ziren (n0zom1z0): a Merkle witness was not bound, and 0 / 0 gave a free value. Here: each
/// sibling of the opened results, and every value of an inverse where it would hide a difference.
#[test]
fn past_45_ziren_witness_and_inverse() {
    let honest = honest();
    for level in 0..honest.run.results.siblings.len() {
        let mut run = honest.run;
        run.results.siblings[level][level % 8] += Val::ONE;
        assert_ne!(run.results.root(), honest.run.results.root());
    }
    let error = honest.with_run(|run| run.results.siblings[0][0] += Val::ONE);
    assert!(matches!(error, VerifyError::Results), "{error}");

    let inverses = [Val::ZERO, Val::ONE, Val::NEG_ONE, Val::TWO];
    for (o, a, row) in [(Op::SetEq, 5, 2), (Op::SetEq, 9, 2), (Op::Cmov, 0, 2), (Op::Cmov, 5, 2)] {
        let case = Case::run(&[mov(0, a), mov(1, 9), op(o, 2, 0, slot(1)), mov(3, 1)]);
        let mut tables = case.fill();
        tables.flip(ChipId::Cpu, "cond", row);
        if o == Op::SetEq {
            tables.flip(ChipId::Cpu, "c[0]", row);
        }
        for inverse in inverses {
            tables.put(ChipId::Cpu, "v", row, inverse);
            tables.refused("cpu, row 2");
        }
    }
    // A charge of nothing is refused: its inverse would be that of zero.
    let case = Case::run(&[mov(0, 1), op(Op::Add, 1, 0, imm(1))]);
    for inverse in inverses {
        let mut tables = case.fill();
        tables.put(ChipId::Cpu, "oof", 1, Val::ONE);
        tables.put(ChipId::Cpu, "v", 1, inverse);
        tables.refused("cpu, row");
    }
}

/// `OpenVM` 1.6: values after the challenge could be more than asked for, and arrays were read
/// without bounds. Here: every list of the proof is one longer.
#[test]
fn past_46_openvm_extra_values() {
    let honest = honest();
    type Change = fn(&mut rwprove_verifier::codec::Proof);
    fn again<T: Clone>(list: &mut Vec<T>) {
        let last = list.last().unwrap().clone();
        list.push(last);
    }
    let changes: [Change; 13] = [
        |p| again(&mut p.lookup_terminals),
        |p| again(&mut p.degree_bits),
        |p| again(&mut p.opened_values.instances[0].permutation_local),
        |p| again(&mut p.opened_values.instances[0].permutation_next),
        |p| again(&mut p.opened_values.instances[0].base_opened_values.trace_local),
        |p| again(&mut p.opened_values.instances[0].base_opened_values.quotient_chunks),
        |p| again(&mut p.opening_proof.commit_phase_commits),
        |p| again(&mut p.opening_proof.commit_pow_witnesses),
        |p| again(&mut p.opening_proof.commit_phase_openings),
        |p| again(&mut p.opening_proof.final_poly),
        |p| again(&mut p.opening_proof.input_openings),
        |p| again(&mut p.opening_proof.input_openings[0].opened_values),
        |p| again(&mut p.opening_proof.input_openings[0].opening_proof.sibling_hashes),
    ];
    for change in changes {
        honest.with_parts(change);
    }
    // The largest number of siblings that a path can announce, and one more.
    let mut bytes = honest.proved.proof.clone();
    bytes.push(0);
    let statement = &honest.proved.statement;
    let error = verify(&honest.vkey.digest(), statement, &bytes).unwrap_err();
    assert!(matches!(error, VerifyError::Decode(DecodeError::Trailing(1))), "{error}");
}

/// `OpenVM` 1.7, Linea, snarkjs: numbers beyond the order were accepted as their remainders. Here:
/// elements of a shard's boundary, commitments and openings plus the order.
#[test]
fn past_47_openvm_non_canonical() {
    let honest = honest();
    let shard = &honest.shards[0];
    let mut tried = 0;
    for at in (ChipId::COUNT..4000).step_by(4) {
        let element = u32::from_le_bytes(shard[at..at + 4].try_into().unwrap());
        let mut bytes = shard.clone();
        bytes[at..at + 4].copy_from_slice(&(element + P).to_le_bytes());
        let error = Shard::read(&honest.vkey, 0, &mut Reader::new(&bytes)).err().unwrap();
        let refused = matches!(error, VerifyError::Decode(DecodeError::Element { .. }));
        assert!(refused, "{at}: {error}");
        tried += 1;
    }
    assert!(tried > 900);
    // Words of the results are numbers of 32 bits, each with one pair of limbs.
    let mut run = honest.run;
    run.results.words[31] = P;
    assert_ne!(run.results.root(), honest.run.results.root());
}
