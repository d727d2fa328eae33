//! The executor against rwasm's own virtual machine: the same module, the same arguments, the same
//! end: exit, results, output, fuel, memory, globals and tables.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod fixtures;
mod opcodes;
mod ours;
mod random;
mod speed;
mod suite;
mod vm;

/// What a call leaves behind that can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    exit: rwprove_isa::Exit,
    results: Vec<u32>,
    output: Vec<u8>,
    fuel: u64,
    memory: Memory,
    globals: Vec<u32>,
    /// Of each table its size and which elements are null.
    tables: Vec<Vec<bool>>,
}

/// Linear memory; its digest stands for it in messages.
#[derive(Clone, PartialEq, Eq)]
struct Memory(Vec<u8>);

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let first = self.0.iter().position(|&byte| byte != 0);
        write!(f, "{} bytes, first not zero {first:?}", self.0.len())
    }
}

/// Global words and tables that are compared.
const GLOBALS: u32 = 256;
const TABLES: u32 = 16;
/// No run here is longer.
const MAX_ROWS: u64 = 1 << 32;

impl End {
    /// What differs, shortly.
    fn difference(&self, other: &End) -> Option<String> {
        let mut parts = Vec::new();
        let mut part = |name: &str, differs: bool, a: String, b: String| {
            if differs {
                parts.push(format!("{name}: rwasm {a:.120}, ours {b:.120}"));
            }
        };
        macro_rules! compare {
            ($($field:ident)*) => { $(part(
                stringify!($field),
                self.$field != other.$field,
                format!("{:x?}", self.$field),
                format!("{:x?}", other.$field),
            );)* };
        }
        compare!(exit results output fuel memory globals tables);
        if parts.is_empty() { None } else { Some(parts.join("; ")) }
    }
}
