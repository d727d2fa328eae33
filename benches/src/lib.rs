//! Where the time of proving goes: the library's prover is one function, but it says through
//! `tracing` what it is doing, and [`Spans`] keeps the time of that by [`Phase`].

mod phase;
mod spans;

pub use phase::Phase;
pub use spans::Spans;
