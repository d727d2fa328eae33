//! Lowers a checked module to a [`Program`].
//!
//! Each function is translated block by block to values ([`translate`]), its slots' liveness is
//! found ([`liveness`]), and rows are emitted ([`alloc`]). A function that calls i64 snippets is
//! lowered twice: the fast version has native operations in their place, the deep one makes the
//! snippets' own stack checks before each (`docs/spec/machine.md`, 2.3).

mod alloc;
mod build;
mod call;
mod ir;
mod liveness;
mod translate;
mod wide;

use std::collections::{HashMap, HashSet};

use rwasm::Opcode;
use thiserror::Error;

use self::alloc::Emitted;
use self::ir::{Block, Exit, Target};
use super::heights::{Function, Heights, Place, Signature};
use super::{Module, Snippet};
use crate::runtime::{BootKind, Library, boot, boot_start};
use crate::{Instr, MAX_CODE, Op, Operand, Pc, Program, STUCK_PC, Slot, Trap, layout};

/// A lowered module.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The program before its init prologue has run: `start` runs the entry, `image` is the cold
    /// image (data, elements, functions), `pages` and `fuel` are 0.
    pub program: Program,
    /// Boot code that runs the init prologue and goes on at `start`. It is `start` for a module
    /// without a prologue.
    pub init: Pc,
    /// Where the code of each basic block went.
    pub blocks: Vec<BlockMap>,
}

/// Where the code of a basic block went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockMap {
    /// Lowered pcs.
    pub lowered: std::ops::Range<Pc>,
    /// rWasm pcs.
    pub source: std::ops::Range<u32>,
    /// rWasm pc of the function's entry.
    pub function: u32,
    /// Height above the function's entry at the block's start.
    pub height: i32,
    /// Whether it belongs to the deep version.
    pub deep: bool,
    /// Slots that code after the block reads, rising.
    pub live_out: Vec<Slot>,
}

/// Why a checked module was not lowered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say it
pub enum LowerError {
    #[error("the program has {found} instructions, at most {MAX_CODE} are allowed")]
    TooLong { found: usize },
    #[error("pc {0} is outside the code")]
    OutOfRange(u32),
    #[error("pc {0}: lowering and height check disagree")]
    Heights(u32),
    #[error("pc {pc} addresses slot {slot}, which is below the parameters")]
    Slot { pc: u32, slot: Slot },
    #[error("pc {pc} names global word {word}, beyond the last")]
    Global { pc: u32, word: u32 },
    #[error("pc {0} lacks its payload")]
    Payload(u32),
    #[error("pc {0} names a signature number that is too large")]
    Signature(u32),
    #[error("pc {pc} raises trap {code}, which only hosts raise")]
    Trap { pc: u32, code: u32 },
    #[error("the block at pc {0} loses a value")]
    Lost(u32),
    #[error("pc {0} is the target of a branch but was not lowered")]
    NoBlock(u32),
    #[error("the function at pc {0} lies beyond the last one a table can hold")]
    FunctionPc(u32),
}

/// The deep version of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Twin {
    /// The pc after the stack check: the versions part here.
    start: u32,
    /// Height that the fast version needs.
    room: u32,
}

/// What the lowering of all blocks shares.
struct Context<'m> {
    code: &'m [Opcode],
    heights: &'m Heights,
    data_len: u32,
    elem_len: u32,
    snippets: HashMap<u32, Snippet>,
    twins: HashMap<u32, Twin>,
    /// Functions that call snippets before any stack check: they have the deep version alone.
    deep_only: HashSet<u32>,
}

impl<'m> Context<'m> {
    fn new(module: &'m Module) -> Self {
        let code = &module.rwasm.code_section[..];
        let heights = &module.heights;
        let snippets: HashMap<u32, Snippet> = heights
            .functions
            .iter()
            .filter_map(|f| Some((f.entry, Snippet::at(code, f.entry)?)))
            .filter(|(_, snippet)| *snippet != Snippet::DivMod)
            .collect();
        let (mut twins, mut deep_only) = (HashMap::<u32, Twin>::new(), HashSet::new());
        for (op, place) in code.iter().zip(&heights.places) {
            if let (Opcode::CallInternal(target), Place::Code { function, height }) = (op, *place)
                && let Some(snippet) = snippets.get(target)
                && let Some(function) = heights.functions.get(function as usize)
            {
                let room = height.max(0) as u32 + snippet.height();
                match function.check {
                    Some(check) => {
                        let twin = twins
                            .entry(function.entry)
                            .or_insert(Twin { start: check + 1, room: 0 });
                        twin.room = twin.room.max(room);
                    }
                    None => _ = deep_only.insert(function.entry),
                }
            }
        }
        Self {
            code,
            heights,
            data_len: module.rwasm.data_section.len() as u32,
            elem_len: module.rwasm.elem_section.len() as u32,
            snippets,
            twins,
            deep_only,
        }
    }

    fn op(&self, pc: u32) -> Result<Opcode, LowerError> {
        self.code.get(pc as usize).copied().ok_or(LowerError::OutOfRange(pc))
    }

    fn place(&self, pc: u32) -> Place {
        self.heights.places.get(pc as usize).copied().unwrap_or_default()
    }

    fn height(&self, pc: u32) -> Result<i32, LowerError> {
        self.heights.height(pc).ok_or(LowerError::OutOfRange(pc))
    }

    fn function(&self, entry: u32) -> Result<&'m Function, LowerError> {
        self.heights.function(entry).ok_or(LowerError::OutOfRange(entry))
    }

    fn signature(&self, signature: u32) -> Option<Signature> {
        self.heights.signature(signature)
    }

    fn snippet(&self, entry: u32) -> Option<Snippet> {
        self.snippets.get(&entry).copied()
    }

    fn twin(&self, function: &Function) -> Option<Twin> {
        self.twins.get(&function.entry).copied()
    }

    fn starts_block(&self, function: &Function, pc: u32) -> bool {
        function.blocks.binary_search(&pc).is_ok()
    }

    /// The blocks of a function in the order in which they are emitted: pc, and whether deep.
    fn blocks(&self, function: &Function) -> Vec<(u32, bool)> {
        let mut starts = function.blocks.clone();
        let Some(twin) = self.twin(function) else {
            let deep = self.deep_only.contains(&function.entry);
            return starts.into_iter().map(|pc| (pc, deep)).collect();
        };
        if let Err(place) = starts.binary_search(&twin.start) {
            starts.insert(place, twin.start);
        }
        let head = function.entry..twin.start;
        let deep = starts.iter().filter(|pc| !head.contains(pc)).map(|pc| (*pc, true));
        starts.iter().map(|pc| (*pc, false)).chain(deep).collect()
    }

    /// Whether code of its own is needed: not for a snippet that native rows replace everywhere.
    fn is_lowered(&self, function: &Function) -> bool {
        function.entered_otherwise || !self.snippets.contains_key(&function.entry)
    }
}

/// Lowers a module.
///
/// # Errors
/// [`LowerError`] for what the machine has no room for, and wherever two of the checks on the way
/// disagree.
pub fn lower(module: &Module) -> Result<Lowered, LowerError> {
    let context = Context::new(module);
    let mut linker = Linker::new();
    for (index, function) in context.heights.functions.iter().enumerate() {
        if context.is_lowered(function) {
            linker.function(&context, index as u32, function)?;
        }
    }
    let entry = linker.entry(module.rwasm.source_pc)?;
    // rwasm takes an entry at 0 for a module without a prologue.
    let prologue = if module.rwasm.source_pc == 0 { None } else { Some(linker.entry(0)?) };
    let kind = match module.entry {
        None => BootKind::Contract,
        Some((args, results)) => BootKind::Entry { args, results },
    };
    let init = linker.boot(kind, entry, prologue);
    let start = boot_start(kind, init, prologue.is_some());
    linker.link()?;
    let image = image(module, &linker)?;
    let Linker { code, weights, blocks, .. } = linker;
    if code.len() > MAX_CODE {
        return Err(LowerError::TooLong { found: code.len() });
    }
    let program =
        Program { module_hash: module.hash, code, start, pages: 0, fuel: 0, image, weights };
    Ok(Lowered { program, init, blocks })
}

/// The words that are not zero before the prologue, by rising address.
fn image(module: &Module, linker: &Linker) -> Result<Vec<(u32, u32)>, LowerError> {
    let mut image = Vec::new();
    let data = module
        .rwasm
        .data_section
        .chunks(4)
        .map(|bytes| bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)));
    image.extend((layout::DATA..).zip(data));
    image.extend((layout::ELEM..).zip(module.rwasm.elem_section.iter().copied()));
    let mut functions: Vec<_> =
        module.heights.functions.iter().filter(|f| f.address_taken).collect();
    functions.sort_by_key(|f| f.entry);
    for function in functions {
        if function.entry > layout::MAX_FUNC_PC {
            return Err(LowerError::FunctionPc(function.entry));
        }
        let signature = function
            .signature
            .and_then(|signature| signature.checked_add(1))
            .ok_or(LowerError::Signature(function.entry))?;
        let word = layout::FUNC + 2 * function.entry;
        image.push((word, linker.entry(function.entry)?));
        image.push((word + 1, signature));
    }
    image.retain(|(_, value)| *value != 0);
    Ok(image)
}

/// Collects the code of all functions and fills in pcs.
struct Linker {
    code: Vec<Instr>,
    weights: Vec<u16>,
    /// Where blocks start, by rWasm pc and version.
    labels: HashMap<(u32, bool), Pc>,
    /// Instructions whose field c waits for a target, and their version.
    open: Vec<(usize, Target, bool)>,
    blocks: Vec<BlockMap>,
}

impl Linker {
    fn new() -> Self {
        let code = Library::get().code.clone();
        let weights = vec![0; code.len()];
        Self { code, weights, labels: HashMap::new(), open: Vec::new(), blocks: Vec::new() }
    }

    fn here(&self) -> Pc {
        self.code.len() as Pc
    }

    fn label(&self, pc: u32, deep: bool) -> Result<Pc, LowerError> {
        let label = self.labels.get(&(pc, deep)).or_else(|| self.labels.get(&(pc, !deep)));
        label.copied().ok_or(LowerError::NoBlock(pc))
    }

    fn entry(&self, pc: u32) -> Result<Pc, LowerError> {
        self.label(pc, false)
    }

    fn push(&mut self, row: Emitted, deep: bool) {
        if let Some(target) = row.target {
            self.open.push((self.code.len(), target, deep));
        }
        self.code.push(row.instr);
        self.weights.push(row.weight);
    }

    fn jump(&mut self, target: Target, deep: bool) {
        self.push(Emitted { instr: Instr::new(Op::Jump), target: Some(target), weight: 0 }, deep);
    }

    fn boot(&mut self, kind: BootKind, entry: Pc, prologue: Option<Pc>) -> Pc {
        let start = self.here();
        self.code.extend(boot(kind, start, entry, prologue));
        self.weights.resize(self.code.len(), 0);
        start
    }

    fn function(
        &mut self,
        context: &Context<'_>,
        index: u32,
        function: &Function,
    ) -> Result<(), LowerError> {
        let starts = context.blocks(function);
        let blocks = starts
            .iter()
            .map(|&(pc, deep)| translate::block(context, function, index, deep, pc))
            .collect::<Result<Vec<Block>, _>>()?;
        let number: HashMap<(u32, bool), usize> =
            starts.iter().enumerate().map(|(i, start)| (*start, i)).collect();
        let find = |pc: u32, deep: bool| {
            number.get(&(pc, deep)).or_else(|| number.get(&(pc, !deep))).copied()
        };
        let successors: Vec<Vec<usize>> = blocks
            .iter()
            .zip(&starts)
            .map(|(block, &(_, deep))| match &block.exit {
                Exit::Blocks(pcs) => pcs.iter().filter_map(|pc| find(*pc, deep)).collect(),
                Exit::Frame | Exit::Nobody => Vec::new(),
            })
            .collect();
        let (live_in, live_out) = liveness::live(&blocks, &successors);
        let first_cold = self.open.len();
        for (i, ((block, live), &(pc, deep))) in
            blocks.iter().zip(&live_out).zip(&starts).enumerate()
        {
            let start = self.here();
            self.labels.insert((pc, deep), start);
            let taken = match (&block.exit, block.falls) {
                (Exit::Blocks(pcs), Some(falls)) if !block.last.is_empty() => {
                    let taken = pcs.iter().find(|pc| **pc != falls);
                    taken.and_then(|pc| live_in.get(find(*pc, deep)?))
                }
                _ => None,
            };
            for row in alloc::emit(block, live, taken)? {
                self.push(row, deep);
            }
            if self.code.len() > MAX_CODE {
                return Err(LowerError::TooLong { found: self.code.len() });
            }
            if let Some(falls) = block.falls
                && starts.get(i + 1) != Some(&(falls, deep))
            {
                self.jump(Target::Block(falls), deep);
            }
            // Checks of snippets whose results nobody uses: only the deep version has rows then.
            // The validator tells blocks apart by where they stand, so both get some.
            if start == self.here()
                && !deep
                && let Some(&twin) = number.get(&(pc, true))
                && !alloc::emit(&blocks[twin], &live_out[twin], None)?.is_empty()
            {
                self.jump(Target::Next, deep);
            }
            self.blocks.push(BlockMap {
                lowered: start..self.here(),
                source: block.start..block.end,
                function: function.entry,
                height: block.height,
                deep,
                live_out: live.iter().collect(),
            });
        }
        self.cold(first_cold);
        Ok(())
    }

    /// Out of line: a word 0 where a signature should be means that there is no function at all.
    fn cold(&mut self, first: usize) {
        for i in first..self.open.len() {
            let Some(&(at, Target::BadSignature, deep)) = self.open.get(i) else { continue };
            let here = self.here();
            let Some(row) = self.code.get_mut(at) else { continue };
            row.c = here as i32;
            let a = row.a;
            self.open[i] = (at, Target::Pc(here), deep);
            let to_stuck =
                Instr { a, b: Operand::Imm(0), c: STUCK_PC as i32, ..Instr::new(Op::BrEq) };
            self.code.push(to_stuck);
            self.weights.push(0);
            self.jump(Target::Pc(Trap::BadSignature.code() as Pc), deep);
        }
    }

    fn link(&mut self) -> Result<(), LowerError> {
        for (at, target, deep) in std::mem::take(&mut self.open) {
            let pc = match target {
                Target::Pc(pc) => pc,
                Target::Block(pc) => self.label(pc, deep)?,
                Target::Deep(pc) => self.label(pc, true)?,
                Target::Function(pc) => self.label(pc, false)?,
                // A bad signature has become a pc.
                Target::Next | Target::BadSignature => at as Pc + 1,
            };
            if let Some(instr) = self.code.get_mut(at) {
                instr.c = pc as i32;
            }
        }
        Ok(())
    }
}
