//! The form between rWasm and rows: basic blocks of nodes over values that are defined once.
//!
//! A value is a constant, what a stack slot held at the block's entry, or the result of a row. The
//! stack of rWasm is only a map from slots to values here, so moves between slots cost nothing;
//! [`alloc`](super::alloc) decides later which values must be in which slots.

use crate::{Op, Pc, Slot};

/// Number of a value of the block.
pub(super) type Id = usize;

/// An operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Val {
    Const(u32),
    Id(Id),
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The slot's word at the block's entry.
    Entry(Slot),
    /// A node.
    Node(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub source: Source,
    /// The slot where rWasm would have it first.
    pub home: Slot,
}

/// Where a row may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A pc of the library.
    Pc(Pc),
    /// A block of the function, by rWasm pc, in the same version (fast or deep).
    Block(u32),
    /// A block of the deep version.
    Deep(u32),
    /// A function's entry, by rWasm pc.
    Function(u32),
    /// The next pc.
    Next,
    /// Out-of-line code that tells a wrong signature (operand a) from no function at all.
    BadSignature,
}

/// The c field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dest {
    None,
    Out(Id),
    Stored(Val),
    Goto(Target),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub op: Op,
    pub chain: bool,
    pub k: u8,
    /// Never a constant but 0.
    pub a: Option<Val>,
    pub b: Option<Val>,
    pub c: Dest,
}

impl Row {
    pub(super) fn new(op: Op, a: Option<Val>, b: Option<Val>, c: Dest) -> Self {
        Self { op, chain: false, k: 0, a, b, c }
    }

    /// The values that it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = Id> {
        let stored = match self.c {
            Dest::Stored(v) => Some(v),
            _ => None,
        };
        [self.a, self.b, stored].into_iter().flatten().filter_map(|v| match v {
            Val::Id(id) => Some(id),
            Val::Const(_) => None,
        })
    }

    pub(super) fn out(&self) -> Option<Id> {
        match self.c {
            Dest::Out(id) => Some(id),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Rows that must stand directly after each other.
    Rows,
    /// A static fuel charge.
    Fuel(u32),
    /// One conditional move; the value kept if the condition is 0.
    Cmov(Val),
    /// One row that leaves the frame: the arguments must be in their slots before it, and nothing
    /// at `base` or above survives it but the results.
    Call {
        base: Slot,
        args: Vec<(Slot, Val)>,
        results: Vec<(Slot, Id)>,
        /// What the stack below `base` held, as far as the block changed it.
        below: Vec<(Slot, Id)>,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub kind: Kind,
    pub rows: Vec<Row>,
    /// Whether it can be left out if nobody reads its results.
    pub pure: bool,
    /// rWasm instructions that it stands for.
    pub weight: u16,
}

impl Node {
    /// The values that it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = Id> + '_ {
        let old = match self.kind {
            Kind::Cmov(Val::Id(old)) => Some(old),
            _ => None,
        };
        let args: &[(Slot, Val)] = match &self.kind {
            Kind::Call { args, .. } => args,
            _ => &[],
        };
        let args = args.iter().filter_map(|(_, v)| match v {
            Val::Id(id) => Some(*id),
            Val::Const(_) => None,
        });
        self.rows.iter().flat_map(Row::reads).chain(old).chain(args)
    }

    /// The values that it defines.
    pub(super) fn outs(&self) -> impl Iterator<Item = Id> + '_ {
        let results: &[(Slot, Id)] = match &self.kind {
            Kind::Call { results, .. } => results,
            _ => &[],
        };
        self.rows.iter().filter_map(Row::out).chain(results.iter().map(|(_, id)| *id))
    }
}

/// Who reads the stack after a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// These blocks.
    Blocks(Vec<u32>),
    /// The caller or a tail-called function: all slots of the frame.
    Frame,
    /// Nobody.
    Nobody,
}

#[derive(Clone, Debug)]
pub(super) struct Block {
    /// First rWasm pc, and the pc after the last.
    pub start: u32,
    pub end: u32,
    /// Heights at both ends.
    pub height: i32,
    pub exit_height: i32,
    /// Slots that the stack can have: from `low` on.
    pub low: Slot,
    pub nodes: Vec<Node>,
    pub values: Vec<Value>,
    /// The stack at the end; index = slot − `low`; none where the block left it alone.
    pub stack: Vec<Option<Val>>,
    /// The rows that end the block.
    pub last: Vec<Row>,
    pub last_weight: u16,
    pub exit: Exit,
    /// The block that follows if `last` does not go elsewhere.
    pub falls: Option<u32>,
}
