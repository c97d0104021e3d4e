//! Runs the binary; shared by the integration tests.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a run left behind.
pub(crate) struct Done {
    /// Exit code; -1 when a signal ended it.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Done {
    /// The report, read back.
    pub(crate) fn report(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err))
    }
}

/// Runs `llm-prof` in the root of the repository, untouched by what the caller's shell has set.
pub(crate) fn llm_prof<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Done {
    let done = Command::new(env!("CARGO_BIN_EXE_llm-prof"))
        .args(args)
        .current_dir(root())
        .env_remove("RUST_BACKTRACE")
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary starts");
    Done {
        code: done.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&done.stdout).into_owned(),
        err: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

/// `triage --format json` of one path.
pub(crate) fn triage(path: &Path) -> Done {
    llm_prof(&["triage".as_ref(), "--format".as_ref(), "json".as_ref(), path.as_os_str()])
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}
