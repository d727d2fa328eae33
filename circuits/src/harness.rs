//! Runs small hand-made programs and fills the tables of their shards, for tests.

use rwprove_executor::{Input, Options, Rows, Run};
use rwprove_isa::{HALT_PC, Instr, Op, Operand, Pc, Program, Slot, layout, record::Record};

use crate::{
    machine::{Instance, Machine, check},
    merkle::{MemoryTree, MerkleUpdate, opening::run_words},
    shape::Shape,
    table::Shard,
};

/// First pc after the exit stubs.
pub(crate) const START: Pc = 16;

/// A slot as operand.
pub(crate) fn slot(slot: Slot) -> Operand {
    Operand::Slot(slot)
}

/// `c = a op b`.
pub(crate) fn op(op: Op, c: i32, a: Slot, b: Operand) -> Instr {
    Instr { a: Some(a), b, c, ..Instr::new(op) }
}

/// `c = constant`.
pub(crate) fn mov(c: Slot, constant: u32) -> Instr {
    Instr { b: Operand::Imm(constant), c, ..Instr::new(Op::Mov) }
}

/// Takes carry, borrow or inequality from the instruction before.
pub(crate) fn chained(instr: Instr) -> Instr {
    Instr { chain: true, ..instr }
}

/// With a static charge.
pub(crate) fn charged(instr: Instr, fuel: u16) -> Instr {
    Instr { fuel, ..instr }
}

/// To the end of the run.
pub(crate) fn halt() -> Instr {
    Instr { c: HALT_PC as i32, ..Instr::new(Op::Jump) }
}

/// A program whose exit stubs halt at once and whose own code starts at [`START`].
pub(crate) fn program(code: &[Instr], pages: u32) -> Program {
    let stubs = [halt(); START as usize];
    let code = [&stubs, code, &[halt()]].concat();
    let weights = vec![1; code.len()];
    let (fuel, image) = (0, Vec::new());
    Program { module_hash: [0; 32], code, start: START, pages, fuel, image, weights }
}

/// One shard with all that fills its tables.
pub(crate) struct Case {
    pub(crate) program: Program,
    pub(crate) record: Record,
    pub(crate) merkle: MerkleUpdate,
}

impl Case {
    pub(crate) fn shard(&self) -> Shard<'_> {
        Shard { program: &self.program, record: &self.record, merkle: &self.merkle }
    }

    /// The filled tables of the shard's own shape; they must pass the check.
    pub(crate) fn accepted(&self) -> Vec<Instance> {
        let instances = self.filled();
        check(&instances).unwrap();
        instances
    }

    pub(crate) fn filled(&self) -> Vec<Instance> {
        let machine = Machine::new(&self.program);
        let shape = Shape::for_shard(&machine, &self.shard()).unwrap();
        shape.check(crate::program::Code::log_height(&self.program)).unwrap();
        machine.fill_all(&self.shard(), &shape)
    }
}

/// Runs a program; one case for each shard of at most so many rows.
pub(crate) fn run(program: &Program, fuel_limit: Option<u64>, rows: u64) -> Vec<Case> {
    let plenty = 1 << 20;
    let limits = Rows { cpu: rows, ..Rows::each(plenty) };
    let input = Input { fuel_limit, ..Input::default() };
    let mut tree = MemoryTree::start(program, &[], run_words(0, 0)).unwrap();
    let options = Options { limits: vec![limits], max_rows: 1 << 20 };
    let records = Run::new(program, &input, options).unwrap();
    let case = |record: Result<Record, _>| {
        let record = record.unwrap();
        let merkle = tree.apply(&record.chunks).unwrap();
        Case { program: program.clone(), record, merkle }
    };
    records.map(case).collect()
}

/// Runs code in one shard with two pages of memory and checks it.
pub(crate) fn accepts(code: &[Instr]) -> (Case, Vec<Instance>) {
    let mut cases = run(&program(code, 2), None, 1 << 12);
    assert_eq!(cases.len(), 1);
    let case = cases.remove(0);
    let instances = case.accepted();
    (case, instances)
}

/// Asks every coprocessor.
pub(crate) fn everything() -> Vec<Instr> {
    let timed = |op: Op| Instr { b: Operand::Imm(5), c: 2, ..Instr::new(op) };
    let memory =
        |op: Op, last: u32| Instr { a: Some(0), b: Operand::Imm(last), c: 2, ..Instr::new(op) };
    let mut code = vec![mov(0, 0x1234), mov(1, 0x8765_4321)];
    for o in [Op::And, Op::Or, Op::Xor, Op::Shl, Op::ShrU, Op::ShrS, Op::Rotl, Op::Rotr] {
        code.push(op(o, 2, 0, slot(1)));
    }
    code.push(Instr { k: 9, ..op(Op::Fshl, 2, 0, slot(1)) });
    for o in [Op::Mul, Op::MulHi, Op::DivU, Op::RemU] {
        code.push(op(o, 2, 1, slot(0)));
    }
    for o in [Op::DivU64Lo, Op::DivU64Hi, Op::RemU64Lo, Op::RemU64Hi] {
        code.push(op(o, 2, 1, slot(0)));
    }
    for o in [Op::Clz, Op::Ctz, Op::Popcnt, Op::Extend8S, Op::Extend16S] {
        code.push(op(o, 2, 1, Operand::None));
    }
    for o in [Op::Load8S, Op::Load8U, Op::Load16S, Op::Load16U, Op::Store8, Op::Store16] {
        code.extend([memory(o, 1), memory(o, 4)]);
    }
    code.extend([memory(Op::Load, 5), memory(Op::Store, 6)]);
    for o in [Op::LoadBytes, Op::LoadByte, Op::StoreByte] {
        code.push(memory(o, 4 * layout::GLOBAL + 2));
    }
    code.extend([Instr::new(Op::KeccakF), timed(Op::FuelCharge)]);
    code.extend([Op::FuelLeftLo, Op::FuelLeftHi].map(|o| Instr { c: 2, ..Instr::new(o) }));
    code
}
