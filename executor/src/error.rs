//! Why a run has no result.

use rwprove_isa::Pc;
use thiserror::Error;

/// What a program did that the machine has no meaning for. Lowered programs never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// No instruction there.
    #[error("no instruction at this pc")]
    Pc,
    /// The program went to the pc for code that must not have a proof.
    #[error("the program is stuck")]
    Stuck,
    /// An access outside the part of the space that is in use.
    #[error("no word at address {0:#x}")]
    Address(u32),
    /// The sum of an unchecked access wrapped, or a word would start before address 0.
    #[error("address {0:#x} + {1:#x} does not exist")]
    AddressSum(u32, u32),
    /// The frame base left the stack.
    #[error("frame base {0} is not in the stack")]
    FrameBase(i64),
    /// A return without call, or more calls than frames.
    #[error("no frame at depth {0}")]
    Depth(u32),
    /// The number of pages shrank or exceeds the linear memory.
    #[error("{0} pages cannot follow {1}")]
    Pages(u32, u32),
    /// A division by zero or a half of a 64-bit division without the other.
    #[error("a division without meaning")]
    Division,
    /// A chained row, or the second row of a division, that does not come after its first.
    #[error("a row without the one that it is linked to")]
    Link,
    /// Instantiation asked for something that only the run knows.
    #[error("instantiation depends on the run")]
    RunFact,
}

/// Why a run has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExecError {
    /// The program is not one that lowering makes.
    #[error("at pc {pc}: {fault}")]
    Fault {
        /// Where.
        pc: Pc,
        /// What.
        fault: Fault,
    },
    /// A word of the program's image is outside the space.
    #[error("the image has a word at {0:#x}, which is not in use")]
    Image(u32),
    /// More pages at the start than linear memory can have.
    #[error("the program starts with {found} pages, at most {max} are possible")]
    StartPages {
        /// Pages of the program.
        found: u32,
        /// Most pages.
        max: u32,
    },
    /// The input is too long for its region.
    #[error("the input has {found} bytes, at most {max} are possible")]
    InputLength {
        /// Bytes of the input.
        found: usize,
        /// Most bytes.
        max: usize,
    },
    /// The run did not end within the given number of rows.
    #[error("the run did not end within {0} rows")]
    RowLimit(u64),
    /// A shard cannot hold even one instruction.
    #[error("the shard limits are too small for one instruction")]
    ShardLimits,
    /// The limit is below what instantiation has consumed; the cold program shows the exit.
    #[error("instantiation needs {needed} fuel, the limit is {limit}: use the cold program")]
    FuelBelowInstantiation {
        /// Fuel of instantiation.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// The run ended without a canonical exit.
    #[error("exit kind {kind} with code {code} does not exist")]
    Exit {
        /// The word `EXIT_KIND`.
        kind: u32,
        /// The word `EXIT_CODE`.
        code: u32,
    },
    /// The output is longer than its region.
    #[error("the output has {0} bytes, more than its region")]
    OutputLength(u32),
}
