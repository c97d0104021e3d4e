//! A launch in a test of a rule file: a kernel name as a trace has it, or a map.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::rules::CaseLaunch;

/// The launch.
#[derive(Clone, Debug, Default)]
pub struct LaunchEntry(pub CaseLaunch);

/// A launch of which more than its kernel is known.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LaunchMap {
    /// Name, as a trace has it.
    kernel: String,
    /// Enclosing CPU ops, innermost first.
    op: Option<Texts>,
    /// Enclosing Python frames, innermost first.
    site: Option<Texts>,
    /// Enclosing modules, innermost first.
    module: Option<Texts>,
    /// Stream; 0 when not given.
    stream: Option<i64>,
    /// Begin; one after the other when not given.
    start_us: Option<f64>,
    /// Length; 1 when not given.
    dur_us: Option<f64>,
    /// Input shapes.
    dims: Option<Json>,
    /// Launch grid.
    grid: Option<Json>,
    /// Positions in the chain, counted from 0, that its stream waits for.
    waits_for: Option<Positions>,
}

impl<'de> Deserialize<'de> for LaunchEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = LaunchEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a kernel name or a map with `kernel`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<LaunchEntry, E> {
                Ok(LaunchEntry(CaseLaunch { kernel: text.to_owned(), ..CaseLaunch::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LaunchEntry, A::Error> {
                let map = LaunchMap::deserialize(MapAccessDeserializer::new(map))?;
                let nanos = |us: f64| (us * 1000.0).round() as i64;
                Ok(LaunchEntry(CaseLaunch {
                    kernel: map.kernel,
                    op: map.op.map(|t| t.0),
                    site: map.site.map(|t| t.0),
                    module: map.module.map(|t| t.0),
                    stream: map.stream,
                    start_ns: map.start_us.map(nanos),
                    dur_ns: map.dur_us.map(nanos),
                    dims: map.dims.map(|j| j.0),
                    grid: map.grid.map(|j| j.0),
                    waits_for: map.waits_for.map_or_else(Vec::new, |p| p.0),
                }))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A text or a list of texts.
pub(super) struct Texts(Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }

            fn visit_unit<E: Error>(self) -> Result<Texts, E> {
                Ok(Texts(Vec::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Texts, A::Error> {
                let mut out = Vec::new();
                while let Some(text) = seq.next_element()? {
                    out.push(text);
                }
                Ok(Texts(out))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A position in the chain, counted from 0, or a list of them.
pub(super) struct Positions(Vec<usize>);

impl<'de> Deserialize<'de> for Positions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Positions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a position in the chain, counted from 0, or a list of them")
            }

            fn visit_u64<E: Error>(self, at: u64) -> Result<Positions, E> {
                Ok(Positions(vec![usize::try_from(at).map_err(E::custom)?]))
            }

            fn visit_i64<E: Error>(self, at: i64) -> Result<Positions, E> {
                usize::try_from(at).map(|at| Positions(vec![at])).map_err(|_| E::custom("a position is counted from 0"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Positions, A::Error> {
                let mut out = Vec::new();
                while let Some(at) = seq.next_element()? {
                    out.push(at);
                }
                Ok(Positions(out))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// JSON text, or the same written as YAML lists.
pub(super) struct Json(String);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        }))
    }
}
