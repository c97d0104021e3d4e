//! One event in, the same without what may not be told out. Numbers stay as they are spelled.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::scrub::Scrubber;
use crate::rules::schema::cut::CutFile;
use crate::trace::Role;

/// Keys in the order in which traces have them; others follow.
const FIRST: [&str; 9] = ["ph", "cat", "name", "pid", "tid", "ts", "dur", "id", "args"];

/// An event in parts.
pub(super) struct Parts(BTreeMap<String, Box<RawValue>>);

impl Parts {
    /// Of a JSON object; raw control characters and broken UTF-8 are repaired first. None when it is none all the same.
    pub(super) fn of(json: &[u8]) -> Option<Self> {
        if let Ok(parts) = serde_json::from_slice(json) {
            return Some(Self(parts));
        }
        let text: String =
            String::from_utf8_lossy(json).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        serde_json::from_str(&text).ok().map(Self)
    }

    /// The number in `id`.
    pub(super) fn id(&self) -> Option<i64> {
        self.0.get("id")?.get().trim_matches('"').parse().ok()
    }

    /// The event, scrubbed, as JSON on one line.
    pub(super) fn scrubbed(&self, role: Role, file: &CutFile, scrubber: &Scrubber<'_>) -> String {
        let mut out = String::from("{");
        let rest = self.0.keys().map(String::as_str).filter(|key| !FIRST.contains(key));
        for key in FIRST.into_iter().chain(rest) {
            let Some(value) = self.0.get(key) else { continue };
            let json = match (key, role) {
                ("args", _) => self.args(value, role, file, scrubber),
                // The form of a metadata event is named, not a thing of the run.
                ("name", Role::Metadata) | ("ts" | "dur" | "id" | "ph" | "cat", _) => value.get().to_owned(),
                _ => scrub(value, scrubber),
            };
            if out.len() > 1 {
                out.push_str(", ");
            }
            out += &Value::from(key).to_string();
            out += ": ";
            out += &json;
        }
        out.push('}');
        out
    }

    fn args(&self, args: &RawValue, role: Role, file: &CutFile, scrubber: &Scrubber<'_>) -> String {
        let Ok(args) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(args.get()) else {
            return "{}".to_owned();
        };
        let thread = self.0.get("name").is_some_and(|name| name.get().contains("thread"));
        let other = if thread { "thread" } else { "process" };
        let kept = args.iter().filter(|(key, _)| file.args.contains(key)).map(|(key, value)| {
            let json = match serde_json::from_str::<String>(value.get()) {
                Ok(name) if role == Role::Metadata => Value::from(&*scrubber.name(&name, other)).to_string(),
                _ => scrub(value, scrubber),
            };
            format!("{}: {json}", Value::from(key.as_str()))
        });
        format!("{{{}}}", kept.collect::<Vec<_>>().join(", "))
    }
}

/// Numbers are left alone: reading and writing one may change its digits.
fn scrub(value: &RawValue, scrubber: &Scrubber<'_>) -> String {
    let json = value.get();
    if !json.contains('"') {
        return json.to_owned();
    }
    serde_json::from_str::<Value>(json).map_or_else(|_| "null".to_owned(), |value| scrubber.value(value).to_string())
}
