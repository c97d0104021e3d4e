//! All that is wrong with the shape of a YAML file, not only where its reader stopped: the file as plain values with
//! places, each compared with the JSON schema that is made from the structs of the reader.

use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_yaml::Spanned;
use serde_yaml::options::DuplicateKeyPolicy;

use super::place::{bytes, span_of};
use super::yaml::{duplicate_key, missing_key, unknown_key, unknown_word, wrong_type};
use crate::diagnostic::{Diagnostic, SourceFile, near};

/// More than any rule file needs; deeper ones are left to their reader.
const DEEPEST: usize = 48;

/// A value of a YAML file, whatever it should have been.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Null,
    Bool,
    /// Whether it is below zero.
    Whole(bool),
    Number,
    Text(String),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl Node {
    /// The values under a key of a map.
    pub(super) fn under(&self, key: &str) -> impl Iterator<Item = &Spanned<Node>> {
        let pairs = if let Self::Map(pairs) = self { pairs.as_slice() } else { &[] };
        pairs.iter().filter(move |(own, _)| own.value == key).map(|(_, value)| value)
    }

    /// The items of a list.
    pub(super) fn items(&self) -> &[Spanned<Node>] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The first text under a key of a map, with its place.
    pub(super) fn text(&self, key: &str) -> Option<Spanned<String>> {
        self.under(key).find_map(|value| match &value.value {
            Self::Text(text) => Some(Spanned::new(text.clone(), value.referenced, value.defined)),
            _ => None,
        })
    }
}

/// The values of a file that is YAML at all.
pub(super) fn tree(file: &SourceFile) -> Option<Spanned<Node>> {
    let mut budget = serde_yaml::Options::default().budget.unwrap_or_default();
    budget.max_depth = DEEPEST;
    let options = serde_yaml::options! { budget: Some(budget), duplicate_keys: DuplicateKeyPolicy::PassThrough };
    serde_yaml::from_str_with_options(&file.text, options).ok()
}

/// Where `tree` is other than `T` asks for.
pub(super) fn mistakes<T: JsonSchema>(file: &Arc<SourceFile>, tree: &Spanned<Node>) -> Vec<Diagnostic> {
    let schema = SchemaGenerator::default().into_root_schema_for::<T>();
    let mut walk = Walk { file, root: schema.as_value(), found: Vec::new() };
    walk.node(tree, schema.as_value());
    walk.found
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E: Error>(self) -> Result<Node, E> {
                Ok(Node::Null)
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Node, E> {
                Ok(Node::Bool)
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Whole(false))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
                Ok(Node::Whole(number < 0))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Number)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Node::Map(pairs))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

struct Walk<'a> {
    file: &'a Arc<SourceFile>,
    root: &'a Json,
    found: Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    fn node(&mut self, node: &Spanned<Node>, schema: &'a Json) {
        let all = self.alternatives(schema);
        let words: Vec<&str> = all.iter().flat_map(|one| words(one)).collect();
        let Some(fitting) = all.iter().find(|one| accepts(one, &node.value)) else {
            let span = span_of(self.file, node);
            self.found.push(match &node.value {
                Node::Text(word) if !words.is_empty() => unknown_word(self.file, span, word, &words),
                _ => wrong_type(self.file, &span, &wanted(&all)),
            });
            return;
        };
        match &node.value {
            Node::Map(pairs) => self.map(node, pairs, fitting),
            Node::List(items) => {
                for (item, inner) in items.iter().zip(fitting.get("items").into_iter().cycle()) {
                    self.node(item, inner);
                }
            }
            _ => {}
        }
    }

    fn map(&mut self, node: &Spanned<Node>, pairs: &[(Spanned<String>, Spanned<Node>)], schema: &'a Json) {
        let keys: Vec<(&str, &Json)> = (schema.get("properties").and_then(Json::as_object).into_iter().flatten())
            .map(|(key, inner)| (key.as_str(), inner))
            .collect();
        let others = schema.get("additionalProperties");
        let mut unknown: Vec<&str> = Vec::new();
        for (n, (key, value)) in pairs.iter().enumerate() {
            let span = span_of(self.file, key);
            if pairs[..n].iter().any(|(before, _)| before.value == key.value) {
                self.found.push(duplicate_key(self.file, span.clone(), &key.value));
            }
            match (keys.iter().find(|(known, _)| *known == key.value), others) {
                (Some((_, inner)), _) => self.node(value, inner),
                (None, Some(Json::Bool(false))) => {
                    unknown.push(&key.value);
                    let known: Vec<&str> = keys.iter().map(|(known, _)| *known).collect();
                    self.found.push(unknown_key(self.file, span, &key.value, &known));
                }
                (None, Some(inner)) => self.node(value, inner),
                (None, None) => {}
            }
        }
        let required = schema.get("required").and_then(Json::as_array);
        for key in required.into_iter().flatten().filter_map(Json::as_str) {
            // A key that is misspelt is one mistake.
            let misspelt = unknown.iter().any(|word| near(word, [key]).is_some());
            if !misspelt && pairs.iter().all(|(own, _)| own.value != key) {
                let last = pairs.last().map_or(&node.defined, |(last, _)| &last.defined);
                self.found.push(missing_key(self.file, bytes(self.file, last), key));
            }
        }
    }

    /// A schema without references, as the schemas of which one must hold.
    fn alternatives(&self, schema: &'a Json) -> Vec<&'a Json> {
        let name = schema.get("$ref").and_then(Json::as_str).and_then(|to| to.strip_prefix("#/$defs/"));
        if let Some(inner) = name.and_then(|name| self.root.get("$defs")?.get(name)) {
            return self.alternatives(inner);
        }
        let several = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array());
        several.map_or_else(|| vec![schema], |all| all.iter().flat_map(|one| self.alternatives(one)).collect())
    }
}

/// The closed list of a schema.
fn words(schema: &Json) -> Vec<&str> {
    let several = schema.get("enum").and_then(Json::as_array);
    schema.get("const").into_iter().chain(several.into_iter().flatten()).filter_map(Json::as_str).collect()
}

fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(all)) => all.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

fn accepts(schema: &Json, node: &Node) -> bool {
    let words = words(schema);
    if !words.is_empty() {
        return matches!(node, Node::Text(text) if words.contains(&text.as_str()));
    }
    let types = types(schema);
    let unsigned = schema.get("minimum").is_some();
    types.is_empty()
        || types.iter().any(|one| match *one {
            "null" => matches!(node, Node::Null),
            "boolean" => matches!(node, Node::Bool),
            "integer" => matches!(node, Node::Whole(below) if !(unsigned && *below)),
            "number" => matches!(node, Node::Whole(_) | Node::Number),
            // Numbers without quotes are texts where a text is asked for.
            "string" => !matches!(node, Node::Null | Node::List(_) | Node::Map(_)),
            "array" => matches!(node, Node::List(_)),
            "object" => matches!(node, Node::Map(_)),
            _ => true,
        })
}

/// What would fit, in words.
fn wanted(alternatives: &[&Json]) -> String {
    let mut all: Vec<&str> = Vec::new();
    for schema in alternatives {
        if !words(schema).is_empty() {
            all.push("a word");
        }
        all.extend(types(schema).into_iter().filter_map(|one| match one {
            "string" => Some("a text"),
            "boolean" => Some("`true` or `false`"),
            "integer" => Some("a whole number"),
            "number" => Some("a number"),
            "array" => Some("a list, `[a, b]`"),
            "object" => Some("a map of keys and values"),
            _ => None,
        }));
    }
    all.dedup();
    all.join(" or ")
}

#[cfg(test)]
mod tests;
