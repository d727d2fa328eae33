//! Honest proofs, and who reads them and what belongs to them: the verifier, and a prover that
//! goes on after an interruption.

use std::{fs, path::PathBuf, thread};

use rwprove_executor::{Input, Rows};
use rwprove_fixtures::all;
use rwprove_isa::Statement;
use rwprove_prover::{
    Options, ProveError, ProvingKey, prove,
    testing::{Filled, SMALL, filled, would_reuse},
};
use rwprove_verifier::{
    VerifyingKey,
    bytes::{Reader, Writer},
    head::Head,
    shards::{peek, verify},
};

use super::{
    Outcome, Subject,
    sections::{self, Kind, Part},
};
use crate::programs::Case;

/// An honest proof with everything around it.
pub(crate) struct Proof {
    key: ProvingKey,
    vkey: VerifyingKey,
    input: Input,
    options: Options,
    statement: Statement,
    bytes: Vec<u8>,
    /// The first shard.
    shard: Filled,
}

impl Proof {
    fn new(name: &str, limits: Option<Rows>) -> Self {
        let fixture = all().into_iter().find(|fixture| fixture.name == name).expect("a fixture");
        let Case { key, input, .. } = Case::new(&fixture);
        let options = Options { limits, ..Options::default() };
        let proved = prove(&key, &input, &options, &mut |_| {}).expect("a proof");
        let shard = filled(&key, &input, &options).expect("a run").swap_remove(0);
        let vkey = *key.verifying_key();
        let (statement, bytes) = (proved.statement, proved.proof);
        Self { key, vkey, input, options, statement, bytes, shard }
    }

    /// A contract that reads, hashes and writes.
    pub(crate) fn one_shard() -> Self {
        Self::new("wat/host: @main input 05616263", None)
    }

    /// A longer run, in shards as small as can be.
    pub(crate) fn two_shards() -> Self {
        Self::new("wat/globals: count(1000)", Some(SMALL))
    }

    /// The proof, for the verifier.
    pub(crate) fn subject(&self) -> Subject<'_> {
        let vkey = self.vkey.digest();
        let judge = move |bytes: &[u8]| {
            // What the bytes themselves claim is no more true than the original claim.
            let claims = peek(bytes).is_ok_and(|Head { key, statement: claim, .. }| {
                (key.digest(), &claim) != (vkey, &self.statement)
                    && verify(&key.digest(), &claim, bytes).is_ok()
            });
            Outcome::accepted(claims || verify(&vkey, &self.statement, bytes).is_ok())
        };
        let parts = sections::of_proof(&self.bytes);
        Subject { name: "proof", bytes: self.bytes.clone(), parts, judge: Box::new(judge) }
    }

    /// The statement, for the verifier of the honest proof.
    pub(crate) fn statement(&self) -> Subject<'_> {
        let bytes = self.statement.to_bytes().to_vec();
        let vkey = self.vkey.digest();
        let judge = move |bytes: &[u8]| {
            let said = Statement::from_bytes(bytes);
            Outcome::accepted(said.is_ok_and(|said| verify(&vkey, &said, &self.bytes).is_ok()))
        };
        Subject {
            name: "statement",
            parts: whole("statement", &bytes),
            bytes,
            judge: Box::new(judge),
        }
    }

    /// The key, for whoever knows its digest.
    pub(crate) fn key(&self) -> Subject<'_> {
        let mut out = Writer::default();
        self.vkey.write(&mut out);
        let bytes = out.into_bytes();
        let judge = |bytes: &[u8]| {
            let mut input = Reader::new(bytes);
            let key = VerifyingKey::read(&mut input);
            let whole = input.finish().is_ok();
            Outcome::accepted(whole && key.is_ok_and(|key| key.digest() == self.vkey.digest()))
        };
        Subject { name: "key", parts: whole("key", &bytes), bytes, judge: Box::new(judge) }
    }

    /// The file of the first shard, for a prover that goes on.
    pub(crate) fn shard_file(&self) -> Subject<'_> {
        let parts = sections::of_proof(&self.bytes);
        let own = || parts.iter().filter(|part| part.shard == Some(0));
        let start = own().next().map_or(0, |part| part.range.start);
        let end = own().next_back().map_or(start, |part| part.range.end);
        let moved = |part: &Part| Part {
            range: part.range.start - start..part.range.end - start,
            ..part.clone()
        };
        let judge = |bytes: &[u8]| {
            Outcome::accepted(would_reuse(&self.key, &self.input, &self.shard, bytes))
        };
        Subject {
            name: "shard file",
            bytes: self.bytes[start..end].to_vec(),
            parts: own().map(moved).collect(),
            judge: Box::new(judge),
        }
    }
}

fn whole(name: &'static str, bytes: &[u8]) -> Vec<Part> {
    vec![Part { name, shard: None, kind: Kind::Plain, range: 0..bytes.len() }]
}

/// The directory of an interrupted proof.
pub(crate) struct Directory<'a> {
    proof: &'a Proof,
    path: PathBuf,
    manifest: Vec<u8>,
}

impl<'a> Directory<'a> {
    /// What a finished proof leaves.
    pub(crate) fn new(proof: &'a Proof) -> Self {
        let name = format!("rwprove-soundness-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let first = path.join("first");
        fs::create_dir_all(&path).expect("a directory");
        let options = Options { resume: Some(first.clone()), ..proof.options.clone() };
        prove(&proof.key, &proof.input, &options, &mut |_| {}).expect("a proof");
        let manifest = fs::read(first.join("manifest")).expect("a manifest");
        Self { proof, path, manifest }
    }

    /// The manifest, for a prover of the same run.
    pub(crate) fn manifest(&self) -> Subject<'_> {
        let judge = |bytes: &[u8]| {
            let path = self.path.join(format!("{:?}", thread::current().id()));
            fs::create_dir_all(&path).expect("a directory");
            fs::write(path.join("manifest"), bytes).expect("written");
            for shard in fs::read_dir(self.path.join("first")).expect("listed").flatten() {
                let name = shard.file_name();
                if name != "manifest" {
                    fs::copy(shard.path(), path.join(name)).expect("copied");
                }
            }
            let proof = self.proof;
            let options = Options { resume: Some(path), ..proof.options.clone() };
            let proved = prove(&proof.key, &proof.input, &options, &mut |_| {});
            Outcome::accepted(!matches!(proved, Err(ProveError::OtherRun(_))))
        };
        let parts = whole("manifest", &self.manifest);
        let bytes = self.manifest.clone();
        Subject { name: "manifest", bytes, parts, judge: Box::new(judge) }
    }
}

impl Drop for Directory<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
