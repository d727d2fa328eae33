//! A subscriber of `tracing` that adds up time by phase.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};

use crate::Phase;

/// Adds up how long each [`Phase`] took, spans inside of spans not counted twice.
///
/// All spans of the process are taken for one sequence, so the prover must have one thread (the
/// executor, which has no spans, may have its own).
#[derive(Clone, Debug, Default)]
pub struct Spans(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Names of spans; a span's id is the place of its name, plus 1.
    names: Vec<&'static str>,
    /// The phases that are open, and since when the last one is.
    open: Vec<Phase>,
    since: Option<Instant>,
    sums: [Duration; Phase::ALL.len()],
}

impl State {
    /// The time up to now goes to the phase that is open, if one is; `then` is the span that
    /// begins, if one does.
    fn pass(&mut self, then: &str) {
        let now = Instant::now();
        if let (Some(&phase), Some(since)) = (self.open.last(), self.since) {
            self.sums[Phase::before(then, phase) as usize] += now - since;
        }
        self.since = Some(now);
    }
}

impl Spans {
    /// Listens to all spans of the process from now on.
    ///
    /// # Errors
    /// If something listens already.
    pub fn install() -> Result<Self, tracing::subscriber::SetGlobalDefaultError> {
        let spans = Self::default();
        tracing::subscriber::set_global_default(spans.clone())?;
        Ok(spans)
    }

    /// A shard begins.
    pub fn begin(&self) {
        let mut state = self.state();
        state.pass("");
        state.open.push(Phase::Fill);
    }

    /// A shard ends.
    pub fn end(&self) {
        let mut state = self.state();
        state.pass("");
        state.open.pop();
    }

    /// The time of each phase since this was last asked.
    pub fn take(&self) -> [(Phase, Duration); Phase::ALL.len()] {
        let sums = std::mem::take(&mut self.state().sums);
        Phase::ALL.map(|phase| (phase, sums[phase as usize]))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span()
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let name = attributes.metadata().name();
        let names = &mut self.state().names;
        let place = names.iter().position(|found| *found == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        Id::from_u64(place as u64 + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, span: &Id) {
        let mut state = self.state();
        let name = state.names.get(span.into_u64() as usize - 1).copied().unwrap_or_default();
        state.pass(name);
        let inside = state.open.last().copied().unwrap_or(Phase::Rest);
        state.open.push(Phase::of(name, inside));
    }

    fn exit(&self, _: &Id) {
        let mut state = self.state();
        state.pass("");
        state.open.pop();
    }
}
