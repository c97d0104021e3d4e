//! Profilers of servers that this process has started: whoever ends the process stops them.
//!
//! A profiler's lock is held while its start or its stop is under way, so a signal waits for the answer and then knows
//! what is so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::http::{Answer, Broken, Client};

/// How a profiler is stopped.
#[derive(Clone)]
pub(super) struct Stopper {
    pub(super) client: Client,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    pub(super) longest: Duration,
}

impl Stopper {
    /// Sends the stop and waits for its answer.
    pub(super) fn send(&self) -> Result<Answer, Broken> {
        self.client.post(&self.path, self.body.as_ref(), self.longest)
    }

    /// The same as a line for a shell.
    pub(super) fn curl(&self) -> String {
        self.client.curl(&self.path, self.body.as_ref())
    }
}

/// A profiler that may run, and how it is stopped; none once somebody has.
struct Slot {
    stopper: Mutex<Option<Stopper>>,
    line: String,
}

/// Passed by every start; shut for good when the process is about to end.
static GATE: Mutex<()> = Mutex::new(());
static ALL: Mutex<Vec<Arc<Slot>>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A profiler that may run; when this goes away, it is stopped.
pub(super) struct Armed(Arc<Slot>);

impl Armed {
    /// Starts a profiler; none when `start` says that it does not run.
    pub(super) fn start<T>(stopper: Stopper, start: impl FnOnce() -> (T, bool)) -> (T, Option<Self>) {
        let slot = Arc::new(Slot { line: stopper.curl(), stopper: Mutex::new(Some(stopper)) });
        let armed = Self(Arc::clone(&slot));
        let mut stopper = lock(&slot.stopper);
        {
            let _gate = lock(&GATE);
            lock(&ALL).push(Arc::clone(&slot));
        }
        let (result, runs) = start();
        if !runs {
            *stopper = None;
        }
        drop(stopper);
        (result, runs.then_some(armed))
    }

    /// Stops it; none when a signal has done so already.
    pub(super) fn stop(self) -> Option<Result<Answer, Broken>> {
        self.0.stop()
    }
}

impl Slot {
    fn stop(&self) -> Option<Result<Answer, Broken>> {
        let mut stopper = lock(&self.stopper);
        Some(stopper.take()?.send())
    }
}

impl Drop for Armed {
    /// After an answer there is nothing left to do; after a panic, or on a way out that nobody thought of, it is stopped.
    fn drop(&mut self) {
        // What it answers changes nothing any more.
        let _ = self.0.stop();
        lock(&ALL).retain(|slot| !Arc::ptr_eq(slot, &self.0));
    }
}

/// The line that stops the profiler of a server by hand, while one may run.
pub fn line() -> Option<String> {
    lock(&ALL).first().map(|slot| slot.line.clone())
}

/// Stops the profilers that may run and keeps any other from being started; the process must end while the second part
/// lives. The first part: what is to be said of one that may still run.
pub fn stop_for_good() -> (Option<String>, impl Sized) {
    let gate = lock(&GATE);
    let slots = lock(&ALL).clone();
    let failed = slots.iter().find_map(|slot| match slot.stop()? {
        Ok(answer) if answer.status < 400 => None,
        Ok(answer) => Some(format!("the stop was answered with HTTP {}; by hand: {}", answer.status, slot.line)),
        Err(broken) => Some(format!("{}; by hand: {}", broken.reason, slot.line)),
    });
    (failed, gate)
}
