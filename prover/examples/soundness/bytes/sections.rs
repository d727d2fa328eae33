//! Where each part of a proof stands in its bytes, by `docs/spec/proof.md`: a second description,
//! so that a part that the codec skipped would be missed here.

use std::ops::Range;

use rwprove_circuits::machine::ChipId;
use rwprove_isa::STATEMENT_BYTES;
use rwprove_verifier::{
    config::{DIGEST, EXTENSION, Parameters},
    machine,
    shards::contents,
};

/// Bytes of a field element.
pub(crate) const ELEMENT: usize = 4;
const DIGEST_BYTES: usize = ELEMENT * DIGEST;
const CHALLENGE: usize = ELEMENT * EXTENSION;

/// What a part consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Bytes and numbers.
    Plain,
    /// Field elements, in items of that many bytes.
    Elements(usize),
    /// One number that says how much follows, little endian.
    Length,
}

/// A part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// The shard it is of.
    pub(crate) shard: Option<usize>,
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
}

/// The parts of an honest proof, in order and without gaps.
pub(crate) fn of_proof(proof: &[u8]) -> Vec<Part> {
    let contents = contents(proof).expect("an honest proof");
    let mut walk = Walk { proof, parts: Vec::new(), shard: None };
    walk.plain("head", 12);
    walk.plain("key", 32 + 4 + 32 + 4);
    walk.elements("key", 33 * DIGEST_BYTES, DIGEST_BYTES);
    walk.plain("key", 4 + 4 + 8);
    walk.plain("statement", STATEMENT_BYTES);
    walk.length("run");
    walk.elements("run", DIGEST_BYTES, DIGEST_BYTES);
    walk.plain("run", 32 * 4);
    walk.elements("run", 25 * DIGEST_BYTES, DIGEST_BYTES);
    walk.length("shards");
    let parameters = contents.head.key.preset.parameters();
    for (number, shape) in contents.shapes.iter().enumerate() {
        walk.shard = Some(number);
        walk.plain("shape", ChipId::COUNT);
        walk.elements("boundary", 9 * ELEMENT, ELEMENT);
        walk.elements("boundary", DIGEST_BYTES, DIGEST_BYTES);
        walk.stark(&machine::layout(shape, parameters), parameters.queries);
    }
    assert_eq!(walk.end(), proof.len(), "the parts are all of the proof");
    walk.parts
}

struct Walk<'a> {
    proof: &'a [u8],
    parts: Vec<Part>,
    shard: Option<usize>,
}

impl Walk<'_> {
    fn end(&self) -> usize {
        self.parts.last().map_or(0, |part| part.range.end)
    }

    fn push(&mut self, name: &'static str, kind: Kind, bytes: usize) {
        let range = self.end()..self.end() + bytes;
        self.parts.push(Part { name, shard: self.shard, kind, range });
    }

    fn plain(&mut self, name: &'static str, bytes: usize) {
        self.push(name, Kind::Plain, bytes);
    }

    fn elements(&mut self, name: &'static str, bytes: usize, item: usize) {
        self.push(name, Kind::Elements(item), bytes);
    }

    /// The number there.
    fn length(&mut self, name: &'static str) -> usize {
        self.push(name, Kind::Length, 4);
        let bytes = &self.proof[self.end() - 4..self.end()];
        u32::from_le_bytes(bytes.try_into().unwrap()) as usize
    }

    fn paths(&mut self, length: &'static str, name: &'static str) {
        let digests = self.length(length);
        self.elements(name, digests * DIGEST_BYTES, DIGEST_BYTES);
    }

    fn stark(&mut self, layout: &rwprove_verifier::layout::ProofLayout<'_>, queries: usize) {
        self.elements("commitments", 3 * DIGEST_BYTES, DIGEST_BYTES);
        for (table, _) in &layout.tables {
            let rows = table.width * (1 + usize::from(table.reads_next))
                + table.preprocessed * (1 + usize::from(table.preprocessed_reads_next))
                + table.chunks() * EXTENSION
                + 2 * table.lookup_width();
            self.elements("opened values", rows * CHALLENGE, CHALLENGE);
            self.elements("terminals", CHALLENGE, CHALLENGE);
        }
        self.elements("grinding", 3 * ELEMENT, ELEMENT); // lookups, ζ, batching
        let folds = layout.folds();
        for _ in &folds {
            self.elements("fold commitments", DIGEST_BYTES, DIGEST_BYTES);
            self.elements("grinding", ELEMENT, ELEMENT);
        }
        self.elements("last polynomial", CHALLENGE << Parameters::LOG_FINAL, CHALLENGE);
        self.elements("grinding", ELEMENT, ELEMENT);
        for widths in layout.matrices() {
            let row = ELEMENT * widths.iter().sum::<usize>();
            self.elements("query rows", queries * row, row);
            self.paths("path lengths", "query paths");
        }
        for log_arity in folds {
            let siblings = CHALLENGE * ((1 << log_arity) - 1);
            self.elements("fold siblings", queries * siblings, siblings);
            self.paths("path lengths", "fold paths");
        }
    }
}
