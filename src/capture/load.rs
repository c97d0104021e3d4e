//! Requests at work: one after another, or several at once whose output is followed token by token and cut off.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::http::Client;
use super::server::reason;
use super::work::Usage;
use crate::rules::schema::servers::{Servers, Work};

/// Where requests go.
#[derive(Clone)]
pub(super) struct Target<'r> {
    pub(super) client: Client,
    pub(super) work: &'r Work,
    pub(super) servers: &'r Servers,
    /// Longest wait for an answer, or for the next token.
    pub(super) longest: Duration,
}

impl Target<'_> {
    /// One request, to its end; the error is in words.
    pub(super) fn send(&self, body: &Value) -> Result<Usage, String> {
        let answer = self.client.post(&self.work.post, Some(body), self.longest).map_err(|broken| broken.reason)?;
        if answer.status != 200 {
            return Err(format!("HTTP {}: {}", answer.status, reason(&answer, self.servers)));
        }
        Ok(answer.json().map_or_else(Usage::default, |json| Usage::of(&json, self.work)))
    }

    /// Requests that run at once, each in a thread.
    pub(super) fn stream(&self, bodies: Vec<Value>) -> Streams {
        let shared = Arc::new(Shared {
            all: Mutex::new(vec![Stream::default(); bodies.len()]),
            changed: Condvar::new(),
            cut: AtomicBool::new(false),
        });
        for (n, body) in bodies.into_iter().enumerate() {
            let (shared, client, work) = (Arc::clone(&shared), self.client.clone(), self.work.clone());
            let (servers, longest) = (self.servers.clone(), self.longest);
            thread::spawn(move || {
                // Also when it panics: nobody waits for a thread that is gone.
                let end = Ending { shared: &shared, n };
                let outcome = follow(&client, &work, &servers, &body, longest, |usage| shared.take(n, usage));
                end.with(outcome);
            });
        }
        Streams { shared, leave: self.servers.common.waits.leave() }
    }
}

/// Reads one streamed answer; `take` hears of each event and says whether to go on.
fn follow(
    client: &Client,
    work: &Work,
    servers: &Servers,
    body: &Value,
    longest: Duration,
    take: impl Fn(Usage) -> bool,
) -> Result<(), String> {
    let events = match client.stream(&work.post, body, longest).map_err(|broken| broken.reason)? {
        Ok(events) => events,
        Err(answer) => return Err(format!("HTTP {}: {}", answer.status, reason(&answer, servers))),
    };
    for event in events {
        let event = event.map_err(|broken| broken.reason)?;
        if let Some(error) = event.pointer("/error").filter(|error| !error.is_null()) {
            return Err(error.to_string());
        }
        if !take(Usage::of(&event, work)) {
            break;
        }
    }
    Ok(())
}

/// One request so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stream {
    /// Tokens that came out.
    pub(super) tokens: u64,
    /// Tokens that went in, when the server has said so.
    pub(super) tokens_in: Option<u64>,
    /// Its end, when there was one.
    pub(super) ended: Option<Result<(), String>>,
}

struct Shared {
    all: Mutex<Vec<Stream>>,
    changed: Condvar,
    cut: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Stream>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, n: usize, usage: Usage) -> bool {
        let mut all = self.lock();
        let stream = &mut all[n];
        // Servers that do not count send an event a token.
        stream.tokens = usage.tokens_out.unwrap_or(stream.tokens.saturating_add(1)).max(stream.tokens);
        stream.tokens_in = usage.tokens_in.or(stream.tokens_in);
        self.changed.notify_all();
        !self.cut.load(Ordering::Relaxed)
    }
}

struct Ending<'s> {
    shared: &'s Shared,
    n: usize,
}

impl Ending<'_> {
    fn with(self, outcome: Result<(), String>) {
        self.shared.lock()[self.n].ended = Some(outcome);
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut all = self.shared.lock();
        all[self.n].ended.get_or_insert_with(|| Err("its thread ended early".to_owned()));
        self.shared.changed.notify_all();
    }
}

/// Requests that run at once; cut off when this goes away.
pub(super) struct Streams {
    shared: Arc<Shared>,
    /// Longest wait for threads whose output is cut off; one that hears nothing ends with the process.
    leave: Duration,
}

impl Streams {
    /// All requests as they stand.
    pub(super) fn now(&self) -> Vec<Stream> {
        self.shared.lock().clone()
    }

    /// Lets each request end with its next token.
    pub(super) fn cut(&self) {
        self.shared.cut.store(true, Ordering::Relaxed);
    }

    /// Waits until `done`, which also hears how long no token came; false when `longest` is over.
    pub(super) fn wait(&self, longest: Duration, done: impl Fn(&[Stream], Duration) -> bool) -> bool {
        const LOOK: Duration = Duration::from_millis(100);
        let begin = Instant::now();
        let mut all = self.shared.lock();
        let tokens = |all: &[Stream]| all.iter().map(|stream| stream.tokens).sum::<u64>();
        let (mut last, mut since) = (tokens(&all), Instant::now());
        loop {
            if tokens(&all) != last {
                (last, since) = (tokens(&all), Instant::now());
            }
            if done(&all, since.elapsed()) {
                return true;
            }
            let left = longest.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return false;
            }
            all = self.shared.changed.wait_timeout(all, left.min(LOOK)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.cut();
        self.wait(self.leave, |all, _| all.iter().all(|stream| stream.ended.is_some()));
    }
}
