//! `rwprove security`: the provable bits of the largest shard, term by term.

use std::fmt;

use rwprove_verifier::{Preset, machine::largest_security, security::Bound};
use serde::Serialize;

use crate::{args::SecurityArgs, commands::preset, error::CliError, report};

/// All presets that were asked for.
#[derive(Serialize)]
struct SecurityReport {
    presets: Vec<PresetReport>,
}

#[derive(Serialize)]
struct PresetReport {
    preset: u32,
    /// Bits of the better regime.
    bits: f64,
    /// Name of the better regime.
    regime: &'static str,
    queries: usize,
    log_blowup: usize,
    regimes: Vec<RegimeReport>,
}

#[derive(Serialize)]
struct RegimeReport {
    regime: &'static str,
    bits: f64,
    terms: Vec<TermReport>,
}

#[derive(Serialize)]
struct TermReport {
    term: &'static str,
    bits: f64,
}

impl From<&Bound> for RegimeReport {
    fn from(bound: &Bound) -> Self {
        let terms = bound.terms.iter().map(|&(term, bits)| TermReport { term, bits });
        Self { regime: bound.regime, bits: bound.bits(), terms: terms.collect() }
    }
}

impl PresetReport {
    fn new(preset: Preset) -> Self {
        let security = largest_security(preset);
        let (best, parameters) = (security.best(), preset.parameters());
        let regimes = [Some(&security.unique), security.johnson.as_ref()];
        Self {
            preset: preset.bits(),
            bits: best.bits(),
            regime: best.regime,
            queries: parameters.queries,
            log_blowup: parameters.log_blowup,
            regimes: regimes.into_iter().flatten().map(RegimeReport::from).collect(),
        }
    }
}

impl fmt::Display for SecurityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for preset in &self.presets {
            let PresetReport { preset, bits, regime, queries, log_blowup, regimes } = preset;
            writeln!(f, "preset {preset}: {bits:.1} provable bits ({regime})")?;
            writeln!(f, "  {queries} queries at blowup {}", 1u32 << log_blowup)?;
            for regime in regimes {
                writeln!(f, "  {}: {:.1} bits", regime.regime, regime.bits)?;
                for term in &regime.terms {
                    writeln!(f, "    {:7.1}  {}", term.bits, term.term)?;
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn run(args: &SecurityArgs) -> Result<(), CliError> {
    let asked = args.preset.map(preset);
    let presets = Preset::ALL.into_iter().filter(|preset| asked.is_none_or(|p| p == *preset));
    report::print(&SecurityReport { presets: presets.map(PresetReport::new).collect() }, args.json)
}
