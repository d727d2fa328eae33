//! Makes the keys of `settle` and the digests of the circuits that verify it, as `wrap/src/settlement/fixed.rs` has them.
//!
//!     cargo run --release -p rwprove-wrap --example settle_keys
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::error::Error;

use ark_ff::PrimeField;
use rwprove_verifier::Preset;
use rwprove_wrap::settlement::{Settlement, settle_key};

fn main() -> Result<(), Box<dyn Error>> {
    for preset in Preset::ALL {
        let (_, key) = settle_key(preset)?;
        let limbs = key.commitment().into_bigint().0;
        println!("const P{}: [u64; 4] = {limbs:?};", preset.bits());
        let settlement = Settlement::with_key(preset, *key.commitment())?;
        let digest = settlement.circuit()?.digest();
        println!("const CIRCUIT_P{}: [u8; 32] = {digest:?};", preset.bits());
    }
    Ok(())
}
