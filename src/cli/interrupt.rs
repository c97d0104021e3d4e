//! Ctrl-C and SIGTERM: the process ends at once, with the code that a shell expects, and leaves no half file.

use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{output, progress};

/// Listens from now on.
pub(super) fn watch() {
    // Without a listener the system ends the process; then only a half-written file may stay behind.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let _guard = output::discard_unfinished();
            progress::clear_line();
            std::process::exit(128 + signal);
        }
    });
}
