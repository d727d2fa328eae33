//! The machine: all its tables, in the order of proofs.

use std::borrow::Cow;

use p3_air::{Air, BaseAir};
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use rwprove_isa::Program;

use crate::{
    Val,
    access::Access,
    bits::Bits,
    bitwise::Bitwise,
    bytes::Bytes,
    check::{Check, Lookups, Violation},
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
    table::{Fill, Shard, Table},
};

/// Largest degree of a constraint of any table.
pub const MAX_DEGREE: usize = 3;

/// Declares the tables; the only place that lists them.
macro_rules! chips {
    ($d:tt $($name:ident($table:ident): $make:expr,)*) => {
        /// One table of the machine.
        #[derive(Clone, Debug)]
        #[allow(missing_docs)] // each variant is its table
        pub enum Chip { $($name($table),)* }

        /// Names a table, in the order of proofs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[allow(missing_docs)] // each variant is its table
        pub enum ChipId { $($name,)* }

        impl ChipId {
            /// All tables.
            pub const ALL: &[ChipId] = &[$(ChipId::$name,)*];
            /// Number of tables.
            pub const COUNT: usize = ChipId::ALL.len();

            /// Name of the table.
            pub const fn name(self) -> &'static str {
                match self { $(ChipId::$name => <$table as Table>::NAME,)* }
            }
        }

        impl Chip {
            /// Which table it is.
            pub const fn id(&self) -> ChipId {
                match self { $(Chip::$name(_) => ChipId::$name,)* }
            }

            fn reads_next(&self) -> bool {
                match self { $(Chip::$name(_) => <$table as Table>::READS_NEXT,)* }
            }
        }

        /// Does the same with whichever table it is.
        macro_rules! each {
            ($d chip:expr, $d table:ident => $d body:expr) => {
                match $d chip { $($crate::machine::Chip::$name($d table) => $d body,)* }
            };
        }

        fn chips(code: Code) -> Vec<Chip> {
            let make = |id: ChipId| match id { $(ChipId::$name => Chip::$name($make(&code)),)* };
            ChipId::ALL.iter().map(|&id| make(id)).collect()
        }
    };
}

chips! { $
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
    /// Names of the main columns.
    pub fn columns(&self) -> Vec<String> {
        each!(self, table => table.columns())
    }

    /// Rows that a shard needs.
    pub fn rows(&self, shard: &Shard<'_>) -> usize {
        each!(self, table => table.rows(shard))
    }

    fn fill(&self, shard: &Shard<'_>, log_height: usize, counts: &Counts) -> Instance {
        let trace = each!(self, table => table.fill(shard, 1 << log_height, counts));
        let publics = each!(self, table => table.publics(shard));
        Instance { chip: self.clone(), trace, publics }
    }
}

impl BaseAir<Val> for Chip {
    fn width(&self) -> usize {
        self.columns().len()
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<Val>> {
        each!(self, table => table.preprocessed())
    }

    fn preprocessed_width(&self) -> usize {
        each!(self, table => table.preprocessed_width())
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        if self.reads_next() { (0..self.width()).collect() } else { Vec::new() }
    }

    /// No table looks at the next row of preprocessed columns.
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        Vec::new()
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        Some(MAX_DEGREE)
    }

    fn num_public_values(&self) -> usize {
        each!(self, table => table.public_values())
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<Val>]> {
        Cow::Borrowed(&[])
    }
}

impl<AB: InteractionBuilder<F = Val>> Air<AB> for Chip {
    fn eval(&self, builder: &mut AB) {
        each!(self, table => table.eval(builder));
    }
}

/// A filled table.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The table.
    pub chip: Chip,
    /// Its rows.
    pub trace: RowMajorMatrix<Val>,
    /// Its public values.
    pub publics: Vec<Val>,
}

impl Instance {
    /// Checks all constraints and adds what the table says.
    fn add_to(&self, check: &mut Check) -> Result<(), Violation> {
        let Self { chip, trace, publics } = self;
        each!(chip, table => check.table(table, trace, publics))
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
        Self { chips: chips(Code::new(program)) }
    }

    /// The tables of any program, whose code stays behind a commitment: enough to verify.
    pub fn verifier() -> Self {
        Self { chips: chips(Code::default()) }
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

/// Checks all constraints of filled tables and the balance of the bus.
///
/// # Errors
/// The first [`Violation`].
pub fn check(instances: &[Instance]) -> Result<(), Violation> {
    gather(instances)?.finish(Lookups::Counted)
}

/// Checks all constraints of filled tables and returns what they say on the bus.
///
/// # Errors
/// The first [`Violation`] of a constraint.
pub fn gather(instances: &[Instance]) -> Result<Check, Violation> {
    let mut check = Check::default();
    instances.iter().try_for_each(|instance| instance.add_to(&mut check))?;
    Ok(check)
}

// After the macros, which these use.
#[cfg(any(test, feature = "testing"))]
mod attack;
#[cfg(any(test, feature = "testing"))]
pub(crate) use attack::said;
#[cfg(test)]
mod tests;
