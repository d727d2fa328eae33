//! Declares the tables of a machine: the one place that lists them.

/// `chips! { $ Source; Name(Table): how to make it from the source, … }` declares `Chip`, which is
/// any of the tables, `ChipId`, which names them in the order of proofs, and `Instance`, a filled
/// one. What a chip does by its table is said with `each!`.
macro_rules! chips {
    ($d:tt $source:ty; $($name:ident($table:ident): $make:expr,)*) => {
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
                match self { $(ChipId::$name => <$table as $crate::table::Table>::NAME,)* }
            }
        }

        impl Chip {
            fn make(id: ChipId, source: &$source) -> Self {
                match id { $(ChipId::$name => Chip::$name($make(source)),)* }
            }

            /// Which table it is.
            pub const fn id(&self) -> ChipId {
                match self { $(Chip::$name(_) => ChipId::$name,)* }
            }

            fn reads_next(&self) -> bool {
                match self { $(Chip::$name(_) => <$table as $crate::table::Table>::READS_NEXT,)* }
            }
        }

        /// Does the same with whichever table it is.
        #[allow(unused_macros)]
        macro_rules! each {
            ($d chip:expr, $d table:ident => $d body:expr) => {
                match $d chip { $(Chip::$name($d table) => $d body,)* }
            };
        }

        impl Chip {
            /// Names of the main columns.
            pub fn columns(&self) -> Vec<String> {
                each!(self, table => $crate::table::Table::columns(table))
            }
        }

        impl p3_air::BaseAir<$crate::Val> for Chip {
            fn width(&self) -> usize {
                self.columns().len()
            }

            fn preprocessed_trace(&self) -> Option<RowMajorMatrix<$crate::Val>> {
                each!(self, table => $crate::table::Table::preprocessed(table))
            }

            fn preprocessed_width(&self) -> usize {
                each!(self, table => $crate::table::Table::preprocessed_width(table))
            }

            fn main_next_row_columns(&self) -> Vec<usize> {
                if self.reads_next() { (0..self.width()).collect() } else { Vec::new() }
            }

            /// No table looks at the next row of preprocessed columns.
            fn preprocessed_next_row_columns(&self) -> Vec<usize> {
                Vec::new()
            }

            fn max_constraint_degree(&self) -> Option<usize> {
                Some($crate::machine::MAX_DEGREE)
            }

            fn num_public_values(&self) -> usize {
                each!(self, table => $crate::table::Table::public_values(table))
            }

            fn periodic_columns(&self) -> std::borrow::Cow<'_, [Vec<$crate::Val>]> {
                std::borrow::Cow::Borrowed(&[])
            }
        }

        impl<AB: p3_lookup::InteractionBuilder<F = $crate::Val>> p3_air::Air<AB> for Chip {
            fn eval(&self, builder: &mut AB) {
                each!(self, table => $crate::table::Table::eval(table, builder));
            }
        }

        /// A filled table.
        #[derive(Clone, Debug)]
        pub struct Instance {
            /// The table.
            pub chip: Chip,
            /// Its rows.
            pub trace: RowMajorMatrix<$crate::Val>,
            /// Its public values.
            pub publics: Vec<$crate::Val>,
        }

        impl Instance {
            /// Checks all constraints and adds what the table says.
            fn add_to(&self, check: &mut $crate::check::Check) -> Result<(), $crate::check::Violation> {
                let Self { chip, trace, publics } = self;
                each!(chip, table => check.table(table, trace, publics))
            }
        }

        /// Checks all constraints of filled tables and the balance of the bus.
        ///
        /// # Errors
        /// The first [`Violation`](crate::check::Violation).
        pub fn check(instances: &[Instance]) -> Result<(), $crate::check::Violation> {
            gather(instances)?.finish($crate::check::Lookups::Counted)
        }

        /// Checks all constraints of filled tables and returns what they say on the bus.
        ///
        /// # Errors
        /// The first [`Violation`](crate::check::Violation) of a constraint.
        pub fn gather(instances: &[Instance]) -> Result<$crate::check::Check, $crate::check::Violation> {
            let mut check = $crate::check::Check::default();
            instances.iter().try_for_each(|instance| instance.add_to(&mut check))?;
            Ok(check)
        }

        #[cfg(any(test, feature = "testing"))]
        impl Instance {
            /// Changes cells of these rows and public values, one at a time; see
            /// [`crate::testing::mutate`].
            ///
            /// # Errors
            /// A [`Violation`](crate::check::Violation) if the honest rows already break a constraint.
            pub fn mutate(
                &self,
                rows: impl IntoIterator<Item = usize>,
                check: &$crate::check::Check,
                seed: u64,
            ) -> Result<$crate::testing::Mutations, $crate::check::Violation> {
                let Self { chip, trace, publics } = self;
                each!(chip, table => $crate::testing::mutate(table, trace, publics, rows, check, seed))
            }
        }
    };
}

pub(crate) use chips;
