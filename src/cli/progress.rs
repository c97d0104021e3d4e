//! A bar on the terminal while traces are read: bytes, rate, time left. It shows when that takes longer than a moment.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::Terminal;
use super::streams::Streams;
use crate::plain;

/// Nothing is shown of what takes less.
const MOMENT: Duration = Duration::from_millis(500);
/// Between two looks at the counter.
const TICK: Duration = Duration::from_millis(100);

/// Whether there is a bar on the terminal.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// A bar that goes away when this does.
pub(super) struct Progress {
    bar: ProgressBar,
    ticker: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Follows `taken`, the bytes read so far, on the way to the size of all `files`.
    pub(super) fn follow<'p>(
        files: impl Iterator<Item = &'p Path>,
        taken: &Arc<AtomicU64>,
        terminal: &Terminal,
        streams: &Streams,
    ) -> Self {
        let dumb = streams.env.get("TERM").is_some_and(|term| term == "dumb");
        let wanted = streams.err_is_terminal && !dumb && !terminal.no_progress && !terminal.quiet;
        let bar = bar(total(files), ProgressDrawTarget::hidden());
        let ticker = wanted.then(|| tick(bar.clone(), Arc::clone(taken), ProgressDrawTarget::stderr));
        Self { bar, ticker }
    }

    /// Says more at the end of the line.
    pub(super) fn note(&self, text: String) {
        self.bar.set_message(text);
    }

    /// Clears the line while something is written to the terminal.
    pub(super) fn pause<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, ticker)) = self.ticker.take() {
            drop(stop);
            // A ticker that panicked has said so.
            let _ = ticker.join();
        }
    }
}

/// Clears what a bar has left of a line; for a process that ends at once.
#[cfg(unix)]
pub(super) fn clear_line() {
    if SHOWN.load(Ordering::Relaxed) {
        let _ = write!(std::io::stderr(), "\r\u{1b}[K");
    }
}

/// One line on the terminal that the next one replaces.
pub(super) struct Line {
    wanted: bool,
}

impl Line {
    /// Shows nothing unless `wanted`.
    pub(super) fn new(wanted: bool) -> Self {
        Self { wanted }
    }

    pub(super) fn show(&mut self, text: &str, err: &mut dyn Write) -> std::io::Result<()> {
        if !self.wanted {
            return Ok(());
        }
        SHOWN.store(true, Ordering::Relaxed);
        write!(err, "\r\u{1b}[K{}", plain::clean(text))?;
        err.flush()
    }

    /// Makes room for other lines.
    pub(super) fn clear(&mut self, err: &mut dyn Write) {
        if self.wanted && SHOWN.swap(false, Ordering::Relaxed) {
            // A terminal that does not take it shows one line too many.
            let _ = write!(err, "\r\u{1b}[K");
        }
    }
}

/// Bytes of all files; none when one has no size, as pipes have none.
fn total<'p>(files: impl Iterator<Item = &'p Path>) -> Option<u64> {
    files.map(|path| std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|meta| meta.len())).sum()
}

fn bar(total: Option<u64>, target: ProgressDrawTarget) -> ProgressBar {
    let shape = match total {
        Some(_) => "reading {bar:24} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left{msg}",
        None => "reading {spinner} {bytes}, {bytes_per_sec}{msg}",
    };
    let style = ProgressStyle::with_template(shape).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(total, target).with_style(style)
}

/// Moves the bar until nobody wants it any more.
fn tick(
    bar: ProgressBar,
    taken: Arc<AtomicU64>,
    target: impl Fn() -> ProgressDrawTarget + Send + 'static,
) -> (Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = mpsc::channel();
    let ticker = thread::spawn(move || {
        let mut wait = MOMENT;
        while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            if !SHOWN.swap(true, Ordering::Relaxed) {
                bar.set_draw_target(target());
            }
            let now = taken.load(Ordering::Relaxed);
            if bar.length() == Some(now) {
                bar.set_message("; matching rules");
            }
            bar.set_position(now);
            wait = TICK;
        }
        bar.finish_and_clear();
        SHOWN.store(false, Ordering::Relaxed);
    });
    (stop, ticker)
}

#[cfg(test)]
mod tests {
    use indicatif::{InMemoryTerm, TermLike};

    use super::*;

    #[test]
    fn a_bar_shows_bytes_rate_and_time_left_after_a_moment_and_goes_away() {
        let screen = InMemoryTerm::new(4, 100);
        let taken = Arc::new(AtomicU64::new(512 << 20));
        let on_screen = screen.clone();
        let target = move || ProgressDrawTarget::term_like(Box::new(on_screen.clone()));
        let (stop, ticker) = tick(bar(Some(1 << 30), ProgressDrawTarget::hidden()), taken, target);
        thread::sleep(MOMENT / 2);
        assert_eq!(screen.contents(), "", "quick work shows nothing");
        thread::sleep(MOMENT);
        let shown = screen.contents();
        assert!(shown.contains("512.00 MiB of 1.00 GiB"), "{shown}");
        assert!(shown.contains("/s,") && shown.contains(" left"), "{shown}");
        assert_eq!(screen.width(), 100);
        drop(stop);
        ticker.join().expect("the ticker ends");
        assert_eq!(screen.contents(), "");
    }
}
