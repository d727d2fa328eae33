//! Rank-1 constraint systems: `⟨A_i, z⟩ ⟨B_i, z⟩ = ⟨C_i, z⟩` for every constraint i.

mod builder;
mod circuit;
mod wire;

pub use builder::{Assignment, Builder};
pub use circuit::{Circuit, Column, Matrix};
pub use wire::Wire;
