//! What a finished run amounts to.

use rwprove_isa::Exit;
use serde::{Deserialize, Serialize};

use crate::Rows;

/// Result and costs of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How it ended.
    pub exit: Exit,
    /// What it wrote. With a named entry its results are the last bytes.
    pub output: Vec<u8>,
    /// Fuel consumed, instantiation included.
    pub fuel: u64,
    /// rWasm instructions that the rows stand for.
    pub instructions: u64,
    /// Lowered instructions, which are rows of the cpu table.
    pub rows: u64,
    /// Rows of each table in all shards; zeros without recording.
    pub tables: Rows,
    /// Shards; 0 without recording.
    pub shards: u32,
    /// Pages of linear memory at the end.
    pub pages: u32,
    /// Time spent executing.
    pub seconds: f64,
}
