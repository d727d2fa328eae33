//! The runtime library: what one instruction cannot do, written in the same instructions.
//!
//! It is the fixed first part of every program's code: the exit stubs at the fixed pcs, then bulk
//! memory, tables, host calls and the end of a run. Nothing here is trusted more than the program
//! itself: every row is proved like any other.
//!
//! # Calling convention
//!
//! `Call` with `hi = 0xffff` and `lo` = the slot of the first argument: that slot is the callee's
//! slot 0. Arguments are in slots 0, 1, …; results are left in slots 0, 1, …; everything above
//! may be overwritten. A routine returns with `Ret`, or leaves for an exit stub. The routines of
//! [`Routine::is_exit`] end the run; they may be called or jumped to.
//!
//! The order of arguments is rWasm's order of stack slots, bottom first. What rWasm has as an
//! immediate (table, segment, limits) comes after them, in the order that [`Routine`] documents.
//!
//! # Beyond the tapes
//!
//! An output longer than [`MAX_TAPE_BYTES`](crate::layout::MAX_TAPE_BYTES) has no place; the run goes to `STUCK_PC` and
//! has no proof.

pub mod asm;
mod boot;
mod bytes;
mod host;
mod keccak;
mod stubs;
mod tables;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::OnceLock;

use asm::{Asm, Label};

pub use boot::{BootKind, boot, boot_start};

use crate::{Instr, Pc};

macro_rules! routines {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A routine of the library, with its arguments and results.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Routine { $($(#[$doc])* $name,)* }

        impl Routine {
            /// All routines.
            pub const ALL: &[Routine] = &[$(Routine::$name,)*];

            /// Name as in the source.
            pub const fn name(self) -> &'static str {
                match self { $(Routine::$name => stringify!($name),)* }
            }
        }
    };
}

routines! {
    /// `(delta, max pages) → old pages or -1`. The maximum is at most 32768.
    MemoryGrow,
    /// `(dst, value, n)`
    MemoryFill,
    /// `(dst, src, n)`
    MemoryCopy,
    /// `(dst, src, n, segment, length of the data section in bytes)`
    MemoryInit,
    /// `(init, delta, table) → old size or -1`
    TableGrow,
    /// `(i, value, n, table)`
    TableFill,
    /// `(dst, src, n, destination table, source table)`
    TableCopy,
    /// `(dst, src, n, segment, table, length of the element section)`
    TableInit,
    /// `_exit(code)`: ends the run
    Exit,
    /// `_state() → state`
    State,
    /// `_read(dst, offset, n)`
    Read,
    /// `_input_size() → bytes`, without the arguments of a named entry
    InputSize,
    /// `_write(ptr, n)`
    Write,
    /// `_output_size() → 0`: no call has returned data
    OutputSize,
    /// `_read_output(dst, offset, n)` of the empty return data
    ReadOutput,
    /// `_forward_output(offset, n)` of the empty return data
    ForwardOutput,
    /// `_fuel() → low, high` of the fuel left
    Fuel,
    /// `_debug_log(ptr, n)`: only the check of the range
    DebugLog,
    /// `_charge_fuel(low, high)`
    ChargeFuel,
    /// `_enter_unconstrained()` and `_exit_unconstrained()`: nothing
    Nothing,
    /// `_keccak256(ptr, n, out)`
    Keccak256,
    /// `_keccak256_permute(state)`: Keccak-f on 200 bytes
    KeccakPermute,
    /// `Trap(OutOfFuel)` of the module itself: ends the run
    RaiseOutOfFuel,
    /// The entry function returned: ends the run
    Done,
    /// `(src, n)`: appends `n` bytes at *byte* address `src` of the whole space to the output
    Append,
}

impl Routine {
    /// The routine of a host call, by its index in Fluent's `fluentbase_v1preview`.
    pub const fn host_call(index: u32) -> Option<Routine> {
        Some(match index {
            0x01 => Routine::Exit,
            0x02 => Routine::State,
            0x03 => Routine::Read,
            0x04 => Routine::InputSize,
            0x05 => Routine::Write,
            0x06 => Routine::OutputSize,
            0x07 => Routine::ReadOutput,
            0x0b => Routine::ForwardOutput,
            0x0d => Routine::Fuel,
            0x10 => Routine::DebugLog,
            0x11 => Routine::ChargeFuel,
            0x12 | 0x13 => Routine::Nothing,
            0x101 => Routine::Keccak256,
            0x102 => Routine::KeccakPermute,
            _ => return None,
        })
    }

    /// Numbers of argument slots and result slots.
    pub const fn slots(self) -> (u32, u32) {
        use Routine::*;
        match self {
            MemoryGrow => (2, 1),
            MemoryFill | MemoryCopy | Read | ReadOutput | Keccak256 => (3, 0),
            MemoryInit | TableCopy => (5, 0),
            TableGrow => (3, 1),
            TableFill => (4, 0),
            TableInit => (6, 0),
            Exit | KeccakPermute => (1, 0),
            State | InputSize | OutputSize => (0, 1),
            Write | ForwardOutput | DebugLog | ChargeFuel | Append => (2, 0),
            Fuel => (0, 2),
            Nothing | RaiseOutOfFuel | Done => (0, 0),
        }
    }

    /// Whether the routine ends the run and so does not return.
    pub const fn is_exit(self) -> bool {
        matches!(self, Routine::Exit | Routine::RaiseOutOfFuel | Routine::Done)
    }
}

/// The assembled library.
#[derive(Clone, Debug)]
pub struct Library {
    /// Its instructions, the first of every program; index = pc.
    pub code: Vec<Instr>,
    entries: Vec<Pc>,
}

impl Library {
    /// The library, assembled once.
    pub fn get() -> &'static Library {
        static LIBRARY: OnceLock<Library> = OnceLock::new();
        LIBRARY.get_or_init(Library::assemble)
    }

    /// Where a routine starts.
    pub fn entry(&self, routine: Routine) -> Pc {
        self.entries.get(routine as usize).copied().unwrap_or(crate::STUCK_PC)
    }

    fn assemble() -> Library {
        let mut lib = Builder::new();
        stubs::assemble(&mut lib);
        bytes::assemble(&mut lib);
        tables::assemble(&mut lib);
        keccak::assemble(&mut lib);
        host::assemble(&mut lib);
        let entries = Routine::ALL.iter().map(|&r| lib.asm.pc(lib.routine(r))).collect();
        Library { code: lib.asm.finish(), entries }
    }
}

/// What the parts of the library share while it is assembled.
struct Builder {
    asm: Asm,
    routines: Vec<Label>,
    /// `copy(dst, src, n)`: as memmove, byte addresses of the whole space.
    copy: Label,
    /// The same, the lowest byte first.
    copy_up: Label,
    /// `sponge(src, n)`: leaves Keccak-256 of the bytes in the first words of the sponge state.
    sponge: Label,
    /// Hashes both tapes and halts.
    finish: Label,
}

impl Builder {
    fn new() -> Self {
        let mut asm = Asm::at(0);
        let routines = Routine::ALL.iter().map(|_| asm.label()).collect();
        let [copy, copy_up, sponge, finish] = std::array::from_fn(|_| asm.label());
        Self { asm, routines, copy, copy_up, sponge, finish }
    }

    fn routine(&self, routine: Routine) -> Label {
        self.routines[routine as usize]
    }

    fn start(&mut self, routine: Routine) {
        self.asm.bind(self.routine(routine));
    }

    fn trap(&mut self, trap: crate::Trap) -> Label {
        self.asm.pc_label(trap.code() as Pc)
    }
}
