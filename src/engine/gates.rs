//! The conditions of a family against what is known of the run: each with its answer and where that comes from.

pub mod callers;

use super::advice::holds;
use super::{Occurrence, Tri};
use crate::attribution::{Known, Run, Stage, Timeline};
use crate::rules::version::Version;
use crate::rules::{Family, Gates, MessageLimit, Origin, Range, TokenLimit};

/// What follows when a gate says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The family is not spoken of.
    Silent,
    /// A split form is so by design.
    OffByDesign,
    /// The fused path comes with a later version.
    Upgrade,
    /// A switch moves the limit: the split form stays one, and the advice says so.
    Raise,
    /// Nobody calls the fused path here: the split form stays one, and the advice says who does.
    Uncalled,
}

/// One gate, decided or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Key in the family's file; for `needs` the argument's name.
    pub key: String,
    /// What it asks, such as `TP ≥ 2`.
    pub wants: String,
    /// The answer.
    pub answer: Tri,
    /// What was found and where, such as `TP 8 (--tp)`; `unknown` when nothing was.
    pub found: String,
    /// What the user can do about an unknown, such as `pass --tp`.
    pub ask: Option<&'static str>,
    /// What a no means.
    pub effect: Effect,
}

impl Gate {
    /// Whether the family is not spoken of because of it.
    pub fn shuts(&self) -> bool {
        self.effect == Effect::Silent && self.answer == Tri::No
    }

    /// Whether an occurrence is none because of it.
    pub fn forbids(&self) -> bool {
        self.answer == Tri::No && !matches!(self.effect, Effect::Raise | Effect::Uncalled)
    }

    /// Whether the split form is a row with something to do about it, whatever the answer.
    pub fn keeps_the_row(&self) -> bool {
        matches!(self.effect, Effect::Upgrade | Effect::Raise | Effect::Uncalled)
    }

    /// Why a gate that does not say yes does not: a sentence without full stop.
    pub fn reason(&self) -> String {
        match (self.answer, self.ask) {
            (_, Some(ask)) if self.found == UNKNOWN => format!("needs {}: {}, {ask}", self.wants, self.found),
            _ => format!("needs {}: {}", self.wants, self.found),
        }
    }
}

const UNKNOWN: &str = "unknown";

/// The gates of a family for a stage of a run, in the order of the file format; `tokens` and the messages are asked of
/// each occurrence, see [`of_occurrence`].
pub fn of_run(family: &Family, run: &Run, stage: Stage) -> Vec<Gate> {
    let when = &family.when;
    let asked = [
        frameworks(when, run),
        models(when, run),
        stages(when, stage),
        vendor(family, run),
        arch(when, run),
        tensor_parallel(when, run),
        dtypes(when, run),
    ];
    let versions = [since(family, run), until(family, run), callers::gate(family, run)];
    asked.into_iter().flatten().chain(needs(when, run)).chain(versions.into_iter().flatten()).collect()
}

fn frameworks(when: &Gates, run: &Run) -> Option<Gate> {
    // A trace of unknown framework is of none of these.
    let (answer, found) = match &run.framework {
        Some(known) => (Tri::from_bool(when.frameworks.contains(&known.value)), told(known)),
        None => (Tri::No, UNKNOWN.to_owned()),
    };
    (!when.frameworks.is_empty()).then(|| Gate {
        key: "frameworks".to_owned(),
        wants: format!("framework {}", when.frameworks.join(" or ")),
        answer,
        found,
        ask: Some("pass --framework"),
        effect: Effect::Silent,
    })
}

fn models(when: &Gates, run: &Run) -> Option<Gate> {
    let (answer, found) = match &run.model {
        Some(known) => (Tri::from_bool(callers::is_of(&when.models, &known.value)), told(known)),
        None => (Tri::Unknown, UNKNOWN.to_owned()),
    };
    let none = when.models.none.join(" or ");
    let wants = match (when.models.any.join(" or "), none.is_empty()) {
        (any, true) => format!("model {any}"),
        (any, false) if any.is_empty() => format!("a model other than {none}"),
        (any, false) => format!("model {any} but not {none}"),
    };
    (!when.models.is_empty()).then(|| Gate {
        key: "models".to_owned(),
        wants,
        answer,
        found,
        ask: Some("pass --model"),
        effect: Effect::Silent,
    })
}

fn stages(when: &Gates, stage: Stage) -> Option<Gate> {
    (!when.stages.is_empty()).then(|| Gate {
        key: "stages".to_owned(),
        wants: format!("stage {}", when.stages.iter().map(|s| s.id()).collect::<Vec<_>>().join(" or ")),
        answer: in_stages(&when.stages, stage),
        found: if stage == Stage::All { UNKNOWN.to_owned() } else { format!("this is {}", stage.id()) },
        ask: Some("pass --stage"),
        effect: Effect::Silent,
    })
}

fn vendor(family: &Family, run: &Run) -> Option<Gate> {
    let wanted = &family.when.vendor;
    let (answer, found) = one_of(wanted, run.vendor.as_ref());
    (!wanted.is_empty()).then(|| Gate {
        key: "vendor".to_owned(),
        wants: format!("a GPU of {}", wanted.join(" or ")),
        answer,
        found,
        ask: None,
        // What is not even in a release yet is no news on a GPU that it is not for.
        effect: if family.origin == Origin::Inflight { Effect::Silent } else { Effect::OffByDesign },
    })
}

fn arch(when: &Gates, run: &Run) -> Option<Gate> {
    let (answer, found) = one_of(&when.arch, run.arch.as_ref());
    (!when.arch.is_empty()).then(|| by_design("arch", when.arch.join(" or "), (answer, found), None))
}

fn tensor_parallel(when: &Gates, run: &Run) -> Option<Gate> {
    let range = when.tensor_parallel?;
    let answer = match &run.tp {
        Some(known) => (Tri::from_bool(contains(range, known.value)), format!("TP {} ({})", known.value, known.source)),
        None => (Tri::Unknown, UNKNOWN.to_owned()),
    };
    Some(by_design("tensor_parallel", format!("TP {}", words(range)), answer, Some("pass --tp")))
}

fn dtypes(when: &Gates, run: &Run) -> Option<Gate> {
    let wanted = &when.dtype;
    (!wanted.is_empty())
        .then(|| by_design("dtype", wanted.join(" or "), dtype(wanted, run), Some("pass --server-args")))
}

fn needs(when: &Gates, run: &Run) -> impl Iterator<Item = Gate> {
    when.needs.iter().map(|(name, value)| {
        let answer = match argument(run, name) {
            Some(found) => (
                Tri::from_bool(same_value(&found, value)),
                format!("{name} is {found} ({})", run.server_args_source.as_deref().unwrap_or("server arguments")),
            ),
            None => (Tri::Unknown, UNKNOWN.to_owned()),
        };
        by_design(name, format!("{name} = {value}"), answer, Some("pass --server-args"))
    })
}

fn since(family: &Family, run: &Run) -> Option<Gate> {
    let bound = first_version(family, run)?;
    let (answer, found) = version(run, |version| Some(version >= Version::parse(bound)?));
    Some(Gate {
        key: "since".to_owned(),
        wants: format!("{} ≥ {bound}", framework(run)),
        answer,
        found,
        ask: Some("pass --framework-version"),
        effect: Effect::Upgrade,
    })
}

/// The first version with the path, on the run's GPU where that differs.
pub fn first_version<'a>(family: &'a Family, run: &Run) -> Option<&'a String> {
    run.vendor.as_ref().and_then(|known| family.since_on.get(&known.value)).or(family.since.as_ref())
}

fn until(family: &Family, run: &Run) -> Option<Gate> {
    let bound = family.until.as_ref()?;
    let answer = version(run, |version| Some(version < Version::parse(bound)?));
    Some(by_design("until", format!("{} < {bound}", framework(run)), answer, Some("pass --framework-version")))
}

/// Whether the run's version is one that `holds`, when it and its bound are versions.
fn version(run: &Run, holds: impl Fn(Version) -> Option<bool>) -> (Tri, String) {
    let known = run.framework_version.as_ref();
    known
        .and_then(|known| {
            Some((Tri::from_bool(holds(Version::parse(&known.value)?)?), format!("this is {}", told(known))))
        })
        .unwrap_or((Tri::Unknown, UNKNOWN.to_owned()))
}

fn framework(run: &Run) -> &str {
    run.framework.as_ref().map_or("framework", |known| known.value.as_str())
}

fn by_design(key: &str, wants: String, (answer, found): (Tri, String), ask: Option<&'static str>) -> Gate {
    Gate { key: key.to_owned(), wants, answer, found, ask, effect: Effect::OffByDesign }
}

/// The gates that the step and the message of one occurrence decide.
pub fn of_occurrence(family: &Family, timeline: &Timeline, occurrence: &Occurrence) -> Vec<Gate> {
    let mut gates = Vec::new();
    gates.extend(of_tokens(&family.when, timeline, occurrence));
    if let Some(range) = family.when.message_bytes {
        let (answer, found) = message(range, timeline, occurrence);
        gates.push(Gate {
            key: "message_bytes".to_owned(),
            wants: format!("a message of {}", bytes(range)),
            answer,
            found,
            ask: Some("record shapes"),
            effect: Effect::OffByDesign,
        });
    }
    gates.extend(of_limits(&family.when.message_limits, timeline, occurrence));
    gates
}

/// Whether the step has as few tokens as the path takes, or as many. None: it takes any number on this GPU.
fn of_tokens(when: &Gates, timeline: &Timeline, occurrence: &Occurrence) -> Option<Gate> {
    let run = &timeline.run;
    let version = run.framework_version.as_ref().map(|known| known.value.as_str());
    let here = |limit: &&TokenLimit| {
        let of_gpu = run.arch.as_ref().is_none_or(|arch| limit.arch.is_empty() || limit.arch.contains(&arch.value));
        of_gpu && holds(version, limit.since.as_deref(), limit.until.as_deref())
    };
    let limits: Vec<&TokenLimit> = when.token_limits.iter().filter(here).collect();
    let ranges: Vec<Range> = limits.iter().map(|limit| limit.tokens).chain(when.tokens).collect();
    if ranges.is_empty() {
        return None;
    }
    let step = occurrence.launches.first().and_then(|launch| timeline.launch(*launch).step);
    let tokens = step.and_then(|step| timeline.steps[step.0 as usize].tokens);
    // Another GPU may have no limit at all.
    let unsure = run.arch.is_none() && limits.iter().any(|limit| !limit.arch.is_empty());
    let answer = match tokens.map(|tokens| ranges.iter().any(|range| contains(*range, tokens))) {
        Some(true) => Tri::Yes,
        Some(false) if !unsure => Tri::No,
        _ => Tri::Unknown,
    };
    let wanted: Vec<String> = ranges.iter().map(|range| words(*range)).collect();
    let found = tokens.map_or(UNKNOWN.to_owned(), |tokens| format!("{tokens} tokens in the step"));
    Some(by_design("tokens", format!("tokens of the step {}", wanted.join(" or ")), (answer, found), None))
}

/// The first limit that is of the run's GPU and size. None: the path sets none there.
fn of_limits(limits: &[MessageLimit], timeline: &Timeline, occurrence: &Occurrence) -> Option<Gate> {
    let run = &timeline.run;
    let of_run = |limit: &&MessageLimit| {
        let here = run.arch.as_ref().map(|arch| limit.arch.contains(&arch.value));
        let size = limit.tensor_parallel.map(|range| run.tp.as_ref().map(|tp| contains(range, tp.value)));
        (limit.arch.is_empty() || here != Some(false)) && size != Some(Some(false))
    };
    let limit = limits.iter().find(of_run)?;
    let unsure =
        (run.arch.is_none() && !limit.arch.is_empty()) || (run.tp.is_none() && limit.tensor_parallel.is_some());
    let mut wants = match limit.bytes {
        Some(range) => format!("a message of {}", bytes(range)),
        None => "a message that it takes".to_owned(),
    };
    if unsure {
        "a message within the limit of its GPU and TP".clone_into(&mut wants);
    } else {
        let mut of: Vec<String> = limit.tensor_parallel.map(|_| told_tp(run)).into_iter().flatten().collect();
        of.extend(run.arch.as_ref().filter(|_| !limit.arch.is_empty()).map(|arch| arch.value.clone()));
        if !of.is_empty() {
            wants = format!("{wants} ({})", of.join(", "));
        }
    }
    let moved = limit.raised_by.as_ref().and_then(|switch| argument(run, switch).map(|value| (switch, value)));
    let (answer, found) = match moved {
        Some((switch, value)) => (Tri::Unknown, format!("`{switch}` is {value}")),
        None if unsure => (Tri::Unknown, UNKNOWN.to_owned()),
        None => match limit.bytes {
            Some(range) => message(range, timeline, occurrence),
            None => (Tri::No, "it takes none there".to_owned()),
        },
    };
    if let Some(switch) = &limit.raised_by {
        wants = format!("{wants} unless `{switch}` says more");
    }
    Some(Gate {
        key: "message_limits".to_owned(),
        wants,
        answer,
        found,
        ask: Some(if unsure { "pass --tp" } else { "record shapes" }),
        effect: if limit.raised_by.is_some() { Effect::Raise } else { Effect::OffByDesign },
    })
}

fn told_tp(run: &Run) -> Option<String> {
    run.tp.as_ref().map(|tp| format!("TP {}", tp.value))
}

/// Elements are known from the shapes, their size is not: between one byte and eight.
fn message(range: Range, timeline: &Timeline, occurrence: &Occurrence) -> (Tri, String) {
    if let Some(bytes) = timeline.run.server_args.get("message_bytes").and_then(|bytes| bytes.parse().ok()) {
        return (Tri::from_bool(contains(range, bytes)), format!("{bytes} bytes"));
    }
    let dims = occurrence.launches.iter().find_map(|launch| timeline.context(*launch).dims);
    let Some(elements) = dims.and_then(|dims| first_shape(timeline.strings.get(dims))) else {
        return (Tri::Unknown, UNKNOWN.to_owned());
    };
    let (least, most) = (elements, elements.saturating_mul(8));
    let answer = if contains(range, least) && contains(range, most) {
        Tri::Yes
    } else if range.min.is_some_and(|min| most < min) || range.max.is_some_and(|max| least > max) {
        Tri::No
    } else {
        Tri::Unknown
    };
    (answer, format!("{elements} elements of 1 to 8 bytes"))
}

/// Elements of the first shape in a JSON text such as `[[888,2880],[]]`.
fn first_shape(json: &str) -> Option<i64> {
    fn of(value: &serde_json::Value) -> Option<i64> {
        let list = value.as_array()?;
        if list.is_empty() || list.iter().any(|entry| !entry.is_i64()) {
            return list.iter().find_map(of);
        }
        list.iter().try_fold(1i64, |product, side| product.checked_mul(side.as_i64()?))
    }
    of(&serde_json::from_str(json).ok()?)
}

/// A mixed step is a prefill and a decode step: where only one of them is asked for, it is neither.
fn in_stages(wanted: &[Stage], stage: Stage) -> Tri {
    let has = |stage| wanted.contains(&stage);
    match stage {
        _ if has(stage) => Tri::Yes,
        Stage::All => Tri::Unknown,
        Stage::Mixed if has(Stage::Prefill) && has(Stage::Decode) => Tri::Yes,
        Stage::Mixed if has(Stage::Prefill) || has(Stage::Decode) => Tri::Unknown,
        _ => Tri::No,
    }
}

fn dtype(wanted: &[String], run: &Run) -> (Tri, String) {
    let holds = |text: &str| wanted.iter().any(|word| alike(text).contains(&alike(word)));
    if let Some(model) = run.model.as_ref().filter(|model| holds(&model.value)) {
        return (Tri::Yes, told(model));
    }
    let source = run.server_args_source.as_deref().unwrap_or("server arguments");
    let said = |key: &str| run.server_args.get(key).map(|value| plain(value)).filter(|value| !nothing(value));
    for key in ["dtype", "quantization"] {
        if let Some(value) = said(key).filter(|value| holds(value)) {
            return (Tri::Yes, format!("{key} {value} ({source})"));
        }
    }
    match (said("dtype"), said("quantization")) {
        (Some(dtype), None) if dtype != "auto" => (Tri::No, format!("dtype {dtype} ({source})")),
        _ => (Tri::Unknown, UNKNOWN.to_owned()),
    }
}

fn nothing(value: &str) -> bool {
    matches!(value, "null" | "none" | "None" | "")
}

fn one_of(wanted: &[String], known: Option<&Known<String>>) -> (Tri, String) {
    match known {
        Some(known) => (Tri::from_bool(wanted.contains(&known.value)), format!("this is {}", told(known))),
        None => (Tri::Unknown, format!("{UNKNOWN}, the trace does not say")),
    }
}

fn told(known: &Known<String>) -> String {
    format!("{} ({})", known.value, known.source)
}

/// Model names in one spelling: lower case, `-`, `_` and `.` alike.
fn alike(text: &str) -> String {
    text.to_lowercase().replace(['_', '.'], "-")
}

fn contains(range: Range, value: i64) -> bool {
    range.min.is_none_or(|min| value >= min) && range.max.is_none_or(|max| value <= max)
}

fn words(range: Range) -> String {
    match (range.min, range.max) {
        (Some(min), Some(max)) if min == max => format!("= {min}"),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("≥ {min}"),
        (None, Some(max)) => format!("≤ {max}"),
        (None, None) => "of any size".to_owned(),
    }
}

/// Sizes as they are set: 64 MiB, 512 KiB, 900 bytes.
fn bytes(range: Range) -> String {
    const UNITS: [(i64, &str); 2] = [(1 << 20, "MiB"), (1 << 10, "KiB")];
    let whole = |unit: i64| [range.min, range.max].into_iter().flatten().all(|end| end != 0 && end % unit == 0);
    let (unit, name) = UNITS.into_iter().find(|(unit, _)| whole(*unit)).unwrap_or((1, "bytes"));
    let scaled = |end: Option<i64>| end.map(|end| end / unit);
    format!("{} {name}", words(Range { min: scaled(range.min), max: scaled(range.max) }))
}

/// The value of a server argument, however it is spelled: `--enable-x`, `enable_x`, `pass_config.enable_x`.
pub fn argument(run: &Run, name: &str) -> Option<String> {
    let spelled = |text: &str| text.trim_start_matches('-').replace('-', "_").to_lowercase();
    let name = spelled(name);
    let found = |key: &str| run.server_args.iter().find(|(known, _)| spelled(known) == key).map(|(_, value)| value);
    if let Some(value) = found(&name) {
        return Some(plain(value));
    }
    // Nested: `a.b` in the object `a`, at the top or within another argument.
    let path: Vec<&str> = name.split('.').collect();
    let inside = |mut value: serde_json::Value, path: &[&str]| {
        for part in path {
            value = value.as_object()?.iter().find(|(key, _)| spelled(key) == *part)?.1.clone();
        }
        Some(plain(&value.to_string()))
    };
    run.server_args.iter().find_map(|(key, text)| {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        if spelled(key) == path[0] { inside(value, &path[1..]) } else { inside(value, &path) }
    })
}

/// JSON text without the quotes of a string.
fn plain(json: &str) -> String {
    serde_json::from_str::<String>(json).unwrap_or_else(|_| json.trim().to_owned())
}

/// `True`, `true` and `1` as Python, JSON and environments write the same.
pub fn same_value(a: &str, b: &str) -> bool {
    let one = |text: &str| match text.trim().to_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => "true".to_owned(),
        "false" | "0" | "off" | "no" => "false".to_owned(),
        other => other.to_owned(),
    };
    one(a) == one(b)
}

#[cfg(test)]
mod tests;
