//! rwprove verifier.
