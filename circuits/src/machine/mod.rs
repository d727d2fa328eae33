//! The machine: all its tables, in the order of proofs.

use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use rwprove_isa::Program;

use crate::{
    access::Access,
    bits::Bits,
    bitwise::Bitwise,
    bytes::Bytes,
    chips::chips,
    counts::Counts,
    cpu::Cpu,
    div::Div,
    fuel::Fuel,
    keccak::Keccak,
    merkle::Merkle,
    mul::Mul,
    program::Code,
    refresh::Refresh,
    shape::Shape,
    shift::Shift,
    table::{Fill, Shard},
};

/// Largest degree of a constraint of any table.
pub const MAX_DEGREE: usize = 3;

chips! { $ Code;
    Cpu(Cpu): |_| Cpu,
    Bitwise(Bitwise): |_| Bitwise,
    Shift(Shift): |_| Shift,
    Mul(Mul): |_| Mul,
    Div(Div): |_| Div,
    Bits(Bits): |_| Bits,
    Access(Access): |_| Access,
    Refresh(Refresh): |_| Refresh,
    Keccak(Keccak): |_| Keccak,
    Fuel(Fuel): |_| Fuel,
    Merkle(Merkle): |_| Merkle,
    Program(Code): Code::clone,
    Bytes(Bytes): |_| Bytes,
}

impl Chip {
    /// Rows that a shard needs.
    pub fn rows(&self, shard: &Shard<'_>) -> usize {
        each!(self, table => table.rows(shard))
    }

    /// Fills the table for a shard, in `2^log_height` rows, and counts its lookups.
    pub fn fill(&self, shard: &Shard<'_>, log_height: usize, counts: &Counts) -> Instance {
        let trace = each!(self, table => table.fill(shard, 1 << log_height, counts));
        let publics = each!(self, table => table.publics(shard));
        Instance { chip: self.clone(), trace, publics }
    }
}

/// The tables for one program.
#[derive(Clone, Debug)]
pub struct Machine {
    chips: Vec<Chip>,
}

impl Machine {
    /// The tables that prove runs of a program.
    pub fn new(program: &Program) -> Self {
        Self::from_code(&Code::new(program))
    }

    /// The tables of any program, whose code stays behind a commitment: enough to verify.
    pub fn verifier() -> Self {
        Self::from_code(&Code::default())
    }

    fn from_code(code: &Code) -> Self {
        Self { chips: ChipId::ALL.iter().map(|&id| Chip::make(id, code)).collect() }
    }

    /// All tables, in the order of proofs.
    pub fn chips(&self) -> &[Chip] {
        &self.chips
    }

    /// The tables that a shape has, with log2 of their heights.
    pub fn present<'a>(&'a self, shape: &'a Shape) -> impl Iterator<Item = (&'a Chip, usize)> {
        self.chips.iter().filter_map(|chip| Some((chip, shape.log_height(chip.id())?)))
    }

    /// Fills all tables of the shape, in parallel; `bytes` last, because it counts the lookups of
    /// the others.
    pub fn fill_all(&self, shard: &Shard<'_>, shape: &Shape) -> Vec<Instance> {
        let counts = Counts::default();
        let (last, first): (Vec<_>, Vec<_>) =
            self.present(shape).partition(|(chip, _)| chip.id() == ChipId::Bytes);
        let fill = |(chip, log_height): (&Chip, usize)| chip.fill(shard, log_height, &counts);
        let mut instances: Vec<_> = first.into_par_iter().map(fill).collect();
        instances.extend(last.into_iter().map(fill));
        instances
    }
}

// After the macros, which these use.
#[cfg(any(test, feature = "testing"))]
mod attack;
#[cfg(any(test, feature = "testing"))]
pub(crate) use attack::said;
#[cfg(test)]
mod tests;
