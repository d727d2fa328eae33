//! Typed rows of tables, without unsafe code.

/// Declares the columns of a table: `columns! { /// doc  pub struct Cols { a, b: [4], … } }`.
///
/// The struct is generic over what a cell is (field element, variable, expression). It can be read
/// from and written to a row, and it knows its column names (`b[2]` for arrays), which is how
/// tests address columns.
#[macro_export]
macro_rules! columns {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$fdoc:meta])* $field:ident $(: [$n:expr])?,)* }) => {
        $(#[$doc])*
        pub struct $name<T> { $($(#[$fdoc])* pub $field: $crate::columns!(@type T $($n)?),)* }

        // Derived implementations do not go with types from macros.
        impl<T: Copy> Copy for $name<T> {}

        impl<T: Copy> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T: Copy> $name<T> {
            /// Number of columns.
            pub const WIDTH: usize = 0 $(+ $crate::columns!(@width $($n)?))*;

            /// Reads a row; it must have at least [`Self::WIDTH`] cells.
            pub fn from_row(row: &[T]) -> Self {
                let mut at = 0;
                $(let $field = $crate::columns!(@read row at $($n)?);)*
                let _ = at;
                Self { $($field,)* }
            }

            /// Writes the row.
            pub fn write_to(&self, row: &mut [T]) {
                let mut at = 0;
                $($crate::columns!(@write self row at $field $($n)?);)*
                let _ = at;
            }

            /// Names of the columns, in order.
            pub fn names() -> Vec<String> {
                let mut names = Vec::new();
                $($crate::columns!(@names names $field $($n)?);)*
                names
            }
        }
    };
    (@type $t:ident) => { $t };
    (@type $t:ident $n:expr) => { [$t; $n] };
    (@width) => { 1 };
    (@width $n:expr) => { $n };
    (@read $row:ident $at:ident) => {{ $at += 1; $row[$at - 1] }};
    (@read $row:ident $at:ident $n:expr) => {{ $at += $n; core::array::from_fn::<_, { $n }, _>(|i| $row[$at - $n + i]) }};
    (@write $self:ident $row:ident $at:ident $field:ident) => { $row[$at] = $self.$field; $at += 1; };
    (@write $self:ident $row:ident $at:ident $field:ident $n:expr) => { $row[$at..$at + $n].copy_from_slice(&$self.$field); $at += $n; };
    (@names $names:ident $field:ident) => { $names.extend([stringify!($field).to_string()]); };
    (@names $names:ident $field:ident $n:expr) => { $names.extend((0..$n).map(|i| format!("{}[{i}]", stringify!($field)))); };
}
