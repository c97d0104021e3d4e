//! Sizes that nobody meant: bounded time and memory, clear words. The full sizes are in `tests/bench/hostile.rs`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

mod common;
#[path = "common/sizes.rs"]
mod sizes;

use sizes::Many;

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("the target folder is writable");
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).expect("memory is enough");
    out.finish().expect("memory is enough")
}

/// A hundredth and a tenth of a small form: ten times as much may take some thirty times as long on a busy machine, and
/// what grows with the square a hundred times.
#[test]
fn ten_times_as_much_takes_about_ten_times_as_long() {
    for (many, full) in Many::ALL {
        let took = [full / 1000, full / 100].map(|n| {
            let mut text = Vec::new();
            sizes::write(many, n, &mut text).expect("memory takes it");
            let path = file(&format!("hostile-{many:?}-{n}.json"), &text);
            let begin = Instant::now();
            let done = common::triage(&path);
            assert_eq!(done.code, 0, "{many:?} {n}: {}", done.err);
            assert_eq!(done.report()["gpu"]["launches"], many.launches(n), "{many:?} {n}");
            begin.elapsed()
        });
        // Below a second there is nothing to compare but the start of the program.
        assert!(took[1] < took[0].max(Duration::from_secs(1)) * 40, "{many:?}: {took:?}");
    }
}

#[test]
fn a_bomb_stops_with_the_flag_that_lets_it_through() {
    let bomb = [gzip(b"{\"traceEvents\": ["), gzip(&vec![b' '; 64 << 20]), gzip(b"]}")].concat();
    let path = file("hostile-bomb.json.gz", &bomb);
    let path = path.to_str().expect("UTF-8");
    let stopped = common::llm_prof(&["triage", "--max-bytes", "8M", path]);
    assert_eq!(stopped.code, 3, "{}", stopped.err);
    for words in ["hostile-bomb.json.gz", "the limit is 8388608", "--max-bytes 0"] {
        assert!(stopped.err.contains(words), "{words}: {}", stopped.err);
    }
    assert_eq!(common::llm_prof(&["triage", path]).code, 0, "64 MB are no bomb yet");
    let wrong = common::llm_prof(&["triage", "--max-bytes", "many", path]);
    assert!(wrong.code == 2 && wrong.err.contains("such as 800M"), "{}", wrong.err);
}

/// The thread that unpacks must not wait for ever for one that has given up.
#[test]
fn a_long_file_that_breaks_early_ends() {
    let mut text = b"{\"traceEvents\": [{\"ph\": \"X\"}, } oops ".to_vec();
    text.resize(16 << 20, b'x');
    let done = common::triage(&file("hostile-broken.json", &text));
    assert!(done.code == 3 && done.err.contains("broken JSON"), "{}: {}", done.code, done.err);
}

#[test]
fn a_value_without_an_end_is_not_kept_for_ever() {
    let mut text = b"{\"traceEvents\": [{\"ph\": \"X\", \"name\": \"".to_vec();
    text.resize((256 << 20) + (2 << 20), b'x');
    let done = common::triage(&file("hostile-endless.json", &text));
    assert!(done.code == 3 && done.err.contains("an event or a value of more than"), "{}: {}", done.code, done.err);
    std::fs::remove_file(file("hostile-endless.json", b"")).expect("it is ours");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once_and_says_what_the_file_says() {
    let whole = common::fixture("sglang-amd-prefill.trace.json.gz");
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there");
    assert!(made.success());
    let (to, bytes) = (pipe.clone(), std::fs::read(&whole).expect("a fixture"));
    let writer = std::thread::spawn(move || std::fs::write(to, bytes));
    let done = common::triage(&pipe);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.report()["kernels"], common::triage(&whole).report()["kernels"]);
    writer.join().expect("no panic").expect("all was read");
}

/// A profiler that still writes: what was there is read, and the report says that the end is missing.
#[test]
fn a_file_that_grows_is_read_to_where_it_ended() {
    let mut text = Vec::new();
    sizes::write(Many::Launches, 20_000, &mut text).expect("memory takes it");
    // Whole events, a line each; the profiler goes on with more of them.
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let path = file("hostile-growing.json", &lines[..20_000].concat());
    let (to, more) = (path.clone(), lines[20_000..20_500].concat());
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        let mut file = std::fs::OpenOptions::new().append(true).open(to).expect("it is ours");
        while stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected) {
            file.write_all(&more).expect("room");
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let done = common::triage(&path);
    drop(stop);
    writer.join().expect("no panic");
    std::fs::remove_file(&path).expect("it is ours");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("grew while it was read"), "{}", done.err);
}
