//! Answers of a server to all that a capture asks, over HTTP on this machine: the capture ends, in time, and with words.
//!
//! The input is a list of answers with a blank line between: path, status and body on a line each, the body to the
//! blank line. What is not listed is not found.

#![no_main]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use llm_prof::capture::{self, Lengths, Plan, Timeouts, Workload};
use llm_prof::rules::load_servers;
use llm_prof::rules::schema::servers::Servers;
use llm_prof_fuzz::rules;
use tempfile::TempDir;

type Answers = BTreeMap<String, (u16, Vec<u8>)>;

static ANSWERS: Mutex<Answers> = Mutex::new(BTreeMap::new());

/// The port of the server, which runs from the first input on.
fn port() -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is no concern of the server.
                thread::spawn(move || drop(serve(stream)));
            }
        });
        port
    })
}

fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    lines.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    lines.take(length).read_to_end(&mut Vec::new())?;
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, body) = ANSWERS.lock().expect("no panic").get(path).cloned().unwrap_or((404, Vec::new()));
    write!(stream, "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(&body)
}

fn answers(bytes: &[u8]) -> Answers {
    let mut all = Answers::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.windows(2).position(|two| two == b"\n\n").unwrap_or(rest.len());
        let mut parts = rest[..end].splitn(3, |byte| *byte == b'\n');
        let path = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
        let status = parts.next().and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        let status = status.filter(|status| (200..600).contains(status)).unwrap_or(200);
        all.insert(path, (status, parts.next().unwrap_or_default().to_vec()));
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    all
}

fn servers() -> &'static Servers {
    static SERVERS: OnceLock<Servers> = OnceLock::new();
    SERVERS.get_or_init(|| load_servers(None).expect("the files about servers load"))
}

fn folder() -> &'static TempDir {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder"))
}

fuzz_target!(|bytes: &[u8]| {
    let [workload, rest @ ..] = bytes else { return };
    *ANSWERS.lock().expect("no panic") = answers(rest);
    let brief = Duration::from_millis(200);
    let lengths = Lengths { input: 2, output: 2 };
    let plan = Plan {
        url: format!("127.0.0.1:{}", port()),
        router: None,
        worker: None,
        key: None,
        framework: None,
        folder: folder().path().join("traces"),
        folder_given: true,
        server_folder: None,
        here: Some(true),
        prefix: "x".to_owned(),
        prefix_given: false,
        steps: 1,
        warm_up: 1,
        workload: [Workload::Prefill, Workload::Decode, Workload::Legacy, Workload::Both][usize::from(workload % 4)],
        prefill: lengths,
        decode: lengths,
        requests: 1,
        prompt: None,
        max_new_tokens: None,
        delay: Duration::ZERO,
        by_stage: None,
        merge: false,
        start_step: None,
        ranks: None,
        timeouts: Timeouts {
            probe: brief,
            start: Some(brief),
            request: brief,
            stop: brief,
            flush: Duration::from_millis(1),
        },
        seed: 1,
        take_over: false,
        note: None,
        bucket: None,
    };
    let mut said = 0;
    match capture::run(&plan, servers(), rules(), &mut |_| said += 1) {
        Ok(done) => assert!(said > 0 && done.stages.iter().all(|stage| stage.files.is_empty()), "{done:?}"),
        Err(problem) => assert!(!problem.to_string().is_empty()),
    }
});
