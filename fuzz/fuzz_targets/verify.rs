//! Edited proofs and statements through the verifier: only the honest one is accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rwprove_fuzz::{edit, proof::honest};
use rwprove_isa::Statement;
use rwprove_verifier::{
    head::Head,
    shards::{peek, verify},
};

fuzz_target!(|input: &[u8]| {
    let honest = honest();
    let mut bytes = honest.bytes.clone();
    edit::apply(&mut bytes, input);
    let accepted = verify(&honest.vkey, &honest.statement, &bytes).is_ok();
    assert_eq!(accepted, bytes == honest.bytes);

    // Whatever key and statement the bytes name.
    if let Ok(Head { key, statement, .. }) = peek(&bytes)
        && (key.digest(), &statement) != (honest.vkey, &honest.statement)
    {
        assert!(verify(&key.digest(), &statement, &bytes).is_err());
    }
    let mut said = honest.statement.to_bytes().to_vec();
    edit::apply(&mut said, input);
    if let Ok(said) = Statement::from_bytes(&said) {
        let accepted = verify(&honest.vkey, &said, &honest.bytes).is_ok();
        assert_eq!(accepted, said == honest.statement);
    }
});
