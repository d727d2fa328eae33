//! The static check of stack heights.
//!
//! rWasm has one global value stack and no frame pointer, and its modules carry no parameter
//! counts. But in every module that the compiler makes, the height of the stack at each pc,
//! relative to the entry of its function, is one fixed number. The check finds these numbers, and
//! with them the functions, their parameters and their net effects, by walking the code from the
//! entries. A module for which they do not exist is refused: no code is lowered that could be
//! reached with another height than the lowering believes.

mod walk;

use std::collections::HashMap;

use rwasm::Opcode;
use thiserror::Error;

use walk::Walk;

/// A function: code that is called, entered at one pc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its first pc.
    pub entry: u32,
    /// Slots below the entry's stack top that it reads or writes.
    pub params: u32,
    /// Height at its returns, relative to the entry; none if it never returns.
    pub net: Option<i32>,
    /// Number of its signature check, if it starts with one.
    pub signature: Option<u32>,
    /// Whether a table may hold it.
    pub address_taken: bool,
    /// Whether something other than `CallInternal` leads to it.
    pub entered_otherwise: bool,
    /// Pc of its `StackCheck`, if it has one.
    pub check: Option<u32>,
    /// Largest height above the entry.
    pub peak: i32,
    /// Its basic blocks: first pcs, rising.
    pub blocks: Vec<u32>,
}

/// What a code word is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Never reached.
    #[default]
    Unreached,
    /// Reached in a function (index into [`Heights::functions`]), at a height above its entry.
    Code {
        /// The function.
        function: u32,
        /// The height.
        height: i32,
    },
    /// A word that belongs to the instruction before it.
    Payload,
}

/// Result of the check.
#[derive(Clone, Debug, Default)]
pub struct Heights {
    /// The functions, in the order in which they were found.
    pub functions: Vec<Function>,
    /// Of each pc.
    pub places: Vec<Place>,
    index: HashMap<u32, usize>,
    signatures: HashMap<u32, Signature>,
}

/// What the functions of one signature have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// Net effect, if one of them returns.
    pub net: Option<i32>,
    /// Most parameter slots.
    pub params: u32,
}

/// Why a module has no static heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say it
pub enum HeightError {
    #[error("pc {0} is outside the code")]
    OutOfRange(i64),
    #[error("pc {pc} is reached at height {found} and at height {expected}")]
    TwoHeights { pc: u32, expected: i32, found: i32 },
    #[error("pc {0} is reached from two functions")]
    TwoFunctions(u32),
    #[error("the function at pc {entry} returns with net heights {expected} and {found}")]
    TwoNets { entry: u32, expected: i32, found: i32 },
    #[error("functions of signature {signature} have net heights {expected} and {found}")]
    SignatureNets { signature: u32, expected: i32, found: i32 },
    #[error("pc {0} is a payload word that is reached as code, or code used as payload")]
    Payload(u32),
    #[error("pc {0} lacks its payload")]
    NoPayload(u32),
    #[error("the branch table at pc {0} has no targets")]
    EmptyTable(u32),
    #[error("the branch at pc {0} leads to itself by offset 0")]
    ZeroOffset(u32),
    #[error("pc {0} addresses local 0")]
    LocalZero(u32),
    #[error("pc {pc}: height {height} is beyond the frame limit")]
    HeightRange { pc: u32, height: i32 },
    #[error("pc {pc}: height {height} exceeds the checked height {checked}")]
    Unchecked { pc: u32, height: i32, checked: i32 },
    #[error("the stack check at pc {0} is not at the head of its function")]
    CheckInside(u32),
    #[error("pc {pc} takes the address of pc {target}, which is no function head")]
    NoHead { pc: u32, target: u32 },
    #[error("pc {0} calls below its own frame")]
    CallBelow(u32),
    #[error("pc {pc} names table {table}, beyond the last")]
    Table { pc: u32, table: u32 },
    #[error("parameters of recursive functions grow without bound")]
    UnboundedParams,
    #[error("the entry at pc {entry} takes {found} slots from the stack, expected at most {max}")]
    EntryParams { entry: u32, found: u32, max: u32 },
    #[error("the entry at pc {entry} leaves {found} slots, expected {expected}")]
    EntryResults { entry: u32, found: i64, expected: u32 },
}

impl Heights {
    /// Checks the code of a module with entries 0 and `source`.
    pub fn check(code: &[Opcode], elements: &[u32], source: u32) -> Result<Heights, HeightError> {
        Walk::new(code, source).heights(elements)
    }

    /// The function with this entry.
    pub fn function(&self, entry: u32) -> Option<&Function> {
        self.functions.get(*self.index.get(&entry)?)
    }

    /// What the functions of a signature have in common, if a table may hold one.
    pub fn signature(&self, signature: u32) -> Option<Signature> {
        self.signatures.get(&signature).copied()
    }

    /// The height at a reached pc.
    pub fn height(&self, pc: u32) -> Option<i32> {
        match self.places.get(pc as usize) {
            Some(Place::Code { height, .. }) => Some(*height),
            _ => None,
        }
    }
}

/// The targets of a branch table: what stands at its even payload words.
pub(in crate::front) fn table_words(pc: u32, targets: u32) -> impl Iterator<Item = u32> {
    (0..targets).map(move |i| pc + 1 + 2 * i)
}
