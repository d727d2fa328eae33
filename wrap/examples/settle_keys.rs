//! Makes the key of `settle` and the digest of the circuit that verifies it, as `wrap/src/settlement/fixed.rs` has them.
//!
//!     cargo run --release -p rwprove-wrap --example settle_keys
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::error::Error;

use ark_ff::PrimeField;
use rwprove_wrap::settlement::{Settlement, settle_key};

fn main() -> Result<(), Box<dyn Error>> {
    let (_, key) = settle_key()?;
    println!("const KEY_LIMBS: [u64; 4] = {:?};", key.commitment().into_bigint().0);
    let digest = Settlement::with_key(*key.commitment())?.circuit()?.digest();
    println!("pub(super) const CIRCUIT: [u8; 32] = {digest:?};");
    Ok(())
}
