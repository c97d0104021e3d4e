//! `when:` and `called_for:` of a family: what it asks of a run.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

use crate::rules::ModelWords;

/// `when:`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Framework ids; silent when no.
    #[schemars(with = "Vec<String>")]
    pub frameworks: Vec<Spanned<String>>,
    /// Model words; silent when no.
    pub models: Models,
    /// Stages; silent when no.
    #[schemars(with = "Vec<String>")]
    pub stages: Vec<Spanned<String>>,
    /// Vendors; off by design when no, as all below.
    pub vendor: Vec<String>,
    /// Architectures.
    pub arch: Vec<String>,
    /// Tensor-parallel size.
    #[schemars(with = "Option<String>")]
    pub tensor_parallel: Option<Spanned<String>>,
    /// Dtype words.
    pub dtype: Vec<String>,
    /// Tokens of the step.
    #[schemars(with = "Option<String>")]
    pub tokens: Option<Spanned<String>>,
    /// The same where it depends on the GPU: a step fits where one of those that are of the run does; none is of it: any.
    pub token_limits: Vec<TokenEntry>,
    /// Bytes of the collective's message.
    #[schemars(with = "Option<String>")]
    pub message_bytes: Option<Spanned<String>>,
    /// The same where it depends on the GPU and its number; the first that is of the run's counts.
    pub message_limits: Vec<LimitEntry>,
    /// Server arguments that must hold.
    pub needs: Needs,
}

/// One of `token_limits:` of `when`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenEntry {
    /// Architectures; all when not given.
    #[serde(default)]
    pub arch: Vec<String>,
    /// Tokens of the step.
    #[schemars(with = "String")]
    pub tokens: Spanned<String>,
    /// First version with it.
    #[schemars(with = "Option<String>")]
    pub since: Option<Spanned<String>>,
    /// First version without it.
    #[schemars(with = "Option<String>")]
    pub until: Option<Spanned<String>>,
}

/// One of `message_limits:` of `when`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitEntry {
    /// Architectures; all when not given.
    #[serde(default)]
    pub arch: Vec<String>,
    /// Tensor-parallel sizes; all when not given.
    #[schemars(with = "Option<String>")]
    pub tensor_parallel: Option<Spanned<String>>,
    /// Bytes of the message; `none` where the path takes none.
    #[schemars(with = "String")]
    pub bytes: Spanned<String>,
    /// The switch that moves the limit; with one, a larger message stays split, and the advice names it.
    pub raised_by: Option<String>,
}

/// One of `called_for:`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallerEntry {
    /// The models; all when not given.
    #[serde(default)]
    pub models: Models,
    /// The files with the call, in the framework's tree.
    #[serde(rename = "in")]
    #[schemars(with = "Vec<String>")]
    pub files: Vec<Spanned<String>>,
    /// First version with the call.
    #[schemars(with = "Option<String>")]
    pub since: Option<Spanned<String>>,
    /// First version without it.
    #[schemars(with = "Option<String>")]
    pub until: Option<Spanned<String>>,
    /// The only GPUs on which they call it, `nvidia` or `amd`; all when not given.
    pub vendor: Option<String>,
}

/// `models:` of `when`, of `called_for` and of a toggle.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Models {
    /// Any of these.
    pub any: Vec<String>,
    /// None of these.
    pub none: Vec<String>,
}

impl From<&Models> for ModelWords {
    fn from(models: &Models) -> Self {
        Self { any: models.any.clone(), none: models.none.clone() }
    }
}

/// `needs:` of `when`: names that must be true, or a map of names and values.
#[derive(Debug, Default)]
pub struct Needs(pub Vec<(String, String)>);

impl<'de> Deserialize<'de> for Needs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Needs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of server arguments, or a map of them and their values")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Needs, A::Error> {
                let mut out = Vec::new();
                while let Some(name) = seq.next_element::<String>()? {
                    out.push((name, "true".to_owned()));
                }
                Ok(Needs(out))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Needs, A::Error> {
                let mut out = Vec::new();
                while let Some(pair) = map.next_entry::<String, String>()? {
                    out.push(pair);
                }
                Ok(Needs(out))
            }
        }

        deserializer.deserialize_any(Either)
    }
}
