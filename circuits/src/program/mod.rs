//! Given the lowered program as preprocessed columns, this chip proves that every instruction that
//! `cpu` fetches is the one at its pc.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use p3_air::WindowAccess;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use rwprove_isa::{
    Flag, Instr, MAX_CODE, Op, Operand, Pc, Program, STUCK_PC, Trap,
    record::{Outcome, limbs},
};

use crate::{
    Val, bus,
    counts::Counts,
    table::{Fill, Shard, Table},
};

#[cfg(test)]
mod tests;

/// log2 of the heights. Few, because a program's height is part of every shape of its shards.
pub const LOG_HEIGHTS: [usize; 4] = [13, 16, 19, 22];
const _: () = assert!(1 << LOG_HEIGHTS[LOG_HEIGHTS.len() - 1] == MAX_CODE);
/// pc, flags, a, b (two halves), c, fuel, tag.
const FIXED: usize = 8;

/// The packed flags of an instruction whose static fuel charge is refused: its own are not set.
pub(crate) const REFUSED: u32 = 1 << Flag::COUNT;

/// The code. Main columns say how often each instruction is fetched, and how often it is refused.
///
/// [`Code::default`] does not know its instructions: enough to verify, where a commitment stands
/// for them.
#[derive(Clone, Debug, Default)]
pub struct Code {
    fixed: Option<Arc<RowMajorMatrix<Val>>>,
}

impl Code {
    /// The table of a program.
    pub fn new(program: &Program) -> Self {
        let height = 1 << Self::log_height(program);
        let mut values = Val::zero_vec(height * FIXED);
        values.par_chunks_exact_mut(FIXED).enumerate().for_each(|(pc, row)| {
            row[0] = Val::from_usize(pc);
            row[1..].copy_from_slice(&fields(&at(program, pc as Pc)));
        });
        Self { fixed: Some(Arc::new(RowMajorMatrix::new(values, FIXED))) }
    }

    /// log2 of the height, which the program fixes: the smallest that holds the code. No code is
    /// longer than the largest.
    pub fn log_height(program: &Program) -> usize {
        let [rest @ .., largest] = LOG_HEIGHTS;
        rest.into_iter().find(|height| program.code.len() <= 1 << height).unwrap_or(largest)
    }
}

/// The instruction at a pc: beyond the code, one that can have no proof.
pub(crate) fn at(program: &Program, pc: Pc) -> Instr {
    let stuck = Instr { c: STUCK_PC as i32, ..Instr::new(Op::Jump) };
    program.code.get(pc as usize).copied().unwrap_or(stuck)
}

/// What is fetched besides the pc: packed flags, a, b (two halves), c, fuel, tag.
pub(crate) fn fields(instr: &Instr) -> [Val; FIXED - 1] {
    let [b0, b1] = match instr.b {
        Operand::None => [Val::ZERO; 2],
        Operand::Slot(slot) => [Val::from_i32(slot), Val::ZERO],
        Operand::Imm(imm) => limbs(imm).map(Val::from_u32),
    };
    let c = match instr.op {
        // A branch that is taken if the charge is refused.
        Op::FuelCharge => Trap::OutOfFuel as i32,
        _ => instr.c,
    };
    [
        Val::from_u32(instr.flags()),
        Val::from_i32(instr.a.unwrap_or(0)),
        b0,
        b1,
        Val::from_i32(c),
        Val::from_u16(instr.fuel),
        Val::from_u32(instr.tag()),
    ]
}

impl Table for Code {
    const NAME: &'static str = "program";

    fn columns(&self) -> Vec<String> {
        vec!["fetched".into(), "refused".into()]
    }

    fn preprocessed(&self) -> Option<RowMajorMatrix<Val>> {
        self.fixed.as_deref().cloned()
    }

    fn preprocessed_width(&self) -> usize {
        FIXED
    }

    fn eval<AB: InteractionBuilder<F = Val>>(&self, builder: &mut AB) {
        let fixed = builder.preprocessed().clone();
        let fixed = fixed.current_slice();
        let [pc, flags, a, b0, b1, c, fuel, tag]: [AB::Expr; FIXED] =
            std::array::from_fn(|i| fixed[i].into());
        let main = builder.main();
        let main = main.current_slice();
        for (flags, count) in [(flags, main[0]), (AB::Expr::from_u32(REFUSED), main[1])] {
            let [pc, a, b0, b1, c, fuel, tag] =
                [&pc, &a, &b0, &b1, &c, &fuel, &tag].map(Clone::clone);
            bus::provide(builder, bus::fetch(pc, flags, a, [b0, b1], c, fuel, tag), count);
        }
    }
}

impl Fill for Code {
    fn rows(&self, shard: &Shard<'_>) -> usize {
        1 << Self::log_height(shard.program)
    }

    fn fill(&self, shard: &Shard<'_>, height: usize, _counts: &Counts) -> RowMajorMatrix<Val> {
        let counts: Vec<_> = (0..2 * height).map(|_| AtomicU32::new(0)).collect();
        shard.record.cpu.par_iter().for_each(|event| {
            let refused = usize::from(event.outcome == Outcome::OutOfFuel);
            if let Some(count) = counts.get(2 * event.pc as usize + refused) {
                count.fetch_add(1, Relaxed);
            }
        });
        let values = counts.into_iter().map(|count| Val::from_u32(count.into_inner())).collect();
        RowMajorMatrix::new(values, 2)
    }
}
