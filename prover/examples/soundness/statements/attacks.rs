//! Changes of a proof, its statement and its key.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use rwprove_circuits::{
    Val,
    machine::ChipId,
    merkle::{RegOpening, opening::OPENED_WORDS},
};
use rwprove_isa::{
    Exit, InputDigest, STATEMENT_BYTES, Statement, Trap,
    layout::{INPUT, REGION_WORDS, RUN, reg},
};
use rwprove_verifier::{
    Preset, VerifyingKey,
    bytes::Writer,
    config::{DIGEST, Digest},
    shards::verify,
};

use crate::shards::proof::Proof;

/// A proof with some bytes changed, and what the verifier is asked about it.
pub(crate) struct Attack {
    pub(crate) name: String,
    vkey: [u8; 32],
    statement: Statement,
    /// Bytes with their places.
    patches: Vec<(usize, Vec<u8>)>,
}

impl Attack {
    pub(crate) fn refused(&self, proof: &Proof) -> bool {
        let mut bytes = proof.proved.proof.clone();
        for (at, patch) in &self.patches {
            bytes[*at..*at + patch.len()].copy_from_slice(patch);
        }
        let same = bytes == proof.proved.proof
            && self.statement == proof.proved.statement
            && self.vkey == proof.vkey.digest();
        assert!(!same, "{}: nothing is changed", self.name);
        verify(&self.vkey, &self.statement, &bytes).is_err()
    }
}

/// Fields of an encoded statement: name, place, length.
const FIELDS: [(&str, usize, usize); 11] = [
    ("version", 0, 4),
    ("vkey", 4, 32),
    ("state", 36, 4),
    ("fuel limit", 40, 8),
    ("input flag", 48, 1),
    ("input", 49, 32),
    ("host answers", 81, 32),
    ("exit kind", 113, 4),
    ("exit code", 117, 4),
    ("fuel", 121, 8),
    ("output", 129, 32),
];

/// Where the key starts: after magic, version and kind.
const KEY: usize = 12;

/// Collects attacks on a proof.
pub(crate) struct Attacks<'a> {
    proof: &'a Proof,
    /// All bytes of long fields, instead of some.
    all: bool,
    vkey: [u8; 32],
    /// Where the statement starts, and what follows it.
    statement: usize,
    run: usize,
    pub(crate) list: Vec<Attack>,
}

impl<'a> Attacks<'a> {
    pub(crate) fn new(proof: &'a Proof, all: bool) -> Self {
        let statement = KEY + key_bytes(&proof.vkey).len();
        let run = statement + STATEMENT_BYTES;
        assert_eq!(proof.proved.proof[statement..run], proof.proved.statement.to_bytes());
        let vkey = proof.vkey.digest();
        Self { proof, all, vkey, statement, run, list: Vec::new() }
    }

    fn honest(&self) -> &'a Statement {
        &self.proof.proved.statement
    }

    fn push(&mut self, name: String, statement: Statement, patches: Vec<(usize, Vec<u8>)>) {
        self.list.push(Attack { name, vkey: self.vkey, statement, patches });
    }

    /// Other bytes in the proof alone.
    fn patch(&mut self, name: String, at: usize, patch: Vec<u8>) {
        self.push(name, self.honest().clone(), vec![(at, patch)]);
    }

    /// The proof says the same other statement, and possibly more.
    fn claim(&mut self, name: String, statement: Statement, mut more: Vec<(usize, Vec<u8>)>) {
        more.push((self.statement, statement.to_bytes().to_vec()));
        self.push(name, statement, more);
    }

    fn word(&self, at: usize) -> u32 {
        let bytes = &self.proof.proved.proof[at..at + 4];
        bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
    }

    /// Another field element in the proof.
    fn element(&mut self, name: String, at: usize) {
        let other = (self.word(at) + 1) % Val::ORDER_U32;
        self.patch(name, at, other.to_le_bytes().to_vec());
    }

    /// One bit in each byte of the statement: in the argument, in the proof, in both.
    pub(crate) fn statement(&mut self) {
        let honest = self.honest().to_bytes();
        for (field, start, length) in FIELDS {
            for i in 0..length {
                let at = start + i;
                let mut bytes = honest;
                bytes[at] ^= 1 << (i % 8);
                self.patch(
                    format!("{field}, byte {i}, in the proof"),
                    self.statement + at,
                    vec![bytes[at]],
                );
                // What is no statement cannot be asked about.
                let Ok(other) = Statement::from_bytes(&bytes) else { continue };
                self.push(format!("{field}, byte {i}, asked for"), other.clone(), Vec::new());
                // These are refused after all else, which takes time.
                if self.all || i == length / 2 {
                    self.claim(format!("{field}, byte {i}, in both"), other, Vec::new());
                }
            }
        }
    }

    /// Every other way to end, another input, other limits.
    pub(crate) fn ends(&mut self) {
        let honest = self.honest().clone();
        let traps = Trap::ALL.iter().map(|&trap| Exit::Trap(trap));
        let codes = [0, 1, 9, -1, i32::MIN].map(Exit::Code);
        for exit in traps.chain(codes).chain([Exit::Ok]).filter(|&exit| exit != honest.exit) {
            self.claim(
                format!("ended with {exit:?}"),
                Statement { exit, ..honest.clone() },
                vec![],
            );
        }
        for input in [[0; 32], honest.output, [0xff; 32]].map(InputDigest::Public) {
            if input != honest.input {
                self.claim(format!("{input:?}"), Statement { input, ..honest.clone() }, vec![]);
            }
        }
        let fuel = [0, 1, honest.fuel - 1, honest.fuel + 1, u64::MAX];
        for fuel in fuel {
            self.claim(format!("fuel {fuel}"), Statement { fuel, ..honest.clone() }, vec![]);
        }
        for limit in [0, honest.fuel - 1, honest.fuel_limit - 1, honest.fuel_limit + 1, u64::MAX] {
            let statement = Statement { fuel_limit: limit, ..honest.clone() };
            self.claim(format!("fuel limit {limit}"), statement, vec![]);
        }
    }

    /// Key: each byte of it in the proof, each byte of its digest, each field in all places alike.
    pub(crate) fn key(&mut self) {
        let honest = self.honest().clone();
        for at in 0..self.statement {
            let byte = self.proof.proved.proof[at] ^ 1 << (at % 8);
            self.patch(format!("byte {at} of head and key"), at, vec![byte]);
        }
        for i in 0..self.vkey.len() {
            let mut vkey = self.vkey;
            vkey[i] ^= 1 << (i % 8);
            let attack =
                |name, statement: Statement, patches| Attack { name, vkey, statement, patches };
            let named = Statement { vkey, ..honest.clone() };
            let patches = vec![(self.statement, named.to_bytes().to_vec())];
            self.list.push(attack(format!("digest of the key, byte {i}"), honest.clone(), vec![]));
            self.list.push(attack(format!("digest of the key, byte {i}, named"), named, patches));
        }
        let key = self.proof.vkey;
        let mut keys = vec![
            ("machine".into(), VerifyingKey { machine: [1; 32], ..key }),
            ("preset".into(), VerifyingKey { preset: Preset::P120, ..key }),
            ("higher program".into(), VerifyingKey { log_height: key.log_height + 1, ..key }),
            ("lower program".into(), VerifyingKey { log_height: key.log_height - 1, ..key }),
            ("start".into(), VerifyingKey { start: key.start + 1, ..key }),
            ("pages".into(), VerifyingKey { pages: key.pages + 1, ..key }),
            ("fuel".into(), VerifyingKey { fuel: key.fuel - 1, ..key }),
        ];
        for i in 0..DIGEST {
            let preprocessed = changed(key.preprocessed, i);
            keys.push((format!("program {i}"), VerifyingKey { preprocessed, ..key }));
        }
        for region in 0..key.regions.len() {
            // The run fixes these two.
            if [INPUT, RUN].contains(&(region as u32 * REGION_WORDS)) {
                continue;
            }
            let mut other = key;
            other.regions[region] = changed(key.regions[region], region % DIGEST);
            keys.push((format!("region {region}"), other));
        }
        for (name, key) in keys {
            let vkey = key.digest();
            let statement = Statement { vkey, ..honest.clone() };
            let patches =
                vec![(KEY, key_bytes(&key)), (self.statement, statement.to_bytes().to_vec())];
            self.list.push(Attack { name: format!("key: {name}"), vkey, statement, patches });
        }
    }

    /// What the proof says besides its shards.
    pub(crate) fn claims(&mut self) {
        let length = self.word(self.run);
        for other in [0, length - 1, length + 1, u32::MAX] {
            let bytes = other.to_le_bytes().to_vec();
            self.patch(format!("{other} bytes of input"), self.run, bytes);
        }
        for i in 0..DIGEST {
            self.element(format!("input's region, element {i}"), self.run + 4 + 4 * i);
        }
        for i in 0..OPENED_WORDS {
            let at = self.results() + 4 * i;
            let other = self.word(at) ^ 1 << i;
            self.patch(format!("result word {i}"), at, other.to_le_bytes().to_vec());
        }
        let siblings = self.results() + 4 * OPENED_WORDS;
        for i in 0..RegOpening::LEVEL * DIGEST {
            if self.all || i % 9 == 0 {
                self.element(format!("sibling element {i}"), siblings + 4 * i);
            }
        }
    }

    fn results(&self) -> usize {
        self.run + 4 + 4 * DIGEST
    }

    /// Each number that a shard says of its end.
    pub(crate) fn boundaries(&mut self) {
        for (shard, at) in self.boundary_places().into_iter().enumerate() {
            for i in 0..9 + DIGEST {
                self.element(format!("shard {shard}, number {i} of its end"), at + 4 * i);
            }
            for (i, name) in ["pc", "fp", "depth", "pages", "spent"].iter().enumerate() {
                let other = if self.word(at + 4 * i) == 0 { Val::ORDER_U32 - 1 } else { 0 };
                let bytes = other.to_le_bytes().to_vec();
                self.patch(format!("shard {shard}, {name} {other}"), at + 4 * i, bytes);
            }
        }
    }

    /// Where the boundary of each shard stands: after a byte for each table.
    fn boundary_places(&self) -> Vec<usize> {
        let mut start = self.proof.start();
        let starts = self.proof.shards().into_iter().map(|shard| {
            let at = start + ChipId::COUNT;
            start += shard.len();
            at
        });
        starts.collect()
    }

    /// Lies that agree with each other: the statement's, the opened results and the shards'.
    pub(crate) fn together(&mut self) {
        let honest = self.honest().clone();
        let results = self.results();
        let result = |address: u32| results + 4 * (address - reg::EXIT_KIND) as usize;
        let word = |word: u32| word.to_le_bytes().to_vec();
        for exit in [Exit::Ok, Exit::Code(7), Exit::Trap(Trap::UnreachableCodeReached)] {
            if exit != honest.exit {
                let kind = (result(reg::EXIT_KIND), word(exit.kind()));
                let code = (result(reg::EXIT_CODE), word(exit.code()));
                let statement = Statement { exit, ..honest.clone() };
                self.claim(format!("{exit:?} in the results"), statement, vec![kind, code]);
            }
        }
        let output = [3; 32];
        let words = (result(reg::OUTPUT_DIGEST), output.to_vec());
        self.claim(
            "output in the results".into(),
            Statement { output, ..honest.clone() },
            vec![words],
        );
        let words = (result(reg::INPUT_DIGEST), output.to_vec());
        let input = InputDigest::Public(output);
        self.claim(
            "input in the results".into(),
            Statement { input, ..honest.clone() },
            vec![words],
        );
        // Out of fuel for no reason, with a charge that would not have fit.
        let exit = Exit::Trap(Trap::OutOfFuel);
        let refused = (result(reg::REFUSED_FUEL_HI), word(u32::MAX));
        let kind = (result(reg::EXIT_KIND), word(exit.kind()));
        let code = (result(reg::EXIT_CODE), word(exit.code()));
        let statement = Statement { exit, ..honest.clone() };
        self.claim("a refused charge in the results".into(), statement, vec![refused, kind, code]);
        for (shard, at) in self.boundary_places().into_iter().enumerate() {
            // Static fuel, and each limb of what was charged otherwise.
            for i in 4..9 {
                let place = at + 4 * i;
                let shift = if i == 4 { 0 } else { 16 * (i - 5) };
                let fuel = honest.fuel.wrapping_add(1 << shift);
                let more = (place, word(self.word(place) + 1));
                let statement = Statement { fuel, ..honest.clone() };
                self.claim(format!("shard {shard}: more fuel at {i}"), statement, vec![more]);
            }
        }
        // The same sum, in other limbs.
        for (shard, at) in self.boundary_places().into_iter().enumerate() {
            for i in 6..9 {
                let (low, high) = (at + 4 * i - 4, at + 4 * i);
                if self.word(high) > 0 {
                    let carried = (low, word(self.word(low) + (1 << 16)));
                    let patches = vec![carried, (high, word(self.word(high) - 1))];
                    self.push(format!("shard {shard}: limb {i} carried"), honest.clone(), patches);
                }
            }
        }
    }
}

fn key_bytes(key: &VerifyingKey) -> Vec<u8> {
    let mut out = Writer::default();
    key.write(&mut out);
    out.into_bytes()
}

fn changed(mut digest: Digest, i: usize) -> Digest {
    digest[i] += Val::ONE;
    digest
}
