//! A program whose shards end where we want: each block of rows ends with a chosen kind of row, so
//! that cuts after blocks put these rows last.

use rwprove_isa::{
    Instr, Op, Operand, Program, STUCK_PC,
    layout::GLOBAL,
    record::Outcome,
    runtime::{
        Library, Routine,
        asm::{Asm, NO_LIMIT},
    },
};

/// Rows of a shard; what follows the last block fits into them too.
pub(crate) const ROWS: u64 = 700;
/// About the fuel that a run of [`program`] starts with: every limb counts.
const FUEL_BEFORE: u64 = 0x0005_0004_0003_0002;

/// The last row of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// This operation, doing what it is there for: branches are taken, stores are inline.
    Plain(Op),
    /// A load or store of a word that needs the access table.
    Unaligned(Op),
    /// `Enter` choosing the deep twin.
    Deep,
    /// A branch that is not taken.
    NotTaken(Op),
    /// Two rows that must not be separated: the block ends between them, the shard after them.
    Pair(Op, Op),
    /// Such two rows, with a cut between them all the same.
    Apart(Op, Op),
}

impl Last {
    /// Every class of last row that there is.
    pub(crate) fn all() -> Vec<Self> {
        use Op::*;
        // The first halves of 64-bit divisions are last in no shard; they stand in pairs.
        let plain = Op::ALL.iter().copied().filter(|op| !matches!(op, DivU64Lo | RemU64Lo));
        let plain = plain.map(|op| match op {
            DivU64Hi => Last::Pair(DivU64Lo, op),
            RemU64Hi => Last::Pair(RemU64Lo, op),
            op => Last::Plain(op),
        });
        let pairs = [
            (Add, Add),
            (Sub, Sub),
            (Cmp, SetLtU),
            (Cmp, SetGeU),
            (Cmp, SetLtS),
            (Cmp, SetGeS),
            (Cmp, SetEq),
            (Cmp, SetNe),
            (Cmp, BrLtU),
            (Cmp, BrGeU),
            (Cmp, BrLtS),
            (Cmp, BrGeS),
            (Cmp, BrEq),
            (Cmp, BrNe),
        ];
        let branches = [BrEq, BrNe, BrLtU, BrGeU, BrLtS, BrGeS];
        plain
            .chain([Last::Unaligned(Load), Last::Unaligned(Store), Last::Deep])
            .chain(branches.map(Last::NotTaken))
            .chain(pairs.map(|(first, second)| Last::Pair(first, second)))
            .collect()
    }

    /// The operation of the last row.
    pub(crate) fn op(self) -> Op {
        match self {
            Last::Plain(op) | Last::Unaligned(op) | Last::NotTaken(op) => op,
            Last::Pair(_, op) | Last::Apart(op, _) => op,
            Last::Deep => Op::Enter,
        }
    }

    /// What becomes of that row.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Last::Unaligned(_) => Outcome::Unaligned,
            Last::Deep => Outcome::Deep,
            _ => Outcome::Plain,
        }
    }

    /// Rows of a shard that ends so.
    pub(crate) fn rows(self) -> u64 {
        ROWS + u64::from(matches!(self, Last::Pair(..)))
    }

    /// Rows of a block besides those that fill it: up to the cut, and after it.
    fn size(self) -> (u64, u64) {
        match self {
            Last::Plain(Op::CallReg | Op::JumpReg | Op::FuelCharge) => (4, 0),
            // The call runs before; the jump behind the call runs after.
            Last::Plain(Op::Ret) => (4, 1),
            Last::Apart(..) => (3, 1),
            _ => (3, 0),
        }
    }
}

/// Slots of the blocks.
const LARGE: i32 = 1;
const SMALL: i32 = 2;
const RESULT: i32 = 3;
const TARGET: i32 = 4;
const FILL: i32 = 5;
/// How far calls move the frame base.
const FRAME: u32 = 8;

/// A program that runs to its end, with a block of `rows` rows for each of `lasts`; `seed` changes
/// its values and nothing else.
pub(crate) fn program(lasts: &[Last], rows: u64, seed: u32) -> Program {
    with_library(seed, |asm| {
        let mut blocks = Blocks { asm, carried: 0, rows, seed };
        lasts.iter().for_each(|last| blocks.block(*last));
        let done = asm.pc_label(Library::get().entry(Routine::Done));
        asm.jump(done);
    })
}

/// The library followed by the code that `build` appends.
pub(crate) fn with_library(seed: u32, build: impl FnOnce(&mut Asm)) -> Program {
    let mut code = Library::get().code.clone();
    let start = code.len() as u32;
    let mut asm = Asm::at(start);
    build(&mut asm);
    code.extend(asm.finish());
    let weights = vec![1; code.len()];
    let (module_hash, fuel) = ([seed as u8; 32], FUEL_BEFORE + u64::from(seed));
    Program { module_hash, code, start, pages: 2 + seed % 2, fuel, image: Vec::new(), weights }
}

struct Blocks<'a> {
    asm: &'a mut Asm,
    /// Rows that run since the last cut.
    carried: u64,
    rows: u64,
    seed: u32,
}

impl Blocks<'_> {
    /// Appends rows, the last of which is at the cut.
    fn block(&mut self, last: Last) {
        let (before, after) = last.size();
        for i in self.carried + before..self.rows {
            self.asm.mov(FILL, Operand::Imm(self.seed ^ i as u32));
        }
        let (large, small) = (0x9234_5678 ^ self.seed, 4 + self.seed % 61);
        self.asm.mov(LARGE, Operand::Imm(large));
        self.asm.mov(SMALL, Operand::Imm(small));
        self.row(last);
        self.carried = after;
    }

    /// A row that control jumps over.
    fn skipped(&mut self) {
        self.asm.emit(Instr { c: STUCK_PC as i32, ..Instr::new(Op::Jump) });
    }

    fn row(&mut self, last: Last) {
        use Op::*;
        let (imm, slot) = (Operand::Imm, Operand::Slot);
        let next = self.asm.here() as i32 + 1;
        let none = Instr::new(last.op());
        let fuel = 1 + (self.seed % 1000) as u16;
        let values = Instr { a: Some(LARGE), b: slot(SMALL), c: RESULT, ..none };
        match last {
            Last::Pair(first, second) | Last::Apart(first, second) => {
                // With a carry or borrow for the second row.
                let (a, b) = match first {
                    Add => (LARGE, LARGE),
                    Sub | Cmp => (SMALL, LARGE),
                    _ => (LARGE, SMALL),
                };
                self.asm.emit(Instr { op: first, a: Some(a), b: slot(b), ..values });
                // Branches go to the row after them, taken or not.
                let branches = second.branches();
                let c = if branches { next + 1 } else { RESULT };
                let chain = !matches!(second, DivU64Hi | RemU64Hi);
                self.asm.emit(Instr { op: second, c, chain, ..values });
            }
            Last::Unaligned(op) => self.asm.access(op, RESULT, Some(SMALL), self.unaligned()),
            Last::NotTaken(op) => {
                let (a, b) = match op {
                    BrNe => (LARGE, LARGE),
                    BrEq | BrLtU | BrGeS => (LARGE, SMALL),
                    _ => (SMALL, LARGE),
                };
                self.asm.emit(Instr { a: Some(a), b: slot(b), c: STUCK_PC as i32, ..none });
            }
            Last::Deep => {
                self.asm.emit(Instr { b: imm(0xffff << 16), c: next + 1, ..none });
                self.skipped();
            }
            Last::Plain(op) => match op {
                BrEq | BrNe | BrLtU | BrGeU | BrLtS | BrGeS => {
                    let (a, b) = match op {
                        BrEq => (LARGE, LARGE),
                        BrLtU | BrGeS => (SMALL, LARGE),
                        _ => (LARGE, SMALL),
                    };
                    self.asm.emit(Instr { a: Some(a), b: slot(b), c: next + 1, ..none });
                    self.skipped();
                }
                Load | Store => self.asm.access(op, RESULT, Some(SMALL), self.unaligned() + 1),
                Load8S | Load8U | Load16S | Load16U | Store8 | Store16 => {
                    self.asm.access(op, LARGE, Some(SMALL), 7);
                }
                LoadWord | StoreWord => self.asm.access(op, LARGE, Some(SMALL), GLOBAL),
                LoadBytes | LoadByte | StoreByte => {
                    self.asm.access(op, LARGE, Some(SMALL), 4 * GLOBAL + 5);
                }
                Fshl => self.asm.emit(Instr { k: 5, ..values }),
                Clz | Ctz | Popcnt | Extend8S | Extend16S => {
                    self.asm.emit(Instr { b: Operand::None, ..values });
                }
                Jump => {
                    self.asm.emit(Instr { c: next + 1, b: imm(FRAME), ..none });
                    self.skipped();
                }
                BrTable => {
                    self.asm.emit(Instr { a: Some(SMALL), b: imm(1), ..none });
                    self.skipped();
                }
                Call => {
                    self.asm.emit(Instr { b: imm(NO_LIMIT << 16 | FRAME), c: next + 1, ..none });
                    self.skipped();
                }
                CallReg | JumpReg => {
                    let b = if op == CallReg { imm(NO_LIMIT << 16 | FRAME) } else { imm(FRAME) };
                    self.asm.mov(TARGET, imm(next as u32 + 2));
                    self.asm.emit(Instr { a: Some(TARGET), b, ..none });
                    self.skipped();
                }
                Ret => {
                    let b = imm(NO_LIMIT << 16 | FRAME);
                    self.asm.emit(Instr { b, c: next + 1, ..Instr::new(Call) });
                    self.asm.emit(Instr { c: next + 2, ..Instr::new(Jump) });
                    self.asm.emit(none);
                }
                Limit => self.asm.emit(Instr { b: imm(NO_LIMIT << 16), ..none }),
                Enter => self.asm.emit(Instr { b: imm(40 << 16 | 20), c: next, ..none }),
                Pages => self.asm.emit(Instr { b: imm(4 + self.seed % 3), c: RESULT, ..none }),
                FuelCharge => {
                    let high = (1 + self.seed % 5) << 16 | (1 + self.seed % 7);
                    self.asm.mov(TARGET, imm(high));
                    self.asm.emit(Instr { a: Some(TARGET), b: slot(LARGE), fuel, ..none });
                }
                FuelLeftLo | FuelLeftHi => self.asm.emit(Instr { c: RESULT, fuel, ..none }),
                Cmp => self.asm.emit(Instr { c: 0, ..values }),
                KeccakF => self.asm.emit(none),
                Mov => self.asm.emit(Instr { a: None, ..values }),
                _ => self.asm.emit(values),
            },
        }
    }

    /// An offset from the value of `SMALL` to the third byte of some word.
    fn unaligned(&self) -> u32 {
        4 + (2 - (4 + self.seed % 61) as i32).rem_euclid(4) as u32
    }
}
