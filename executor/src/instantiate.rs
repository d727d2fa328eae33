//! Instantiation once instead of in each run.
//!
//! The prologue of a module depends on nothing but the module, so its final memory can be the
//! program's image. A module whose prologue does depend on the run (a start function that reads
//! the input), or does not end, keeps its prologue and is proved with it.

use rwprove_isa::{Pc, Program};

use crate::{
    ExecError,
    code::Code,
    machine::{self, State, Stop},
    recorder::Nothing,
    run::initial_memory,
};

/// Longest prologue that is worth running ahead.
const MAX_ROWS: u64 = 1 << 28;

/// The program that starts at `init`, where the boot code of instantiation is: each run
/// instantiates the module itself.
pub fn cold(program: &Program, init: Pc) -> Program {
    Program { start: init, ..program.clone() }
}

/// The program that starts after instantiation, if that is the same in each run; otherwise the
/// [`cold`] program.
///
/// # Errors
/// [`ExecError`] if the program's image is not one that lowering makes.
pub fn instantiate(program: &Program, init: Pc) -> Result<Program, ExecError> {
    let mut memory = initial_memory(program, true)?;
    let code = Code::new(program, Some(program.start));
    // The call of the prologue, if there is one; what stands before it depends on the run.
    let pc = program.start.saturating_sub(1).max(init);
    let mut state = State { pc, left: u64::MAX - program.fuel, ..State::default() };
    let stop = machine::run(&code, &mut memory, &mut state, MAX_ROWS, &mut Nothing);
    let there = (program.start, 0, 0) == (state.pc, state.fp, state.depth);
    if stop != Ok(Stop::Halted) || !there {
        return Ok(cold(program, init));
    }
    Ok(Program {
        pages: memory.pages(),
        fuel: u64::MAX - state.left,
        image: memory.image(),
        ..program.clone()
    })
}
