//! `rwprove inspect`: what is in a program or proof, and what its tables cost.

use std::{collections::BTreeMap, fmt, path::Path};

use rwprove_circuits::{machine::ChipId, shape::Shape};
use rwprove_verifier::{
    machine,
    shards::{self, Contents},
};
use serde::Serialize;

use crate::{
    args::InspectArgs,
    costs::{cells_per_row, height, quotient_columns},
    error::CliError,
    files, hex,
    program::Loaded,
    report::{self, StatementReport},
};

/// What a file holds.
#[derive(Serialize)]
struct InspectReport {
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<ProgramReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<ProofReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    costs: Vec<TableReport>,
}

#[derive(Serialize)]
struct ProgramReport {
    module_keccak256: String,
    /// Argument and result slots of a named entry.
    entry_slots: Option<(u32, u32)>,
    instructions: usize,
    start: u32,
    pages: u32,
    image_words: usize,
    fuel: u64,
}

/// What a proof says of itself; none of it is verified.
#[derive(Serialize)]
struct ProofReport {
    preset: u32,
    machine: String,
    module_keccak256: String,
    statement: StatementReport,
    input_bytes: u32,
    /// Of each shard, its tables with log2 of their heights.
    shards: Vec<BTreeMap<&'static str, usize>>,
}

/// One table; sums are over all shards of a proof.
#[derive(Serialize)]
struct TableReport {
    table: &'static str,
    columns: usize,
    preprocessed: usize,
    messages: usize,
    lookup_columns: usize,
    quotient_columns: usize,
    constraints: usize,
    /// Committed base field elements of a row.
    cells_per_row: usize,
    /// Rows of the table in all shards.
    rows: u64,
    /// Cells in all shards.
    cells: u64,
}

impl TableReport {
    fn new(chip: ChipId, shapes: &[Shape]) -> Self {
        let table = machine::table(chip);
        let (rows, cells_per_row) = (height(chip, shapes), cells_per_row(table));
        Self {
            table: chip.name(),
            columns: table.width,
            preprocessed: table.preprocessed,
            messages: table.messages(),
            lookup_columns: table.lookup_width(),
            quotient_columns: quotient_columns(table),
            constraints: table.constraints.len(),
            cells_per_row,
            rows,
            cells: rows * cells_per_row as u64,
        }
    }
}

impl fmt::Display for InspectReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "bytes         {}", self.bytes)?;
        if let Some(program) = &self.program {
            program.fmt(f)?;
        }
        if let Some(proof) = &self.proof {
            proof.fmt(f)?;
        }
        if self.costs.is_empty() {
            return Ok(());
        }
        let total: u64 = self.costs.iter().map(|table| table.cells).sum();
        writeln!(
            f,
            "table       columns  fixed  messages  lookup  quotient  cells/row       rows  share"
        )?;
        for table in &self.costs {
            writeln!(
                f,
                "{:<10} {:8} {:6} {:9} {:7} {:9} {:10} {:10} {:5.1}%",
                table.table,
                table.columns,
                table.preprocessed,
                table.messages,
                table.lookup_columns,
                table.quotient_columns,
                table.cells_per_row,
                table.rows,
                if total == 0 { 0.0 } else { 100.0 * table.cells as f64 / total as f64 },
            )?;
        }
        writeln!(f, "cells         {total}")
    }
}

impl fmt::Display for ProgramReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "module        keccak256 {}", self.module_keccak256)?;
        match self.entry_slots {
            Some((args, results)) => writeln!(f, "entry         {args} slots to {results} slots")?,
            None => writeln!(f, "entry         contract")?,
        }
        writeln!(f, "instructions  {}, start at {}", self.instructions, self.start)?;
        writeln!(f, "memory        {} pages, {} words set", self.pages, self.image_words)?;
        writeln!(f, "fuel          {} consumed by instantiation", self.fuel)
    }
}

impl fmt::Display for ProofReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "proof         preset {}, not verified here; it says:", self.preset)?;
        self.statement.fmt(f)?;
        writeln!(f, "module        keccak256 {}", self.module_keccak256)?;
        writeln!(f, "machine       {}", self.machine)?;
        writeln!(f, "input         {} bytes", self.input_bytes)?;
        for (number, shard) in self.shards.iter().enumerate() {
            let tables = shard.iter().map(|(table, height)| format!("{table} 2^{height}"));
            writeln!(f, "shard {number:<7} {}", tables.collect::<Vec<_>>().join(", "))?;
        }
        Ok(())
    }
}

pub(crate) fn run(args: &InspectArgs) -> Result<(), CliError> {
    let bytes = files::read(&args.file)?;
    let is_proof = bytes.starts_with(&shards::MAGIC);
    let (program, proof, shapes) = if is_proof {
        let contents = shards::contents(&bytes)
            .map_err(|error| CliError::Refused(format!("{}: {error}", args.file.display())))?;
        (None, Some(ProofReport::from(&contents)), contents.shapes)
    } else {
        (Some(program(&args.file, &bytes, args.entry.as_deref())?), None, Vec::new())
    };
    let cost = |chip: &ChipId| TableReport::new(*chip, &shapes);
    let costs = if args.costs { ChipId::ALL.iter().map(cost).collect() } else { Vec::new() };
    report::print(&InspectReport { bytes: bytes.len(), program, proof, costs }, args.json)
}

fn program(path: &Path, bytes: &[u8], entry: Option<&str>) -> Result<ProgramReport, CliError> {
    let Loaded { program, entry } = Loaded::from_bytes(path, bytes, entry, None)?;
    Ok(ProgramReport {
        module_keccak256: hex::encode(&program.module_hash),
        entry_slots: entry,
        instructions: program.code.len(),
        start: program.start,
        pages: program.pages,
        image_words: program.image.len(),
        fuel: program.fuel,
    })
}

impl From<&Contents> for ProofReport {
    fn from(contents: &Contents) -> Self {
        let tables = |shape: &Shape| shape.tables().map(|(chip, h)| (chip.name(), h)).collect();
        Self {
            preset: contents.head.key.preset.bits(),
            machine: hex::encode(&contents.head.key.machine),
            module_keccak256: hex::encode(&contents.head.key.module),
            statement: (&contents.head.statement).into(),
            input_bytes: contents.head.run.input_bytes,
            shards: contents.shapes.iter().map(tables).collect(),
        }
    }
}
