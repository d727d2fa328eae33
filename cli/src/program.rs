//! From program and input files to what the libraries take.

use std::path::Path;

use rwprove_executor::{Input, instantiate};
use rwprove_isa::{
    Program,
    front::{self, Preset},
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
    /// Reads, checks, lowers and instantiates a module.
    pub(crate) fn read(path: &Path, entry: Option<&str>) -> Result<Self, CliError> {
        Self::from_bytes(path, &files::read(path)?, entry)
    }

    /// The same for a file that was read already.
    pub(crate) fn from_bytes(
        path: &Path,
        bytes: &[u8],
        entry: Option<&str>,
    ) -> Result<Self, CliError> {
        let refused = |error: &dyn std::error::Error| {
            CliError::Refused(format!("{}: {error}", path.display()))
        };
        let preset = entry.map_or(Preset::Contract, |name| Preset::Entry { name: name.into() });
        let module = front::load(bytes, &preset).map_err(|error| refused(&error))?;
        let lowered = front::lower(&module).map_err(|error| refused(&error))?;
        let program =
            instantiate(&lowered.program, lowered.init).map_err(|error| refused(&error))?;
        Ok(Self { program, entry: module.entry })
    }

    /// The program that the options name.
    pub(crate) fn from_args(args: &ProgramArgs) -> Result<Self, CliError> {
        Self::read(&args.program, args.entry.as_deref())
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
