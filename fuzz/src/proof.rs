//! An honest proof, made once a process: a stored one would be of another machine as soon as any
//! table changes.

use std::sync::OnceLock;

use rwprove_executor::Input;
use rwprove_isa::Statement;
use rwprove_prover::{Options, prove, setup, testing::compile};

/// A proof and what it proves.
pub struct Honest {
    /// The key's digest.
    pub vkey: [u8; 32],
    /// The statement.
    pub statement: Statement,
    /// The proof.
    pub bytes: Vec<u8>,
}

/// The smallest honest proof.
pub fn honest() -> &'static Honest {
    static HONEST: OnceLock<Honest> = OnceLock::new();
    HONEST.get_or_init(|| {
        let (module, preset) = crate::fixtures().swap_remove(0);
        let (key, vkey) = setup(compile(&module, &preset), Default::default()).expect("keys");
        let input = Input { bytes: vec![0; 64], state: 0, fuel_limit: Some(1 << 20) };
        let proved = prove(&key, &input, &Options::default(), &mut |_| {}).expect("a proof");
        Honest { vkey: vkey.digest(), statement: proved.statement, bytes: proved.proof }
    })
}
