//! Honest modules, and what makes a program of them: loading, lowering, validation, instantiation,
//! and of a sample also the key.

use std::{
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use rwprove_executor::instantiate;
use rwprove_fixtures::{Call, all};
use rwprove_isa::{
    front::{self, Preset, load, lower},
    validate::validate,
};
use rwprove_prover::setup;

use super::{
    Outcome, Subject, Trials, alone,
    sections::{Kind, Part},
};
use crate::score::{Scale, Score};

/// A module in one of its two forms.
pub(crate) struct Module {
    name: &'static str,
    bytes: Vec<u8>,
    parts: Vec<Part>,
    preset: Preset,
    original: front::Module,
    /// Digest of the original's key.
    vkey: [u8; 32],
    /// How many changed modules are made into keys.
    keys: usize,
    /// Those, until they are.
    kept: Mutex<Vec<front::Module>>,
    loaded: AtomicUsize,
    same: AtomicUsize,
}

/// The same module as `.wasm` and as `.rwasm`.
pub(crate) fn subjects(scale: &Scale) -> Vec<Module> {
    let fixture = all().into_iter().find(|f| f.name.starts_with("wat/tables")).expect("a fixture");
    let Call::Entry { name, .. } = fixture.call else { unreachable!("tables has entries") };
    let preset = Preset::Entry { name };
    let wasm = fixture.wasm.to_vec();
    let original = load(&wasm, &preset).expect("loads");
    let vkey = key(&original).expect("has a key");
    let rwasm = original.rwasm.serialize();
    let parts = [wasm_parts(&wasm), rwasm_parts(&original, rwasm.len())];
    let forms = ["wasm", "rwasm"].into_iter().zip([wasm, rwasm]).zip(parts);
    let module = |((name, bytes), parts)| Module {
        name,
        bytes,
        parts,
        preset: preset.clone(),
        original: original.clone(),
        vkey,
        keys: scale.pick(2, 20),
        kept: Mutex::default(),
        loaded: AtomicUsize::new(0),
        same: AtomicUsize::new(0),
    };
    forms.map(module).collect()
}

/// Digest of the module's key, if it has one.
fn key(module: &front::Module) -> Option<[u8; 32]> {
    let lowered = lower(module).ok()?;
    validate(module, &lowered).ok()?;
    let program = instantiate(&lowered.program, lowered.init).ok()?;
    Some(setup(program, Default::default()).ok()?.1.digest())
}

impl Module {
    /// The module, for whoever makes a program of it.
    pub(crate) fn subject(&self) -> Subject<'_> {
        let judge = |bytes: &[u8]| {
            let Ok(module) = load(bytes, &self.preset) else { return Outcome::Refused };
            let changed = bytes != self.bytes;
            if let Ok(lowered) = lower(&module)
                && validate(&module, &lowered).is_ok()
            {
                let _ = instantiate(&lowered.program, lowered.init);
            }
            if !changed {
                return Outcome::Accepted;
            }
            if module.hash == self.original.hash {
                // Other Wasm may be the same program; other rWasm may not.
                let same = module.rwasm == self.original.rwasm && self.name == "wasm";
                self.same.fetch_add(1, Relaxed);
                return Outcome::accepted(!same);
            }
            if self.loaded.fetch_add(1, Relaxed) < self.keys {
                self.kept.lock().unwrap().push(module);
            }
            Outcome::Refused
        };
        let (bytes, parts) = (self.bytes.clone(), self.parts.clone());
        Subject { name: self.name, bytes, parts, judge: Box::new(judge) }
    }

    /// Makes keys of some modules that loaded, each in the time of an honest key: none may be the
    /// original's.
    pub(crate) fn try_keys(&self, score: &mut Score) {
        let judge = |module: &front::Module| Outcome::accepted(key(module) == Some(self.vkey));
        let mut trials = Trials::default();
        alone(&mut || {
            trials = Trials::new(|| judge(&self.original));
            for (number, module) in self.kept.lock().unwrap().iter().enumerate() {
                trials.attempt("keys", || format!("changed module {number}"), || judge(module));
            }
        });
        trials.score(self.name, score);
    }

    /// What became of changed modules.
    pub(crate) fn seen(&self) -> String {
        let (loaded, same) = (self.loaded.load(Relaxed), self.same.load(Relaxed));
        format!("{}: {loaded} load as other modules, {same} as the same one", self.name)
    }
}

fn part(name: &'static str, kind: Kind, range: Range<usize>) -> Part {
    Part { name, shard: None, kind, range }
}

/// Header, sizes and contents of sections.
fn wasm_parts(wasm: &[u8]) -> Vec<Part> {
    let mut parts = vec![part("header", Kind::Plain, 0..8)];
    let mut at = 8;
    while at < wasm.len() {
        let bytes = wasm[at + 1..].iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
        let size = wasm[at + 1..].iter().take(bytes).rev();
        let size = size.fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
        let name = match wasm[at] {
            10 => "code",
            11 => "data",
            9 => "elements",
            4 => "tables",
            _ => "declarations",
        };
        let content = at + 1 + bytes;
        parts.push(part("sizes", Kind::Plain, at..content));
        parts.push(part(name, Kind::Plain, content..content + size));
        at = content + size;
    }
    parts
}

/// The lists of the encoding, each after its length.
fn rwasm_parts(module: &front::Module, len: usize) -> Vec<Part> {
    let rwasm = &module.rwasm;
    let tail = [
        ("data", rwasm.data_section.len()),
        ("elements", 4 * rwasm.elem_section.len()),
        ("hint", rwasm.hint_section.len()),
    ];
    let mut at = len - 4 - tail.iter().map(|(_, bytes)| 8 + bytes).sum::<usize>();
    let mut parts = vec![
        part("header", Kind::Plain, 0..3),
        part("lengths", Kind::Length, 3..11),
        part("code", Kind::Plain, 11..at),
    ];
    for (name, bytes) in tail {
        parts.push(part("lengths", Kind::Length, at..at + 8));
        parts.push(part(name, Kind::Plain, at + 8..at + 8 + bytes));
        at += 8 + bytes;
    }
    parts.push(part("entry", Kind::Plain, at..len));
    parts
}
