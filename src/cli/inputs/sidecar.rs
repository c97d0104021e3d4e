//! What lies beside a trace or one folder up: the server's arguments, and what was asked of the capture.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::names::Names;
use super::shown;
use crate::capture::CAPTURE;
use crate::cli::failure::Failure;
use crate::report::{CaptureInfo, TraceInfo};

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

/// What was asked of the capture that the first of these traces is of. The report does not need it, so a broken file is
/// none.
pub(in crate::cli) fn capture_beside(traces: &[TraceInfo]) -> Option<CaptureInfo> {
    let trace = traces.iter().find(|info| info.taken && info.path != "-")?;
    let folder = Path::new(&trace.path).parent()?;
    let path = [Some(folder), folder.parent()]
        .into_iter()
        .flatten()
        .map(|folder| folder.join(CAPTURE))
        .find(|p| p.is_file())?;
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
    let stages: Vec<String> = value.get("captures")?.as_array()?.iter().filter_map(work).collect();
    Some(CaptureInfo {
        source: shown(&path),
        work: stages.join(", "),
        seed: asked.get("seed").and_then(serde_json::Value::as_u64),
        bucket: text("bucket"),
        note: text("note"),
    })
}
