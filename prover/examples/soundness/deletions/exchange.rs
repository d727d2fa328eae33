//! Deletion of a kind of message on both of its sides: an attack on a whole run that is then
//! accepted. All constraints hold, all lookups are in their table, and nothing but messages of
//! this kind fails to balance.

use std::collections::BTreeSet;

use rwprove_circuits::{
    check::Lookups,
    machine::{ChipId, Instance, Machine, gather},
    merkle::{Below, MerkleUpdate},
    shape::Shape,
    table::Shard,
};
use rwprove_isa::{
    Instr, Op,
    Operand::{Imm, Slot},
    layout::{self, CHUNK_WORDS},
    record::{ChunkEvent, Record, limbs},
};

use super::honest::{self, Case, mov, op};

/// What came of one kind.
pub(super) struct Exchange {
    pub(super) kind: String,
    /// What does not balance in spite of the deletion, or else.
    pub(super) refused: Option<String>,
}

fn filled(case: &Case) -> Vec<Instance> {
    let machine = Machine::new(&case.program);
    let shape = Shape::for_shard(&machine, &case.shard()).unwrap();
    machine.fill_all(&case.shard(), &shape)
}

/// A case with another record.
fn with(case: &Case, record: Record) -> Case {
    let merkle = honest::tree(&case.program).apply(&record.chunks).unwrap();
    Case { record, merkle, ..case.clone() }
}

/// The tables of one run, some of them replaced by those of another; `None` if it lacks one.
fn mixed(mut tables: Vec<Instance>, others: &[Instance], replaced: &[ChipId]) -> Vec<Instance> {
    tables.retain(|table| !replaced.contains(&table.chip.id()));
    tables.extend(others.iter().filter(|table| replaced.contains(&table.chip.id())).cloned());
    tables
}

/// Whether the tables are accepted if messages of the kind are deleted, and not otherwise.
fn judge(kind: String, tables: &[Instance]) -> Exchange {
    let refused = match gather(tables) {
        Err(violation) => Some(violation.to_string()),
        Ok(check) => {
            let kinds = check.unbalanced(Lookups::Free).into_iter();
            // Nodes of every level are one kind.
            let kinds = kinds.map(|k| if k.starts_with("node") { "node".into() } else { k });
            let kinds: BTreeSet<String> = kinds.collect();
            (kinds != BTreeSet::from([kind.clone()])).then(|| format!("{kinds:?} do not balance"))
        }
    };
    Exchange { kind, refused }
}

/// Slot `slot` of the boot frame at the end of a shard.
fn last_word(chunks: &mut [ChunkEvent], slot: u32) -> &mut [u32; 2] {
    let address = layout::STACK + slot;
    let chunk = chunks.iter_mut().find(|c| c.chunk == address / CHUNK_WORDS as u32).unwrap();
    &mut chunk.after[address as usize % CHUNK_WORDS]
}

const A: u32 = 0x1234_5679;
const B: u32 = 0x0000_0107;

fn kind(instr: &Instr) -> String {
    match instr.op {
        Op::Fshl => format!("request Fshl by {}", instr.k),
        op => format!("request {}", op.name()),
    }
}

/// A request whose answer the `cpu` table makes up: row 2 writes another result to slot 2.
fn wrong_result(instr: Instr, after: &[Instr]) -> Exchange {
    let code = [&[mov(0, A), mov(1, B), instr], after].concat();
    let case = honest::run("exchange", &code, Some(1 << 40));
    let mut record = case.record.clone();
    record.cpu[2].c[0] ^= 1;
    last_word(&mut record.chunks, 2)[0] ^= 1;
    let forged = filled(&with(&case, record));
    let replaced = [ChipId::Cpu, ChipId::Merkle];
    judge(kind(&instr), &mixed(filled(&case), &forged, &replaced))
}

/// A store that leaves something else in memory than it was asked to.
fn wrong_store(operation: Op) -> Exchange {
    let instr = op(operation, 1, 0, Imm(1));
    let run = |stored| honest::run("exchange", &[mov(0, 64), mov(1, stored), instr], None);
    let (case, other) = (run(A), run(B));
    let mut record = case.record.clone();
    let stack = layout::STACK / CHUNK_WORDS as u32;
    for (chunk, other) in record.chunks.iter_mut().zip(&other.record.chunks) {
        if chunk.chunk != stack {
            *chunk = *other;
        }
    }
    let tables = mixed(filled(&with(&case, record)), &filled(&other), &[ChipId::Access]);
    judge(kind(&instr), &tables)
}

/// A permutation that does not happen.
fn no_permutation() -> Exchange {
    let case = honest::keccak();
    let instr = Instr::new(Op::KeccakF);
    // The same run with a row that does nothing in its place.
    let mut code = honest::KECCAK.to_vec();
    *code.last_mut().unwrap() = Instr { b: Imm(0xffff << 16), ..Instr::new(Op::Limit) };
    let idle = honest::run("exchange", &code, None);
    let mut tables = mixed(filled(&case), &filled(&idle), &[ChipId::Merkle]);
    tables.retain(|table| table.chip.id() != ChipId::Keccak);
    judge(kind(&instr), &tables)
}

/// A charge that nobody counts.
fn no_charge() -> Exchange {
    let instr = Instr { b: Imm(70_000), ..Instr::new(Op::FuelCharge) };
    let mut tables = filled(&honest::run("exchange", &[instr], None));
    tables.retain(|table| table.chip.id() != ChipId::Fuel);
    judge(kind(&instr), &tables)
}

/// A word that is read is not the word that was written.
fn wrong_read() -> Exchange {
    let code = [mov(0, 5), Instr { b: Slot(0), c: 1, ..Instr::new(Op::Mov) }];
    let case = honest::run("exchange", &code, None);
    let mut record = case.record.clone();
    (record.cpu[1].b, record.cpu[1].c) = (limbs(6), limbs(6));
    *last_word(&mut record.chunks, 1) = limbs(6);
    judge("memory".into(), &filled(&with(&case, record)))
}

/// An instruction runs that is not in the program.
fn wrong_code() -> Exchange {
    let run = |n| honest::run("exchange", &[mov(0, n)], None);
    let tables = mixed(filled(&run(6)), &filled(&run(5)), &[ChipId::Program]);
    judge("fetch".into(), &tables)
}

/// A word that nobody wrote is in memory.
fn wrong_memory() -> Exchange {
    let mut case = honest::run("exchange", &[mov(0, 5)], None);
    let MerkleUpdate { nodes, .. } = &mut case.merkle;
    let unused = nodes.iter_mut().find_map(|node| match node.below {
        Below::Words(times) if times[7] == 0 => Some(node),
        _ => None,
    });
    let node = unused.unwrap();
    let forged = node.before[14] + node.before[14] + rwprove_circuits::Val::new(9);
    (node.before[14], node.after[14]) = (forged, forged);
    let shard = Shard { program: &case.program, record: &case.record, merkle: &case.merkle };
    let machine = Machine::new(&case.program);
    let shape = Shape::for_shard(&machine, &shard).unwrap();
    judge("node".into(), &machine.fill_all(&shard, &shape))
}

/// An attack for every kind of message that is no lookup of the `bytes` table; of `Fshl`, which is
/// as many kinds as there are amounts, only some in a quick run.
pub(super) fn all(full: bool) -> Vec<Exchange> {
    use Op::{
        And, Clz, Ctz, DivU, DivU64Hi, DivU64Lo, Extend8S, Extend16S, Fshl, FuelLeftHi, FuelLeftLo,
        Load, Load8S, Load8U, Load16S, Load16U, LoadByte, LoadBytes, Mul, MulHi, Or, Popcnt, RemU,
        RemU64Hi, RemU64Lo, Rotl, Rotr, Shl, ShrS, ShrU, Store, Store8, Store16, StoreByte, Xor,
    };
    let mut all = vec![wrong_read(), wrong_code(), wrong_memory(), no_permutation(), no_charge()];
    for o in [And, Or, Xor, Shl, ShrU, ShrS, Rotl, Rotr, Mul, MulHi, DivU, RemU] {
        all.push(wrong_result(op(o, 2, 0, Slot(1)), &[]));
    }
    for k in (0..32).step_by(if full { 1 } else { 16 }) {
        all.push(wrong_result(Instr { k, ..op(Fshl, 2, 0, Slot(1)) }, &[]));
    }
    for o in [Clz, Ctz, Popcnt, Extend8S, Extend16S] {
        all.push(wrong_result(Instr { a: Some(0), c: 2, ..Instr::new(o) }, &[]));
    }
    for o in [FuelLeftLo, FuelLeftHi] {
        all.push(wrong_result(Instr { c: 2, ..Instr::new(o) }, &[]));
    }
    for [low, high] in [[DivU64Lo, DivU64Hi], [RemU64Lo, RemU64Hi]] {
        all.push(wrong_result(op(low, 2, 0, Slot(1)), &[op(high, 3, 0, Slot(1))]));
        all.push(wrong_high(op(low, 3, 0, Slot(1)), op(high, 2, 0, Slot(1))));
    }
    for o in [Load, Load8S, Load8U, Load16S, Load16U, LoadByte, LoadBytes] {
        // Slot 1 is a small address.
        all.push(wrong_result(op(o, 2, 1, Imm(1)), &[]));
    }
    all.extend([Store, Store8, Store16, StoreByte].map(wrong_store));
    all
}

/// As [`wrong_result`], of the second row of a pair.
fn wrong_high(low: Instr, high: Instr) -> Exchange {
    let case = honest::run("exchange", &[mov(0, A), mov(1, B), low, high], None);
    let mut record = case.record.clone();
    record.cpu[3].c[0] ^= 1;
    last_word(&mut record.chunks, 2)[0] ^= 1;
    let forged = filled(&with(&case, record));
    let replaced = [ChipId::Cpu, ChipId::Merkle];
    judge(kind(&high), &mixed(filled(&case), &forged, &replaced))
}
