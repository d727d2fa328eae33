//! Short runs, one for each way to end. All ask how much fuel is left, so that no other limit is
//! true of them.

use rwprove_executor::Input;
use rwprove_isa::{
    Instr, Op, Operand, Trap,
    runtime::{Library, Routine, asm::Asm},
};
use rwprove_verifier::Preset;

use crate::shards::{ops::with_library, proof::Source};

/// Fuel that a run may consume after its start.
const ROOM: u64 = 100;

/// The runs; the first is of a private input.
pub(crate) fn runs(all: bool) -> Vec<(&'static str, Source)> {
    let routine = |routine| Library::get().entry(routine);
    let mut runs = vec![
        (
            "an exit code",
            source(true, |asm| {
                asm.mov(0, Operand::Imm(9));
                go(asm, routine(Routine::Exit));
            }),
        ),
        (
            Trap::OutOfFuel.name(),
            source(false, |asm| {
                asm.emit(Instr { fuel: 1000, ..Instr::new(Op::KeccakF) });
            }),
        ),
        ("OutOfFuel raised", source(false, |asm| go(asm, routine(Routine::RaiseOutOfFuel)))),
    ];
    let others = Trap::ALL.iter().filter(|trap| **trap != Trap::OutOfFuel);
    for trap in others.take(if all { usize::MAX } else { 1 }) {
        runs.push((trap.name(), source(false, |asm| go(asm, trap.code().into()))));
    }
    runs
}

fn go(asm: &mut Asm, pc: u32) {
    let label = asm.pc_label(pc);
    asm.jump(label);
}

fn source(private: bool, end: impl FnOnce(&mut Asm)) -> Source {
    let program = with_library(3, |asm| {
        asm.emit(Instr { c: 2, fuel: 7, ..Instr::new(Op::FuelLeftLo) });
        end(asm);
    });
    let fuel_limit = Some(program.fuel + ROOM);
    let input = Input { bytes: b"statement".to_vec(), state: 0, fuel_limit };
    Source { program, preset: Preset::P100, input, private }
}
