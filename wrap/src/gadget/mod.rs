//! What circuits are made of. Each gadget is an `impl` block of [`crate::r1cs::Builder`].

mod bits;
mod ext;
mod int;
mod koalabear;
pub mod poseidon2;
mod sha256;
mod sponge;
#[cfg(test)]
mod tests;
mod transcript;
mod uint;

pub(crate) use bits::{integer, pack};
pub use ext::Ext;
pub use int::Int;
pub use transcript::Transcript;
pub use uint::Uint;
