//! `rwprove security`: the provable bits of every layer, term by term.

use std::fmt;

use rwprove_verifier::{
    Preset,
    compressed::{Fixed, layout},
    config::Layer,
    machine::largest_security,
    security::{Bound, Security, security},
};
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
    /// Bits of the weakest layer.
    bits: f64,
    layers: Vec<LayerReport>,
}

#[derive(Serialize)]
struct LayerReport {
    layer: &'static str,
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

impl LayerReport {
    fn new(name: &'static str, preset: Preset, layer: Layer, security: &Security) -> Self {
        let (best, parameters) = (security.best(), preset.layer(layer));
        let regimes = [Some(&security.unique), security.johnson.as_ref()];
        Self {
            layer: name,
            bits: best.bits(),
            regime: best.regime,
            queries: parameters.queries,
            log_blowup: parameters.log_blowup,
            regimes: regimes.into_iter().flatten().map(RegimeReport::from).collect(),
        }
    }
}

impl PresetReport {
    fn new(preset: Preset) -> Self {
        let circuits = Fixed::of(preset).layers().map(|(name, heights, layer)| {
            LayerReport::new(name, preset, layer, &security(&layout(heights, preset, layer)))
        });
        let shard =
            LayerReport::new("largest shard", preset, Layer::Shard, &largest_security(preset));
        let layers: Vec<_> = [shard].into_iter().chain(circuits).collect();
        let bits = layers.iter().map(|layer| layer.bits).fold(f64::INFINITY, f64::min);
        Self { preset: preset.bits(), bits, layers }
    }
}

impl fmt::Display for SecurityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for PresetReport { preset, bits, layers } in &self.presets {
            writeln!(f, "preset {preset}: {bits:.1} provable bits")?;
            layers.iter().try_for_each(|layer| layer.fmt(f))?;
        }
        Ok(())
    }
}

impl fmt::Display for LayerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, bits, regime, queries, log_blowup, regimes } = self;
        writeln!(f, "  {layer}: {bits:.1} bits ({regime})")?;
        writeln!(f, "    {queries} queries at blowup {}", 1u32 << log_blowup)?;
        for regime in regimes {
            writeln!(f, "    {}: {:.1} bits", regime.regime, regime.bits)?;
            for term in &regime.terms {
                writeln!(f, "      {:7.1}  {}", term.bits, term.term)?;
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
