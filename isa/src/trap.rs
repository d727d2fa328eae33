//! Trap codes and how a run ends.

use serde::{Deserialize, Serialize};

macro_rules! traps {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// Why a run trapped: rwasm's `TrapCode`s that a guest can observe, with rwasm's numbers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Trap { $($(#[$doc])* $name = $code,)* }

        impl Trap {
            /// All traps, in the order of their codes.
            pub const ALL: &[Trap] = &[$(Trap::$name,)*];

            /// rwasm's name of the trap.
            pub const fn name(self) -> &'static str {
                match self { $(Trap::$name => stringify!($name),)* }
            }

            /// rwasm's number of the trap.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The trap with this code, if there is one.
            pub const fn from_code(code: u32) -> Option<Trap> {
                match code { $($code => Some(Trap::$name),)* _ => None }
            }
        }
    };
}

traps! {
    /// `unreachable` was executed.
    UnreachableCodeReached = 0,
    /// A memory access or bulk operation left the linear memory.
    MemoryOutOfBounds = 1,
    /// A table access or bulk operation left the table.
    TableOutOfBounds = 2,
    /// An indirect call found a null element.
    IndirectCallToNull = 3,
    /// Division or remainder by zero.
    IntegerDivisionByZero = 4,
    /// The quotient of the smallest integer by -1.
    IntegerOverflow = 5,
    /// A float had no integer value (never raised: floats are not executed).
    BadConversionToInteger = 6,
    /// Call depth or value stack exceeded.
    StackOverflow = 7,
    /// The callee of an indirect call has another signature.
    BadSignature = 8,
    /// A fuel charge exceeded the limit.
    OutOfFuel = 9,
    /// A host call with an unknown index.
    UnknownExternalFunction = 10,
    /// An opcode that rwasm does not execute, such as a float operation.
    IllegalOpcode = 11,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Exit {
    /// The entry function returned.
    Ok,
    /// The guest called `_exit` with this code, or the host ended it with it.
    Code(i32),
    /// The guest trapped.
    Trap(Trap),
}

impl Exit {
    /// The number written to `EXIT_KIND`: 1 ok, 2 exit code, 3 trap.
    pub const fn kind(self) -> u32 {
        match self {
            Exit::Ok => 1,
            Exit::Code(_) => 2,
            Exit::Trap(_) => 3,
        }
    }

    /// The number written to `EXIT_CODE`.
    pub const fn code(self) -> u32 {
        match self {
            Exit::Ok => 0,
            Exit::Code(code) => code as u32,
            Exit::Trap(trap) => trap as u32,
        }
    }

    /// The exit written as `kind` and `code`, if these are canonical.
    pub const fn from_parts(kind: u32, code: u32) -> Option<Exit> {
        match (kind, code) {
            (1, 0) => Some(Exit::Ok),
            (2, code) => Some(Exit::Code(code as i32)),
            (3, code) => match Trap::from_code(code) {
                Some(trap) => Some(Exit::Trap(trap)),
                None => None,
            },
            _ => None,
        }
    }
}
