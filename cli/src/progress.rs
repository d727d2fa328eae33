//! Progress on the terminal, for those who watch.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// A line that says what is going on; nothing unless stderr is a terminal.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    pub(crate) fn start(doing: &str, quiet: bool) -> Self {
        if quiet || !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        // Plain text without colours, so there is nothing for NO_COLOR to switch off.
        bar.set_style(ProgressStyle::default_spinner());
        bar.set_message(doing.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(Some(bar))
    }

    /// Says what is going on now.
    pub(crate) fn now(&self, doing: String) {
        if let Some(bar) = &self.0 {
            bar.set_message(doing);
        }
    }
}

impl Progress {
    /// Says what should not be overlooked, on stderr even if nobody watches.
    pub(crate) fn warn(&self, what: &str) {
        let say = || {
            // Nobody can be told that stderr is gone.
            let _ = writeln!(io::stderr(), "rwprove: {what}");
        };
        match &self.0 {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
