//! A stand-in server on a socket of this machine: answers, codes and files of each framework and version, with faults on
//! demand. Its engine runs forwards and records those that happen while it profiles.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::trace::{self, Marks, Step};

/// What it plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    Sglang,
    Vllm,
    Trtllm,
    TokenSpeed,
    /// Answers, and is none of them.
    Other,
}

/// How it behaves.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    pub(crate) flavour: Flavour,
    pub(crate) version: &'static str,
    /// Folder that it was started with.
    pub(crate) folder: PathBuf,
    /// Whether a profiler was configured; routes are missing otherwise.
    pub(crate) profiler: bool,
    pub(crate) ranks: u64,
    /// Workers behind a gateway, each with its ranks.
    pub(crate) workers: u64,
    /// Longest prompt of one forward.
    pub(crate) chunk: u64,
    pub(crate) context: u64,
    /// Tokens that a prefix cache takes off every prompt.
    pub(crate) cached: u64,
    /// Requests of somebody else, in every step.
    pub(crate) foreign: u64,
    /// Whether traces hold kernels.
    pub(crate) kernels: bool,
    pub(crate) disaggregation: Option<&'static str>,
    /// Key that is wanted.
    pub(crate) key: Option<&'static str>,
    /// Answers to chat requests, one after another and the last one for ever; none: no such route.
    pub(crate) chat: Vec<(u16, Value)>,
    /// Time between two forwards.
    pub(crate) tick: Duration,
    pub(crate) faults: Faults,
}

/// What goes wrong.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault")]
pub(crate) struct Faults {
    /// An answer to every start.
    pub(crate) start: Option<(u16, &'static str)>,
    /// A start is not answered.
    pub(crate) start_hangs: bool,
    /// An answer to every stop.
    pub(crate) stop: Option<(u16, &'static str)>,
    /// A stop is not answered.
    pub(crate) stop_hangs: bool,
    /// Somebody's capture is running.
    pub(crate) busy: bool,
    /// It is gone after the start.
    pub(crate) dies: bool,
    /// Requests are answered with this code, from the n-th on.
    pub(crate) requests_fail: Option<(usize, u16)>,
    /// Output stops after so many tokens.
    pub(crate) silent_after: Option<u64>,
    /// Nothing is written.
    pub(crate) no_file: bool,
    /// Files are written in so many pieces.
    pub(crate) pieces: usize,
    /// The end of files is missing.
    pub(crate) cut: bool,
    /// The last rank writes nothing.
    pub(crate) rank_missing: bool,
    /// Only the front end's trace is written.
    pub(crate) frontend_only: bool,
    /// Names of files.
    pub(crate) odd_names: bool,
    /// Writes no JSON.
    pub(crate) no_json: bool,
}

impl Play {
    pub(crate) fn new(flavour: Flavour, version: &'static str, folder: &Path) -> Self {
        Self {
            flavour,
            version,
            folder: folder.to_owned(),
            profiler: true,
            ranks: 1,
            workers: 1,
            chunk: 1 << 20,
            context: 1 << 20,
            cached: 0,
            foreign: 0,
            kernels: true,
            disaggregation: None,
            key: None,
            chat: Vec::new(),
            tick: Duration::from_millis(2),
            faults: Faults::default(),
        }
    }

    fn marks(&self) -> Marks {
        match self.flavour {
            Flavour::Sglang => Marks::Sglang,
            Flavour::Vllm => Marks::Vllm,
            Flavour::Trtllm => Marks::Trtllm,
            Flavour::TokenSpeed | Flavour::Other => Marks::Nothing,
        }
    }

    /// The server looks whether a step is the last before it runs it.
    fn counts_early(&self) -> bool {
        self.flavour == Flavour::Sglang && ["0.4.9", "0.5.9", "0.5.15"].contains(&self.version)
    }

    fn takes_steps(&self) -> bool {
        self.flavour != Flavour::Vllm || self.version.starts_with("0.32")
    }
}

/// One request to it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) headers: String,
}

#[derive(Debug)]
struct Profile {
    folder: PathBuf,
    names: String,
    limit: Option<u64>,
    counted: u64,
    /// Steps that go by first.
    wait: u64,
    steps: Vec<Step>,
}

struct Active {
    left: u64,
    out: u64,
    to: Sender<u64>,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    profile: Option<Profile>,
    /// vLLM: the steps are over, and it was not stopped yet.
    over: bool,
    active: Vec<Active>,
    generated: usize,
    stopped: bool,
}

/// A running stand-in.
pub(crate) struct Fake {
    pub(crate) url: String,
    play: Play,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub(crate) fn start(play: Play) -> Self {
        Self::start_at(play, 0)
    }

    /// At a port; 0 is any.
    pub(crate) fn start_at(play: Play, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State::default()));
        let fake = Self { url, play: play.clone(), state: Arc::clone(&state) };
        {
            let (play, state) = (play.clone(), Arc::clone(&state));
            thread::spawn(move || {
                loop {
                    thread::sleep(play.tick);
                    let mut state = lock(&state);
                    if state.stopped {
                        return;
                    }
                    tick(&play, &mut state);
                }
            });
        }
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                if lock(&state).stopped {
                    return;
                }
                let (play, state) = (play.clone(), Arc::clone(&state));
                thread::spawn(move || {
                    // A client that goes away is no concern of the server.
                    let _ = serve(&play, &state, stream);
                });
            }
        });
        fake
    }

    /// Requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        lock(&self.state).seen.clone()
    }

    /// Bodies posted to a path.
    pub(crate) fn posted(&self, path: &str) -> Vec<Value> {
        let of = |seen: Seen| (seen.method == "POST" && seen.path == path).then_some(seen.body);
        self.seen().into_iter().filter_map(of).collect()
    }

    /// Whether it profiles.
    pub(crate) fn profiles(&self) -> bool {
        lock(&self.state).profile.is_some()
    }

    /// Requests that are being answered.
    pub(crate) fn active(&self) -> usize {
        lock(&self.state).active.len()
    }

    /// Prompts of token ids that it was sent.
    pub(crate) fn prompts(&self) -> Vec<Vec<u64>> {
        let ids = |body: &Value| {
            let ids = body.get("input_ids").or(body.get("prompt"))?.as_array()?;
            ids.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>()
        };
        let path = self.work();
        self.posted(path).iter().filter_map(ids).collect()
    }

    fn work(&self) -> &'static str {
        match self.play.flavour {
            Flavour::Sglang | Flavour::TokenSpeed => "/generate",
            _ => "/v1/completions",
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        lock(&self.state).stopped = true;
        // Wakes the listener.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

// --- the engine ---------------------------------------------------------------------------------------------------

/// One token for everybody.
fn tick(play: &Play, state: &mut State) {
    state.active.retain(|one| one.left > 0);
    if state.active.is_empty() {
        return;
    }
    let silent = |out: u64| play.faults.silent_after.is_some_and(|most| out >= most);
    if state.active.iter().any(|one| silent(one.out)) {
        return;
    }
    let decode = state.active.len() as u64 + play.foreign;
    forward(play, state, Step { prefill: (0, 0), decode });
    for one in &mut state.active {
        one.out += 1;
        one.left -= 1;
        if one.to.send(one.out).is_err() {
            one.left = 0;
        }
    }
}

/// One step; recorded while it profiles.
fn forward(play: &Play, state: &mut State, step: Step) {
    let Some(profile) = &mut state.profile else { return };
    if profile.wait > 0 {
        profile.wait -= 1;
        return;
    }
    profile.counted += 1;
    let limit = profile.limit.unwrap_or(u64::MAX);
    if play.counts_early() {
        if profile.counted < limit {
            profile.steps.push(step);
        }
    } else if profile.counted <= limit {
        profile.steps.push(step);
    }
    if profile.counted < limit {
        return;
    }
    if play.flavour == Flavour::Vllm {
        state.over = true;
    } else if let Some(profile) = state.profile.take() {
        write_traces(play, &profile);
    }
}

fn prefill(play: &Play, state: &mut State, tokens: u64) {
    let mut left = tokens.saturating_sub(play.cached).max(1);
    while left > 0 {
        let now = left.min(play.chunk);
        left -= now;
        forward(play, state, Step { prefill: (1 + play.foreign, now + play.foreign), decode: 0 });
    }
}

// --- files --------------------------------------------------------------------------------------------------------

fn write_traces(play: &Play, profile: &Profile) {
    if play.faults.no_file {
        return;
    }
    let folder = profile.folder.clone();
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut files = Vec::new();
    let (each, all) = (play.ranks, play.ranks * play.workers);
    for n in 0..all {
        if play.faults.rank_missing && n + 1 == all || play.faults.frontend_only {
            continue;
        }
        let (worker, rank) = (n / each, n % each);
        let text = trace::text(play.marks(), &profile.steps, rank, play.kernels);
        let packed = trace::gz(&text);
        let names = &profile.names;
        let (name, bytes) = match play.flavour {
            _ if play.faults.odd_names => (format!("t.json-rank-{rank}.gz"), packed),
            Flavour::Trtllm => (format!("trtllm-trace-{names}-rank-{rank}.json"), text.into_bytes()),
            Flavour::Vllm if play.version.starts_with("0.32") => {
                (format!("{names}dp0_pp0_tp{rank}_dcp0_ep0_rank{rank}.17.pt.trace.json.gz"), packed)
            }
            Flavour::Vllm => (format!("host-rank-{rank}.{names}.pt.trace.json.gz"), packed),
            Flavour::TokenSpeed => (format!("{names}{worker}-TP{rank}.trace.json.gz"), packed),
            Flavour::Sglang | Flavour::Other => (format!("{names}-TP-{rank}.trace.json.gz"), packed),
        };
        files.push((name, bytes));
    }
    if play.flavour == Flavour::Vllm {
        let text = trace::text(play.marks(), &profile.steps, 0, false);
        files.insert(0, (format!("{}host_77.async_llm.17.pt.trace.json.gz", profile.names), trace::gz(&text)));
        files.push(("profiler_out_0.txt".to_owned(), b"Self CPU %".to_vec()));
    }
    for (name, mut bytes) in files {
        if play.faults.no_json {
            bytes = b"Traceback (most recent call last)".to_vec();
        }
        if play.faults.cut {
            bytes.truncate(bytes.len() - 5);
        }
        let pieces = play.faults.pieces.max(1);
        let path = folder.join(name);
        if pieces == 1 {
            std::fs::write(&path, &bytes).expect("it is written");
            continue;
        }
        // As torch does: the name is there at once, with nothing in it.
        let mut file = std::fs::File::create(&path).expect("it is made");
        thread::spawn(move || {
            for piece in bytes.chunks(bytes.len().div_ceil(pieces)) {
                thread::sleep(Duration::from_millis(30));
                if file.write_all(piece).is_err() {
                    return;
                }
            }
        });
    }
}

// --- HTTP ---------------------------------------------------------------------------------------------------------

fn serve(play: &Play, state: &Arc<Mutex<State>>, stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let (mut length, mut headers) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        headers += &line;
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let seen = Seen { method: method.clone(), path: path.clone(), body: body.clone(), headers: headers.clone() };
    lock(state).seen.push(seen);
    if play.key.is_some_and(|key| !headers.to_lowercase().contains(&format!("authorization: bearer {key}"))) {
        return reply(stream, 401, &json!({ "error": "Unauthorized" }).to_string());
    }
    match (method.as_str(), path.as_str()) {
        ("POST", "/start_profile") => start_profile(play, state, stream, &body),
        ("POST", "/stop_profile") => stop_profile(play, state, stream),
        ("POST", "/v1/chat/completions") => chat(play, state, stream),
        ("POST", "/generate" | "/v1/completions") => generate(play, state, stream, &path, &body),
        ("GET", path) => match about(play, path) {
            Some(value) => reply(stream, 200, &value.to_string()),
            None => reply(stream, 404, r#"{"detail":"Not Found"}"#),
        },
        _ => reply(stream, 404, r#"{"detail":"Not Found"}"#),
    }
}

fn reply(mut stream: TcpStream, status: u16, body: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

/// What it says of itself.
fn about(play: &Play, path: &str) -> Option<Value> {
    let owner = match play.flavour {
        Flavour::Sglang => "sglang",
        Flavour::Vllm => "vllm",
        Flavour::Trtllm => "tensorrt_llm",
        Flavour::TokenSpeed => "smg",
        Flavour::Other => "somebody",
    };
    let args = json!({
        "tp_size": play.ranks, "pp_size": 1, "dp_size": 1, "enable_dp_attention": false, "version": play.version,
        "internal_states": [{}], "model_path": "m", "api_key": "s3cret", "attention_backend": "fa3",
        "sampling_backend": "flashinfer", "disaggregation_mode": play.disaggregation.unwrap_or("null"),
    });
    match (play.flavour, path) {
        (_, "/v1/models") => {
            Some(json!({ "data": [{ "id": "tiny", "owned_by": owner, "max_model_len": play.context }] }))
        }
        (Flavour::Vllm | Flavour::Trtllm, "/version") => Some(json!({ "version": play.version })),
        (Flavour::Trtllm, "/server_info") => Some(json!({ "disaggregated_params": null })),
        (Flavour::Sglang, "/get_server_info") => Some(args),
        (Flavour::Sglang, "/server_info") if play.version != "0.4.9" => Some(args),
        (Flavour::TokenSpeed, "/get_server_info") => Some(
            json!({ "server_args": { "tp_size": play.ranks, "version": play.version, "attn_tp_size": play.ranks } }),
        ),
        _ => None,
    }
}

fn chat(play: &Play, state: &Arc<Mutex<State>>, stream: TcpStream) -> std::io::Result<()> {
    let asked = lock(state).seen.iter().filter(|seen| seen.path == "/v1/chat/completions").count();
    match play.chat.get(asked - 1).or(play.chat.last()) {
        Some((status, body)) => reply(stream, *status, &body.to_string()),
        None => reply(stream, 404, r#"{"detail":"Not Found"}"#),
    }
}

fn start_profile(play: &Play, state: &Arc<Mutex<State>>, stream: TcpStream, body: &Value) -> std::io::Result<()> {
    let routes = match play.flavour {
        Flavour::Other => false,
        _ => play.profiler,
    };
    if !routes {
        return reply(stream, 404, r#"{"detail":"Not Found"}"#);
    }
    if let Some((status, body)) = play.faults.start {
        return reply(stream, status, body);
    }
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |key: &str| body.get(key).and_then(Value::as_u64);
    let busy = play.faults.busy && lock(state).seen.iter().all(|seen| seen.path != "/stop_profile");
    if busy || lock(state).profile.is_some() {
        return match play.flavour {
            Flavour::Vllm => reply(
                stream,
                409,
                r#"{"error":{"message":"Profiler is already running. Call /stop_profile first.","code":409}}"#,
            ),
            Flavour::TokenSpeed => reply(
                stream,
                206,
                r#"{"status":"partial_success","failed":[["w0","Profiling is already in progress"]]}"#,
            ),
            Flavour::Trtllm => reply(stream, 503, r#"{"error":"profiling already in progress (state ACTIVE)"}"#),
            _ => reply(stream, 500, "Internal Server Error"),
        };
    }
    let steps = play.takes_steps();
    let prefix = text("profile_prefix").filter(|_| steps);
    let names = match play.flavour {
        Flavour::Sglang => match (prefix, text("profile_id")) {
            (Some(prefix), Some(id)) => format!("{prefix}-{id}"),
            (None, Some(id)) => id,
            _ => "1700000000".to_owned(),
        },
        Flavour::Vllm => prefix.map_or_else(String::new, |prefix| format!("{prefix}_")),
        Flavour::TokenSpeed => "20261125-101010".to_owned(),
        _ => "17-ab".to_owned(),
    };
    let names = if play.flavour == Flavour::Vllm && !steps {
        static RUN: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        RUN.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string()
    } else {
        names
    };
    let folder = match play.flavour {
        Flavour::Vllm => play.folder.clone(),
        _ => text("output_dir").map_or_else(|| play.folder.clone(), PathBuf::from),
    };
    let limit = number("num_steps").or(number("max_iterations")).filter(|_| steps);
    lock(state).profile =
        Some(Profile { folder, names, limit, counted: 0, wait: number("start_step").unwrap_or(0), steps: Vec::new() });
    if play.faults.dies {
        lock(state).stopped = true;
        return reply(stream, 200, "");
    }
    if play.faults.start_hangs {
        thread::sleep(Duration::from_secs(3));
    }
    match play.flavour {
        Flavour::TokenSpeed => {
            let workers = play.workers;
            let body = json!({ "status": "success", "workers_profiled": workers, "total_workers": workers });
            reply(stream, 200, &body.to_string())
        }
        _ => reply(stream, 200, "Start profiling."),
    }
}

fn stop_profile(play: &Play, state: &Arc<Mutex<State>>, stream: TcpStream) -> std::io::Result<()> {
    if !play.profiler {
        return reply(stream, 404, r#"{"detail":"Not Found"}"#);
    }
    if let Some((status, body)) = play.faults.stop {
        return reply(stream, status, body);
    }
    if play.faults.stop_hangs {
        thread::sleep(Duration::from_secs(30));
    }
    let profile = {
        let mut state = lock(state);
        state.over = false;
        // Armed and not begun: a stop does not reach it.
        if state.profile.as_ref().is_some_and(|profile| profile.wait > 0) { None } else { state.profile.take() }
    };
    match profile {
        Some(profile) => {
            write_traces(play, &profile);
            reply(stream, 200, "")
        }
        None => match play.flavour {
            Flavour::Sglang => reply(stream, 500, "Internal Server Error"),
            Flavour::TokenSpeed => {
                reply(stream, 206, r#"{"status":"partial_success","failed":[["w0","Profiling is not in progress"]]}"#)
            }
            _ => reply(stream, 200, ""),
        },
    }
}

fn generate(
    play: &Play,
    state: &Arc<Mutex<State>>,
    mut stream: TcpStream,
    path: &str,
    body: &Value,
) -> std::io::Result<()> {
    let number = {
        let mut state = lock(state);
        state.generated += 1;
        state.generated
    };
    if let Some((_, status)) = play.faults.requests_fail.filter(|(from, _)| number >= *from) {
        return reply(stream, status, r#"{"error":{"message":"out of blocks"}}"#);
    }
    let ids = body.get("input_ids").or(body.get("prompt"));
    let tokens_in = ids.and_then(Value::as_array).map_or(7, |ids| ids.len() as u64);
    let params = body.get("sampling_params").unwrap_or(body);
    let out = ["max_new_tokens", "max_tokens"].iter().find_map(|key| params.get(*key)?.as_u64()).unwrap_or(16);
    let (to, from) = mpsc::channel();
    {
        let mut state = lock(state);
        prefill(play, &mut state, tokens_in);
        let _ = to.send(1);
        if play.flavour == Flavour::Vllm && out == 1 {
            // It cleans up after the request, in a step of its own.
            forward(play, &mut state, Step { prefill: (0, 0), decode: 0 });
        }
        state.active.push(Active { left: out - 1, out: 1, to });
    }
    let usage = |tokens: u64| match path {
        "/generate" => {
            let one = json!({ "text": "x", "meta_info": { "prompt_tokens": tokens_in, "completion_tokens": tokens } });
            if play.flavour == Flavour::TokenSpeed { json!([one]) } else { one }
        }
        _ => {
            json!({ "choices": [{ "text": "x" }], "usage": { "prompt_tokens": tokens_in, "completion_tokens": tokens } })
        }
    };
    if body.get("stream") != Some(&json!(true)) {
        let last = from.iter().take(out as usize).last().unwrap_or(0);
        return reply(stream, 200, &usage(last).to_string());
    }
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")?;
    for tokens in from.iter().take(out as usize) {
        write!(stream, "data: {}\n\n", usage(tokens))?;
        stream.flush()?;
    }
    write!(stream, "data: [DONE]\n\n")
}
