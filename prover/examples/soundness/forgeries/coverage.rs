//! The coverage table of the documentation, one line an instruction: how it is written, and how it
//! is read again. A test of the prover reads it as well.

use rwprove_isa::Op;

/// What is known of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) op: Op,
    /// Honest runs that execute it and whose tables were checked and accepted.
    pub(crate) executed: u64,
    /// Tables with rows for it.
    pub(crate) constrained: Vec<String>,
    /// Forgeries of it that were refused, for each of [`KINDS`]; `None` if there is no such
    /// forgery of this instruction.
    pub(crate) forged: Vec<Option<u64>>,
    /// Runs of the catalogue that execute it and are compared with rwasm's machine.
    pub(crate) differential: u64,
}

/// Short names of the kinds of forgeries, in the order of the columns.
pub(crate) const KINDS: [&str; 10] = [
    "result",
    "result everywhere",
    "next pc",
    "frame base",
    "depth",
    "pages",
    "fuel",
    "trap",
    "no trap",
    "out of fuel",
];

const HEAD: &str = "# Coverage by instruction

Made by `scripts/soundness --full` (suite `forgeries`); do not edit. Every instruction of
`isa/src/instr.rs` has a line.

- *executed*: honest runs of the suite that execute it; all their tables were checked and accepted.
- *constrained*: tables that have a row for it. The `program` table (fetch) and, for all memory,
  `merkle` come with every one.
- *forged*: forgeries of this very instruction that were refused, by kind; none was accepted. A dash
  stands where the instruction has nothing to forge.
- *differential*: runs of the catalogue (`fixtures`, warm and cold) that execute it.
  `executor/tests/differential/fixtures.rs` compares each of them with rwasm's own machine. An
  instruction without any is used by no lowered code of the catalogue.

";

/// The text of the documentation.
#[allow(dead_code, reason = "the test reads and writes, the suite only writes")]
pub(crate) fn render(lines: &[Line]) -> String {
    let mut text = HEAD.to_owned();
    text += &format!(
        "| instruction | executed | constrained | {} | differential |\n",
        KINDS.join(" | ")
    );
    text += &format!("| --- | --- | --- | {} | --- |\n", KINDS.map(|_| "---").join(" | "));
    for line in lines {
        let forged = line.forged.iter().map(|n| n.map_or("–".into(), |n| n.to_string()));
        text += &format!(
            "| `{}` | {} | {} | {} | {} |\n",
            line.op.name(),
            line.executed,
            line.constrained.join(", "),
            forged.collect::<Vec<_>>().join(" | "),
            line.differential,
        );
    }
    text
}

/// The lines of such a text.
#[allow(dead_code, reason = "only the test reads")]
pub(crate) fn parse(text: &str) -> Option<Vec<Line>> {
    let rows = text.strip_prefix(HEAD)?.lines().skip(2);
    let line = |row: &str| {
        let cells: Vec<_> = row.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [name, executed, constrained, forged @ .., differential] = cells.as_slice() else {
            return None;
        };
        let op = Op::ALL.iter().find(|op| format!("`{}`", op.name()) == *name)?;
        let number = |cell: &str| match cell {
            "–" => Some(None),
            cell => Some(Some(cell.parse().ok()?)),
        };
        Some(Line {
            op: *op,
            executed: executed.parse().ok()?,
            constrained: constrained.split(", ").map(str::to_owned).collect(),
            forged: forged.iter().map(|cell| number(cell)).collect::<Option<_>>()?,
            differential: differential.parse().ok()?,
        })
    };
    rows.map(line).collect()
}
