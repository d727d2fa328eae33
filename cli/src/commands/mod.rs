//! One file for each command.

mod check;
mod execute;
mod inspect;
mod onchain;
mod prove;
mod security;
mod setup;
mod verify;
mod vkey;

use rwprove_verifier::Preset;

use crate::{
    args::{Cli, Command, PresetArg},
    error::CliError,
};

/// Runs the command.
pub(crate) fn run(cli: &Cli) -> Result<(), CliError> {
    match &cli.command {
        Command::Execute(args) => execute::run(args, cli.quiet),
        Command::Check(args) => check::run(args, cli.quiet),
        Command::Prove(args) => prove::run(args, cli.quiet),
        Command::Verify(args) => verify::run(args),
        Command::Setup(args) => setup::run(args, cli.quiet),
        Command::Vkey(args) => vkey::run(args),
        Command::Security(args) => security::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::SetupOnchain(args) => onchain::setup::run(args, cli.quiet),
        Command::ExportVerifier(args) => onchain::export::run(args),
        Command::Submit(args) => onchain::submit::run(args, cli.quiet),
    }
}

fn preset(arg: PresetArg) -> Preset {
    match arg {
        PresetArg::P100 => Preset::P100,
        PresetArg::P120 => Preset::P120,
    }
}
