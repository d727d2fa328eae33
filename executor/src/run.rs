//! A run of a program: plain, or as a sequence of shard records.

use std::time::Instant;

use rwprove_isa::{
    Exit, Program,
    layout::{INPUT, MAX_TAPE_BYTES, OUTPUT, reg, run},
    record::{Record, Registers},
};

use crate::{
    ExecError, Memory, Report, Rows,
    code::Code,
    machine::{self, State, Stop},
    memory::MAX_PAGES,
    recorder::{Nothing, Recorder, ShardRecorder},
};

/// What a run is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The input tape.
    pub bytes: Vec<u8>,
    /// Value of the `_state` host call.
    pub state: u32,
    /// Most fuel that may be consumed; without limit it is still counted.
    pub fuel_limit: Option<u64>,
}

/// Bounds of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What shards may contain. A shard goes on while it fits in any of these; one at least must
    /// have room for permutations.
    pub limits: Vec<Rows>,
    /// Rows after which a run that has not ended is given up.
    pub max_rows: u64,
}

impl Options {
    /// No shards are wanted, only the result.
    pub fn plain(max_rows: u64) -> Self {
        Self { limits: Vec::new(), max_rows }
    }
}

/// Runs without recording.
///
/// # Errors
/// [`ExecError`] if the program, input or fuel limit cannot start or the run has no exit.
pub fn execute(program: &Program, input: &Input, max_rows: u64) -> Result<Report, ExecError> {
    let mut run = Run::new(program, input, Options::plain(max_rows))?;
    run.run_to_end()?;
    run.report()
}

/// A run. As an iterator it yields the record of one shard after the other; memory is bounded by
/// the record that is being written. [`Run::run_to_end`] runs to the end without recording.
#[derive(Debug)]
pub struct Run {
    code: Code,
    memory: Memory,
    state: State,
    fuel_limit: u64,
    options: Options,
    recorder: Option<ShardRecorder>,
    shards: u32,
    tables: Rows,
    pub(crate) done: bool,
    seconds: f64,
}

impl Run {
    /// Prepares a run.
    ///
    /// # Errors
    /// [`ExecError`] if the program's image, the input or the fuel limit do not allow a start.
    pub fn new(program: &Program, input: &Input, options: Options) -> Result<Self, ExecError> {
        let fuel_limit = input.fuel_limit.unwrap_or(u64::MAX);
        let left = fuel_limit.checked_sub(program.fuel);
        let left = left
            .ok_or(ExecError::FuelBelowInstantiation { needed: program.fuel, limit: fuel_limit })?;
        let mut memory = initial_memory(program, false)?;
        let max = MAX_TAPE_BYTES as usize;
        if input.bytes.len() > max {
            return Err(ExecError::InputLength { found: input.bytes.len(), max });
        }
        let tape = (INPUT..).zip(input.bytes.chunks(4).map(little_endian));
        let facts = [(run::INPUT_LEN, input.bytes.len() as u32), (run::STATE, input.state)];
        for (addr, word) in tape.chain(facts) {
            memory.set_word(addr, word).map_err(|_| ExecError::Image(addr))?;
        }
        Ok(Self {
            code: Code::new(program, None),
            memory,
            state: State { pc: program.start, left, ..State::default() },
            fuel_limit,
            options,
            recorder: None,
            shards: 0,
            tables: Rows::default(),
            done: false,
            seconds: 0.0,
        })
    }

    /// Runs to the end without recording.
    ///
    /// # Errors
    /// [`ExecError`] if the run has no end that the machine knows.
    pub fn run_to_end(&mut self) -> Result<(), ExecError> {
        self.advance(&mut Nothing)?;
        self.done = true;
        Ok(())
    }

    /// The memory as it is now.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The report of a run that is over.
    ///
    /// # Errors
    /// [`ExecError::Exit`] if the run is not over or left no canonical exit.
    pub fn report(&self) -> Result<Report, ExecError> {
        let word = |addr| self.memory.word(addr).unwrap_or(0);
        let (kind, code) = (word(reg::EXIT_KIND), word(reg::EXIT_CODE));
        let exit = Exit::from_parts(kind, code).ok_or(ExecError::Exit { kind, code })?;
        let len = word(reg::OUTPUT_LEN);
        if len > MAX_TAPE_BYTES {
            return Err(ExecError::OutputLength(len));
        }
        let words = (OUTPUT..).take(len.div_ceil(4) as usize).map(word);
        let mut output: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        output.truncate(len as usize);
        Ok(Report {
            exit,
            output,
            fuel: self.registers().fuel,
            instructions: self.state.weight,
            rows: self.state.rows,
            tables: self.tables,
            shards: self.shards,
            pages: self.memory.pages(),
            seconds: self.seconds,
        })
    }

    fn registers(&self) -> Registers {
        let State { pc, fp, depth, left, .. } = self.state;
        // Only an adversary has more left than there was.
        let fuel = self.fuel_limit.wrapping_sub(left);
        Registers { pc, fp, depth, pages: self.memory.pages(), fuel }
    }

    /// Runs until the end or until the recorder is full.
    pub(crate) fn advance<R: Recorder>(&mut self, recorder: &mut R) -> Result<Stop, ExecError> {
        let start = Instant::now();
        let (state, max_rows) = (&mut self.state, self.options.max_rows);
        let stop = machine::run(&self.code, &mut self.memory, state, max_rows, recorder);
        self.seconds += start.elapsed().as_secs_f64();
        match stop {
            Ok(Stop::Rows) => Err(ExecError::RowLimit(max_rows)),
            Ok(stop) => Ok(stop),
            Err(fault) => Err(ExecError::Fault { pc: self.state.pc, fault }),
        }
    }

    /// The record of one shard, which `run` runs.
    pub(crate) fn record(
        &mut self,
        run: impl FnOnce(&mut Self, &mut ShardRecorder) -> Result<Stop, ExecError>,
    ) -> Result<Record, ExecError> {
        let mut recorder = match self.recorder.take() {
            Some(recorder) => recorder,
            None => {
                let limits = self.options.limits.iter();
                let rooms: Vec<_> =
                    limits.filter_map(|limits| limits.before(self.code.group)).collect();
                // Else a shard would end before its first instruction.
                if rooms.iter().all(|room| room.keccak == 0) {
                    return Err(ExecError::ShardLimits);
                }
                ShardRecorder::new(rooms)
            }
        };
        recorder.start(self.shards, self.registers(), self.fuel_limit);
        let stop = run(self, &mut recorder)?;
        let last = stop == Stop::Halted;
        let (record, rows) = recorder.finish(&self.memory, self.registers(), last);
        self.recorder = Some(recorder);
        self.tables.add(rows);
        self.shards += 1;
        self.done = last;
        Ok(record)
    }
}

impl Iterator for Run {
    type Item = Result<Record, ExecError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let record = self.record(Self::advance);
        self.done |= record.is_err();
        Some(record)
    }
}

/// Memory with the program's image.
pub(crate) fn initial_memory(program: &Program, sealed: bool) -> Result<Memory, ExecError> {
    if program.pages > MAX_PAGES {
        return Err(ExecError::StartPages { found: program.pages, max: MAX_PAGES });
    }
    let mut memory = Memory::new(program.pages, sealed);
    for &(addr, word) in &program.image {
        memory.set_word(addr, word).map_err(|_| ExecError::Image(addr))?;
    }
    Ok(memory)
}

fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | byte as u32)
}
