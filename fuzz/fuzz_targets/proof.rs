//! Edited proofs through the decoder.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rwprove_fuzz::{edit, proof::honest};
use rwprove_verifier::shards::{contents, peek};

fuzz_target!(|input: &[u8]| {
    let mut bytes = honest().bytes.clone();
    edit::apply(&mut bytes, input);
    let _ = peek(&bytes);
    let _ = contents(&bytes);
    let _ = contents(input);
});
