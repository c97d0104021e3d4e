//! The trace once more, event by event: what is selected is written.

use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;

use super::annotate::Mark;
use super::event::Parts;
use super::scrub::Scrubber;
use super::select::{Selection, touches, within};
use crate::rules::schema::cut::CutFile;
use crate::trace::{self, EventKind, Header, Role, Seen, Settings};

/// What was written, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Events of the trace.
    pub events: u64,
    /// Events written, marks left out.
    pub kept: u64,
    /// Events that were selected and are no JSON.
    pub broken: u64,
    /// Top-level keys left out.
    pub header_left: Vec<String>,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum CopyFailed {
    /// The trace.
    #[error(transparent)]
    Read(#[from] trace::Error),
    /// The output.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes the selected events of the trace at `path` to `out`, after the header and before the marks.
///
/// # Errors
/// The trace cannot be read again, or the output takes no more.
pub fn copy(
    path: &Path,
    settings: &Settings,
    header: &Header,
    selection: &Selection,
    (file, scrubber): (&CutFile, &Scrubber<'_>),
    marks: &[Mark],
    out: &mut (dyn Write + Send),
) -> Result<Copied, CopyFailed> {
    let mut copied = Copied::default();
    out.write_all(b"{\n")?;
    for (key, json) in &header.values {
        if !file.header.contains(key) {
            copied.header_left.push(key.clone());
            continue;
        }
        let value = serde_json::from_str::<Value>(json).map(|value| scrubber.value(value)).unwrap_or_default();
        writeln!(out, "{}: {value},", Value::from(key.as_str()))?;
    }
    write!(out, "\"traceEvents\": [")?;
    let mut written: io::Result<()> = Ok(());
    let mut separator = "\n";
    trace::watch(path, settings, &mut |seen| {
        copied.events += 1;
        if written.is_err() || !is_selected(seen, selection, file) {
            return;
        }
        match Parts::of(seen.json) {
            Some(parts) if !is_foreign_arrow(seen, &parts, selection) => {
                copied.kept += 1;
                written = write!(out, "{separator}{}", parts.scrubbed(seen.role, file, scrubber));
                separator = ",\n";
            }
            Some(_) => {}
            None => copied.broken += 1,
        }
    })?;
    written?;
    for mark in marks {
        write!(out, "{separator}{}", mark.json())?;
        separator = ",\n";
    }
    out.write_all(b"\n]}\n")?;
    Ok(copied)
}

fn is_selected(seen: &Seen<'_>, selection: &Selection, file: &CutFile) -> bool {
    if selection.processes.as_ref().is_some_and(|processes| !processes.contains(&seen.process())) {
        return false;
    }
    if seen.role == Role::Metadata {
        return true;
    }
    let Some(start) = seen.start() else { return false };
    let end = start + seen.dur().unwrap_or_default();
    match seen.role {
        Role::Row(EventKind::Gpu(_)) => selection.gpu.contains(&(start, end - start, seen.correlation())),
        Role::Row(EventKind::Runtime) => {
            seen.correlation().is_some_and(|own| selection.correlations.contains(&own))
                || touches(&selection.host, start, end)
        }
        Role::Row(EventKind::CpuOp | EventKind::PythonFrame | EventKind::Annotation) => {
            touches(&selection.host, start, end)
        }
        // Of the step before and after, no more than a bit reaches in.
        Role::Row(EventKind::GpuAnnotation) => {
            let inside = within(&selection.device, start, end);
            inside + inside > end - start
        }
        Role::Row(EventKind::Sync) => touches(&selection.device, start, end),
        Role::Row(EventKind::Ignored) | Role::Other => {
            seen.category().is_some_and(|category| file.arrows.contains(&category))
        }
        Role::Metadata => true,
    }
}

/// Whether it is an arrow to a kernel that is not copied.
fn is_foreign_arrow(seen: &Seen<'_>, parts: &Parts, selection: &Selection) -> bool {
    matches!(seen.role, Role::Other | Role::Row(EventKind::Ignored))
        && parts.id().is_none_or(|id| !selection.correlations.contains(&id))
}
