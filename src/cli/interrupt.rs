//! Ctrl-C and SIGTERM: the process ends with the code that a shell expects, and leaves no half file, no profiler
//! running that it started and no server that it launched.

use std::io::Write;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{output, progress};
use crate::{capture, plain};

/// Listens from now on.
pub(super) fn watch() {
    // Without a listener the system ends the process; then only a half-written file may stay behind.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    thread::spawn(move || {
        let mut signals = signals.forever();
        let Some(signal) = signals.next() else { return };
        // The first signal asks, the second one insists.
        let waits = thread::spawn(move || stop_profiler_and_end(signal));
        if signals.next().is_some() {
            if let Some(line) = capture::line() {
                say(&format!("the profiler may still be running; stop it by hand: {line}"));
            }
            capture::kill_launched();
            end(signal);
        }
        // It ends the process.
        let _ = waits.join();
    });
}

fn stop_profiler_and_end(signal: i32) {
    if capture::line().is_some() {
        say("stopping the server's profiler and waiting for its answer; once more to wait no longer");
    }
    let (failed, _no_other) = capture::stop_for_good();
    if let Some(how) = failed {
        say(&format!("the profiler may still be running: {how}"));
    }
    let _no_server = capture::end_launched();
    end(signal);
}

fn end(signal: i32) -> ! {
    let _guard = output::discard_unfinished();
    progress::clear_line();
    std::process::exit(128 + signal);
}

fn say(text: &str) {
    progress::clear_line();
    // When not even stderr takes it, the exit code still tells.
    let _ = writeln!(std::io::stderr(), "{}", plain::clean(text));
}
