//! JSON schemas of the files that contributors write, made from the structs that read them: editors complete keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};

use super::family::{FamilyFile, SourceEntry};
use super::gates::Needs;
use super::kernels::{KernelsFile, NamedKernel};
use super::launch::{Json, LaunchEntry, LaunchMap, Positions, Texts};
use super::names::Place;
use super::pattern::PatternText;
use super::plan::PlanFile;
use super::servers::{CommonFile, ServerFile, Status};
use super::shared::{CategoriesFile, GraphFile, TermsFile};
use super::similarity::SimilarityFile;

/// Name and text of each schema; `rules/schema/<name>.json` is the text.
pub fn all() -> Vec<(&'static str, String)> {
    vec![
        ("categories", text(&schema_for!(CategoriesFile))),
        ("family", text(&schema_for!(FamilyFile))),
        ("graph", text(&schema_for!(GraphFile))),
        ("kernels", text(&schema_for!(KernelsFile))),
        ("plan", text(&schema_for!(PlanFile))),
        ("server", text(&schema_for!(ServerFile))),
        ("server-common", text(&schema_for!(CommonFile))),
        ("similarity", text(&schema_for!(SimilarityFile))),
        ("terms", text(&schema_for!(TermsFile))),
    ]
}

/// A schema as its file has it.
pub(crate) fn text(schema: &Schema) -> String {
    // Keys in order of the alphabet, whatever features the JSON library was built with.
    let sorted = sorted(schema.as_value());
    serde_json::to_string_pretty(&sorted).unwrap_or_default() + "\n"
}

fn sorted(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let ordered: BTreeMap<&String, &serde_json::Value> = map.iter().collect();
            ordered.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
        }
        serde_json::Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// What a reader of our own accepts, in a form that a schema can say.
macro_rules! schema {
    ($type:ty, $name:literal, |$generator:ident| $schema:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

schema!(Status, "Status", |_generator| json_schema!({
    "description": "A status code, or a class of them.",
    "anyOf": [{ "type": "integer", "minimum": 100, "maximum": 599 }, { "type": "string", "pattern": "^[1-5](xx|[0-9][0-9])$" }],
}));

schema!(LaunchEntry, "Launch", |generator| json_schema!({
    "description": "A kernel name as a trace has it, or a map with what else is known.",
    "anyOf": [{ "type": "string" }, generator.subschema_for::<LaunchMap>()],
}));
schema!(NamedKernel, "NamedKernel", |_generator| json_schema!({
    "description": "A kernel's name, or a map with the versions of its package that have it.",
    "anyOf": [
        { "type": "string" },
        {
            "type": "object",
            "additionalProperties": false,
            "required": ["name"],
            "properties": {
                "name": { "type": "string" },
                "since": { "type": "string" },
                "until": { "type": "string" },
            },
        },
    ],
}));
schema!(Texts, "Texts", |_generator| json_schema!({
    "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }, { "type": "null" }],
}));
schema!(Positions, "Positions", |_generator| json_schema!({
    "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "array", "items": { "type": "integer", "minimum": 0 } }],
}));
schema!(Json, "Json", |_generator| json_schema!({
    "description": "JSON text, or the same as lists.",
    "type": ["string", "array"],
}));
schema!(PatternText, "Pattern", |_generator| json_schema!({ "type": "string" }));
schema!(Place, "Place", |_generator| json_schema!({ "type": "string" }));
schema!(Needs, "Needs", |_generator| json_schema!({
    "description": "Server arguments that must be true, or a map of them and their values.",
    "anyOf": [
        { "type": "array", "items": { "type": "string" } },
        { "type": "object", "additionalProperties": { "type": ["string", "boolean", "number"] } },
    ],
}));
schema!(SourceEntry, "Source", |_generator| json_schema!({
    "description": "A path in the framework's tree, or a map with the versions and the vendor it is true for.",
    "anyOf": [
        { "type": "string" },
        {
            "type": "object",
            "additionalProperties": false,
            "required": ["path"],
            "properties": {
                "path": { "type": "string" },
                "at": { "type": "string" },
                "since": { "type": "string" },
                "until": { "type": "string" },
                "vendor": { "type": "string" },
            },
        },
    ],
}));

#[cfg(test)]
mod tests {
    use super::*;

    /// A schema that says other than the reader misleads every editor.
    #[test]
    fn the_files_beside_the_rules_are_up_to_date() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/schema");
        for (name, text) in all() {
            let file = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap_or_default();
            assert!(
                file == text,
                "rules/schema/{name}.json is stale: run `llm-prof rules schema --write rules/schema`"
            );
        }
    }

    #[test]
    fn a_family_asks_for_the_keys_that_its_reader_asks_for() {
        let (_, text) = all().into_iter().find(|(name, _)| *name == "family").unwrap();
        let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut required: Vec<&str> =
            schema["required"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        required.sort_unstable();
        assert_eq!(required, ["id", "kind", "origin", "rationale", "tests", "title", "version"]);
        assert_eq!(schema["additionalProperties"], false);
    }
}
