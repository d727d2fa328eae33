//! rwprove executor.
