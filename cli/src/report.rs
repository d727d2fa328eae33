//! The answers that commands print, as text and as JSON.

use std::{
    fmt,
    io::{self, Write},
};

use rwprove_isa::{Exit, InputDigest, Statement};
use serde::Serialize;

use crate::{costs::TableUse, error::CliError, hex};

/// Prints an answer: one JSON object on one line, or text.
pub(crate) fn print<T: Serialize + fmt::Display>(answer: &T, json: bool) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let written = if json {
        serde_json::to_writer(&mut out, answer).map_err(io::Error::from)
    } else {
        write!(out, "{answer}")
    };
    let ended = written.and_then(|()| if json { writeln!(out) } else { Ok(()) });
    match ended.and_then(|()| out.flush()) {
        // Whoever read the answer has seen enough of it; the exit status still says the rest.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(CliError::Print),
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ExitReport {
    kind: &'static str,
    code: i32,
    name: String,
}

impl From<Exit> for ExitReport {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Ok => Self { kind: "ok", code: 0, name: "Ok".into() },
            Exit::Code(code) => Self { kind: "exit", code, name: format!("ExitCode({code})") },
            Exit::Trap(trap) => {
                Self { kind: "trap", code: trap.code().into(), name: trap.name().into() }
            }
        }
    }
}

impl fmt::Display for ExitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            "ok" => write!(f, "ok"),
            "exit" => write!(f, "exit code {}", self.code),
            _ => write!(f, "trap {} ({})", self.name, self.code),
        }
    }
}

/// Proofs of one kind that were made on the way.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LayerUse {
    pub(crate) layer: String,
    /// How many there are.
    pub(crate) count: u32,
    /// How many of them were there from an earlier attempt.
    pub(crate) reused: u32,
    pub(crate) seconds: f64,
    pub(crate) bytes: u64,
}

/// What a run gave and what it took.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunReport {
    pub(crate) exit: ExitReport,
    /// Result slots of a named entry that returned.
    pub(crate) results: Vec<u32>,
    /// What the program wrote, without its results, in hex.
    pub(crate) output: String,
    pub(crate) fuel: u64,
    pub(crate) rwasm_instructions: u64,
    pub(crate) rows: u64,
    pub(crate) shards: u32,
    pub(crate) seconds: f64,
    pub(crate) peak_rss_bytes: Option<u64>,
    pub(crate) proof_bytes: Option<u64>,
    /// Digest of the verification key, if there is one.
    pub(crate) vkey: Option<String>,
    /// The tables of the shards, if there are any.
    pub(crate) tables: Vec<TableUse>,
    /// The part of their cells that is padding.
    pub(crate) padding: Option<f64>,
    /// What was proved.
    pub(crate) layers: Vec<LayerUse>,
}

impl RunReport {
    /// Splits what a run wrote: the last `results` slots are the entry's, if it returned.
    pub(crate) fn split_output(exit: Exit, output: &[u8], results: u32) -> (Vec<u32>, String) {
        let results = if exit == Exit::Ok { 4 * results as usize } else { 0 };
        let (written, slots) = output.split_at(output.len().saturating_sub(results));
        let slots = slots.as_chunks::<4>().0.iter().map(|slot| u32::from_le_bytes(*slot));
        (slots.collect(), hex::encode(written))
    }
}

impl fmt::Display for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit          {}", self.exit)?;
        if !self.results.is_empty() {
            let slots: Vec<_> = self.results.iter().map(u32::to_string).collect();
            writeln!(f, "results       {}", slots.join(" "))?;
        }
        if !self.output.is_empty() {
            writeln!(f, "output        {}", self.output)?;
        }
        writeln!(f, "fuel          {}", self.fuel)?;
        writeln!(f, "instructions  {} rWasm", self.rwasm_instructions)?;
        match self.shards {
            0 => writeln!(f, "rows          {}", self.rows)?,
            1 => writeln!(f, "rows          {} in 1 shard", self.rows)?,
            shards => writeln!(f, "rows          {} in {shards} shards", self.rows)?,
        }
        write!(f, "took          {:.3} s", self.seconds)?;
        if let Some(bytes) = self.peak_rss_bytes {
            write!(f, ", {} MiB at most", bytes >> 20)?;
        }
        writeln!(f)?;
        if let Some(bytes) = self.proof_bytes {
            write!(f, "proof         {bytes} bytes")?;
            match self.padding {
                Some(padding) => {
                    writeln!(f, ", {:.0} % of its cells are padding", 100.0 * padding)?
                }
                None => writeln!(f)?,
            }
        }
        if let Some(vkey) = &self.vkey {
            writeln!(f, "vkey          {vkey}")?;
        }
        // One line says it all of a proof in shards.
        if self.layers.len() > 1 {
            for LayerUse { layer, count, reused, seconds, bytes } in &self.layers {
                write!(f, "{layer:<13} {count} in {seconds:.1} s, {bytes} bytes")?;
                if *reused > 0 {
                    write!(f, ", {reused} from before")?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

/// What a statement says.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct StatementReport {
    pub(crate) exit: ExitReport,
    pub(crate) fuel: u64,
    /// None: no limit.
    pub(crate) fuel_limit: Option<u64>,
    pub(crate) state: u32,
    /// Keccak-256; none if the input is private.
    pub(crate) input_keccak256: Option<String>,
    pub(crate) output_keccak256: String,
    pub(crate) vkey: String,
}

impl From<&Statement> for StatementReport {
    fn from(statement: &Statement) -> Self {
        Self {
            exit: statement.exit.into(),
            fuel: statement.fuel,
            fuel_limit: (statement.fuel_limit != u64::MAX).then_some(statement.fuel_limit),
            state: statement.state,
            input_keccak256: match statement.input {
                InputDigest::Public(digest) => Some(hex::encode(&digest)),
                InputDigest::Private => None,
            },
            output_keccak256: hex::encode(&statement.output),
            vkey: hex::encode(&statement.vkey),
        }
    }
}

impl fmt::Display for StatementReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit          {}", self.exit)?;
        write!(f, "fuel          {}", self.fuel)?;
        match self.fuel_limit {
            Some(limit) => writeln!(f, " of {limit}")?,
            None => writeln!(f, ", no limit")?,
        }
        writeln!(f, "state         {}", self.state)?;
        let input = self.input_keccak256.as_deref().unwrap_or("private");
        writeln!(f, "input         keccak256 {input}")?;
        writeln!(f, "output        keccak256 {}", self.output_keccak256)?;
        writeln!(f, "vkey          {}", self.vkey)
    }
}

#[cfg(test)]
mod tests {
    use rwprove_isa::{Exit, Trap};

    use super::{ExitReport, RunReport};

    #[test]
    fn exits_have_kind_code_and_name() {
        let json = |exit: Exit| serde_json::to_string(&ExitReport::from(exit)).unwrap();
        assert_eq!(json(Exit::Ok), r#"{"kind":"ok","code":0,"name":"Ok"}"#);
        assert_eq!(json(Exit::Code(-7)), r#"{"kind":"exit","code":-7,"name":"ExitCode(-7)"}"#);
        let trap = json(Exit::Trap(Trap::OutOfFuel));
        assert_eq!(trap, r#"{"kind":"trap","code":9,"name":"OutOfFuel"}"#);
    }

    #[test]
    fn results_are_the_end_of_the_output() {
        let output = [9, 1, 0, 0, 0, 255, 255, 255, 255];
        let split = RunReport::split_output(Exit::Ok, &output, 2);
        assert_eq!(split, (vec![1, u32::MAX], "09".into()));
        let trapped = RunReport::split_output(Exit::Trap(Trap::BadSignature), &[9], 2);
        assert_eq!(trapped, (vec![], "09".into()));
        assert_eq!(RunReport::split_output(Exit::Ok, &[9], 2), (vec![], "".into()));
    }
}
