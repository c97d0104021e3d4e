//! The server's arguments: beside the trace or one folder up.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::names::Names;
use super::shown;
use crate::cli::failure::Failure;

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
