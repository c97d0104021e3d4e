//! Bodies of requests: JSON values with named holes, filled with values and never by pasting text.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::problem::fill;

/// Values by the name of their hole.
pub(super) type Holes = BTreeMap<&'static str, Value>;

/// `template` with its holes filled; keys and items whose hole has no value go away.
pub(super) fn render(template: &Value, holes: &Holes) -> Value {
    rendered(template, holes).unwrap_or(Value::Null)
}

fn rendered(template: &Value, holes: &Holes) -> Option<Value> {
    match template {
        Value::String(text) => match hole(text) {
            Some(name) => holes.get(name).cloned(),
            None => Some(Value::String(within(text, holes))),
        },
        Value::Array(items) => Some(items.iter().filter_map(|item| rendered(item, holes)).collect()),
        Value::Object(map) => {
            let entries = map.iter().filter_map(|(key, value)| Some((key.clone(), rendered(value, holes)?)));
            Some(Value::Object(entries.collect::<Map<_, _>>()))
        }
        other => Some(other.clone()),
    }
}

/// Whether a hole, written `{name}`, is somewhere in the template.
pub(super) fn has(template: &Value, wanted: &str) -> bool {
    match template {
        Value::String(text) => text.contains(wanted),
        Value::Array(items) => items.iter().any(|item| has(item, wanted)),
        Value::Object(map) => map.values().any(|value| has(value, wanted)),
        _ => false,
    }
}

/// The name when the text is one hole and nothing else.
fn hole(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')).then_some(name)
}

fn within(text: &str, holes: &Holes) -> String {
    let texts: Vec<(&str, String)> = (holes.iter())
        .map(|(name, value)| (*name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fill(text, &texts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hole_keeps_the_type_of_its_value_and_an_empty_one_takes_its_key_along() {
        let template = json!({ "ids": "{ids}", "n": "{steps}", "gone": "{prefix}", "deep": { "x": ["{id}", "{prefix}"] }, "t": "a-{id}" });
        let holes = Holes::from([("ids", json!([1, 2])), ("steps", json!(5)), ("id", json!("7"))]);
        assert_eq!(render(&template, &holes), json!({ "ids": [1, 2], "n": 5, "deep": { "x": ["7"] }, "t": "a-7" }));
    }

    #[test]
    fn a_value_that_looks_like_json_stays_a_text() {
        let holes = Holes::from([("dir", json!("/a\"},{\"x\":1"))]);
        assert_eq!(render(&json!({ "dir": "{dir}" }), &holes), json!({ "dir": "/a\"},{\"x\":1" }));
    }
}
