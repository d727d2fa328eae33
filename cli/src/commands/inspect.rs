//! `rwprove inspect`: what is in a program or proof, and what its tables cost.

use std::{collections::BTreeMap, fmt, path::Path};

use rwprove_circuits::{circuit, machine::ChipId, shape::Shape};
use rwprove_verifier::{
    Preset,
    compressed::{self, Compressed, Fixed, LogHeights},
    config::Layer,
    error::VerifyError,
    head::{Head, Kind, MAGIC, peek},
    machine, shards,
};
use rwprove_wrap::{
    onchain::{self, OnchainError, OnchainProof},
    solidity::calldata,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    onchain: Option<OnchainReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    costs: Vec<TableReport>,
}

/// What a proof for contracts says of itself; none of it is verified.
#[derive(Serialize)]
struct OnchainReport {
    /// First bytes of the digest of its verifier.
    selector: String,
    statement: StatementReport,
    /// The call of a gateway.
    calldata: String,
}

impl OnchainReport {
    fn read(bytes: &[u8]) -> Result<Self, OnchainError> {
        let OnchainProof { statement, proof } = OnchainProof::from_bytes(bytes)?;
        Ok(Self {
            selector: hex::encode(&proof[..4]),
            statement: (&statement).into(),
            calldata: hex::encode(&calldata(&statement, &proof)),
        })
    }
}

impl fmt::Display for OnchainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "proof         onchain, not verified here; it says:")?;
        self.statement.fmt(f)?;
        writeln!(f, "verifier      {}…", self.selector)?;
        writeln!(f, "calldata      0x{}", self.calldata)
    }
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
    kind: &'static str,
    preset: u32,
    machine: String,
    module_keccak256: String,
    statement: StatementReport,
    input_bytes: u32,
    /// Of each shard, its tables with log2 of their heights.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shards: Vec<BTreeMap<&'static str, usize>>,
    /// The circuits that a compressed proof rests on, from leaves to the last one, whose proof it
    /// is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    circuits: Vec<CircuitReport>,
}

/// A kind of circuit.
#[derive(Serialize)]
struct CircuitReport {
    circuit: &'static str,
    queries: usize,
    log_blowup: usize,
    /// Its tables with log2 of their heights.
    tables: BTreeMap<&'static str, u8>,
    /// Committed base field elements of a proof.
    cells: u64,
}

impl CircuitReport {
    fn new(name: &'static str, preset: Preset, heights: &LogHeights, layer: Layer) -> Self {
        let parameters = preset.layer(layer);
        let tables = compressed::tables().iter().zip(heights);
        Self {
            circuit: name,
            queries: parameters.queries,
            log_blowup: parameters.log_blowup,
            tables: circuit::ChipId::ALL.iter().map(|id| id.name()).zip(*heights).collect(),
            cells: tables.map(|(table, height)| (cells_per_row(table) as u64) << height).sum(),
        }
    }

    fn all(preset: Preset) -> Vec<Self> {
        let circuits = Fixed::of(preset).layers();
        circuits.map(|(name, heights, layer)| Self::new(name, preset, heights, layer)).into()
    }
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
        if let Some(proof) = &self.onchain {
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
        let Self { kind, preset, .. } = self;
        writeln!(f, "proof         {kind}, preset {preset}, not verified here; it says:")?;
        self.statement.fmt(f)?;
        writeln!(f, "module        keccak256 {}", self.module_keccak256)?;
        writeln!(f, "machine       {}", self.machine)?;
        writeln!(f, "input         {} bytes", self.input_bytes)?;
        for (number, shard) in self.shards.iter().enumerate() {
            let tables = shard.iter().map(|(table, height)| format!("{table} 2^{height}"));
            writeln!(f, "shard {number:<7} {}", tables.collect::<Vec<_>>().join(", "))?;
        }
        self.circuits.iter().try_for_each(|circuit| circuit.fmt(f))
    }
}

impl fmt::Display for CircuitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { circuit, queries, log_blowup, tables, cells } = self;
        let tables = tables.iter().map(|(table, height)| format!("{table} 2^{height}"));
        let tables = tables.collect::<Vec<_>>().join(", ");
        writeln!(
            f,
            "{circuit}: {cells} cells, {queries} queries at blowup {}",
            1u32 << log_blowup
        )?;
        writeln!(f, "              {tables}")
    }
}

pub(crate) fn run(args: &InspectArgs) -> Result<(), CliError> {
    let bytes = files::read(&args.file)?;
    let refused =
        |error: &dyn fmt::Display| CliError::Refused(format!("{}: {error}", args.file.display()));
    let mut report = InspectReport {
        bytes: bytes.len(),
        program: None,
        proof: None,
        onchain: None,
        costs: Vec::new(),
    };
    let mut shapes = Vec::new();
    if bytes.starts_with(&MAGIC) {
        let (proof, found) = proof(&bytes).map_err(|error| refused(&error))?;
        (report.proof, shapes) = (Some(proof), found);
    } else if bytes.starts_with(&onchain::MAGIC) {
        report.onchain = Some(OnchainReport::read(&bytes).map_err(|error| refused(&error))?);
    } else {
        report.program = Some(program(&args.file, &bytes, args.entry.as_deref())?);
    }
    if args.costs {
        let cost = |chip: &ChipId| TableReport::new(*chip, &shapes);
        report.costs = ChipId::ALL.iter().map(cost).collect();
    }
    report::print(&report, args.json)
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

/// What a proof of either kind holds, and the shapes of its shards.
fn proof(bytes: &[u8]) -> Result<(ProofReport, Vec<Shape>), VerifyError> {
    let (head, shapes, circuits) = match peek(bytes)?.kind {
        Kind::Shards => {
            let contents = shards::contents(bytes)?;
            (contents.head, contents.shapes, Vec::new())
        }
        Kind::Compressed => {
            let (head, Compressed { .. }) = compressed::contents(bytes)?;
            let circuits = CircuitReport::all(head.key.preset);
            (head, Vec::new(), circuits)
        }
    };
    let Head { kind, key, statement, run } = &head;
    let tables = |shape: &Shape| shape.tables().map(|(chip, h)| (chip.name(), h)).collect();
    let report = ProofReport {
        kind: kind.name(),
        preset: key.preset.bits(),
        machine: hex::encode(&key.machine),
        module_keccak256: hex::encode(&key.module),
        statement: statement.into(),
        input_bytes: run.input_bytes,
        shards: shapes.iter().map(tables).collect(),
        circuits,
    };
    Ok((report, shapes))
}
