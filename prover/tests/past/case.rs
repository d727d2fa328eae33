//! Honest runs that can be changed: in what happened (the tables are then filled again) or in the
//! filled tables.

use std::rc::Rc;

use p3_field::PrimeCharacteristicRing;
use rwprove_circuits::{
    Val,
    check::Lookups,
    machine::{ChipId, Instance, Machine, check, gather},
    merkle::{MemoryTree, opening::run_words},
    shape::Shape,
    table::Shard,
};
use rwprove_executor::{Input, Options, Report, Rows, Run, execute};
use rwprove_fixtures::{Call, Exit, Fixture, script};
use rwprove_isa::{
    HALT_PC, Instr, Op, Operand, Pc, Program, Slot,
    front::Preset,
    layout::{CHUNK_WORDS, STACK},
    record::{ChunkEvent, Record, limbs},
    runtime::Library,
};
use rwprove_prover::testing::compile;

/// The field's order.
pub(crate) const P: u32 = 0x7f00_0001;
/// First pc after the exit stubs of a hand-made program.
pub(crate) const START: Pc = 16;

pub(crate) fn slot(slot: Slot) -> Operand {
    Operand::Slot(slot)
}

pub(crate) fn imm(constant: u32) -> Operand {
    Operand::Imm(constant)
}

/// `c = a op b`.
pub(crate) fn op(op: Op, c: i32, a: Slot, b: Operand) -> Instr {
    Instr { a: Some(a), b, c, ..Instr::new(op) }
}

/// `c = constant`.
pub(crate) fn mov(c: Slot, constant: u32) -> Instr {
    Instr { b: imm(constant), c, ..Instr::new(Op::Mov) }
}

pub(crate) fn halt() -> Instr {
    Instr { c: HALT_PC as i32, ..Instr::new(Op::Jump) }
}

pub(crate) fn call(target: Pc, base: u32, limit: u32) -> Instr {
    Instr { b: imm(base | limit << 16), c: target as i32, ..Instr::new(Op::Call) }
}

/// One shard of a run, with what it started from.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) program: Program,
    pub(crate) record: Record,
    tree: MemoryTree,
    honest: Rc<Vec<Instance>>,
}

/// The tables that ask; `bytes`, which only answers, is left out.
#[derive(Clone)]
pub(crate) struct Tables {
    all: Vec<Instance>,
    honest: Rc<Vec<Instance>>,
}

impl Case {
    /// Runs hand-made code with two pages of memory and exit stubs that halt at once.
    pub(crate) fn run(code: &[Instr]) -> Self {
        Self::limited(code, None)
    }

    /// The same with a fuel limit.
    pub(crate) fn limited(code: &[Instr], fuel_limit: Option<u64>) -> Self {
        let code = [&[halt(); START as usize], code, &[halt(); 4]].concat();
        let weights = vec![1; code.len()];
        let (fuel, image) = (0, Vec::new());
        let program =
            Program { module_hash: [0; 32], code, start: START, pages: 2, fuel, image, weights };
        Self::of(&program, &Input { fuel_limit, ..Input::default() })
    }

    /// Runs any program that fits one shard; its tables must be accepted.
    pub(crate) fn of(program: &Program, input: &Input) -> Self {
        let all = 1 << 14;
        let limits = Rows { keccak: all / 24, ..Rows::each(all) };
        let mut run =
            Run::new(program, input, Options { limits: vec![limits], max_rows: 1 << 20 }).unwrap();
        let record = run.next().unwrap().unwrap();
        assert!(record.last, "one shard");
        let facts = run_words(input.bytes.len() as u32, input.state);
        let tree = MemoryTree::start(program, &input.bytes, facts).unwrap();
        let program = program.clone();
        let mut case = Self { program, record, tree, honest: Rc::default() };
        let honest = case.filled();
        check(&honest).unwrap();
        case.honest = Rc::new(asking(honest));
        case
    }

    fn filled(&self) -> Vec<Instance> {
        let merkle = self.tree.clone().apply(&self.record.chunks).unwrap();
        let shard = Shard { program: &self.program, record: &self.record, merkle: &merkle };
        let machine = Machine::new(&self.program);
        let shape = Shape::for_shard(&machine, &shard).unwrap();
        machine.fill_all(&shard, &shape)
    }

    /// Fills all tables from the record as it is now.
    pub(crate) fn fill(&self) -> Tables {
        Tables { all: asking(self.filled()), honest: self.honest.clone() }
    }

    pub(crate) fn instr(&self, row: usize) -> Instr {
        self.program.code[self.record.cpu[row].pc as usize]
    }

    /// The word takes part in the shard, if it did not; it held zero.
    pub(crate) fn touch(&mut self, address: u32, time: u32) {
        let chunks = &mut self.record.chunks;
        let chunk = address / CHUNK_WORDS as u32;
        if let Err(place) = chunks.binary_search_by_key(&chunk, |event| event.chunk) {
            let words = [[0; 2]; CHUNK_WORDS];
            let event = ChunkEvent { chunk, before: words, after: words, times: [0; CHUNK_WORDS] };
            chunks.insert(place, event);
        }
        *self.word(address).1 = time;
    }

    /// What the word holds at the end of the shard, and the time of its last access.
    pub(crate) fn word(&mut self, address: u32) -> (&mut [u32; 2], &mut u32) {
        let (chunk, place) = (address / CHUNK_WORDS as u32, address as usize % CHUNK_WORDS);
        let event = self.record.chunks.iter_mut().find(|event| event.chunk == chunk).unwrap();
        (&mut event.after[place], &mut event.times[place])
    }

    /// Makes the row's result another value, which stays in memory to the end. Rows that read it
    /// are left to the caller.
    pub(crate) fn set_result(&mut self, row: usize, value: u32) {
        let event = &mut self.record.cpu[row];
        event.c = limbs(value);
        let address = (STACK + event.fp).wrapping_add_signed(self.instr(row).c);
        *self.word(address).0 = limbs(value);
    }

    /// Where the row of a coprocessor is that answers, and where its answer begins.
    pub(crate) fn answer(&self, row: usize) -> Option<(ChipId, usize, usize)> {
        let record = &self.record;
        let asked = row as u32;
        let by_row = [
            (ChipId::Bitwise, &record.bitwise),
            (ChipId::Shift, &record.shift),
            (ChipId::Mul, &record.mul),
            (ChipId::Div, &record.div),
            (ChipId::Bits, &record.bits),
        ];
        let at = |rows: &[u32], wanted: u32| rows.iter().position(|r| *r == wanted);
        let simple = by_row.into_iter().find_map(|(chip, r)| Some((chip, at(r, asked)?, 0)));
        let wide = || Some((ChipId::Div, at(&record.div, asked.checked_sub(1)?)?, 2));
        let high = matches!(self.instr(row).op, Op::DivU64Hi | Op::RemU64Hi);
        let access = || record.access.iter().position(|e| e.row == asked);
        let fuel = || record.fuel.iter().position(|e| e.row == asked);
        simple
            .or_else(|| wide().filter(|_| high))
            .or_else(|| Some((ChipId::Access, access()?, 0)))
            .or_else(|| Some((ChipId::Fuel, fuel()?, 0)))
    }

    /// The tables with another result of a row, the coprocessor's answer included.
    pub(crate) fn with_result(&self, row: usize, value: u32) -> Tables {
        let mut case = self.clone();
        case.set_result(row, value);
        let mut tables = case.fill();
        for (i, limb) in limbs(value).map(Val::from_u32).into_iter().enumerate() {
            tables.put(ChipId::Cpu, &format!("c[{i}]"), row, limb);
            if let Some((chip, at, first)) = case.answer(row) {
                tables.put(chip, &format!("z[{}]", first + i), at, limb);
            }
        }
        tables
    }
}

fn asking(mut instances: Vec<Instance>) -> Vec<Instance> {
    instances.retain(|instance| instance.chip.id() != ChipId::Bytes);
    instances
}

impl Tables {
    pub(crate) fn table(&mut self, chip: ChipId) -> &mut Instance {
        self.all.iter_mut().find(|instance| instance.chip.id() == chip).unwrap()
    }

    /// A cell by name.
    pub(crate) fn cell(&mut self, chip: ChipId, column: &str, row: usize) -> &mut Val {
        let Instance { chip, trace, .. } = self.table(chip);
        let at = chip.columns().iter().position(|name| name == column).unwrap();
        &mut trace.values[row * trace.width + at]
    }

    pub(crate) fn get(&mut self, chip: ChipId, column: &str, row: usize) -> Val {
        *self.cell(chip, column, row)
    }

    pub(crate) fn put(&mut self, chip: ChipId, column: &str, row: usize, value: Val) {
        *self.cell(chip, column, row) = value;
    }

    pub(crate) fn add(&mut self, chip: ChipId, column: &str, row: usize, by: i32) {
        *self.cell(chip, column, row) += Val::from_i32(by);
    }

    /// One minus what is there.
    pub(crate) fn flip(&mut self, chip: ChipId, column: &str, row: usize) {
        let cell = self.cell(chip, column, row);
        *cell = Val::ONE - *cell;
    }

    /// Makes a row a copy of another one.
    pub(crate) fn copy(&mut self, chip: ChipId, from: usize, to: usize) {
        let trace = &mut self.table(chip).trace;
        let width = trace.width;
        trace.values.copy_within(from * width..(from + 1) * width, to * width);
    }

    /// What breaks. A dishonest prover counts lookups as it pleases, so they need not be counted.
    fn violation(&self) -> Option<String> {
        let same = |(now, honest): (&Instance, &Instance)| {
            now.trace == honest.trace && now.publics == honest.publics
        };
        let like_honest = self.all.len() == self.honest.len()
            && self.all.iter().zip(self.honest.iter()).all(same);
        assert!(!like_honest, "the attack changes nothing");
        let checked = gather(&self.all).and_then(|said| said.finish(Lookups::Free));
        checked.err().map(|violation| violation.to_string())
    }

    /// The attack must fail, and for this reason: part of the violation's text.
    #[track_caller]
    pub(crate) fn refused(&self, reason: &str) {
        let violation = self.violation().expect("a forgery is accepted");
        assert!(violation.contains(reason), "refused by another rule: {violation}");
    }
}

/// A WAT module with its runs, compiled: see `rwprove_fixtures::script`.
pub(crate) fn wat(text: &str) -> (Program, Vec<(Input, Fixture)>) {
    let runs = script::runs("past", text).unwrap();
    let Call::Entry { name, .. } = &runs[0].call else { panic!("an entry") };
    let program = compile(&runs[0].wasm, &Preset::Entry { name: name.clone() });
    let input = |run: &Fixture| Input { bytes: run.tape(), state: 0, fuel_limit: run.fuel };
    (program, runs.into_iter().map(|run| (input(&run), run)).collect())
}

/// Runs all of them and compares with what they must give.
#[track_caller]
pub(crate) fn as_expected(program: &Program, runs: &[(Input, Fixture)]) {
    for (input, run) in runs {
        let Report { exit, output, .. } = execute(program, input, 1 << 20).unwrap();
        let exit = match exit {
            rwprove_isa::Exit::Ok => Exit::Ok,
            rwprove_isa::Exit::Code(code) => Exit::Code(code),
            rwprove_isa::Exit::Trap(trap) => Exit::Trap(trap.code()),
        };
        assert_eq!((exit, &output), (run.exit, &run.output_tape()), "{}", run.name);
    }
}

/// Rows of the module's own code.
pub(crate) fn own_rows(case: &Case) -> Vec<usize> {
    let library = Library::get().code.len() as u32;
    (0..case.record.cpu.len()).filter(|&row| case.record.cpu[row].pc >= library).collect()
}
