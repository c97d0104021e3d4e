//! What lies beside a trace or one folder up: the server's arguments, and what was asked of the capture.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::names::Names;
use super::shown;
use crate::capture::CAPTURE;
use crate::cli::failure::Failure;
use crate::report::{CaptureInfo, TraceInfo};
use crate::units;

/// Names to JSON texts, and the file they come from.
type ServerArgs = (BTreeMap<String, String>, String);

/// The file beside `trace` or one folder up.
pub(super) fn server_args_beside(trace: &Path, names: &Names) -> Option<PathBuf> {
    let folder = trace.parent()?;
    let folders = [Some(folder), folder.parent()];
    (folders.into_iter().flatten())
        .flat_map(|folder| names.server_args.iter().map(|name| folder.join(name)))
        .find(|path| path.is_file() && trace.as_os_str() != "-")
}

/// The arguments in a file; a list of one object is the same as the object.
pub(in crate::cli) fn server_args_of(path: &Path) -> Result<ServerArgs, Failure> {
    let name = shown(path);
    let text = fs::read_to_string(path).map_err(|error| Failure::input(format!("{name}: cannot read it: {error}")))?;
    let expected = "expected a JSON object of server arguments, as SGLang writes server_args.json";
    let value: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| Failure::input(format!("{name}: broken JSON: {error}; {expected}")))?;
    let first = if let serde_json::Value::Array(items) = &value { items.first() } else { Some(&value) };
    let Some(object) = first.and_then(serde_json::Value::as_object) else {
        return Err(Failure::input(format!("{name}: {expected}")));
    };
    Ok((object.iter().map(|(key, value)| (key.clone(), value.to_string())).collect(), name))
}

/// The file of the capture that a trace is of.
pub(in crate::cli) fn capture_file(trace: &Path) -> Option<PathBuf> {
    let folder = trace.parent()?;
    let folders = [Some(folder), folder.parent()].into_iter().flatten();
    folders.map(|folder| folder.join(CAPTURE)).find(|path| path.is_file())
}

/// What was asked of the capture that the first of these traces is of. The report does not need it, so a broken file is
/// none.
pub(in crate::cli) fn capture_beside(traces: &[TraceInfo]) -> Option<CaptureInfo> {
    let trace = traces.iter().find(|info| info.taken && info.path != "-")?;
    let path = capture_file(Path::new(&trace.path))?;
    let value: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).ok()?).ok()?;
    let text = |key: &str| value.get(key).and_then(|value| Some(value.as_str()?.to_owned()));
    let asked = value.get("asked")?;
    let work = |stage: &serde_json::Value| {
        let stage = stage.get("stage")?.as_str()?;
        let number = |end: &str| asked.get(format!("{stage}_{end}_len"))?.as_u64();
        Some(match (number("input"), number("output")) {
            (Some(input), Some(output)) => format!("{stage} {input} -> {output}"),
            _ => stage.to_owned(),
        })
    };
    let captures = value.get("captures")?.as_array()?;
    let stages: Vec<String> = captures.iter().filter_map(work).collect();
    let begun = captures.iter().filter_map(|stage| stage.get("started")?.as_i64()).min();
    Some(CaptureInfo {
        source: shown(&path),
        host: text("url").and_then(|url| Some(url.parse::<ureq::http::Uri>().ok()?.host()?.to_owned())),
        date: begun.and_then(|seconds| units::date(seconds.checked_mul(1_000_000_000)?)),
        work: stages.join(", "),
        seed: asked.get("seed").and_then(serde_json::Value::as_u64),
        bucket: text("bucket"),
        note: text("note"),
    })
}
