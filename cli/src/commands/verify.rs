//! `rwprove verify`: whether a proof holds, and whether it is about what was asked.

use std::{fmt, time::Instant};

use rwprove_isa::{Exit, InputDigest, Statement, keccak256};
use rwprove_verifier::{
    Preset, compressed,
    error::VerifyError,
    head::{Kind, peek},
    shards,
};
use rwprove_wrap::{
    onchain::{self, OnchainProof},
    settlement::PRESET,
};
use serde::Serialize;

use crate::{
    args::VerifyArgs,
    commands::preset,
    error::CliError,
    files, hex,
    program::Loaded,
    report::{self, StatementReport},
};

/// The verdict.
#[derive(Serialize)]
struct VerifyReport {
    accepted: bool,
    /// Why not.
    reason: Option<String>,
    /// The kind of proof, if it was accepted.
    kind: Option<&'static str>,
    /// What was proved; only of an accepted proof.
    #[serde(flatten)]
    statement: Option<StatementReport>,
    shards: Option<u32>,
    seconds: f64,
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A refusal is said once, as the command's error.
        let Some(statement) = &self.statement else { return Ok(()) };
        writeln!(f, "accepted in {:.3} s", self.seconds)?;
        statement.fmt(f)
    }
}

pub(crate) fn run(args: &VerifyArgs) -> Result<(), CliError> {
    let bytes = files::read(&args.proof)?;
    let expectations = Expectations::read(args)?;
    let start = Instant::now();
    let (verdict, refusal) = match verify(args, &bytes, &expectations) {
        Ok(verdict) => (Some(verdict), None),
        Err(CliError::Refused(reason)) => (None, Some(reason)),
        Err(other) => return Err(other),
    };
    let statement = verdict.as_ref().map(|(statement, _)| statement.into());
    let verified = verdict.map(|(_, verified)| verified);
    let kind = verified.as_ref().map(|verified| verified.kind);
    let shards = verified.and_then(|verified| verified.shards);
    let seconds = start.elapsed().as_secs_f64();
    let accepted = refusal.is_none();
    let verdict =
        VerifyReport { accepted, reason: refusal.clone(), kind, statement, shards, seconds };
    report::print(&verdict, args.json)?;
    refusal.map_or(Ok(()), |reason| Err(CliError::Refused(format!("refused: {reason}"))))
}

fn verify(
    args: &VerifyArgs,
    bytes: &[u8],
    expectations: &Expectations,
) -> Result<(Statement, Verified), CliError> {
    if bytes.starts_with(&onchain::MAGIC) {
        let proof = OnchainProof::from_bytes(bytes);
        let proof = proof.map_err(|error| CliError::Refused(error.to_string()))?;
        let vkey = asked(args, PRESET, &proof.statement)?;
        super::onchain::verify::verified(&vkey, &proof, &args.verifier, args.allow_dev_setup)?;
        expectations.check(&proof.statement)?;
        return Ok((proof.statement, Verified { kind: "onchain", shards: None }));
    }
    let refused = |error: VerifyError| CliError::Refused(error.to_string());
    let head = peek(bytes).map_err(refused)?;
    let vkey = asked(args, head.key.preset, &head.statement)?;
    let verified = verified(&vkey, &head.statement, bytes).map_err(refused)?;
    expectations.check(&head.statement)?;
    Ok((head.statement, verified))
}

/// The vkey that the proof must be about.
fn asked(args: &VerifyArgs, found: Preset, statement: &Statement) -> Result<[u8; 32], CliError> {
    Ok(match (args.vkey, &args.program) {
        (Some(vkey), _) => vkey,
        (None, Some(program)) => {
            let wanted = preset(args.preset);
            if found != wanted {
                return Err(CliError::Refused(format!(
                    "the proof has preset {}, expected is {}: say --preset if you want the other",
                    found.bits(),
                    wanted.bits()
                )));
            }
            let fuel = Some(statement.fuel_limit);
            let program = Loaded::read(program, args.entry.as_deref(), fuel)?.program;
            super::vkey::verifying_key(&program, wanted)?.digest()
        }
        (None, None) => {
            return Err(CliError::Usage("say --program or --vkey, what was proved".into()));
        }
    })
}

/// An accepted proof.
pub(crate) struct Verified {
    /// The kind's name.
    kind: &'static str,
    /// Number of shards; only a list of them says.
    shards: Option<u32>,
}

/// Verifies a list of shards, or a compressed proof.
pub(crate) fn verified(
    vkey: &[u8; 32],
    statement: &Statement,
    bytes: &[u8],
) -> Result<Verified, VerifyError> {
    let kind = peek(bytes)?.kind;
    let shards = match kind {
        Kind::Shards => Some(shards::verify(vkey, statement, bytes)?.shards),
        Kind::Compressed => {
            compressed::verify(vkey, statement, bytes)?;
            None
        }
    };
    Ok(Verified { kind: kind.name(), shards })
}

/// What the user wants the statement to say.
struct Expectations {
    exit: Option<Expected>,
    input: Option<[u8; 32]>,
    output: Option<[u8; 32]>,
}

#[derive(Clone, Copy)]
enum Expected {
    Code(i32),
    Trap(rwprove_isa::Trap),
}

impl Expectations {
    fn read(args: &VerifyArgs) -> Result<Self, CliError> {
        let code = args.expect_exit.map(Expected::Code);
        let input = args.expect_input.as_ref().map(|path| files::read(path)).transpose()?;
        Ok(Self {
            exit: code.or(args.expect_trap.map(Expected::Trap)),
            input: input.map(|bytes| keccak256(&bytes)),
            output: args.expect_output.as_ref().map(|bytes| keccak256(&bytes.0)),
        })
    }

    fn check(&self, statement: &Statement) -> Result<(), CliError> {
        let refuse = |text: String| Err(CliError::Refused(text));
        let met = match (self.exit, statement.exit) {
            (None, _) | (Some(Expected::Code(0)), Exit::Ok) => true,
            (Some(Expected::Code(expected)), Exit::Code(code)) => expected == code,
            (Some(Expected::Trap(expected)), Exit::Trap(trap)) => expected == trap,
            _ => false,
        };
        if !met {
            let exit = report::ExitReport::from(statement.exit);
            return refuse(format!("the proof holds, but the run ended otherwise: {exit}"));
        }
        match (self.input, statement.input) {
            (None, _) => {}
            (Some(expected), InputDigest::Public(input)) if expected == input => {}
            (Some(_), InputDigest::Public(input)) => {
                let input = hex::encode(&input);
                return refuse(format!(
                    "the proof holds, but for another input, with keccak256 {input}"
                ));
            }
            (Some(_), InputDigest::Private) => {
                return refuse("the proof holds, but its input is private".into());
            }
        }
        if self.output.is_some_and(|expected| expected != statement.output) {
            let output = hex::encode(&statement.output);
            return refuse(format!(
                "the proof holds, but for another output, with keccak256 {output}"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rwprove_isa::Trap;

    use super::*;

    fn statement(exit: Exit) -> Statement {
        Statement {
            vkey: [0; 32],
            state: 0,
            fuel_limit: u64::MAX,
            input: InputDigest::Public([1; 32]),
            host: [0; 32],
            exit,
            fuel: 0,
            output: [2; 32],
        }
    }

    #[test]
    fn exits_are_told_apart() {
        let accepts = |expected: Expected, exit: Exit| {
            let wanted = Expectations { exit: Some(expected), input: None, output: None };
            wanted.check(&statement(exit)).is_ok()
        };
        let fuel = Trap::OutOfFuel;
        assert!(accepts(Expected::Code(0), Exit::Ok));
        assert!(accepts(Expected::Code(0), Exit::Code(0)));
        assert!(accepts(Expected::Code(-7), Exit::Code(-7)));
        assert!(accepts(Expected::Trap(fuel), Exit::Trap(fuel)));
        assert!(!accepts(Expected::Code(0), Exit::Trap(Trap::UnreachableCodeReached)));
        assert!(!accepts(Expected::Code(1), Exit::Ok));
        assert!(!accepts(Expected::Code(9), Exit::Trap(fuel)));
        assert!(!accepts(Expected::Trap(fuel), Exit::Code(9)));
        assert!(!accepts(Expected::Trap(fuel), Exit::Trap(Trap::BadSignature)));
    }

    #[test]
    fn tapes_are_told_apart() {
        let check = |input, output, private: bool| {
            let mut statement = statement(Exit::Ok);
            if private {
                statement.input = InputDigest::Private;
            }
            Expectations { exit: None, input, output }.check(&statement).is_ok()
        };
        assert!(check(None, None, true));
        assert!(check(Some([1; 32]), Some([2; 32]), false));
        assert!(!check(Some([2; 32]), None, false));
        assert!(!check(Some([1; 32]), None, true));
        assert!(!check(None, Some([1; 32]), false));
    }
}
