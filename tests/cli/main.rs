//! The command line, in process: arguments in, exit code, output and messages out.

use std::ffi::OsString;

use llm_prof::cli::Streams;

mod bundle;
mod catalog;
mod check;
mod compare;
mod config;
mod csv;
mod cut;
mod doctor;
mod errors;
mod finished;
mod flags;
mod fleet;
mod html;
mod note;
mod overlap;
mod pairs;
mod reread;
mod rules;
mod schema;
#[path = "../common/traces.rs"]
mod traces;
mod triage;

/// What a run left behind.
struct Done {
    code: u8,
    out: String,
    err: String,
}

impl Done {
    fn report(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }
}

/// Runs `llm-prof` with these arguments.
fn run(args: &[&str]) -> Done {
    run_in(args, |_| ())
}

/// The same after the streams were changed.
fn run_in(args: &[&str], change: impl FnOnce(&mut Streams)) -> Done {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams::buffers(&mut out, &mut err);
    change(&mut streams);
    let args = std::iter::once("llm-prof").chain(args.iter().copied()).map(OsString::from);
    let code = llm_prof::cli::run(args, &mut streams);
    Done { code, out: String::from_utf8(out).expect("UTF-8"), err: String::from_utf8(err).expect("UTF-8") }
}

const DECODE: &str = "tests/fixtures/sglang-amd-decode-graph.trace.json.gz";
const PREFILL: &str = "tests/fixtures/sglang-amd-prefill.trace.json.gz";
