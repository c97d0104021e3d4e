//! Captures from stand-in servers on sockets of this machine: each framework and version, each fault, each message.

mod fake;
mod matrix;
mod probe;
mod process;
mod trace;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use llm_prof::capture::{self, Done, End, Kind, Lengths, Plan, Problem, Said, Timeouts, Workload};
use llm_prof::rules::schema::servers::Servers;
use llm_prof::rules::{self, RuleSet, Sources};
use serde_json::{Value, json};
use tempfile::TempDir;

use fake::{Fake, Faults, Flavour, Play};

static RULES: LazyLock<RuleSet> = LazyLock::new(|| rules::load_settings(&Sources::embedded()).expect("the rules load"));

/// The servers, with waits for impatient people.
static SERVERS: LazyLock<Servers> = LazyLock::new(|| {
    let mut servers = rules::load_servers(None).expect("the servers load");
    servers.common.waits.poll_ms = 10;
    servers.common.waits.still_ms = 60;
    servers.common.waits.settle_ms = 150;
    servers.common.elsewhere = Vec::new();
    servers
});

/// A server, a folder, and what is asked.
struct Case {
    folder: TempDir,
    fake: Fake,
    plan: Plan,
}

/// What came of it.
struct Outcome {
    done: Result<Done, Problem>,
    said: Vec<Said>,
}

impl Case {
    fn new(flavour: Flavour, version: &'static str, change: impl FnOnce(&mut Play)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut play = Play::new(flavour, version, folder.path());
        change(&mut play);
        let fake = Fake::start(play);
        Self { plan: plan(&fake.url, folder.path()), folder, fake }
    }

    fn faulty(flavour: Flavour, version: &'static str, change: impl FnOnce(&mut Faults)) -> Self {
        Self::new(flavour, version, |play| change(&mut play.faults))
    }

    fn run(&self) -> Outcome {
        let mut said = Vec::new();
        let done = capture::run(&self.plan, &SERVERS, &RULES, &mut |one| said.push(one));
        Outcome { done, said }
    }

    fn files(&self) -> Vec<String> {
        let mut out = Vec::new();
        list(self.folder.path(), self.folder.path(), &mut out);
        out.sort();
        out
    }

    fn json(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.folder.path().join(name)).expect("it was written");
        serde_json::from_str(&text).expect("it is JSON")
    }

    fn stops(&self) -> usize {
        self.fake.posted("/stop_profile").len()
    }
}

impl Outcome {
    fn done(&self) -> &Done {
        self.done.as_ref().unwrap_or_else(|problem| panic!("{problem}\n{:?}", self.said))
    }

    /// All stages are there, and nothing was wrong with them.
    fn is_clean(&self) {
        for stage in &self.done().stages {
            assert_eq!((stage.end, &stage.problem), (End::Kept, &None), "{:?}", self.said);
        }
        assert_eq!(self.warnings(), [""; 0]);
    }

    fn steps(&self) -> Vec<Option<u64>> {
        self.done().stages.iter().map(|stage| stage.steps_seen).collect()
    }

    fn warnings(&self) -> Vec<String> {
        let warning = |said: &Said| if let Said::Warning(text) = said { Some(text.clone()) } else { None };
        self.said.iter().filter_map(warning).collect()
    }

    /// Why nothing was begun.
    fn refused(&self) -> &Problem {
        match &self.done {
            Err(problem) => problem,
            Ok(done) => panic!("{done:?}"),
        }
    }

    /// Why the first stage failed.
    fn failed(&self) -> (End, String) {
        let stage = &self.done().stages[0];
        (stage.end, stage.problem.as_ref().map_or_else(String::new, ToString::to_string))
    }
}

fn list(root: &Path, folder: &Path, out: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            list(root, &path, out);
        } else {
            out.push(path.strip_prefix(root).expect("below it").to_string_lossy().into_owned());
        }
    }
}

fn plan(url: &str, folder: &Path) -> Plan {
    Plan {
        url: url.to_owned(),
        router: None,
        worker: None,
        key: None,
        framework: None,
        folder: folder.to_owned(),
        folder_given: true,
        server_folder: None,
        here: None,
        prefix: "triage-trace".to_owned(),
        prefix_given: false,
        steps: 5,
        warm_up: 2,
        workload: Workload::Both,
        prefill: Lengths { input: 4090, output: 1 },
        decode: Lengths { input: 1, output: 2048 },
        requests: 1,
        prompt: None,
        max_new_tokens: None,
        delay: Duration::ZERO,
        by_stage: None,
        merge: false,
        start_step: None,
        ranks: None,
        timeouts: Timeouts {
            probe: Duration::from_secs(2),
            start: Some(Duration::from_secs(2)),
            request: Duration::from_secs(5),
            stop: Duration::from_secs(5),
            flush: Duration::from_secs(5),
        },
        seed: 7,
        take_over: false,
        note: None,
        bucket: None,
    }
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

// --- each framework and version ------------------------------------------------------------------------------------

#[test]
fn sglang_gives_as_many_steps_as_asked_before_and_after_its_guard() {
    for (version, sent) in [("0.4.9", 6), ("0.5.9", 6), ("0.5.15", 6), ("0.5.16", 5), ("0.5.23", 5)] {
        let case = Case::new(Flavour::Sglang, version, |_| {});
        let outcome = case.run();
        outcome.is_clean();
        assert_eq!(outcome.steps(), [Some(5), Some(5)], "{version}");
        for body in case.fake.posted("/start_profile") {
            assert_eq!(body["num_steps"], sent, "{version}");
            assert_eq!((&body["with_stack"], &body["record_shapes"]), (&json!(true), &json!(true)));
            assert!(body.get("start_step").is_none() && body.get("profile_by_stage").is_none());
        }
        assert_eq!(outcome.done().framework, "sglang");
    }
}

/// The 500 of a stop that comes after the last step is the normal end.
#[test]
fn sglang_that_stopped_by_itself_is_no_failure() {
    let case = Case::new(Flavour::Sglang, "0.5.23", |play| play.ranks = 2);
    let outcome = case.run();
    outcome.is_clean();
    assert_eq!(case.stops(), 2);
    let files = case.files();
    let ranks = |stage: &str| files.iter().filter(|file| file.starts_with(stage)).count();
    assert_eq!((ranks("prefill/"), ranks("decode/")), (2, 2), "{files:?}");
    assert!(files.iter().any(|file| file.starts_with("decode/triage-trace-decode-")), "{files:?}");
    assert!(!files.iter().any(|file| file.contains(".partial")), "{files:?}");
}

#[test]
fn vllm_gives_as_many_steps_as_asked_and_its_front_end_is_no_trace() {
    let case = Case::new(Flavour::Vllm, "0.32.0", |play| play.ranks = 2);
    let outcome = case.run();
    outcome.is_clean();
    assert_eq!(outcome.steps(), [Some(5), Some(5)]);
    // Behind every prompt there is a step without work.
    let sent = [("prefill", 10), ("decode", 5)]
        .map(|(stage, steps)| json!({ "profile_prefix": format!("triage-trace-{stage}"), "max_iterations": steps }));
    assert_eq!(case.fake.posted("/start_profile"), sent);
    let files = case.files();
    assert!(files.contains(&"decode/triage-trace-decode_dp0_pp0_tp1_dcp0_ep0_rank1.17.pt.trace.json.gz".to_owned()));
    let capture = case.json("capture.json");
    let stages = capture["captures"].as_array().expect("stages");
    assert!(stages.iter().all(|stage| stage["gpu_events"] == 5), "the first file is a worker's: {capture:#}");
}

/// Without a number of steps, decode runs until it is cut off: a few steps more than asked, and never to its end.
#[test]
fn vllm_before_0_32_is_cut_off_after_the_steps() {
    for version in ["0.12.0", "0.15.0", "0.26.0"] {
        let case = Case::new(Flavour::Vllm, version, |play| play.tick = Duration::from_millis(20));
        let outcome = case.run();
        outcome.is_clean();
        let steps: Vec<u64> = outcome.steps().into_iter().flatten().collect();
        assert_eq!(steps[0], 5, "{version}");
        assert!((5..20).contains(&steps[1]), "{version}: {steps:?}");
        assert_eq!(case.fake.posted("/start_profile"), [Value::Null, Value::Null], "no field that it may refuse");
    }
}

#[test]
fn trtllm_is_captured_through_its_route_and_its_files_are_not_packed() {
    let case = Case::new(Flavour::Trtllm, "1.3.0", |play| play.ranks = 2);
    let outcome = case.run();
    outcome.is_clean();
    assert_eq!(outcome.done().framework, "trtllm");
    assert_eq!(outcome.steps(), [Some(5), Some(5)]);
    assert!(case.files().contains(&"prefill/trtllm-trace-17-ab-rank-1.json".to_owned()), "{:?}", case.files());
}

#[test]
fn tokenspeed_is_captured_and_says_no_steps() {
    let case = Case::new(Flavour::TokenSpeed, "0.1.1", |play| play.ranks = 2);
    let outcome = case.run();
    assert_eq!(outcome.done().framework, "tokenspeed");
    assert!(outcome.done().stages.iter().all(|stage| stage.end == End::Kept), "{:?}", outcome.done());
    has(&outcome.warnings()[0], &["no step annotations"]);
    assert_eq!(case.fake.posted("/generate")[0]["model"], "tiny", "its gateway wants the model");
}

#[test]
fn health_routes_that_run_a_forward_are_never_asked() {
    for flavour in [Flavour::Sglang, Flavour::Vllm, Flavour::Trtllm, Flavour::TokenSpeed] {
        let case = Case::new(flavour, "0.5.23", |_| {});
        case.run().done();
        assert!(case.fake.seen().iter().all(|seen| !seen.path.contains("health")));
    }
}

// --- exact work ----------------------------------------------------------------------------------------------------

#[test]
fn prompts_have_exactly_so_many_tokens_and_no_two_begin_alike() {
    let case = Case::new(Flavour::Sglang, "0.5.23", |_| {});
    case.run().is_clean();
    let prompts = case.fake.prompts();
    let lengths: Vec<usize> = prompts.iter().map(Vec::len).collect();
    // Two of warm-up and five of prefill; one of warm-up and one of decode.
    assert_eq!(lengths, [4090, 4090, 4090, 4090, 4090, 4090, 4090, 1, 1]);
    let firsts: BTreeSet<u64> = prompts.iter().map(|ids| ids[0]).collect();
    assert_eq!(firsts.len(), prompts.len());
}

#[test]
fn outputs_have_exactly_so_many_tokens_whatever_the_model_would_say() {
    for (flavour, path) in [(Flavour::Sglang, "/generate"), (Flavour::Vllm, "/v1/completions")] {
        let case = Case::new(flavour, "0.32.0", |_| {});
        case.run().done();
        for body in case.fake.posted(path) {
            let params = body.get("sampling_params").unwrap_or(&body);
            assert_eq!((&params["ignore_eos"], &params["temperature"]), (&json!(true), &json!(0)));
            let (most, least) = match flavour {
                Flavour::Sglang => ("max_new_tokens", "min_new_tokens"),
                _ => ("max_tokens", "min_tokens"),
            };
            assert_eq!(params[most], params[least]);
        }
    }
}

#[test]
fn a_seed_repeats_the_prompts() {
    let prompts = |seed| {
        let mut case = Case::new(Flavour::Sglang, "0.5.23", |_| {});
        case.plan.seed = seed;
        case.run().is_clean();
        case.fake.prompts()
    };
    assert_eq!(prompts(1), prompts(1));
    assert_ne!(prompts(1)[0][0], prompts(2)[0][0]);
}

/// A batch of four is four requests at once, in every step.
#[test]
fn concurrency_is_the_batch() {
    let mut case = Case::new(Flavour::Sglang, "0.5.23", |_| {});
    case.plan.requests = 4;
    case.plan.workload = Workload::Decode;
    case.run().is_clean();
    let capture = case.json("capture.json");
    assert_eq!(capture["captures"][0]["tokens_of_steps"], json!([4, 4, 4, 4, 4]));
    assert_eq!(case.fake.prompts().len(), 5);
}

/// The output is 2048 tokens long and 5 steps are wanted.
#[test]
fn decode_is_cut_off_after_the_steps() {
    let case = Case::new(Flavour::Vllm, "0.32.0", |play| play.tick = Duration::from_millis(5));
    let outcome = case.run();
    outcome.is_clean();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(case.fake.active(), 0, "nobody hears the rest");
}

#[test]
fn chunked_prefill_is_recognised() {
    let mut case = Case::new(Flavour::Vllm, "0.32.0", |play| play.chunk = 2048);
    case.plan.workload = Workload::Prefill;
    let outcome = case.run();
    // There is no idle step between the parts of a prompt, and the server was told of one for each.
    assert_eq!(outcome.steps(), [Some(7)]);
    has(&outcome.warnings()[0], &["4090 tokens runs in several steps: 2048 + 2042", "--num-steps counts steps"]);
}

#[test]
fn a_prefix_cache_is_recognised() {
    let mut case = Case::new(Flavour::Sglang, "0.5.23", |play| play.cached = 4000);
    case.plan.workload = Workload::Prefill;
    let outcome = case.run();
    has(&outcome.warnings()[0], &["4090 tokens ran as 90", "prefix cache"]);
}

#[test]
fn other_traffic_is_recognised() {
    let case = Case::new(Flavour::Sglang, "0.5.23", |play| play.foreign = 3);
    let warnings = case.run().warnings();
    has(&warnings[0], &["prefill", "other traffic"]);
    has(&warnings[1], &["decode: a step of 4 requests where ours were 1", "mixture"]);
}

#[test]
fn fewer_steps_than_asked_are_said() {
    let mut case = Case::new(Flavour::Sglang, "0.5.23", |play| play.tick = Duration::from_millis(200));
    case.plan.workload = Workload::Decode;
    case.plan.decode.output = 3;
    let warnings = case.run().warnings();
    // How many of the three are under way before the profiler runs, the clock decides.
    has(&warnings[0], &["of 5 steps are in the trace; other traffic, a prefix cache or an early end"]);
}

#[test]
fn text_is_sent_when_the_user_has_some() {
    let mut case = Case::new(Flavour::Sglang, "0.5.23", |_| {});
    case.plan.prompt = Some("why is the sky blue".to_owned());
    case.plan.workload = Workload::Decode;
    case.run().is_clean();
    assert_eq!(case.fake.posted("/generate")[0]["text"], "why is the sky blue");
}

#[test]
fn legacy_is_one_capture_of_text_whose_stages_the_server_parts() {
    let mut case = Case::new(Flavour::Sglang, "0.5.23", |_| {});
    case.plan.workload = Workload::Legacy;
    case.plan.ranks = Some(1);
    let outcome = case.run();
    outcome.is_clean();
    let body = &case.fake.posted("/start_profile")[0];
    assert_eq!((&body["profile_by_stage"], &body["num_steps"]), (&json!(true), &json!(5)), "no guard step by stage");
    assert_eq!(case.fake.posted("/generate").last().expect("a request")["sampling_params"]["max_new_tokens"], 64);
    assert!(case.files().iter().any(|file| file.starts_with("triage-trace-legacy-")), "{:?}", case.files());
}

// --- whole files ---------------------------------------------------------------------------------------------------

/// The name is there at once; the bytes come in pieces.
#[test]
fn a_growing_file_is_waited_for() {
    for flavour in [Flavour::Sglang, Flavour::Trtllm] {
        let case = Case::faulty(flavour, "0.5.23", |faults| faults.pieces = 12);
        let outcome = case.run();
        outcome.is_clean();
        assert_eq!(outcome.steps(), [Some(5), Some(5)]);
        let growing = |said: &&Said| matches!(said, Said::Progress(text) if text.contains("so far"));
        assert!(outcome.said.iter().find(growing).is_some(), "growth is shown");
    }
}

#[test]
fn names_that_say_nothing_are_looked_into() {
    let case = Case::faulty(Flavour::Trtllm, "1.3.0", |faults| faults.odd_names = true);
    case.run().is_clean();
    assert!(case.files().contains(&"decode/t.json-rank-0.gz".to_owned()), "{:?}", case.files());
}

#[test]
fn a_file_without_its_end_is_not_whole_and_is_kept_apart() {
    let mut case = Case::faulty(Flavour::Sglang, "0.5.23", |faults| faults.cut = true);
    case.plan.timeouts.flush = Duration::from_millis(600);
    let (end, problem) = case.run().failed();
    assert_eq!(end, End::Partial);
    has(&problem, &["not whole within 0 s", "no longer growing", "--flush-timeout"]);
    assert!(case.files().iter().any(|file| file.starts_with(".partial/prefill-")), "{:?}", case.files());
}

#[test]
fn a_missing_rank_is_named_with_those_that_are_there() {
    let mut case = Case::new(Flavour::Sglang, "0.5.23", |play| {
        play.ranks = 2;
        play.faults.rank_missing = true;
    });
    case.plan.timeouts.flush = Duration::from_millis(600);
    let (end, problem) = case.run().failed();
    assert_eq!(end, End::Partial);
    has(&problem, &["1 of 2 traces appeared", "TP-0.trace.json.gz", "--ranks"]);
}

#[test]
fn no_file_at_all_says_where_it_was_looked_for() {
    let mut case = Case::faulty(Flavour::Sglang, "0.5.23", |faults| faults.no_file = true);
    case.plan.timeouts.flush = Duration::from_millis(300);
    let (end, problem) = case.run().failed();
    assert_eq!(end, End::Partial);
    has(&problem, &["no trace appeared in", ".partial/prefill-", "may still be writing", "--server-output-dir"]);
    assert!(!case.folder.path().join(".partial").exists(), "empty folders of ours are gone");
}

/// What turns up elsewhere meanwhile is listed.
#[test]
fn a_file_that_appears_elsewhere_is_listed() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let mut servers = SERVERS.clone();
    servers.common.elsewhere = vec![elsewhere.path().to_string_lossy().into_owned()];
    let mut case = Case::faulty(Flavour::Sglang, "0.5.23", |faults| faults.no_file = true);
    case.plan.workload = Workload::Prefill;
    case.plan.timeouts.flush = Duration::from_millis(300);
    let path = elsewhere.path().join("17-TP-0.trace.json.gz");
    let done = capture::run(&case.plan, &servers, &RULES, &mut |said| {
        if matches!(&said, Said::Note(text) if text.contains("profiling")) {
            fs::write(&path, "x").expect("it is written");
        }
    });
    let problem = done.expect("it was begun").stages[0].problem.clone().expect("a problem").to_string();
    has(&problem, &["meanwhile there are", "17-TP-0.trace.json.gz"]);
}

#[test]
fn what_is_no_trace_is_said() {
    let mut case = Case::faulty(Flavour::Sglang, "0.5.23", |faults| faults.no_json = true);
    case.plan.timeouts.flush = Duration::from_millis(300);
    has(&case.run().failed().1, &["is no trace", "begins with 'T'"]);
}

#[test]
fn the_front_end_alone_is_not_enough() {
    let mut case = Case::faulty(Flavour::Vllm, "0.32.0", |faults| faults.frontend_only = true);
    case.plan.timeouts.flush = Duration::from_millis(400);
    has(&case.run().failed().1, &["only the front end's trace"]);
}

#[test]
fn a_trace_without_kernels_is_said() {
    let case = Case::new(Flavour::Vllm, "0.32.0", |play| play.kernels = false);
    let outcome = case.run();
    assert_eq!(outcome.steps(), [Some(5), Some(5)]);
    has(&outcome.warnings()[0], &["holds no GPU kernel", "another tool holds the GPU's profiler"]);
}

#[test]
fn what_was_there_before_stays_and_is_not_taken_for_new() {
    let case = Case::new(Flavour::Vllm, "0.15.0", |play| play.tick = Duration::from_millis(20));
    let old = case.folder.path().join("host-rank-0.1.pt.trace.json.gz");
    fs::write(&old, "somebody's").expect("it is written");
    case.run().is_clean();
    case.run().is_clean();
    assert_eq!(fs::read_to_string(&old).expect("it is there"), "somebody's");
    let prefills = case.files().iter().filter(|file| file.starts_with("prefill/host-rank-0")).count();
    assert_eq!(prefills, 2, "{:?}", case.files());
}

// --- saved beside the traces ---------------------------------------------------------------------------------------

#[test]
fn what_was_asked_and_seen_is_written_beside_the_traces_and_no_key_is() {
    let mut case = Case::new(Flavour::Sglang, "0.5.23", |play| play.key = Some("k3y"));
    case.plan.key = Some("k3y".to_owned());
    case.plan.note = Some("night run".to_owned());
    case.plan.bucket = Some("p95".to_owned());
    let outcome = case.run();
    outcome.is_clean();
    let capture = case.json("capture.json");
    assert_eq!(capture["schema"], "llm-prof.capture/1");
    assert_eq!((&capture["framework"], &capture["framework_version"]), (&json!("sglang"), &json!("0.5.23")));
    assert_eq!((&capture["note"], &capture["bucket"]), (&json!("night run"), &json!("p95")));
    assert_eq!(capture["asked"]["seed"], 7);
    let decode = &capture["captures"][1];
    assert_eq!(
        (&decode["outcome"], &decode["steps_wanted"], &decode["steps_seen"]),
        (&json!("kept"), &json!(5), &json!(5))
    );
    assert!(decode["started"].is_u64() && decode["stopped"].is_u64() && decode["whole"].is_u64());
    let args = case.json("server_args.json");
    assert_eq!((&args["version"], &args["tp_size"]), (&json!("0.5.23"), &json!(1)));
    for file in case.files().iter().filter(|file| ["capture.json", "server_args.json"].contains(&file.as_str())) {
        let text = fs::read_to_string(case.folder.path().join(file)).expect("text");
        assert!(!text.contains("k3y") && !text.contains("s3cret"), "{file}: {text}");
    }
    assert!(case.fake.seen().iter().all(|seen| seen.headers.contains("Bearer k3y")), "on every call");
}

#[test]
fn every_server_has_its_arguments_saved() {
    for (flavour, version) in [(Flavour::Vllm, "0.32.0"), (Flavour::Trtllm, "1.3.0"), (Flavour::TokenSpeed, "0.1.1")] {
        let case = Case::new(flavour, version, |_| {});
        case.run().done();
        let args = case.json("server_args.json");
        assert_eq!((&args["version"], &args["model"]), (&json!(version), &json!("tiny")), "{flavour:?}");
    }
}

// --- what the user is told -----------------------------------------------------------------------------------------

#[test]
fn nothing_answers() {
    let case = Case::new(Flavour::Sglang, "0.5.23", |_| {});
    let dead = plan("http://127.0.0.1:9", case.folder.path());
    let problem = capture::run(&dead, &SERVERS, &RULES, &mut |_| {}).expect_err("nobody is there");
    has(&problem.to_string(), &["nothing answers at http://127.0.0.1:9: connection refused", "the port of its API"]);
}

/// A port that takes connections and says nothing.
#[test]
fn no_answer_in_time() {
    let mute = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", mute.local_addr().expect("an address"));
    let mut case = Case::new(Flavour::Sglang, "0.5.23", |_| {});
    case.plan.url = url.clone();
    case.plan.timeouts.probe = Duration::from_millis(200);
    has(&case.run().refused().to_string(), &[&format!("nothing answers at {url}"), "in time"]);
}

#[test]
fn an_unknown_server_is_never_guessed() {
    let case = Case::new(Flavour::Other, "1", |_| {});
    has(
        &case.run().refused().to_string(),
        &["shows none of the servers known here (SGLang, vLLM, TensorRT-LLM, TokenSpeed)", "--framework"],
    );
    assert!(case.fake.seen().iter().all(|seen| seen.method == "GET"));
}

#[test]
fn a_key_is_wanted() {
    let case = Case::new(Flavour::Sglang, "0.5.23", |play| play.key = Some("k3y"));
    has(&case.run().refused().to_string(), &["wants a key for /v1/models (HTTP 401)", "--api-key"]);
}

/// What one start is answered with, and what is said then.
fn told(flavour: Flavour, version: &'static str, status: u16, body: &'static str) -> String {
    let case = Case::faulty(flavour, version, |faults| faults.start = Some((status, body)));
    let (end, problem) = case.run().failed();
    assert_eq!(end, End::Nothing, "{problem}");
    assert_eq!(case.stops(), 0, "nothing is stopped that was not started");
    assert_eq!(case.files(), [""; 0], "and nothing is left behind");
    problem
}

#[test]
fn the_profile_routes_may_want_another_key() {
    has(&told(Flavour::Sglang, "0.5.23", 403, ""), &["wants a key for /start_profile (HTTP 403)", "admin key"]);
}

#[test]
fn vllm_without_a_profiler_is_told_how_to_start() {
    for (version, line) in [
        ("0.32.0", "--profiler-config '{\"profiler\":\"torch\",\"torch_profiler_dir\":\""),
        ("0.12.0", "VLLM_TORCH_PROFILER_DIR=/"),
    ] {
        let case = Case::new(Flavour::Vllm, version, |play| play.profiler = false);
        let (end, problem) = case.run().failed();
        assert_eq!(end, End::Nothing);
        has(&problem, &["started without a torch profiler", line, &case.folder.path().to_string_lossy()]);
    }
}

#[test]
fn trtllm_without_the_route_is_told_its_variables_for_each_stage() {
    let case = Case::new(Flavour::Trtllm, "1.0.0", |play| play.profiler = false);
    let outcome = case.run();
    let problems: Vec<String> =
        outcome.done().stages.iter().map(|stage| stage.problem.as_ref().expect("a problem").to_string()).collect();
    has(&problems[0], &["TLLM_PROFILE_START_STOP=3-7", "prefill.json", "llm-prof triage"]);
    has(&problems[1], &["TLLM_PROFILE_START_STOP=4-8", "decode.json"]);
}

#[test]
fn a_gateway_without_workers_is_waited_for_by_the_user() {
    has(&told(Flavour::TokenSpeed, "0.1.1", 404, r#"{"error":"No workers available"}"#), &["has no worker", "wait"]);
}

#[test]
fn a_proxy_that_takes_no_post_is_named() {
    has(&told(Flavour::Vllm, "0.32.0", 405, ""), &["POST /start_profile is not allowed (HTTP 405)", "proxy"]);
}

#[test]
fn words_of_the_server_are_passed_on() {
    let body = r#"{"error":{"message":"max_iterations: Input should be greater than 0","code":400}}"#;
    has(
        &told(Flavour::Vllm, "0.32.0", 400, body),
        &["vLLM 0.32.0 refused /start_profile (HTTP 400)", "max_iterations: Input"],
    );
    has(&told(Flavour::Sglang, "0.5.23", 422, r#"{"detail":"bad field"}"#), &["bad field"]);
}

#[test]
fn a_bare_500_of_sglang_says_what_it_may_be() {
    let text = told(Flavour::Sglang, "0.5.23", 500, "Internal Server Error");
    has(&text, &["a capture is running, or the folder or the activities were refused", "server's log"]);
}

#[test]
fn a_partial_success_is_no_success() {
    let body =
        r#"{"status":"partial_success","failed":[["w1","cannot write"]],"workers_profiled":1,"total_workers":2}"#;
    has(&told(Flavour::TokenSpeed, "0.1.1", 206, body), &["not every worker", "cannot write"]);
}

#[test]
fn a_capture_of_somebody_else_is_left_alone_unless_it_may_be_stopped() {
    for (flavour, version) in [(Flavour::Vllm, "0.32.0"), (Flavour::Trtllm, "1.3.0"), (Flavour::TokenSpeed, "0.1.1")] {
        let case = Case::faulty(flavour, version, |faults| faults.busy = true);
        let (end, problem) = case.run().failed();
        assert_eq!(end, End::Nothing);
        has(&problem, &["somebody else", "--take-over"]);
        assert_eq!(case.stops(), 0, "{flavour:?}: not ours to stop");

        let mut case = Case::faulty(flavour, version, |faults| faults.busy = true);
        case.plan.take_over = true;
        let outcome = case.run();
        assert!(outcome.done().stages.iter().all(|stage| stage.end == End::Kept), "{:?}", outcome.done());
        has(&outcome.warnings()[0], &["was stopped", "its owner"]);
    }
}

#[test]
fn a_failing_warm_up_leaves_the_profiler_untouched() {
    let case = Case::faulty(Flavour::Vllm, "0.32.0", |faults| faults.requests_fail = Some((1, 500)));
    let (end, problem) = case.run().failed();
    assert_eq!(end, End::Nothing);
    has(&problem, &["warm-up for prefill failed: HTTP 500: out of blocks", "not touched"]);
    assert!(case.fake.posted("/start_profile").is_empty());
}

#[test]
fn a_request_that_fails_midway_stops_the_profiler_and_keeps_what_there_is() {
    let case = Case::faulty(Flavour::Sglang, "0.5.23", |faults| faults.requests_fail = Some((5, 500)));
    let outcome = case.run();
    let (end, problem) = outcome.failed();
    assert_eq!(end, End::Partial);
    has(&problem, &["a request failed while prefill was profiled", "profiler was stopped"]);
    assert!(!case.fake.profiles() && case.stops() >= 1);
    assert!(case.files().iter().any(|file| file.starts_with(".partial/prefill-")), "{:?}", case.files());
}

#[test]
fn one_stage_that_fails_leaves_the_other() {
    // Two prompts of warm-up and five of prefill are answered; decode is not.
    let case = Case::faulty(Flavour::Sglang, "0.5.23", |faults| faults.requests_fail = Some((8, 503)));
    let outcome = case.run();
    let ends: Vec<End> = outcome.done().stages.iter().map(|stage| stage.end).collect();
    assert_eq!(ends, [End::Kept, End::Nothing]);
    assert!(case.json("capture.json")["captures"][1]["problem"].is_string());
}

#[test]
fn a_server_that_dies_after_the_start_leaves_the_line_that_stops_it() {
    let case = Case::faulty(Flavour::Sglang, "0.5.23", |faults| faults.dies = true);
    let outcome = case.run();
    let (end, problem) = outcome.failed();
    assert_eq!(end, End::Partial);
    has(&problem, &["a request failed while prefill was profiled"]);
    has(&outcome.warnings().join("\n"), &["may still be running", "curl -X POST", "/stop_profile"]);
}

/// It may have started: so it is stopped.
#[test]
fn a_start_without_an_answer_is_stopped() {
    let mut case = Case::faulty(Flavour::Vllm, "0.32.0", |faults| faults.start_hangs = true);
    case.plan.timeouts.start = Some(Duration::from_millis(200));
    case.plan.workload = Workload::Prefill;
    let (end, problem) = case.run().failed();
    assert_eq!(end, End::Partial);
    has(&problem, &["no answer to /start_profile: no answer in time", "--start-timeout"]);
    assert_eq!(case.stops(), 1);
    assert!(!case.fake.profiles());
}

#[test]
fn a_stop_without_an_answer_prints_the_line_that_stops_it() {
    let mut case = Case::faulty(Flavour::Vllm, "0.32.0", |faults| faults.stop_hangs = true);
    case.plan.timeouts.stop = Duration::from_millis(200);
    case.plan.workload = Workload::Prefill;
    has(&case.run().failed().1, &["may still be running", "no answer in time", "curl -X POST"]);
}

#[test]
fn a_refused_stop_is_a_failure_where_it_is_not_the_normal_end() {
    let case = Case::faulty(Flavour::Vllm, "0.32.0", |faults| faults.stop = Some((500, "boom")));
    has(&case.run().failed().1, &["may still be running", "HTTP 500: boom"]);
}

#[test]
fn output_that_stands_still_is_not_waited_for_for_ever() {
    let mut case = Case::faulty(Flavour::Vllm, "0.15.0", |faults| faults.silent_after = Some(3));
    case.plan.workload = Workload::Decode;
    case.plan.warm_up = 0;
    case.plan.timeouts.request = Duration::from_millis(800);
    case.plan.timeouts.stop = Duration::from_millis(800);
    let (end, problem) = case.run().failed();
    assert_eq!(end, End::Partial);
    has(&problem, &["decode"]);
    assert!(!case.fake.profiles());
}

/// A capture that has not begun is not reached by a stop: it is called off.
#[test]
fn an_armed_capture_that_has_not_begun_is_called_off() {
    let mut case = Case::faulty(Flavour::Sglang, "0.5.23", |faults| faults.requests_fail = Some((4, 500)));
    case.plan.workload = Workload::Prefill;
    case.plan.start_step = Some(100);
    let outcome = case.run();
    let (end, _) = outcome.failed();
    assert_eq!(end, End::Partial);
    // A plain start in its place, and a stop.
    let starts = case.fake.posted("/start_profile");
    assert_eq!(starts.len(), 2);
    assert!(starts[1].get("num_steps").is_none() && starts[1].get("start_step").is_none());
    assert_eq!(case.stops(), 2);
}

/// A bug of ours leaves no profiler behind.
#[test]
fn a_panic_after_the_start_stops_the_profiler() {
    let case = Case::new(Flavour::Vllm, "0.32.0", |_| {});
    let bug = |said: Said| assert!(!matches!(&said, Said::Note(text) if text.contains("profiling")), "a bug");
    let run = || capture::run(&case.plan, &SERVERS, &RULES, &mut { bug });
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    assert!(!case.fake.profiles());
    assert_eq!(case.stops(), 1);
}

// --- gates ---------------------------------------------------------------------------------------------------------

#[test]
fn what_a_framework_cannot_do_is_refused_with_the_reason_before_anything_is_done() {
    type Change = fn(&mut Plan);
    let cases: [(Flavour, &'static str, Change, &[&str]); 5] = [
        (Flavour::Vllm, "0.32.0", |plan| plan.start_step = Some(3), &["vLLM cannot do --start-step"]),
        (Flavour::Vllm, "0.32.0", |plan| plan.merge = true, &["--merge-profiles: every rank writes its own file"]),
        (
            Flavour::TokenSpeed,
            "0.1.1",
            |plan| plan.by_stage = Some(true),
            &["--profile-by-stage", "a lone prefill is missed"],
        ),
        (Flavour::Sglang, "0.5.23", |plan| plan.by_stage = Some(true), &["goes with --profile-workload legacy"]),
        (Flavour::Trtllm, "1.3.0", |plan| plan.worker = Some("w".to_owned()), &["--worker-url"]),
    ];
    for (flavour, version, change, parts) in cases {
        let mut case = Case::new(flavour, version, |_| {});
        change(&mut case.plan);
        let outcome = case.run();
        assert_eq!(outcome.refused().kind, Kind::Usage);
        has(&outcome.refused().to_string(), parts);
        assert!(case.fake.seen().iter().all(|seen| seen.method == "GET"));
    }
}

#[test]
fn a_prefix_that_is_passed_over_is_said_when_it_was_asked_for() {
    let mut case = Case::new(Flavour::Trtllm, "1.3.0", |_| {});
    case.plan.prefix_given = true;
    let outcome = case.run();
    let notes: Vec<&Said> = outcome
        .said
        .iter()
        .filter(|said| matches!(said, Said::Note(text) if text.contains("--profile-prefix")))
        .collect();
    assert_eq!(notes.len(), 1);
}

#[test]
fn a_context_that_is_too_short_is_said_before_anything_is_done() {
    let case = Case::new(Flavour::Vllm, "0.32.0", |play| play.context = 2048);
    let outcome = case.run();
    has(&outcome.refused().to_string(), &["context of the model is 2048 tokens", "--prefill-input-len"]);
}

#[test]
fn parts_of_a_disaggregated_server_are_profiled_apart_and_through_the_router() {
    let of = |workload, router: Option<String>| {
        let mut case = Case::new(Flavour::Sglang, "0.5.23", |play| play.disaggregation = Some("decode"));
        case.plan.workload = workload;
        case.plan.router = router;
        let outcome = case.run();
        (case, outcome)
    };
    has(&of(Workload::Both, None).1.refused().to_string(), &["is the decode part", "--profile-workload decode"]);
    has(&of(Workload::Prefill, None).1.refused().to_string(), &["cannot be profiled for prefill"]);
    has(&of(Workload::Decode, None).1.refused().to_string(), &["--router-url"]);
    let folder = tempfile::tempdir().expect("a folder");
    let router = Fake::start(Play::new(Flavour::Sglang, "0.5.23", folder.path()));
    let (case, _) = of(Workload::Decode, Some(router.url.clone()));
    assert!(case.fake.posted("/generate").is_empty() && !router.posted("/generate").is_empty(), "requests go there");
    assert!(router.posted("/start_profile").is_empty() && !case.fake.posted("/start_profile").is_empty());
}

/// A gateway starts all its workers, and each of them writes.
#[test]
fn a_gateway_is_waited_for_until_every_worker_has_written() {
    let case = Case::new(Flavour::TokenSpeed, "0.1.1", |play| (play.workers, play.ranks) = (3, 2));
    let outcome = case.run();
    assert!(outcome.done().stages.iter().all(|stage| stage.end == End::Kept), "{:?}", outcome.done());
    let kept = |stage: &str| case.files().iter().filter(|file| file.starts_with(&format!("{stage}/"))).count();
    assert_eq!((kept("prefill"), kept("decode")), (6, 6), "{:?}", case.files());
    let mut case = Case::new(Flavour::TokenSpeed, "0.1.1", |play| {
        play.workers = 2;
        play.faults.rank_missing = true;
    });
    case.plan.timeouts.flush = Duration::from_millis(600);
    has(&case.run().failed().1, &["1 of 2 traces appeared"]);
}

#[test]
fn a_folder_of_another_machine_is_said_at_once() {
    let mut case = Case::new(Flavour::Sglang, "0.5.23", |_| {});
    case.plan.here = Some(false);
    has(&case.run().refused().to_string(), &["on its own machine", "--server-output-dir", "copy the files"]);
    // Mounted here: the user has said how the server sees it.
    case.plan.server_folder = Some(case.folder.path().to_owned());
    case.run().is_clean();
}

#[test]
fn the_server_is_told_the_folder_as_it_sees_it() {
    let mounted = tempfile::tempdir().expect("a folder");
    let mut case = Case::new(Flavour::Sglang, "0.5.23", |_| {});
    case.plan.server_folder = Some(mounted.path().to_owned());
    case.plan.timeouts.flush = Duration::from_millis(200);
    case.plan.workload = Workload::Prefill;
    case.run().done();
    let told = case.fake.posted("/start_profile")[0]["output_dir"].as_str().map(PathBuf::from).expect("a folder");
    assert!(told.starts_with(mounted.path()), "{}", told.display());
}

#[test]
fn vllm_needs_the_folder_that_it_was_started_with() {
    let mut case = Case::new(Flavour::Vllm, "0.32.0", |_| {});
    case.plan.folder_given = false;
    has(&case.run().refused().to_string(), &["--output-dir", "--profiler-config"]);
}

#[test]
fn a_folder_that_cannot_be_used_is_said() {
    let mut case = Case::new(Flavour::Sglang, "0.5.23", |_| {});
    let file = case.folder.path().join("file");
    fs::write(&file, "").expect("it is written");
    case.plan.folder = file;
    let (end, problem) = case.run().failed();
    assert_eq!(end, End::Nothing);
    has(&problem, &["cannot be used for traces"]);
}

#[test]
fn others_are_warned_that_the_engine_stands_still() {
    let case = Case::new(Flavour::Sglang, "0.5.23", |_| {});
    let outcome = case.run();
    assert!(outcome.said.iter().any(|said| matches!(said, Said::Note(text) if text.contains("answers nobody"))));
}
