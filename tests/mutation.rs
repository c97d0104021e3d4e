//! Every fixture cut off at 200 places and with 500 wrong bytes: read to the last whole event or refused by name, never a
//! panic, in bounded memory. Deterministic: places and bytes come from the fixture's own path.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use flate2::read::MultiGzDecoder;
use llm_prof::attribution::{self, Given};
use llm_prof::cli::{self, Streams};
use llm_prof::engine::Engine;
use llm_prof::report::{self, Analysis, Options, text};
use llm_prof::rules::{self, RuleSet, Sources};
use llm_prof::trace::{self, Error};
use llm_prof::{diagnostic, graph};
use rayon::prelude::*;
use serde_json::value::RawValue;

#[path = "common/traces.rs"]
mod traces;

const CUTS: usize = 200;
const FLIPS: usize = 500;
/// All of this test together, in address space, which no allocation passes.
const MOST_KIB: u64 = 1 << 20;
/// Set in the process that runs under the limit.
const LIMITED: &str = "LLM_PROF_TEST_IS_LIMITED";

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn of(path: &Path) -> Self {
        Self(path.to_string_lossy().bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z ^ (z >> 27)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).expect("an index")
    }
}

/// The JSON of a file, as far as it can be unpacked.
fn unpacked(bytes: &[u8]) -> Vec<u8> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes.to_vec();
    }
    let (mut input, mut out, mut piece) = (MultiGzDecoder::new(bytes), Vec::new(), [0; 256]);
    while let Ok(n @ 1..) = input.read(&mut piece) {
        out.extend_from_slice(&piece[..n]);
    }
    out
}

/// Where the events of a trace end, found by another parser; none where it refuses the file.
fn ends(json: &[u8]) -> Option<Vec<usize>> {
    #[derive(serde::Deserialize)]
    struct Object<'a> {
        #[serde(borrow, rename = "traceEvents")]
        events: Vec<&'a RawValue>,
    }
    let mark = b"\xef\xbb\xbf";
    let text = std::str::from_utf8(json.strip_prefix(mark).unwrap_or(json)).ok()?;
    let list = || serde_json::from_str::<Vec<&RawValue>>(text);
    let events = serde_json::from_str::<Object>(text).map(|object| object.events).or_else(|_| list()).ok()?;
    let begin = json.as_ptr() as usize;
    Some(events.iter().map(|event| event.get().as_ptr() as usize - begin + event.get().len()).collect())
}

struct Knowledge {
    rules: RuleSet,
    engine: Engine,
}

impl Knowledge {
    /// Bytes on their whole way; the number of events, or why they are no trace.
    fn triage(&self, bytes: &[u8]) -> Result<u64, Error> {
        let Self { rules, engine } = self;
        let trace = trace::read_from("x", bytes, &rules.trace)?;
        let events = trace.events;
        let timeline = attribution::attribute(trace, &[], &rules.attribution, &rules.names, &Given::default());
        let graph = graph::build(&timeline);
        let classes = engine.classify(rules, &timeline);
        let judgement = engine.judge(rules, &timeline, &graph, &classes);
        let report = report::build(&[Analysis::new(&timeline, &classes, &judgement)], rules, &Options::default());
        assert!(!text::render(&report, text::Style::default()).is_empty());
        Ok(events)
    }

    /// Cut in the file as it lies, and in its JSON.
    fn cuts(&self, path: &Path, file: &[u8], json: &[u8]) {
        let ends = ends(json);
        let mut random = Random::of(path);
        for n in 0..CUTS {
            let whole = if n % 2 == 0 { file } else { json };
            let cut = &whole[..random.below(whole.len())];
            let events = self.triage(cut);
            let place = || format!("{} cut at {} of {}", path.display(), cut.len(), whole.len());
            let Some(ends) = &ends else { continue };
            let rest = unpacked(cut).len();
            let complete = ends.iter().filter(|end| **end <= rest).count() as u64;
            match events {
                Ok(events) => assert_eq!(events, complete, "{}", place()),
                Err(error) => {
                    assert!(complete == 0 && matches!(error, Error::NotATrace { .. }), "{}: {error}", place());
                }
            }
        }
    }

    /// Wrong bytes, up to as many as there are fingers at a time: every fifth time in the file, else in its JSON.
    fn flips(&self, path: &Path, file: &[u8], json: &[u8]) {
        let mut random = Random::of(path);
        for n in 0..FLIPS {
            let mut bytes = if n % 5 == 0 { file.to_vec() } else { json.to_vec() };
            for _ in 0..=random.below(10) {
                let at = random.below(bytes.len());
                bytes[at] = u8::try_from(random.next() >> 56).expect("a byte");
            }
            match self.triage(&bytes) {
                Ok(_) | Err(Error::NotATrace { .. } | Error::Malformed { .. } | Error::Damaged { .. }) => {}
                Err(error) => panic!("{} with wrong bytes, time {n}: {error}", path.display()),
            }
        }
    }

    fn all(&self) {
        traces::all().par_iter().filter(|path| path.starts_with(env!("CARGO_MANIFEST_DIR"))).for_each(|path| {
            let file = std::fs::read(path).expect("a fixture");
            let json = unpacked(&file);
            self.cuts(path, &file, &json);
            self.flips(path, &file, &json);
        });
    }
}

#[test]
fn no_cut_and_no_wrong_byte_is_worse_than_what_it_takes_away() {
    if cfg!(unix) && std::env::var_os(LIMITED).is_none() {
        // The same test once more in a process that cannot have more memory.
        let test = std::env::current_exe().expect("this program");
        let limited = format!("ulimit -v {MOST_KIB} && exec \"$0\" \"$@\"");
        let done = Command::new("sh")
            .args(["-c".as_ref(), limited.as_ref(), test.as_os_str()])
            .args(["--exact", "no_cut_and_no_wrong_byte_is_worse_than_what_it_takes_away", "--nocapture"])
            .env(LIMITED, "1")
            // Each arena takes 64 MiB of addresses before the first byte.
            .env("MALLOC_ARENA_MAX", "2")
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&done.stderr);
        return assert!(done.status.success(), "{}\n{said}", String::from_utf8_lossy(&done.stdout));
    }
    let rules = rules::load_untested(&Sources::embedded());
    let rules = rules.unwrap_or_else(|found| panic!("{}", diagnostic::render(&found, false)));
    Knowledge { engine: Engine::new(&rules), rules }.all();
}

/// The same through the command, once a fixture: the exit code is that of the page, and a refusal names the file.
#[test]
fn the_command_ends_with_0_or_3() {
    let folder = tempfile::tempdir().expect("a folder");
    for (n, path) in traces::all().iter().enumerate() {
        let mut bytes = std::fs::read(path).expect("a fixture");
        let mut random = Random::of(path);
        if n % 2 == 0 {
            bytes.truncate(random.below(bytes.len()));
        } else {
            let at = random.below(bytes.len());
            bytes[at] ^= 0x55;
        }
        let changed = folder.path().join(format!("{n}.trace.json"));
        std::fs::write(&changed, bytes).expect("room");
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = ["llm-prof".into(), "triage".into(), OsString::from(&changed)];
        let code = cli::run(args, &mut Streams::buffers(&mut out, &mut err));
        let err = String::from_utf8_lossy(&err);
        assert!(code == 0 || code == 3, "{}: exit {code}: {err}", path.display());
        assert!(code == 0 || out.is_empty() && err.contains(&format!("{n}.trace.json")), "{}: {err}", path.display());
    }
}
