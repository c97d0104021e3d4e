//! A configuration: taken or refused in words with the documented exit code, whatever is in it.

#![no_main]

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use llm_prof::cli::{Streams, run};
use tempfile::TempDir;

/// The file, rewritten each time.
fn file() -> PathBuf {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder")).path().join("llm-prof.toml")
}

fuzz_target!(|bytes: &[u8]| {
    let path = file();
    std::fs::write(&path, bytes).expect("room");
    let config = path.as_os_str().to_owned();
    for rest in [&["--show-config"][..], &["triage", "no-such.json"], &["compare", "no-such.json", "no-such.json"]] {
        let args = [OsString::from("llm-prof"), "--config".into(), config.clone()];
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code =
            run(args.into_iter().chain(rest.iter().map(OsString::from)), &mut Streams::buffers(&mut out, &mut err));
        assert!([0, 2, 3].contains(&code), "exit {code}: {}", String::from_utf8_lossy(&err));
        assert!(code == 0 || !err.is_empty(), "exit {code} without a word");
    }
});
