//! What a run left behind, in the words of rwasm's machine, so that both can be compared.

use rwprove_fixtures::{
    self as fixtures,
    oracle::{End, GLOBALS, Memory, TABLES},
};
use rwprove_isa::{
    Exit,
    layout::{GLOBAL, TABLE, TABLE_SIZE, TABLE_STRIDE},
};

use crate::{ExecError, Run};

/// What a run that is over left behind; of a named entry's output the last `results` slots are its
/// results.
///
/// # Errors
/// [`ExecError`] if the run is not over or left no canonical exit.
pub fn seen(run: &Run, results: u32) -> Result<End, ExecError> {
    let report = run.report()?;
    let memory = run.memory();
    let word = |addr| memory.word(addr).unwrap_or(0);
    let mut output = report.output;
    let mut slots = Vec::new();
    let exit = match report.exit {
        Exit::Ok => {
            slots = output.split_off(output.len().saturating_sub(4 * results as usize));
            fixtures::Exit::Ok
        }
        Exit::Code(code) => fixtures::Exit::Code(code),
        Exit::Trap(trap) => fixtures::Exit::Trap(trap.code()),
    };
    let (slots, _) = slots.as_chunks();
    let words = memory.pages() << 14;
    let table = |t| {
        let elements = (0..word(TABLE_SIZE + t)).map(|i| word(TABLE + t * TABLE_STRIDE + i) == 0);
        elements.collect()
    };
    Ok(End {
        exit,
        results: slots.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect(),
        output,
        fuel: report.fuel,
        memory: Memory((0..words).flat_map(|addr| word(addr).to_le_bytes()).collect()),
        globals: (0..GLOBALS).map(|i| word(GLOBAL + i)).collect(),
        tables: (0..TABLES).map(table).collect(),
    })
}
