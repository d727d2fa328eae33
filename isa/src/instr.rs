//! The lowered instruction set: three-address, frame-relative, one row of the `cpu` table each.
//!
//! The table [`ops!`](self) below is the only place that lists the operations; the meaning of each
//! is in `docs/spec/machine.md`, section 2, and for operations on values in [`crate::alu`].

use serde::{Deserialize, Serialize};

/// Offset of a stack slot from the frame base (parameters are below it, hence negative).
pub type Slot = i32;

/// Index into [`crate::Program::code`].
pub type Pc = u32;

/// The second operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operand {
    /// No operand; its value is 0.
    None,
    /// The word in a stack slot.
    Slot(Slot),
    /// A constant.
    Imm(u32),
}

macro_rules! flags {
    ($($name:ident),* $(,)?) => {
        /// What an instruction switches on in a `cpu` row; one preprocessed bit each. The number
        /// is the bit's place in the packed word that the program table holds; `circuits` has one
        /// column a flag.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[allow(missing_docs)] // each variant is described in docs/spec/machine.md, section 3
        pub enum Flag { $($name,)* }

        impl Flag {
            /// All flags, in the order of their bits.
            pub const ALL: &[Flag] = &[$(Flag::$name,)*];
            /// Number of flags.
            pub const COUNT: usize = Flag::ALL.len();

            /// Name as in the source.
            pub const fn name(self) -> &'static str {
                match self { $(Flag::$name => stringify!($name),)* }
            }

            /// The flag's bit.
            pub const fn bit(self) -> u32 {
                1 << self as u8
            }
        }
    };
}

flags! {
    ARead, BRead, CWrite, Cmov, Add, Sub, Ne, Lt, Slt, Variant,
    Br, Load, Store, Priv, Subword, Alu, Jump, JumpReg, Push, BrTable,
    Limit, Ret, Enter, Pages, Chain, Timed,
}

/// First request tag; smaller tags are used by other messages (see `circuits`).
pub const FIRST_REQUEST_TAG: u32 = 64;

macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident: $($flag:ident)|*;)*) => {
        /// A lowered operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Op { $($(#[$doc])* $name,)* }

        impl Op {
            /// All operations.
            pub const ALL: &[Op] = &[$(Op::$name,)*];

            /// Name as in the source.
            pub const fn name(self) -> &'static str {
                match self { $(Op::$name => stringify!($name),)* }
            }

            /// Whether it compares and goes to c if the comparison holds.
            pub const fn branches(self) -> bool {
                matches!(self, Op::BrEq | Op::BrNe | Op::BrLtU | Op::BrGeU | Op::BrLtS | Op::BrGeS)
            }

            /// The flags that the operation itself sets (operand flags are added by the
            /// instruction).
            pub const fn flags(self) -> u32 {
                match self { $(Op::$name => 0 $(| Flag::$flag.bit())*,)* }
            }
        }
    };
}

ops! {
    /// c = b, that is 0 + b: there is no operand a
    Mov: Add | CWrite;
    /// if a ≠ 0 then c = b, else c keeps its value
    Cmov: Cmov | CWrite;
    /// c = a + b (+ carry of the row before, if chained)
    Add: Add | CWrite;
    /// c = a - b (- borrow of the row before, if chained)
    Sub: Sub | CWrite;
    /// Compare only, for a chained row after it: as `SetLtU` without a result
    Cmp: Lt;
    /// c = (a == b); chained: and the row before compared equal
    SetEq: Ne | Variant | CWrite;
    /// c = (a ≠ b)
    SetNe: Ne | CWrite;
    /// c = (a < b), unsigned
    SetLtU: Lt | CWrite;
    /// c = (a ≥ b), unsigned
    SetGeU: Lt | Variant | CWrite;
    /// c = (a < b), signed
    SetLtS: Slt | CWrite;
    /// c = (a ≥ b), signed
    SetGeS: Slt | Variant | CWrite;
    /// if a == b go to c
    BrEq: Ne | Variant | Br;
    /// if a ≠ b go to c
    BrNe: Ne | Br;
    /// if a < b (unsigned) go to c
    BrLtU: Lt | Br;
    /// if a ≥ b (unsigned) go to c
    BrGeU: Lt | Variant | Br;
    /// if a < b (signed) go to c
    BrLtS: Slt | Br;
    /// if a ≥ b (signed) go to c
    BrGeS: Slt | Variant | Br;
    /// c = word of linear memory whose last byte is at address a + imm; traps out of bounds
    Load: Load | CWrite;
    /// word of linear memory whose last byte is at address a + imm = slot c; traps out of bounds
    Store: Store;
    /// c = sign-extended byte of linear memory at a + imm
    Load8S: Load | Subword | CWrite;
    /// c = zero-extended byte of linear memory at a + imm
    Load8U: Load | Subword | CWrite;
    /// c = sign-extended half-word whose last byte is at a + imm
    Load16S: Load | Subword | CWrite;
    /// c = zero-extended half-word whose last byte is at a + imm
    Load16U: Load | Subword | CWrite;
    /// byte at a + imm = low byte of slot c
    Store8: Store | Subword;
    /// half-word whose last byte is at a + imm = low half of slot c
    Store16: Store | Subword;
    /// c = word at word address a + imm of the whole space
    LoadWord: Load | Priv | CWrite;
    /// word at word address a + imm of the whole space = slot c
    StoreWord: Store | Priv;
    /// c = word of the whole space whose last byte is at *byte* address a + imm, any alignment
    LoadBytes: Load | Priv | Subword | CWrite;
    /// c = byte of the whole space at byte address a + imm, zero-extended
    LoadByte: Load | Priv | Subword | CWrite;
    /// byte of the whole space at byte address a + imm = low byte of slot c
    StoreByte: Store | Priv | Subword;
    /// c = a & b
    And: Alu | CWrite;
    /// c = a | b
    Or: Alu | CWrite;
    /// c = a ^ b
    Xor: Alu | CWrite;
    /// c = a << (b mod 32)
    Shl: Alu | CWrite;
    /// c = a >> (b mod 32), zeros shifted in
    ShrU: Alu | CWrite;
    /// c = a >> (b mod 32), sign shifted in
    ShrS: Alu | CWrite;
    /// c = a rotated left by b mod 32
    Rotl: Alu | CWrite;
    /// c = a rotated right by b mod 32
    Rotr: Alu | CWrite;
    /// c = high word of (a:b) << k, a being the high word, k = 0 to 31
    Fshl: Alu | CWrite;
    /// c = low word of a * b
    Mul: Alu | CWrite;
    /// c = high word of the unsigned product a * b
    MulHi: Alu | CWrite;
    /// c = a / b unsigned; b ≠ 0
    DivU: Alu | CWrite;
    /// c = a mod b unsigned; b ≠ 0
    RemU: Alu | CWrite;
    /// First of two rows: low words of the 64-bit quotient a / b; must be followed by `DivU64Hi`
    DivU64Lo: Alu | Timed | CWrite;
    /// Second row: high words of the 64-bit quotient
    DivU64Hi: Alu | Timed | CWrite;
    /// First of two rows: low words of the 64-bit remainder; must be followed by `RemU64Hi`
    RemU64Lo: Alu | Timed | CWrite;
    /// Second row: high words of the 64-bit remainder
    RemU64Hi: Alu | Timed | CWrite;
    /// c = leading zeros of a (32 if a is 0)
    Clz: Alu | CWrite;
    /// c = trailing zeros of a (32 if a is 0)
    Ctz: Alu | CWrite;
    /// c = ones of a
    Popcnt: Alu | CWrite;
    /// c = low byte of a, sign-extended
    Extend8S: Alu | CWrite;
    /// c = low half-word of a, sign-extended
    Extend16S: Alu | CWrite;
    /// go to c; the frame base changes by `imm mod 2^16 - imm / 2^16` (no operand: not at all)
    Jump: Jump;
    /// go to pc + 1 + min(a, b)
    BrTable: BrTable;
    /// push (pc + 1, frame base), add `imm mod 2^16` to the frame base and go to c; traps
    /// `StackOverflow` if the depth exceeds `imm / 2^16`
    Call: Jump | Push | Limit;
    /// as `Call` but to the pc in slot a
    CallReg: JumpReg | Push | Limit;
    /// the depth check of `Call` alone
    Limit: Limit;
    /// go to the pc in slot a without pushing; the frame base changes as by `Jump`
    JumpReg: JumpReg;
    /// pop pc and frame base
    Ret: Ret;
    /// function entry: trap `StackOverflow` if frame base + (imm mod 2^16) exceeds the stack
    /// limit; go to pc + 1 only if frame base + imm / 2^16 is within the limit and two more calls
    /// fit, otherwise to c
    Enter: Enter;
    /// c = pages of linear memory; if b is given, set them to b
    Pages: Pages | CWrite;
    /// charge b + 2^32 a fuel; traps `OutOfFuel`: a branch that is taken if the charge is refused
    FuelCharge: Alu | Timed | Br;
    /// c = low word of the fuel that is left
    FuelLeftLo: Alu | Timed | Variant | CWrite;
    /// c = high word of the fuel that is left
    FuelLeftHi: Alu | Timed | Variant | CWrite;
    /// permute the sponge state with Keccak-f\[1600\]
    KeccakF: Alu | Timed;
}

/// One lowered instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Instr {
    /// What it does.
    pub op: Op,
    /// Takes carry, borrow or equality from the row before. See `docs/spec/machine.md`, 2.2.
    pub chain: bool,
    /// First operand: a stack slot; absent means the value 0.
    pub a: Option<Slot>,
    /// Second operand.
    pub b: Operand,
    /// Slot of the result, slot of the stored value, or target pc.
    pub c: i32,
    /// Shift of `Fshl`, otherwise 0.
    pub k: u8,
    /// Fuel charged before the operation, at most [`MAX_FUEL`].
    pub fuel: u16,
}

/// Largest static charge of one instruction: `2^20` rows of it stay below the field's order.
pub const MAX_FUEL: u16 = 1023;

impl Instr {
    /// An instruction without operands and fuel.
    pub const fn new(op: Op) -> Self {
        Self { op, chain: false, a: None, b: Operand::None, c: 0, k: 0, fuel: 0 }
    }

    /// All flags of the row.
    pub const fn flags(&self) -> u32 {
        let mut flags = self.op.flags();
        if self.a.is_some() {
            flags |= Flag::ARead.bit();
        }
        match self.b {
            Operand::None | Operand::Imm(_) => {}
            Operand::Slot(_) => flags |= Flag::BRead.bit(),
        }
        if matches!(self.op, Op::Pages) && !matches!(self.b, Operand::None) {
            flags |= Flag::Variant.bit(); // sets them
        }
        if self.op.flags() & Flag::Store.bit() != 0 {
            flags |= Flag::BRead.bit(); // port b reads the stored value at slot c
        }
        if self.chain {
            flags |= Flag::Chain.bit();
        }
        flags
    }

    /// Whether the flag is set.
    pub const fn has(&self, flag: Flag) -> bool {
        self.flags() & flag.bit() != 0
    }

    /// Tag of the request that the row sends if it needs a coprocessor, otherwise 0.
    pub const fn tag(&self) -> u32 {
        if !self.may_request() {
            return 0;
        }
        FIRST_REQUEST_TAG
            + match self.op {
                // 32 tags of their own: the shift is part of the tag.
                Op::Fshl => Op::ALL.len() as u32 + self.k as u32,
                op => op as u32,
            }
    }

    /// Whether the row can send a request.
    pub const fn may_request(&self) -> bool {
        let flags = self.op.flags();
        let word = Flag::Priv.bit() | Flag::Subword.bit();
        flags & Flag::Alu.bit() != 0
            || (flags & (Flag::Load.bit() | Flag::Store.bit()) != 0
                && flags & word != Flag::Priv.bit())
    }
}
