//! The fixed pcs 0 to 15, the ways a run ends, and what every end does: hash both tapes and halt.

use super::{Builder, Routine};
use crate::Operand::Imm;
use crate::layout::{INPUT, OUTPUT, SPONGE, reg, run};
use crate::{HALT_PC, Pc, STUCK_PC, Trap};

/// Words of a digest.
const DIGEST_WORDS: u32 = 8;

pub(super) fn assemble(lib: &mut Builder) {
    let traps: Vec<_> = Trap::ALL.iter().map(|_| lib.asm.label()).collect();
    let (stuck, halt) = (lib.asm.pc_label(STUCK_PC), lib.asm.pc_label(HALT_PC));
    for &trap in &traps {
        lib.asm.jump(trap);
    }
    for _ in lib.asm.here()..=STUCK_PC {
        lib.asm.jump(stuck);
    }
    lib.asm.jump(halt);

    let [trapped, ended] = [lib.asm.label(), lib.asm.label()];
    for (trap, &label) in Trap::ALL.iter().zip(&traps) {
        lib.asm.bind(label);
        lib.asm.mov(0, Imm(trap.code() as u32));
        lib.asm.jump(trapped);
    }
    lib.asm.bind(trapped);
    lib.asm.mov(1, Imm(3));
    lib.asm.jump(ended);

    lib.start(Routine::RaiseOutOfFuel);
    let out_of_fuel = lib.asm.pc_label(Trap::OutOfFuel.code() as Pc);
    lib.asm.mov(0, Imm(1));
    lib.asm.put(reg::RAISED_OUT_OF_FUEL, 0);
    lib.asm.jump(out_of_fuel);

    lib.start(Routine::Done);
    lib.asm.mov(0, Imm(0));
    lib.asm.mov(1, Imm(1));
    lib.asm.jump(ended);

    // Here slot 0 is the code.
    lib.start(Routine::Exit);
    lib.asm.mov(1, Imm(2));
    lib.asm.bind(ended);
    lib.asm.put(reg::EXIT_KIND, 1);
    lib.asm.put(reg::EXIT_CODE, 0);

    lib.asm.bind(lib.finish);
    digest(lib, INPUT, run::INPUT_LEN, reg::INPUT_DIGEST);
    digest(lib, OUTPUT, reg::OUTPUT_LEN, reg::OUTPUT_DIGEST);
    lib.asm.jump(halt);
}

/// Writes the hash of a tape to `digest`.
fn digest(lib: &mut Builder, tape: u32, length: u32, digest: u32) {
    lib.asm.mov(0, Imm(tape * 4));
    lib.asm.get(1, length);
    lib.asm.call(lib.sponge, 0);
    for i in 0..DIGEST_WORDS {
        lib.asm.get(0, SPONGE + i);
        lib.asm.put(digest + i, 0);
    }
}
