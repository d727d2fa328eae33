//! Keys and statements: what is read is written back as the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rwprove_fuzz::edit;
use rwprove_isa::Statement;
use rwprove_verifier::{
    VerifyingKey,
    bytes::{Reader, Writer},
};

/// A key that can be read: no claim about any program.
fn base() -> Vec<u8> {
    let mut bytes = vec![0; 32];
    bytes.extend(100_u32.to_le_bytes());
    bytes.extend([7; 32]);
    bytes.extend(12_u32.to_le_bytes());
    bytes.resize(bytes.len() + 33 * 32 + 16, 0);
    bytes
}

fuzz_target!(|input: &[u8]| {
    let mut edited = base();
    edit::apply(&mut edited, input);
    for bytes in [input, &edited] {
        let mut reader = Reader::new(bytes);
        if let Ok(key) = VerifyingKey::read(&mut reader) {
            let mut out = Writer::default();
            key.write(&mut out);
            assert!(bytes.starts_with(&out.into_bytes()));
        }
    }
    if let Ok(statement) = Statement::from_bytes(input) {
        assert_eq!(statement.to_bytes(), input);
    }
});
