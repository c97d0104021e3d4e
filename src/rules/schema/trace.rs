//! `rules/trace.yaml`: what the reader is told about the trace format.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::trace::{Arg, EventKind, Foreign, GpuKind, Limits, Settings, Sign};
use crate::units::Nanos;

/// The file as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceFile {
    /// Version of the format.
    pub version: u32,
    /// Categories by role.
    pub categories: Categories,
    /// Spellings of the keys of `args` by meaning.
    pub args: Args,
    /// Python frames shorter than this, in nanoseconds, are counted and not kept.
    #[serde(default)]
    pub shortest_frame_ns: u32,
    /// What is no trace any more.
    #[serde(default)]
    pub limits: Option<LimitsFile>,
    /// Files that people take for traces.
    #[serde(default)]
    pub foreign: Vec<ForeignFile>,
}

/// What is no trace any more.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsFile {
    /// Bytes of JSON for each byte of a file ..
    pub ratio: u64,
    /// .. but never fewer than this.
    pub free_mb: u64,
    /// Size of one event.
    pub event_mb: usize,
}

impl LimitsFile {
    fn limits(self) -> Limits {
        Limits { bytes: None, ratio: self.ratio, free: self.free_mb << 20, event: self.event_mb << 20 }
    }
}

/// Spellings of `cat` by role; spelled exactly as traces have them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Categories {
    /// Kernels.
    pub kernel: Vec<String>,
    /// Copies on the GPU.
    pub memcpy: Vec<String>,
    /// Memory sets on the GPU.
    pub memset: Vec<String>,
    /// Runtime and driver calls.
    pub runtime: Vec<String>,
    /// Framework ops.
    pub cpu_op: Vec<String>,
    /// Python and nn.Module frames.
    pub python_frame: Vec<String>,
    /// User annotations on the host.
    pub annotation: Vec<String>,
    /// User annotations on the GPU's time line.
    pub gpu_annotation: Vec<String>,
    /// Waits.
    pub sync: Vec<String>,
    /// Known and not needed.
    pub ignored: Vec<String>,
}

/// Spellings of the keys of `args`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Args {
    /// Queue.
    pub stream: Vec<String>,
    /// Joins launch and GPU event.
    pub correlation: Vec<String>,
    /// Joins CPU op and launch.
    pub external_id: Vec<String>,
    /// Launch grid.
    pub grid: Vec<String>,
    /// Bytes moved.
    pub bytes: Vec<String>,
    /// Direction of a copy.
    pub copy_kind: Vec<String>,
    /// Kernel launched.
    pub kernel: Vec<String>,
    /// Input shapes.
    pub input_dims: Vec<String>,
    /// Collective.
    pub collective: Vec<String>,
    /// Process group.
    pub process_group: Vec<String>,
    /// Elements that a collective takes in.
    pub message_elements: Vec<String>,
    /// Stream waited for.
    pub wait_on_stream: Vec<String>,
    /// Record waited for.
    pub wait_on_record: Vec<String>,
    /// Event waited for.
    pub wait_on_event: Vec<String>,
    /// Name in metadata.
    pub name: Vec<String>,
    /// Labels in metadata.
    pub labels: Vec<String>,
}

/// A file that is no trace, with exactly one mark.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignFile {
    /// What to tell people.
    pub looks_like: String,
    /// Its first bytes as text.
    pub starts_with: Option<String>,
    /// Its first bytes in hexadecimal.
    pub starts_with_hex: Option<String>,
    /// A top-level key.
    pub key: Option<String>,
}

impl TraceFile {
    /// The settings of the reader; the error says which entry is wrong.
    pub fn settings(self) -> Result<Settings, String> {
        let c = self.categories;
        let kinds = [
            (c.kernel, EventKind::Gpu(GpuKind::Kernel)),
            (c.memcpy, EventKind::Gpu(GpuKind::Memcpy)),
            (c.memset, EventKind::Gpu(GpuKind::Memset)),
            (c.runtime, EventKind::Runtime),
            (c.cpu_op, EventKind::CpuOp),
            (c.python_frame, EventKind::PythonFrame),
            (c.annotation, EventKind::Annotation),
            (c.gpu_annotation, EventKind::GpuAnnotation),
            (c.sync, EventKind::Sync),
            (c.ignored, EventKind::Ignored),
        ];
        let a = self.args;
        let args = [
            (a.stream, Arg::Stream),
            (a.correlation, Arg::Correlation),
            (a.external_id, Arg::ExternalId),
            (a.grid, Arg::Grid),
            (a.bytes, Arg::Bytes),
            (a.copy_kind, Arg::CopyKind),
            (a.kernel, Arg::Kernel),
            (a.input_dims, Arg::InputDims),
            (a.collective, Arg::Collective),
            (a.process_group, Arg::ProcessGroup),
            (a.message_elements, Arg::MessageElements),
            (a.wait_on_stream, Arg::WaitOnStream),
            (a.wait_on_record, Arg::WaitOnRecord),
            (a.wait_on_event, Arg::WaitOnEvent),
            (a.name, Arg::Name),
            (a.labels, Arg::Labels),
        ];
        Ok(Settings {
            categories: spelled("category", kinds)?,
            args: spelled("key of args", args)?,
            shortest_frame: Nanos(i64::from(self.shortest_frame_ns)),
            limits: self.limits.map_or(Limits::NONE, LimitsFile::limits),
            foreign: self.foreign.into_iter().map(ForeignFile::into_foreign).collect::<Result<_, _>>()?,
            ..Settings::default()
        })
    }
}

/// One entry a spelling; a spelling in two places would make one of them dead.
fn spelled<T: Copy>(what: &str, table: impl IntoIterator<Item = (Vec<String>, T)>) -> Result<Vec<(String, T)>, String> {
    let mut entries: Vec<(String, T)> = Vec::new();
    for (spellings, meaning) in table {
        for spelling in spellings {
            if entries.iter().any(|(known, _)| *known == spelling) {
                return Err(format!("{what} `{spelling}` is listed twice; keep one"));
            }
            entries.push((spelling, meaning));
        }
    }
    Ok(entries)
}

impl ForeignFile {
    fn into_foreign(self) -> Result<Foreign, String> {
        let Self { looks_like, starts_with, starts_with_hex, key } = self;
        let sign = match (starts_with, starts_with_hex, key) {
            (Some(text), None, None) => Sign::StartsWith(text.into_bytes()),
            (None, Some(hex), None) => Sign::StartsWith(
                bytes_of(&hex).ok_or_else(|| format!("`{looks_like}`: `{hex}` is no pairs of hexadecimal digits"))?,
            ),
            (None, None, Some(key)) => Sign::Key(key),
            _ => return Err(format!("`{looks_like}` needs exactly one of starts_with, starts_with_hex, key")),
        };
        Ok(Foreign { looks_like, sign })
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    if digits.len().is_multiple_of(2) {
        Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(yaml: &str) -> Result<Settings, String> {
        let file: TraceFile = serde_yaml::from_str(yaml).map_err(|e| e.to_string())?;
        file.settings()
    }

    #[test]
    fn old_and_new_spellings_play_one_role() {
        let settings = settings(include_str!("../../../rules/trace.yaml")).expect("rules/trace.yaml is right");
        let kind = |cat| settings.categories.iter().find(|(c, _)| c == cat).map(|(_, kind)| *kind);
        assert_eq!(kind("kernel"), Some(EventKind::Gpu(GpuKind::Kernel)));
        assert_eq!(kind("Kernel"), Some(EventKind::Gpu(GpuKind::Kernel)));
        assert_eq!(kind("ac2g"), Some(EventKind::Ignored));
        assert_eq!(kind("cuda_profiler_range"), Some(EventKind::Ignored), "a range of counters is no GPU time");
        assert_eq!(kind("KERNEL"), None);
    }

    #[test]
    fn a_spelling_has_one_role() {
        let twice = "version: 1\ncategories: { kernel: [k], ignored: [k] }\nargs: {}\n";
        assert_eq!(settings(twice).err().as_deref(), Some("category `k` is listed twice; keep one"));
    }

    #[test]
    fn a_foreign_file_has_one_mark() {
        let two = "version: 1\ncategories: {}\nargs: {}\nforeign: [{ looks_like: x, key: a, starts_with: b }]\n";
        assert!(settings(two).is_err_and(|e| e.contains("exactly one")));
        let odd = "version: 1\ncategories: {}\nargs: {}\nforeign: [{ looks_like: x, starts_with_hex: 1f8 }]\n";
        assert!(settings(odd).is_err_and(|e| e.contains("hexadecimal")));
    }
}
