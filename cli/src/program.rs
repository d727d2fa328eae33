//! From program and input files to what the libraries take.

use std::path::Path;

use rwprove_executor::{Input, cold, instantiate};
use rwprove_isa::{
    Program,
    front::{self, Preset, exports_function},
    validate::validate,
};

use crate::{
    args::{InputArgs, ProgramArgs},
    error::CliError,
    files,
};

/// A program that is ready to run.
pub(crate) struct Loaded {
    /// The lowered program, instantiated.
    pub(crate) program: Program,
    /// Argument and result slots of a named entry; none for a contract.
    pub(crate) entry: Option<(u32, u32)>,
}

impl Loaded {
    /// Reads, checks, lowers and instantiates a module, and has the lowering validated.
    ///
    /// A fuel limit below what instantiation consumes ends the run inside instantiation; then the
    /// program is the one that instantiates in the run, with a key of its own.
    pub(crate) fn read(
        path: &Path,
        entry: Option<&str>,
        fuel: Option<u64>,
    ) -> Result<Self, CliError> {
        Self::from_bytes(path, &files::read(path)?, entry, fuel)
    }

    /// The same for a file that was read already.
    pub(crate) fn from_bytes(
        path: &Path,
        bytes: &[u8],
        entry: Option<&str>,
        fuel: Option<u64>,
    ) -> Result<Self, CliError> {
        let refused = |error: &dyn std::error::Error| {
            CliError::Refused(format!("{}: {error}", path.display()))
        };
        // rWasm runs nothing, successfully, for a contract without entries: hardly ever meant.
        let contract = || ["main", "deploy"].iter().any(|name| exports_function(bytes, name));
        if entry.is_none() && bytes.starts_with(b"\0asm") && !contract() {
            let path = path.display();
            return Err(CliError::Usage(format!(
                "{path} exports neither main nor deploy: name a function with --entry"
            )));
        }
        let preset = entry.map_or(Preset::Contract, |name| Preset::Entry { name: name.into() });
        let module = front::load(bytes, &preset).map_err(|error| refused(&error))?;
        let lowered = front::lower(&module).map_err(|error| refused(&error))?;
        validate(&module, &lowered).map_err(|error| refused(&error))?;
        let mut program =
            instantiate(&lowered.program, lowered.init).map_err(|error| refused(&error))?;
        if fuel.is_some_and(|limit| limit < program.fuel) {
            program = cold(&lowered.program, lowered.init);
        }
        Ok(Self { program, entry: module.entry })
    }

    /// The program that the options name.
    pub(crate) fn from_args(args: &ProgramArgs, fuel: Option<u64>) -> Result<Self, CliError> {
        Self::read(&args.program, args.entry.as_deref(), fuel)
    }

    /// The input tape: the entry's arguments, then the input file.
    pub(crate) fn input(&self, args: &InputArgs) -> Result<Input, CliError> {
        let (expected, found) = (self.entry.map_or(0, |(slots, _)| slots), args.args.len());
        if u32::try_from(found) != Ok(expected) {
            return Err(CliError::Usage(format!(
                "the entry takes {expected} argument slots, --args has {found} (an i64 is two slots, low half first)"
            )));
        }
        let mut bytes: Vec<u8> = args.args.iter().flat_map(|slot| slot.to_le_bytes()).collect();
        if let Some(path) = &args.input {
            bytes.extend(files::read(path)?);
        }
        Ok(Input { bytes, state: args.state.value(), fuel_limit: args.fuel })
    }

    /// Result slots of the entry.
    pub(crate) fn results(&self) -> u32 {
        self.entry.map_or(0, |(_, results)| results)
    }
}
