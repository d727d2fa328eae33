//! Honest runs of small hand-made programs that together meet every rule of every table.

use rwprove_circuits::{
    merkle::{MemoryTree, MerkleUpdate, opening::run_words},
    table::Shard,
};
use rwprove_executor::{Input, Options, Rows, Run};
use rwprove_isa::{
    HALT_PC, Instr, MAX_FUEL, Op,
    Operand::{self, Imm, Slot},
    Program, layout,
    record::{MAX_GAP, Record, RefreshEvent},
};

/// First pc after the exit stubs.
pub(super) const START: u32 = 16;

/// One shard with all that fills its tables.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) program: Program,
    pub(super) record: Record,
    pub(super) merkle: MerkleUpdate,
}

impl Case {
    pub(super) fn shard(&self) -> Shard<'_> {
        Shard { program: &self.program, record: &self.record, merkle: &self.merkle }
    }
}

/// A program whose exit stubs halt at once and whose own code starts at [`START`].
pub(super) fn program(code: &[Instr]) -> Program {
    let stubs = [halt(); START as usize];
    let code = [&stubs, code, &[halt()]].concat();
    let weights = vec![1; code.len()];
    let image = Vec::new();
    Program { module_hash: [0; 32], code, start: START, pages: 2, fuel: 0, image, weights }
}

/// The tree before a run.
pub(super) fn tree(program: &Program) -> MemoryTree {
    MemoryTree::start(program, &[], run_words(0, 0)).unwrap()
}

/// Runs code in one shard.
pub(super) fn run(name: &str, code: &[Instr], fuel_limit: Option<u64>) -> Case {
    let program = program(code);
    let plenty = 1 << 20;
    let limits = Rows::each(plenty);
    let input = Input { fuel_limit, ..Input::default() };
    let options = Options { limits: vec![limits], max_rows: 1 << 20 };
    let mut records = Run::new(&program, &input, options).unwrap();
    let record = records.next().unwrap().unwrap();
    assert!(record.last, "{name}");
    let merkle = tree(&program).apply(&record.chunks).unwrap();
    Case { name: name.into(), program, record, merkle }
}

pub(super) const fn op(op: Op, c: i32, a: i32, b: Operand) -> Instr {
    Instr { a: Some(a), b, c, ..Instr::new(op) }
}

pub(super) const fn mov(c: i32, constant: u32) -> Instr {
    Instr { b: Imm(constant), c, ..Instr::new(Op::Mov) }
}

fn chained(instr: Instr) -> Instr {
    Instr { chain: true, ..instr }
}

fn charged(instr: Instr, fuel: u16) -> Instr {
    Instr { fuel, ..instr }
}

fn jump(c: u32) -> Instr {
    Instr { c: c as i32, ..Instr::new(Op::Jump) }
}

pub(super) fn halt() -> Instr {
    jump(HALT_PC)
}

fn call(target: u32, frame: u32, limit: u32) -> Instr {
    Instr { b: Imm(frame | limit << 16), c: target as i32, ..Instr::new(Op::Call) }
}

const PAIRS: [(u32, u32); 7] = [
    (7, 5),
    (5, 7),
    (0x1234_5678, 0x1234_5678),
    (0x8000_0001, 0x0001_8000),
    (0x0001_8000, 0x8000_0001),
    (u32::MAX, 0x0001_0001),
    (0, 0x00ff_0019),
];

/// Operations on values in the `cpu` table.
fn values() -> Case {
    use Op::{
        Add, BrEq, BrGeS, BrGeU, BrLtS, BrLtU, BrNe, Cmov, Cmp, Mov, SetEq, SetGeS, SetGeU, SetLtS,
        SetLtU, SetNe, Sub,
    };
    let mut code = Vec::new();
    for (x, y) in PAIRS {
        code.extend([mov(0, x), mov(1, y)]);
        for o in [Add, Sub, Cmp, SetEq, SetNe, SetLtU, SetGeU, SetLtS, SetGeS, Cmov] {
            code.extend([op(o, 2, 0, Slot(1)), op(o, 2, 0, Imm(y))]);
        }
        for o in [BrEq, BrNe, BrLtU, BrGeU, BrLtS, BrGeS] {
            let target = START as i32 + code.len() as i32 + 2;
            code.extend([op(o, target, 0, Slot(1)), mov(2, 7)]);
        }
        code.extend([op(Add, 4, 0, Slot(1)), chained(op(Add, 5, 1, Slot(0)))]);
        for first in [op(Sub, 4, 0, Slot(1)), op(Cmp, 0, 0, Slot(1))] {
            for o in [Sub, SetEq, SetNe, SetLtU, SetLtS, SetGeS] {
                code.extend([first, chained(op(o, 5, 1, Slot(0)))]);
            }
        }
    }
    code.extend([
        Instr { b: Slot(2), c: 3, ..Instr::new(Mov) },
        Instr { c: 3, ..Instr::new(Mov) },
        Instr { b: Imm(3), c: 3, ..Instr::new(Cmov) },
    ]);
    run("values", &code, None)
}

/// Operations of coprocessors on values.
fn coprocessors() -> Case {
    use Op::{
        And, Clz, Ctz, DivU, DivU64Hi, DivU64Lo, Extend8S, Extend16S, Fshl, Mul, MulHi, Or, Popcnt,
        RemU, RemU64Hi, RemU64Lo, Rotl, Rotr, Shl, ShrS, ShrU, Xor,
    };
    let mut code = Vec::new();
    for (x, y) in PAIRS {
        code.extend([mov(0, x), mov(1, y)]);
        for o in [And, Or, Xor, Shl, ShrU, ShrS, Rotl, Rotr, Mul, MulHi, DivU, RemU] {
            code.extend([op(o, 2, 0, Slot(1)), op(o, 2, 0, Imm(y))]);
        }
        for k in [0, 5, 8, 23, 31] {
            code.push(Instr { k, ..op(Fshl, 2, 0, Slot(1)) });
        }
        for b in [0, 8, 32, 47] {
            code.extend([Shl, ShrU, ShrS, Rotr].map(|o| op(o, 2, 0, Imm(b))));
        }
        for o in [Clz, Ctz, Popcnt, Extend8S, Extend16S] {
            code.push(Instr { a: Some(0), c: 2, ..Instr::new(o) });
            code.push(Instr { a: Some(1), c: 2, ..Instr::new(o) });
        }
        for [low, high] in [[DivU64Lo, DivU64Hi], [RemU64Lo, RemU64Hi]] {
            code.extend([op(low, 4, 1, Slot(0)), op(high, 5, 0, Slot(1))]);
            code.extend([op(low, 4, 1, Imm(3)), op(high, 5, 0, Imm(0))]);
        }
    }
    run("coprocessors", &code, None)
}

/// Accesses to memory without a trap.
fn memory() -> Case {
    use Op::{
        Load, Load8S, Load8U, Load16S, Load16U, LoadByte, LoadBytes, LoadWord, Store, Store8,
        Store16, StoreByte, StoreWord,
    };
    let mut code = vec![mov(0, 100), mov(1, 0xdead_beef), mov(4, layout::GLOBAL)];
    for imm in [3, 4, 5, 6] {
        code.extend([op(Store, 1, 0, Imm(imm)), op(Load, 2, 0, Imm(imm))]);
        code.extend(
            [Store8, Store16, Load8S, Load8U, Load16S, Load16U].map(|o| op(o, 1, 0, Imm(imm))),
        );
        code.extend([StoreByte, LoadByte, LoadBytes].map(|o| op(o, 1, 0, Imm(1000 + imm))));
        code.push(mov(1, 0x7fad_11ef));
    }
    code.extend([
        op(StoreWord, 1, 4, Imm(3)),
        op(LoadWord, 2, 4, Imm(3)),
        op(StoreWord, 1, 4, Imm(0)),
        op(LoadWord, 3, 0, Imm(layout::GLOBAL)),
        mov(0, (2 << 16) - 4),
        op(Load, 2, 0, Imm(3)),
        op(Store, 2, 0, Imm(3)),
    ]);
    run("memory", &code, None)
}

/// Jumps, calls, returns, entries, pages, static fuel.
fn control() -> Case {
    let at = |i: u32| START + i;
    let body = at(20);
    let mut code = vec![
        mov(0, body),
        call(body, 8, 9),
        Instr { a: Some(0), b: Imm(8 | 9 << 16), ..Instr::new(Op::CallReg) },
        mov(1, at(5)),
        Instr { a: Some(1), b: Imm(3), ..Instr::new(Op::JumpReg) },
        Instr { b: Imm(3 << 16), c: at(6) as i32, ..Instr::new(Op::Jump) },
        mov(4, 1),
        op(Op::BrTable, 0, 4, Imm(2)),
        halt(),
        mov(4, 9),
        op(Op::BrTable, 0, 4, Imm(1)),
        halt(),
        jump(at(30)),
    ];
    code.resize(20, halt());
    code.extend([
        Instr { b: Imm(20 | 30 << 16), c: at(0) as i32, ..Instr::new(Op::Enter) },
        Instr { b: Imm(7 << 16), ..Instr::new(Op::Limit) },
        charged(op(Op::BrEq, at(24) as i32, -1, Imm(body)), 9),
        Instr::new(Op::Ret),
        Instr { b: Imm(0xffff << 16), c: at(26) as i32, ..Instr::new(Op::Enter) },
        halt(),
        Instr::new(Op::Ret),
    ]);
    code.resize(30, halt());
    code.extend([
        Instr { c: 5, ..Instr::new(Op::Pages) },
        Instr { b: Imm(3), c: 6, ..Instr::new(Op::Pages) },
        mov(6, 4),
        Instr { b: Slot(6), c: 6, ..Instr::new(Op::Pages) },
        charged(mov(1, 2), MAX_FUEL),
        charged(mov(1, 3), 7),
        Instr { b: Imm(2), c: at(37) as i32, ..Instr::new(Op::Jump) },
        charged(op(Op::Add, 1, 1, Imm(3)), 8),
        Instr { b: Slot(1), c: 1, ..Instr::new(Op::Mov) },
    ]);
    run("control", &code, None)
}

/// Programs that end in a trap.
fn traps() -> Vec<Case> {
    let mut cases = Vec::new();
    for (i, (base, imm)) in
        [(2 << 16, 3), ((2 << 16) - 3, 3), (u32::MAX, 3)].into_iter().enumerate()
    {
        for o in [Op::Load, Op::Store, Op::Load8U, Op::Store16] {
            let code = [mov(0, base), op(o, 1, 0, Imm(imm))];
            cases.push(run(&format!("trap {} {i}", o.name()), &code, None));
        }
    }
    cases.push(run("too deep", &[call(START, 0, 2)], None));
    let limit = [call(START + 1, 0, 9), Instr { b: Imm(0), ..Instr::new(Op::Limit) }];
    cases.push(run("limit", &limit, None));
    let enter = [Instr { b: Imm(layout::STACK_LIMIT + 1), c: 17, ..Instr::new(Op::Enter) }];
    cases.push(run("enter", &enter, None));
    let by_register =
        [mov(0, START + 1), Instr { a: Some(0), b: Imm(1 << 16), ..Instr::new(Op::CallReg) }];
    cases.push(run("call register too deep", &by_register, None));
    cases
}

/// Static and dynamic fuel.
fn fuel() -> Vec<Case> {
    use Op::{FuelCharge, FuelLeftHi, FuelLeftLo};
    let charge = |low: u32| Instr { b: Imm(low), ..Instr::new(FuelCharge) };
    let long = [mov(0, 1), Instr { a: Some(0), b: Imm(70_000), ..Instr::new(FuelCharge) }];
    let left = |o| Instr { c: 1, ..Instr::new(o) };
    let limit = Some(0x0003_0002_0001_0000);
    vec![
        run("out of fuel", &[charged(mov(0, 1), 8), charged(mov(0, 1), 7)], Some(14)),
        run("charge", &[charge(70_000), charged(left(FuelLeftLo), 5), left(FuelLeftHi)], limit),
        run("charges", &[charge(0x1234_5678), long[0], long[1], left(FuelLeftHi)], limit),
        run("left", &[left(FuelLeftLo), charged(mov(0, 3), 1000), left(FuelLeftHi)], limit),
        run("refused", &[charge(50), charge(70_000)], Some(60)),
        run("refused at once", &[charge(70_000)], Some(60)),
    ]
}

/// A permutation, last.
pub(super) const KECCAK: [Instr; 5] = [
    mov(0, 0x1234_5678),
    mov(1, layout::SPONGE),
    op(Op::StoreWord, 0, 1, Imm(0)),
    op(Op::StoreWord, 0, 1, Imm(49)),
    Instr::new(Op::KeccakF),
];

pub(super) fn keccak() -> Case {
    run("keccak", &KECCAK, None)
}

/// Words that rest long; the other tables are not looked at.
fn refresh() -> Case {
    let mut case = run("refresh", &[], None);
    let event = |before, time| RefreshEvent { addr: 9, value: [5, 6], before, time };
    case.record.refresh = vec![event(0, 0x1_0003), event(70_000, 270_000)];
    case
}

/// A word that rests so long that it is refreshed.
pub(super) fn rest() -> Case {
    let again = START as i32 + 2;
    let code = [
        mov(0, 0),
        mov(1, 7),
        op(Op::Add, 0, 0, Imm(1)),
        op(Op::BrLtU, again, 0, Imm(MAX_GAP / 4)),
        op(Op::Add, 1, 1, Imm(1)),
    ];
    run("rest", &code, None)
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![values(), coprocessors(), memory(), control(), keccak(), refresh()];
    cases.extend(traps());
    cases.extend(fuel());
    cases
}
