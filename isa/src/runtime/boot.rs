//! Boot code: what runs before the entry function and after it.

use super::asm::Asm;
use super::host::TAPE_OUT_OF_BOUNDS;
use super::{Library, Routine};
use crate::Op::{BrGeU, Call};
use crate::Operand::Imm;
use crate::layout::{CALL_LIMIT, ENTRY_BYTES, INPUT, STACK, run};
use crate::{Instr, Pc};

/// What a run starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootKind {
    /// An entry function without arguments and results; all of the input is the guest's.
    Contract,
    /// A named entry: arguments come from the front of the input, results go to the end of the
    /// output.
    Entry {
        /// Argument slots.
        args: u32,
        /// Result slots.
        results: u32,
    },
}

/// Boot code that stands at pc `base` and starts the function at pc `entry` with empty stacks.
///
/// With `init` the prologue at that pc is called first, under the same fuel limit. That call is the
/// one instruction before [`boot_start`]: a run that starts there finds the module instantiated.
pub fn boot(kind: BootKind, base: Pc, entry: Pc, init: Option<Pc>) -> Vec<Instr> {
    let mut asm = Asm::at(base);
    if let Some(init) = init {
        // A start function can ask for the input too.
        if let BootKind::Entry { args: args @ 1.., .. } = kind {
            skip_arguments(&mut asm, args);
        }
        call(&mut asm, init, 0);
    }
    match kind {
        BootKind::Contract => {
            call(&mut asm, entry, 0);
            done(&mut asm);
        }
        BootKind::Entry { args, results } => {
            skip_arguments(&mut asm, args);
            for i in 0..args {
                asm.get(i as i32, INPUT + i);
            }
            call(&mut asm, entry, args);
            // The frame base is 0 here: slot `i` is word `STACK + i`.
            let frame = results as i32;
            asm.mov(frame, Imm(STACK * 4));
            asm.mov(frame + 1, Imm(4 * results));
            let append = asm.pc_label(Library::get().entry(Routine::Append));
            asm.call(append, frame);
            done(&mut asm);
        }
    }
    asm.finish()
}

/// Where a run starts that finds the module instantiated.
pub fn boot_start(kind: BootKind, base: Pc, init: bool) -> Pc {
    match kind {
        _ if !init => base,
        BootKind::Entry { args: args @ 1.., .. } => {
            let mut asm = Asm::at(base);
            skip_arguments(&mut asm, args);
            base + asm.finish().len() as Pc + 1
        }
        _ => base + 1,
    }
}

/// What the guest reads begins behind the arguments; an input without room for them ends the run.
fn skip_arguments(asm: &mut Asm, args: u32) {
    let enough = asm.label();
    asm.get(0, run::INPUT_LEN);
    asm.branch(BrGeU, 0, Imm(4 * args), enough);
    asm.mov(0, Imm(TAPE_OUT_OF_BOUNDS as u32));
    jump(asm, Routine::Exit);
    asm.bind(enough);
    asm.mov(0, Imm(4 * args));
    asm.put(ENTRY_BYTES, 0);
}

/// Calls an rWasm function whose `args` argument slots are slots 0, 1, ….
fn call(asm: &mut Asm, function: Pc, args: u32) {
    let b = Imm(CALL_LIMIT << 16 | args);
    asm.emit(Instr { b, c: function as i32, ..Instr::new(Call) });
}

fn jump(asm: &mut Asm, routine: Routine) {
    let target = asm.pc_label(Library::get().entry(routine));
    asm.jump(target);
}

fn done(asm: &mut Asm) {
    jump(asm, Routine::Done);
}
