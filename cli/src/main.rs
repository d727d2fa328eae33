//! The `rwprove` command.

fn main() {}
