//! One attempt after the other, each watched: what was accepted, what panicked, what took long,
//! and how much memory all of them together made the process use.

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use crate::score::Score;

/// What an attempt may take beyond twice the honest time.
const SLACK: Duration = Duration::from_millis(50);
/// What attempts may use beyond the honest peak.
const SPARE_KIB: u64 = 128 << 10;

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Not taken for the original.
    Refused,
    /// Taken for the original.
    Accepted,
}

impl Outcome {
    pub(crate) fn accepted(accepted: bool) -> Self {
        if accepted { Outcome::Accepted } else { Outcome::Refused }
    }
}

/// The counts of attempts on one kind of bytes.
#[derive(Default)]
pub(crate) struct Trials {
    honest: Duration,
    slowest: Duration,
    tried: BTreeMap<&'static str, u64>,
    accepted: u64,
    panics: u64,
    slow: u64,
    failures: Vec<String>,
}

impl Trials {
    /// Attempts of which the honest one, which must be accepted, takes as long as measured here.
    pub(crate) fn new(mut honest: impl FnMut() -> Outcome) -> Self {
        let longest = (0..3).map(|_| {
            let (outcome, time) = timed(&mut honest);
            assert_eq!(outcome, Outcome::Accepted, "the honest bytes are accepted");
            time
        });
        Self { honest: longest.max().unwrap_or_default(), ..Self::default() }
    }

    /// The same limits, nothing tried yet.
    pub(crate) fn fresh(&self) -> Self {
        Self { honest: self.honest, ..Self::default() }
    }

    /// Tries changed bytes; `part` says which part of them is changed.
    pub(crate) fn attempt(
        &mut self,
        part: &'static str,
        what: impl FnOnce() -> String,
        run: impl FnOnce() -> Outcome,
    ) {
        *self.tried.entry(part).or_default() += 1;
        let (result, time) = timed(|| catch_unwind(AssertUnwindSafe(run)));
        self.slowest = self.slowest.max(time);
        let wrong = match result {
            Err(_) => {
                self.panics += 1;
                "panics"
            }
            Ok(Outcome::Accepted) => {
                self.accepted += 1;
                "is accepted"
            }
            Ok(Outcome::Refused) if time > 2 * self.honest + SLACK => {
                self.slow += 1;
                "takes too long"
            }
            Ok(Outcome::Refused) => return,
        };
        self.failures.push(format!("{part}: {} {wrong} ({time:?})", what()));
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.slowest = self.slowest.max(other.slowest);
        for (part, tried) in other.tried {
            *self.tried.entry(part).or_default() += tried;
        }
        self.accepted += other.accepted;
        self.panics += other.panics;
        self.slow += other.slow;
        self.failures.extend(other.failures);
    }

    /// Adds the counts to a suite's score, under the name of this kind of bytes.
    pub(crate) fn score(self, name: &'static str, score: &mut Score) {
        let tried: u64 = self.tried.values().sum();
        score.add("tried", tried);
        score.add("accepted", self.accepted);
        score.add("panics", self.panics);
        score.add("slow", self.slow);
        score.add(name, tried);
        let parts: Vec<_> = self.tried.iter().map(|(part, n)| format!("{part} {n}")).collect();
        score.notes.push(format!(
            "{name}: honest {:.1} ms, slowest {:.1} ms ({})",
            self.honest.as_secs_f64() * 1e3,
            self.slowest.as_secs_f64() * 1e3,
            parts.join(", "),
        ));
        score.failures.extend(self.failures.into_iter().map(|f| format!("{name}: {f}")));
    }
}

/// The time that this thread worked: the machine may be shared. Without Linux's account of it, the
/// time that passed.
fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let worked = || {
        let account = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        account.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    };
    let (before, start) = (worked(), Instant::now());
    let result = run();
    let passed = start.elapsed();
    let time = worked().zip(before).map_or(passed, |(after, before)| after.saturating_sub(before));
    (result, time)
}

/// The most memory that the process had since this was made.
pub(crate) struct Peak(Option<u64>);

impl Peak {
    /// Starts after honest work has been done, with the peak of that.
    pub(crate) fn after(honest: impl FnOnce()) -> Self {
        // Linux forgets the peak so far.
        let forgotten = fs::write("/proc/self/clear_refs", "5").is_ok();
        honest();
        Self(peak_kib().filter(|_| forgotten))
    }

    /// Compares with the peak now.
    pub(crate) fn score(self, name: &str, score: &mut Score) {
        let (Some(honest), Some(now)) = (self.0, peak_kib()) else {
            score.notes.push(format!("{name}: memory is not measured on this system"));
            return;
        };
        score.notes.push(format!("{name}: peak {} MiB, honest {} MiB", now >> 10, honest >> 10));
        if now > honest + SPARE_KIB {
            score.failures.push(format!("{name}: memory grew from {honest} to {now} KiB"));
        }
    }
}

fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
