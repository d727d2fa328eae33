//! rwprove prover.
