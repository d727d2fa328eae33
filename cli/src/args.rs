//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Proves and verifies runs of WebAssembly and rWasm programs.
#[derive(Debug, Parser)]
#[command(name = "rwprove", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print results only: no progress, no notes
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a program without proving it
    Execute(ExecuteArgs),
    /// Run a program and check every constraint of every table, without proving
    Check(RunArgs),
    /// Run a program and prove the run
    Prove(ProveArgs),
    /// Verify a proof
    Verify(VerifyArgs),
    /// Make a program's keys: check and lower the module, commit to it, write its key file
    Setup(SetupArgs),
    /// Print the digest of a program's verification key
    Vkey(KeyArgs),
    /// Print the provable security of the proof system, term by term
    Security(SecurityArgs),
    /// Show what is in a program or proof file
    Inspect(InspectArgs),
    /// Make the Groth16 key of proofs for contracts
    SetupOnchain(SetupOnchainArgs),
    /// Write the contracts that verify proofs on chain, and the call that brings a proof
    ExportVerifier(ExportArgs),
    /// Send a proof to a gateway
    Submit(SubmitArgs),
}

/// What is run: a module and its entry.
#[derive(Debug, Args)]
pub(crate) struct ProgramArgs {
    /// Program: a .wasm or .rwasm file
    #[arg(long, value_name = "FILE")]
    pub(crate) program: PathBuf,
    /// Exported function to call; without it the module is a Fluent contract with `main` and
    /// `deploy`
    #[arg(long, value_name = "NAME")]
    pub(crate) entry: Option<String>,
}

/// A program and the preset of its key.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    pub(crate) program: ProgramArgs,
    #[command(flatten)]
    pub(crate) preset: PresetArgs,
    /// Fuel limit of the runs: below what instantiation consumes, a program has another key
    #[arg(long, value_name = "N")]
    pub(crate) fuel: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PresetArgs {
    /// Provable bits of security
    #[arg(long, value_enum, default_value = "100")]
    pub(crate) preset: PresetArg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PresetArg {
    #[value(name = "100")]
    P100,
    #[value(name = "120")]
    P120,
}

/// What a run gets.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Argument slots of the entry, separated by commas: decimal or 0x, an i64 is two slots, low
    /// half first
    #[arg(
        long,
        value_name = "SLOTS",
        requires = "entry",
        value_delimiter = ',',
        value_parser = slot,
        allow_hyphen_values = true
    )]
    pub(crate) args: Vec<u32>,
    /// File that the program reads as its input
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Contract entry to call
    #[arg(long, value_enum, default_value = "main", conflicts_with = "entry")]
    pub(crate) state: StateArg,
    /// Most fuel that the run may consume; no limit without it
    #[arg(long, value_name = "N")]
    pub(crate) fuel: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StateArg {
    Main,
    Deploy,
}

impl StateArg {
    /// Value of the `_state` host call.
    pub(crate) fn value(self) -> u32 {
        match self {
            StateArg::Main => 0,
            StateArg::Deploy => 1,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) program: ProgramArgs,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) preset: PresetArgs,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExecuteArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Give up after this many rows
    #[arg(long, value_name = "N", default_value_t = 1 << 40)]
    pub(crate) max_rows: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ProveArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Kind of proof: `shards` is a list of shard proofs, `compressed` one small proof whatever the
    /// length of the run, `onchain` one that contracts verify
    #[arg(long, value_enum, default_value = "shards")]
    pub(crate) mode: ModeArg,
    /// Where the proof goes
    #[arg(long, value_name = "FILE", default_value = "proof.rwp")]
    pub(crate) out: PathBuf,
    /// Bound on memory, such as 4G or 800M: smaller shards are cut to stay below it
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_memory: Option<u64>,
    /// Keep finished proofs in this directory and continue from those that are there
    #[arg(long, value_name = "DIR")]
    pub(crate) resume: Option<PathBuf>,
    /// Verify the proof before writing it
    #[arg(long)]
    pub(crate) verify: bool,
    /// Leave the input's digest out of the statement
    #[arg(long)]
    pub(crate) private_input: bool,
    #[command(flatten)]
    pub(crate) keys: KeysArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeArg {
    Shards,
    Compressed,
    Onchain,
}

/// Where Groth16 keys are.
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    /// Folder of the Groth16 keys of proofs for contracts; the user's cache without it
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
}

/// Which Groth16 key verifies.
#[derive(Debug, Args)]
pub(crate) struct VerifierArgs {
    /// Verifier of proofs for contracts, as `setup-onchain` writes it; without it the development
    /// one that this program knows, which is insecure
    #[arg(long, value_name = "FILE")]
    pub(crate) verifier: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The proof
    #[arg(value_name = "FILE")]
    pub(crate) proof: PathBuf,
    /// Program that the proof must be about
    #[arg(long, value_name = "FILE", required_unless_present = "vkey", conflicts_with = "vkey")]
    pub(crate) program: Option<PathBuf>,
    /// Entry of that program
    #[arg(long, value_name = "NAME", conflicts_with = "vkey")]
    pub(crate) entry: Option<String>,
    /// Preset that the proof must have
    #[arg(long, value_enum, default_value = "100", conflicts_with = "vkey")]
    pub(crate) preset: PresetArg,
    /// Digest of the verification key that the proof must be about, as `rwprove vkey` prints it
    #[arg(long, value_name = "HEX", value_parser = digest)]
    pub(crate) vkey: Option<[u8; 32]>,
    /// Accept only this exit code; 0 is also a plain return
    #[arg(long, value_name = "CODE", conflicts_with = "expect_trap", allow_hyphen_values = true)]
    pub(crate) expect_exit: Option<i32>,
    /// Accept only this trap, by rwasm's name
    #[arg(long, value_name = "NAME", value_parser = trap)]
    pub(crate) expect_trap: Option<rwprove_isa::Trap>,
    /// Accept only a run that read exactly this file
    #[arg(long, value_name = "FILE")]
    pub(crate) expect_input: Option<PathBuf>,
    /// Accept only a run that wrote exactly these bytes
    #[arg(long, value_name = "HEX", value_parser = Hex::parse)]
    pub(crate) expect_output: Option<Hex>,
    #[command(flatten)]
    pub(crate) verifier: VerifierArgs,
    /// Accept proofs under a Groth16 key from a public seed, which anyone can forge
    #[arg(long)]
    pub(crate) allow_dev_setup: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("source").required(true).multiple(true))]
pub(crate) struct SetupOnchainArgs {
    /// Make a development key from a public seed: insecure, anyone can forge proofs under it
    #[arg(long, group = "source", conflicts_with = "zkey")]
    pub(crate) dev: bool,
    /// Read the key that a ceremony made, see docs/ceremony.md
    #[arg(long, value_name = "FILE", group = "source")]
    pub(crate) zkey: Option<PathBuf>,
    /// Write the circuit for a ceremony
    #[arg(long, value_name = "FILE", group = "source")]
    pub(crate) r1cs: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: KeysArgs,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) verifier: VerifierArgs,
    /// A proof, whose call is written too
    #[arg(long, value_name = "FILE")]
    pub(crate) proof: Option<PathBuf>,
    /// Folder for the contracts
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// The proof
    #[arg(value_name = "FILE")]
    pub(crate) proof: PathBuf,
    /// The node, which signs for its account: http://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub(crate) rpc: String,
    /// Address of the gateway
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) gateway: String,
    /// The node's account that pays; its first one without it
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) from: Option<String>,
    /// Seconds to wait for a block
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub(crate) timeout: u64,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SetupArgs {
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    /// Where the verification key goes
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SecurityArgs {
    /// Only this preset
    #[arg(long, value_enum)]
    pub(crate) preset: Option<PresetArg>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A program (.wasm, .rwasm) or a proof
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Entry of the program
    #[arg(long, value_name = "NAME")]
    pub(crate) entry: Option<String>,
    /// Show what each table costs: cells per row, messages, waste by padding
    #[arg(long)]
    pub(crate) costs: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Bytes written as hex; a type of its own because clap takes a `Vec` for a repeated option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hex(pub(crate) Vec<u8>);

impl Hex {
    fn parse(text: &str) -> Result<Self, String> {
        crate::hex::decode(text).map(Hex).ok_or_else(|| "not an even number of hex digits".into())
    }
}

fn digest(text: &str) -> Result<[u8; 32], String> {
    let bytes = crate::hex::decode(text).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "a digest is 64 hex digits".into())
}

/// An Ethereum address, as nodes write it.
fn address(text: &str) -> Result<String, String> {
    let bytes = text.strip_prefix("0x").and_then(crate::hex::decode);
    match bytes {
        Some(bytes) if bytes.len() == 20 => Ok(text.to_lowercase()),
        _ => Err("an address is 0x and 40 hex digits".into()),
    }
}

/// A 32-bit slot, signed or unsigned.
fn slot(text: &str) -> Result<u32, String> {
    let hex = text.strip_prefix("0x").map(|digits| u32::from_str_radix(digits, 16).ok());
    let value = hex.unwrap_or_else(|| {
        text.parse().ok().or_else(|| text.parse::<i32>().ok().map(|value| value as u32))
    });
    value.ok_or_else(|| "an argument is a number of 32 bits".into())
}

/// A number of bytes with an optional binary unit.
fn size(text: &str) -> Result<u64, String> {
    let text = text.trim_end_matches("iB").trim_end_matches('B');
    let (digits, shift) = match text.chars().last() {
        Some('K' | 'k') => (&text[..text.len() - 1], 10),
        Some('M' | 'm') => (&text[..text.len() - 1], 20),
        Some('G' | 'g') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let value = digits.parse::<u64>().ok().and_then(|value| value.checked_mul(1 << shift));
    value.ok_or_else(|| "a size is a number with K, M or G, such as 4G".into())
}

fn trap(text: &str) -> Result<rwprove_isa::Trap, String> {
    let named = rwprove_isa::Trap::ALL.iter().find(|trap| trap.name().eq_ignore_ascii_case(text));
    named.copied().ok_or_else(|| {
        let names: Vec<_> = rwprove_isa::Trap::ALL.iter().map(|trap| trap.name()).collect();
        format!("traps are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser, error::ErrorKind};

    use super::{Cli, Command, address, size, slot, trap};

    fn parse(line: &str) -> Result<Cli, ErrorKind> {
        Cli::try_parse_from(line.split(' ')).map_err(|error| error.kind())
    }

    #[test]
    fn definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn slots_are_words() {
        assert_eq!(slot("-1"), Ok(u32::MAX));
        assert_eq!(slot("4294967295"), Ok(u32::MAX));
        assert_eq!(slot("0xff"), Ok(255));
        for wrong in ["4294967296", "-2147483649", "x", "", "0x100000000"] {
            assert!(slot(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("4G"), Ok(4 << 30));
        assert_eq!(size("800MiB"), Ok(800 << 20));
        assert_eq!(size("12"), Ok(12));
        for wrong in ["", "G", "4T", "99999999999G", "-1"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn traps_have_names() {
        assert_eq!(trap("outoffuel"), Ok(rwprove_isa::Trap::OutOfFuel));
        assert!(trap("fuel").unwrap_err().contains("OutOfFuel"));
    }

    #[test]
    fn addresses_have_twenty_bytes() {
        assert_eq!(
            address(&format!("0x{}", "aB".repeat(20))),
            Ok(format!("0x{}", "ab".repeat(20)))
        );
        for wrong in ["", "0x", "0xab", &"ab".repeat(20), &format!("0x{}", "zz".repeat(20))] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_comes_from_somewhere() {
        let error = parse("rwprove setup-onchain").unwrap_err();
        assert_eq!(error, ErrorKind::MissingRequiredArgument);
        let error = parse("rwprove setup-onchain --dev --zkey k").unwrap_err();
        assert_eq!(error, ErrorKind::ArgumentConflict);
        assert!(parse("rwprove setup-onchain --dev --r1cs c").is_ok());
    }

    #[test]
    fn args_belong_to_an_entry() {
        let cli = parse("rwprove execute --program p --entry f --args -1,2,0x10").unwrap();
        let Command::Execute(args) = cli.command else { panic!("{cli:?}") };
        assert_eq!(args.run.input.args, [u32::MAX, 2, 16]);
        let error = parse("rwprove execute --program p --args 1").unwrap_err();
        assert_eq!(error, ErrorKind::MissingRequiredArgument);
        let error = parse("rwprove execute --program p --entry f --state main").unwrap_err();
        assert_eq!(error, ErrorKind::ArgumentConflict);
    }

    #[test]
    fn verify_needs_to_know_what_was_proved() {
        let error = parse("rwprove verify proof").unwrap_err();
        assert_eq!(error, ErrorKind::MissingRequiredArgument);
        let vkey = "ab".repeat(32);
        assert!(parse(&format!("rwprove verify proof --vkey {vkey}")).is_ok());
        let error = parse(&format!("rwprove verify proof --vkey {vkey} --program p")).unwrap_err();
        assert_eq!(error, ErrorKind::ArgumentConflict);
        assert!(parse("rwprove verify proof --vkey abab").is_err());
        let line = "rwprove verify proof --program p --expect-exit 0 --expect-trap OutOfFuel";
        assert_eq!(parse(line).unwrap_err(), ErrorKind::ArgumentConflict);
        assert!(parse("rwprove verify proof --program p --expect-exit -7").is_ok());
    }
}
