//! The space of words while a program runs.
//!
//! Stack, frames and linear memory are flat; the other regions are pages that exist once they are
//! written. What no instruction of a lowered program can use has no storage: an access there is a
//! fault, so a hostile program cannot allocate more than the regions in use.

use rwprove_isa::{
    layout::{
        CHUNK_WORDS, DATA, ELEM, ENTRY_BYTES, FRAME, FRAME_WORDS, FUNC, GLOBAL, INPUT, OUTPUT,
        PAGE_WORDS, REG, REGION_WORDS, RUN, STACK, STACK_WORDS, reg,
    },
    record::{Limbs, limbs},
};

use crate::Fault;

/// Most pages of linear memory.
pub(crate) const MAX_PAGES: u32 = STACK / PAGE_WORDS;

const LOG_BLOCK: u32 = 12;
const BLOCK: usize = 1 << LOG_BLOCK;
const BLOCKS: usize = (1 << 29) >> LOG_BLOCK;

/// All words of the machine.
#[derive(Clone, Debug)]
pub struct Memory {
    pub(crate) linear: Vec<u32>,
    pub(crate) stack: Box<[u32; STACK_WORDS as usize]>,
    frames: Vec<Limbs>,
    upper: Vec<Option<Box<[u32; BLOCK]>>>,
    /// While a module is instantiated nothing of the run exists yet.
    sealed: bool,
}

/// Words in use of the region of `addr`, which is in the upper half.
const fn cap(addr: u32) -> u32 {
    match addr & !(REGION_WORDS - 1) {
        RUN => CHUNK_WORDS as u32,
        GLOBAL => ENTRY_BYTES + CHUNK_WORDS as u32 - GLOBAL,
        INPUT | OUTPUT | DATA | ELEM | FUNC => REGION_WORDS,
        REG => (CHUNK_WORDS * reg::OPENED_CHUNKS) as u32,
        _ => 0,
    }
}

impl Memory {
    /// Zeros everywhere. The caller has checked the number of pages.
    pub(crate) fn new(pages: u32, sealed: bool) -> Self {
        Self {
            linear: vec![0; (pages * PAGE_WORDS) as usize],
            stack: Box::new([0; STACK_WORDS as usize]),
            frames: vec![[0; 2]; FRAME_WORDS as usize],
            upper: vec![None; BLOCKS],
            sealed,
        }
    }

    /// Pages of linear memory.
    pub fn pages(&self) -> u32 {
        self.linear.len() as u32 / PAGE_WORDS
    }

    /// Grows linear memory.
    pub(crate) fn set_pages(&mut self, pages: u32) -> Result<(), Fault> {
        let now = self.pages();
        if pages < now || pages > MAX_PAGES {
            return Err(Fault::Pages(pages, now));
        }
        self.linear.resize((pages * PAGE_WORDS) as usize, 0);
        Ok(())
    }

    /// The word at a word address. Frames are no words.
    ///
    /// # Errors
    /// [`Fault::Address`] outside the part of the space that is in use, [`Fault::RunFact`] for
    /// input and run facts during instantiation.
    #[inline]
    pub fn word(&self, addr: u32) -> Result<u32, Fault> {
        if let Some(&word) = self.linear.get(addr as usize) {
            return Ok(word);
        }
        if let Some(&word) = self.stack.get(addr.wrapping_sub(STACK) as usize) {
            return Ok(word);
        }
        let (block, place) = self.upper_place(addr)?;
        Ok(self.upper.get(block).and_then(Option::as_ref).map_or(0, |block| block[place]))
    }

    /// Writes a word and returns what was there.
    ///
    /// # Errors
    /// As [`Memory::word`].
    #[inline]
    pub(crate) fn set_word(&mut self, addr: u32, value: u32) -> Result<u32, Fault> {
        if let Some(word) = self.linear.get_mut(addr as usize) {
            return Ok(std::mem::replace(word, value));
        }
        if let Some(word) = self.stack.get_mut(addr.wrapping_sub(STACK) as usize) {
            return Ok(std::mem::replace(word, value));
        }
        let (block, place) = self.upper_place(addr)?;
        let block = self.upper.get_mut(block).ok_or(Fault::Address(addr))?;
        let block = block.get_or_insert_with(|| Box::new([0; BLOCK]));
        Ok(std::mem::replace(&mut block[place], value))
    }

    /// Block and place in it of a word of the upper half.
    #[inline]
    fn upper_place(&self, addr: u32) -> Result<(usize, usize), Fault> {
        if addr % REGION_WORDS >= cap(addr) {
            return Err(Fault::Address(addr));
        }
        if matches!(addr & !(REGION_WORDS - 1), INPUT | RUN) {
            self.run_fact()?;
        }
        let offset = addr.wrapping_sub(STACK) as usize;
        Ok((offset >> LOG_BLOCK, offset % BLOCK))
    }

    /// Refuses what only a run knows while a module is instantiated.
    #[inline]
    pub(crate) fn run_fact(&self) -> Result<(), Fault> {
        if self.sealed { Err(Fault::RunFact) } else { Ok(()) }
    }

    /// Slot of the stack, by its absolute index.
    #[inline]
    pub(crate) fn slot(&self, index: u32) -> Result<u32, Fault> {
        let word = self.stack.get(index as usize);
        word.copied().ok_or(Fault::Address(STACK.wrapping_add(index)))
    }

    /// Writes a slot and returns what was there.
    #[inline]
    pub(crate) fn set_slot(&mut self, index: u32, value: u32) -> Result<u32, Fault> {
        let word = self.stack.get_mut(index as usize);
        let word = word.ok_or(Fault::Address(STACK.wrapping_add(index)))?;
        Ok(std::mem::replace(word, value))
    }

    /// The frame at a depth: return pc and frame base.
    #[inline]
    pub(crate) fn frame(&self, depth: u32) -> Result<Limbs, Fault> {
        self.frames.get(depth as usize).copied().ok_or(Fault::Depth(depth))
    }

    /// Writes a frame and returns what was there.
    #[inline]
    pub(crate) fn set_frame(&mut self, depth: u32, value: Limbs) -> Result<Limbs, Fault> {
        let frame = self.frames.get_mut(depth as usize).ok_or(Fault::Depth(depth))?;
        Ok(std::mem::replace(frame, value))
    }

    /// The limbs at any address; zeros where nothing is in use.
    pub(crate) fn limbs(&self, addr: u32) -> Limbs {
        if let Some(&frame) = self.frames.get(addr.wrapping_sub(FRAME) as usize) {
            return frame;
        }
        limbs(self.word(addr).unwrap_or(0))
    }

    /// The words of a chunk.
    pub(crate) fn chunk(&self, chunk: u32) -> [Limbs; CHUNK_WORDS] {
        let first = chunk * CHUNK_WORDS as u32;
        std::array::from_fn(|i| self.limbs(first + i as u32))
    }

    /// All words that are not zero, by rising address, without stack and frames: these start
    /// afresh in each run.
    pub fn image(&self) -> Vec<(u32, u32)> {
        let linear = (0..).zip(self.linear.iter().copied());
        let upper = self.upper.iter().enumerate().filter_map(|(i, b)| Some((i, b.as_ref()?)));
        let upper = upper
            .flat_map(|(i, block)| (STACK + (i << LOG_BLOCK) as u32..).zip(block.iter().copied()));
        linear.chain(upper).filter(|&(_, word)| word != 0).collect()
    }
}
