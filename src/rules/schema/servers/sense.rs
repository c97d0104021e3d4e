//! The part of `rules/servers/common.yaml` that `llm-prof probe` goes by: what is asked, and where answers stand.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Look, Status};

/// Whether a server answers sense.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sense {
    /// Where the name of the model stands, whatever server it is.
    pub model: Vec<Look>,
    /// Routes; the first that the server has takes all requests.
    pub routes: Vec<Route>,
    /// Answers that mean that the server has no such route.
    pub missing: Vec<Missing>,
    /// Prompts, one after another, from the first again when there are more requests.
    pub prompts: Vec<String>,
    /// JSON pointers to what is said; the first with words counts.
    pub text: Vec<String>,
    /// JSON pointers to what was thought before.
    pub thinking: Vec<String>,
    /// How the parts of an answer in parts are written.
    pub parts: Parts,
    /// Tags around what was thought, where that stands in the text.
    pub tags: Vec<Tag>,
    /// Answers that are shown.
    pub samples: usize,
    /// Characters of an answer that are shown.
    pub sample_chars: usize,
}

/// A route for a prompt of text.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Path that is posted to.
    pub post: String,
    /// Template of the body; holes are model, prompt, out.
    pub body: Value,
}

/// An answer of a server that has no such route.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// Status codes.
    pub status: Vec<Status>,
    /// Part of the body, case ignored; empty: any. One of them is enough.
    #[serde(default)]
    pub body: Vec<String>,
}

/// Keys of a part.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// Key of its kind.
    pub kind: String,
    /// Kinds of parts that were thought and not said.
    pub thinking: Vec<String>,
    /// Keys of its text; the first that is there.
    pub text: Vec<String>,
}

/// Begin and end of what was thought.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// Its begin; a chat template may have written it, so it may be missing in the answer.
    pub open: String,
    /// Its end; missing when the answer was cut off before.
    pub close: String,
}
