//! What a long run is doing: on standard error, only on a terminal, only after a second.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::analyzer::Stage;

/// Runs up to this long say nothing.
const PATIENCE: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_millis(250);

/// Shows the stage of a run until it is dropped.
pub(super) struct Progress {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    /// The stage; `None` when the run is over.
    stage: Mutex<Option<Stage>>,
    changed: Condvar,
}

impl Progress {
    /// Begins, unless it is not wanted or nobody looks.
    pub(super) fn start(wanted: bool) -> Self {
        let shared = Arc::new(Shared { stage: Mutex::new(Some(Stage::Reading)), changed: Condvar::new() });
        let thread = (wanted && std::io::stderr().is_terminal()).then(|| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.run())
        });
        Self { shared, thread }
    }

    /// Tells the stage.
    pub(super) fn show(&self, stage: Stage) {
        *self.shared.stage.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        *self.shared.stage.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A display that failed is no reason to fail.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self) {
        let begin = Instant::now();
        let mut wait = PATIENCE;
        let mut shown = false;
        loop {
            let guard = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
            let (guard, _) = self
                .changed
                .wait_timeout_while(guard, wait, |stage| stage.is_some())
                .unwrap_or_else(PoisonError::into_inner);
            let Some(stage) = *guard else { break };
            drop(guard);
            wait = INTERVAL;
            shown = true;
            let what = match stage {
                Stage::Reading => "Reading",
                Stage::Evaluating => "Evaluating",
                Stage::Modelling => "Modelling",
                Stage::Checking => "Checking",
            };
            let _ = write!(std::io::stderr(), "\r\u{1b}[2K{what} … {} s", begin.elapsed().as_secs());
        }
        if shown {
            let _ = write!(std::io::stderr(), "\r\u{1b}[2K");
        }
    }
}
