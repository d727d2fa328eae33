//! Every routine against a plain model.

mod ends;
pub(crate) mod machine;
mod moves;
mod tables;

use machine::{End, Machine};

use super::{Library, Routine};

/// A machine with two pages of memory holding a pattern in the first bytes.
fn machine() -> Machine {
    let mut machine = Machine { pages: 2, limit: u64::MAX, fp: 40, ..Machine::default() };
    machine.set_bytes(0, &pattern(600));
    machine
}

fn pattern(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 7 + i / 256 * 13 + 1) as u8).collect()
}

/// Calls a routine with arguments in slots 0, 1, …, stopping at the fixed pcs.
fn call(machine: &mut Machine, routine: Routine, args: &[u32]) -> End {
    assert_eq!(args.len() as u32, routine.slots().0);
    for (i, &arg) in args.iter().enumerate() {
        machine.set_slot(i as i32, arg);
    }
    let library = Library::get();
    machine.pc = library.entry(routine);
    machine.run(&library.code, |pc| pc < 16)
}

/// Calls a routine that must return, for the word in slot 0.
fn result(machine: &mut Machine, routine: Routine, args: &[u32]) -> u32 {
    assert_eq!(call(machine, routine, args), End::Returned, "{routine:?} {args:?}");
    machine.slot(0)
}

/// Goes on from wherever the machine is until it halts.
fn finish(machine: &mut Machine) {
    assert_eq!(machine.run(&Library::get().code, |_| false), End::At(crate::HALT_PC));
}
