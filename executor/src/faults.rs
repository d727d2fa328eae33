//! Runs that go wrong on purpose: an adversary changes steps, and everything after them follows
//! from what it made of them.
//!
//! The tables filled from such a record are as honest as a false run can be, so whatever refuses
//! them is the rule that the fault breaks, and not some other cell that was left as it had been.

use rwprove_isa::{
    Instr, Pc, Program,
    layout::{CHUNK_WORDS, FRAME, FRAME_WORDS, PAGE_WORDS},
    record::{C_TIME, CpuEvent, Limbs, Record, word},
};

use crate::{
    ExecError, Fault, Input, Memory, Options, Run,
    code::{Kind, Step},
    machine::{State, Stop},
    recorder::{Recorder, ShardRecorder, Table},
};

/// A step, before it is taken or after it was, as an adversary sees and changes it.
#[derive(Debug)]
pub struct Moment<'a> {
    /// Row of the run, counted over all shards.
    pub row: u64,
    /// Program counter of the step.
    pub pc: Pc,
    /// Program counter after the step.
    pub next: Pc,
    /// Frame base, as it is now.
    pub fp: u32,
    /// Frames pushed, as it is now.
    pub depth: u32,
    /// Fuel that is left.
    pub left: u64,
    /// What the row will say; before the step only its registers are known.
    pub event: CpuEvent,
    /// Word addresses that ports a, b and c accessed in the step.
    pub ports: [Option<u32>; 3],
    memory: &'a mut Memory,
    recorder: &'a mut ShardRecorder,
}

impl Moment<'_> {
    /// What memory holds at a word address; zeros where nothing can be.
    pub fn get(&self, addr: u32) -> Limbs {
        self.memory.limbs(addr)
    }

    /// Changes memory, as if it had always been so.
    ///
    /// # Errors
    /// [`Fault::Address`] for a word that no instruction can use.
    pub fn set(&mut self, addr: u32, value: Limbs) -> Result<(), Fault> {
        let depth = addr.wrapping_sub(FRAME);
        if depth < FRAME_WORDS {
            self.memory.set_frame(depth, value)?;
        } else {
            self.memory.set_word(addr, word(value))?;
        }
        Ok(())
    }

    /// Lets checked accesses go beyond the end of linear memory, by less than a page, so that the
    /// number of pages stays.
    pub fn stretch(&mut self) {
        let words = self.memory.pages() * PAGE_WORDS + PAGE_WORDS - 1;
        self.memory.linear.resize(words as usize, 0);
    }

    /// Gives linear memory another page.
    ///
    /// # Errors
    /// [`Fault::Pages`] if it has them all.
    pub fn grow(&mut self) -> Result<(), Fault> {
        self.memory.set_pages(self.memory.pages() + 1)
    }

    /// Pages of linear memory, as it is now.
    pub fn pages(&self) -> u32 {
        self.memory.pages()
    }

    /// Says that the word was accessed now; returns when it had been last.
    pub fn touch(&mut self, addr: u32, at: u32) -> u32 {
        self.recorder.touch(self.memory, addr, at)
    }

    /// Says when a touched word was accessed last, whatever is true.
    pub fn stamp(&mut self, addr: u32, time: u32) {
        let (chunk, place) = (addr / CHUNK_WORDS as u32, addr as usize % CHUNK_WORDS);
        for event in self.record().chunks.iter_mut().filter(|event| event.chunk == chunk) {
            event.times[place] = time;
        }
    }

    /// The record of the shard so far, without the row of this step.
    pub fn record(&mut self) -> &mut Record {
        self.recorder.record()
    }
}

/// Who makes a run go wrong. Both hooks come for every step.
pub trait Adversary {
    /// Before a step: may change memory and registers, and put another instruction in its place.
    /// The row will still say that the program's instruction was fetched.
    fn before(&mut self, _: &mut Moment<'_>) -> Option<Instr> {
        None
    }

    /// After a step.
    fn after(&mut self, _: &mut Moment<'_>) {}
}

/// A run with an adversary: yields the record of one shard after the other. If the false run
/// cannot go on, its last record ends there, and [`FalseRun::error`] says why.
#[derive(Debug)]
pub struct FalseRun<'a, A> {
    run: Run,
    adversary: &'a mut A,
    row: u64,
    /// Why the run ended before it was over.
    pub error: Option<ExecError>,
}

impl<'a, A: Adversary> FalseRun<'a, A> {
    /// Prepares a run.
    ///
    /// # Errors
    /// As [`Run::new`].
    pub fn new(
        program: &Program,
        input: &Input,
        options: Options,
        adversary: &'a mut A,
    ) -> Result<Self, ExecError> {
        Ok(Self { run: Run::new(program, input, options)?, adversary, row: 0, error: None })
    }

    /// The run, as far as it went.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Who makes it go wrong.
    pub fn adversary(&self) -> &A {
        self.adversary
    }
}

impl<A: Adversary> Iterator for FalseRun<'_, A> {
    type Item = Result<Record, ExecError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.run.done {
            return None;
        }
        let Self { run, adversary, row, error } = self;
        let record = run.record(|run, inner| {
            let mut recorder = Meddler { inner, adversary: *adversary, row, ports: [None; 3] };
            let stopped = run.advance(&mut recorder);
            Ok(stopped.unwrap_or_else(|why| {
                *error = Some(why);
                Stop::Full
            }))
        });
        run.done |= error.is_some() || record.is_err();
        Some(record)
    }
}

/// Records as [`ShardRecorder`] does, and calls the adversary.
struct Meddler<'a, A> {
    inner: &'a mut ShardRecorder,
    adversary: &'a mut A,
    row: &'a mut u64,
    ports: [Option<u32>; 3],
}

impl<A: Adversary> Meddler<'_, A> {
    fn moment<R>(
        &mut self,
        (memory, state): (&mut Memory, &mut State),
        event: CpuEvent,
        next: Pc,
        act: impl FnOnce(&mut A, &mut Moment<'_>) -> R,
    ) -> (R, CpuEvent, Pc) {
        let State { pc, fp, depth, left, .. } = *state;
        let (row, ports, recorder) = (*self.row, self.ports, &mut *self.inner);
        let mut moment = Moment { row, pc, next, fp, depth, left, event, ports, memory, recorder };
        let result = act(self.adversary, &mut moment);
        let Moment { next, fp, depth, left, event, .. } = moment;
        (state.fp, state.depth, state.left) = (fp, depth, left);
        (result, event, next)
    }
}

impl<A: Adversary> Recorder for Meddler<'_, A> {
    const ON: bool = true;

    fn full(&mut self, keccak: bool) -> bool {
        self.inner.full(keccak)
    }
    fn touch(&mut self, memory: &Memory, addr: u32, at: u32) -> u32 {
        let port = if at == C_TIME { 2 } else { at as usize };
        if let Some(port) = self.ports.get_mut(port) {
            *port = Some(addr);
        }
        self.inner.touch(memory, addr, at)
    }
    fn ask(&mut self, table: Table) {
        self.inner.ask(table);
    }
    fn access(&mut self, memory: &Memory, last_byte: u32, addrs: [u32; 2], words: [[u32; 2]; 2]) {
        self.inner.access(memory, last_byte, addrs, words);
    }
    fn keccak(&mut self, memory: &Memory, state: &[u64; 25]) {
        self.inner.keccak(memory, state);
    }
    fn fuel(&mut self, memory: &Memory, refused: bool) {
        self.inner.fuel(memory, refused);
    }
    fn row(&mut self, event: CpuEvent, fuel: u16) {
        self.inner.row(event, fuel);
        *self.row += 1;
    }

    fn before(&mut self, step: &Step, memory: &mut Memory, state: &mut State) -> Option<Step> {
        self.ports = [None; 3];
        if !matches!(step.kind, Kind::Op(_)) {
            return None;
        }
        let State { pc, fp, depth, .. } = *state;
        let event = CpuEvent { pc, fp, depth, pages: memory.pages(), ..CpuEvent::default() };
        let act = |adversary: &mut A, moment: &mut Moment<'_>| adversary.before(moment);
        let (instr, ..) = self.moment((memory, state), event, pc, act);
        instr.map(|instr| Step::new(&instr, step.weight))
    }

    fn after(
        &mut self,
        memory: &mut Memory,
        state: &mut State,
        event: &mut CpuEvent,
        next: &mut Pc,
    ) {
        let act = |adversary: &mut A, moment: &mut Moment<'_>| adversary.after(moment);
        let ((), after, to) = self.moment((memory, state), *event, *next, act);
        (*event, *next) = (after, to);
    }
}
