//! What is written beside the traces: what was asked and seen (`capture.json`), and what the server said of itself
//! (`server_args.json`). Never a key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Serialize;
use serde_json::{Map, Value};

use super::machine::End;
use super::plan::Plan;
use crate::rules::schema::servers::Servers;

/// Name of the file of a capture.
pub const CAPTURE: &str = "capture.json";

/// `capture.json`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Record {
    schema: &'static str,
    tool: Tool,
    pub(super) url: String,
    pub(super) framework: String,
    pub(super) framework_version: Option<String>,
    pub(super) model: Option<String>,
    asked: Asked,
    note: Option<String>,
    bucket: Option<String>,
    /// One a stage.
    pub(super) captures: Vec<Captured>,
}

#[derive(Clone, Debug, Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Asked {
    profile_workload: &'static str,
    num_steps: u64,
    warmup_steps: u64,
    prefill_input_len: u64,
    prefill_output_len: u64,
    decode_input_len: u64,
    decode_output_len: u64,
    probe_requests: u64,
    probe_prompt: Option<String>,
    start_step: Option<u64>,
    merge_profiles: bool,
    seed: u64,
}

/// One stage of `capture.json`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Captured {
    pub(super) stage: &'static str,
    /// kept, partial, nothing.
    pub(super) outcome: &'static str,
    pub(super) problem: Option<String>,
    /// Seconds since 1970: profiler started, stopped, traces whole.
    pub(super) started: Option<u64>,
    pub(super) stopped: Option<u64>,
    pub(super) whole: Option<u64>,
    pub(super) steps_wanted: u64,
    /// What the server was told; none: it cannot be told.
    pub(super) steps_sent: Option<u64>,
    pub(super) steps_seen: Option<u64>,
    /// Steps of another stage in the trace.
    pub(super) other_steps: u64,
    pub(super) tokens_of_steps: Vec<i64>,
    pub(super) requests: u64,
    pub(super) tokens_in: Vec<Option<u64>>,
    pub(super) gpu_events: Option<usize>,
    pub(super) files: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl Captured {
    pub(super) fn new(stage: &'static str, wanted: u64) -> Self {
        Self {
            stage,
            outcome: "nothing",
            problem: None,
            started: None,
            stopped: None,
            whole: None,
            steps_wanted: wanted,
            steps_sent: None,
            steps_seen: None,
            other_steps: 0,
            tokens_of_steps: Vec::new(),
            requests: 0,
            tokens_in: Vec::new(),
            gpu_events: None,
            files: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn end(&mut self, end: End) {
        self.outcome = match end {
            End::Kept => "kept",
            End::Partial => "partial",
            End::Nothing => "nothing",
        };
    }
}

impl Record {
    pub(super) fn new(plan: &Plan, url: &str) -> Self {
        Self {
            schema: "llm-prof.capture/1",
            tool: Tool { name: "llm-prof", version: env!("CARGO_PKG_VERSION") },
            url: url.to_owned(),
            framework: String::new(),
            framework_version: None,
            model: None,
            asked: Asked {
                profile_workload: plan.workload.id(),
                num_steps: plan.steps,
                warmup_steps: plan.warm_up,
                prefill_input_len: plan.prefill.input,
                prefill_output_len: plan.prefill.output,
                decode_input_len: plan.decode.input,
                decode_output_len: plan.decode.output,
                probe_requests: plan.requests,
                probe_prompt: plan.prompt.clone(),
                start_step: plan.start_step,
                merge_profiles: plan.merge,
                seed: plan.seed,
            },
            note: plan.note.clone(),
            bucket: plan.bucket.clone(),
            captures: Vec::new(),
        }
    }
}

/// Writes a JSON file beside the traces: a part that stands for the run, so a later capture replaces it.
pub(super) fn save(folder: &Path, name: &str, value: &impl Serialize) -> io::Result<PathBuf> {
    let path = folder.join(name);
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    fs::write(&beside, serde_json::to_string_pretty(value)? + "\n")?;
    fs::rename(&beside, &path)?;
    Ok(path)
}

/// A value without the keys that are secret.
fn clean(value: &Value, secret: &impl Fn(&str) -> bool) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| !secret(key));
            Value::Object(kept.map(|(key, value)| (key.clone(), clean(value, secret))).collect())
        }
        Value::Array(items) => items.iter().map(|item| clean(item, secret)).collect(),
        other => other.clone(),
    }
}

/// The server's arguments without those that `secrets` names, at any depth.
pub(super) fn without_secrets(arguments: &Map<String, Value>, secrets: &[String]) -> Map<String, Value> {
    let set = globs(secrets);
    match clean(&Value::Object(arguments.clone()), &|key: &str| set.is_match(key)) {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Whether what has this name is never written down.
pub fn is_secret(name: &str, servers: &Servers) -> bool {
    globs(&servers.common.secrets).is_match(name.replace('-', "_"))
}

/// Globs, case ignored; those that are none match nothing.
pub(super) fn globs(texts: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in texts.iter().filter_map(|glob| GlobBuilder::new(glob).case_insensitive(true).build().ok()) {
        set.add(glob);
    }
    set.build().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_and_passwords_are_left_out_at_any_depth_and_tokenizers_stay() {
        let said = json!({ "api_key": "a", "admin_api_key": "b", "tokenizer_path": "t", "tp_size": 2,
                           "env": [{ "HF_TOKEN": "c", "ssl_keyfile_password": "d", "x": 1 }] });
        let secrets = ["*api_key*", "*password*", "*_token"].map(str::to_owned);
        let kept = without_secrets(said.as_object().unwrap(), &secrets);
        assert_eq!(Value::Object(kept), json!({ "tokenizer_path": "t", "tp_size": 2, "env": [{ "x": 1 }] }));
    }
}
