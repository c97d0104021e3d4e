//! What was found out: the JSON contract `llm-prof.probe/1`, field for field.

use schemars::JsonSchema;
use serde::Serialize;

/// The outcome.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Probe {
    /// `llm-prof.probe/1`.
    pub schema: &'static str,
    /// Of the server.
    pub url: String,
    /// Framework id; null where the server shows none that is known.
    pub framework: Option<String>,
    /// As people write it.
    #[serde(skip)]
    pub framework_title: Option<String>,
    /// Version of the framework, as the server says it.
    pub framework_version: Option<String>,
    /// Model that was asked for; null where the server names none.
    pub model: Option<String>,
    /// Path that took the requests.
    pub route: String,
    /// Requests that were to be sent.
    pub requests: u64,
    /// Requests that were answered with 200.
    pub answered: u64,
    /// Most tokens that an answer was to have.
    pub max_tokens: u64,
    /// Every request was answered, and with words.
    pub success: bool,
    /// Every answer has words, said or thought.
    pub all_non_empty: bool,
    /// Answers that were thought and never said.
    pub only_thinking: u64,
    /// Of the answered requests, in milliseconds; null where there are none.
    pub latency_ms: Option<Latency>,
    /// What failed, by request.
    pub errors: Vec<Failed>,
    /// The first answers.
    pub samples: Vec<Sample>,
    /// What else is worth a word.
    pub remarks: Vec<String>,
}

/// From a request to the end of its answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Latency {
    /// Mean.
    pub average: f64,
    /// Of 95 in 100 requests no longer, by nearest rank.
    pub p95: f64,
}

/// A request that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Failed {
    /// Number of the request, from 1.
    pub request: u64,
    /// Why.
    pub reason: String,
}

/// An answer, cut to a length that is shown.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Sample {
    /// Number of the request, from 1.
    pub request: u64,
    /// What was asked.
    pub prompt: String,
    /// What was said.
    pub answer: String,
    /// What was thought before; null where nothing was.
    pub thinking: Option<String>,
    /// Milliseconds.
    pub latency_ms: f64,
}

impl Latency {
    /// Of milliseconds.
    pub(super) fn of(mut all: Vec<f64>) -> Option<Self> {
        all.sort_by(f64::total_cmp);
        let rank = (all.len() * 95).div_ceil(100).checked_sub(1)?;
        Some(Self { average: round(all.iter().sum::<f64>() / all.len() as f64), p95: round(all[rank]) })
    }
}

/// To a tenth: more is noise.
pub(super) fn round(ms: f64) -> f64 {
    (ms * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_95th_of_a_hundred_is_the_nearest_rank() {
        assert_eq!(Latency::of(Vec::new()), None);
        assert_eq!(Latency::of(vec![3.0, 1.0, 2.0]), Some(Latency { average: 2.0, p95: 3.0 }));
        let hundred = (1..=100).map(f64::from).collect();
        assert_eq!(Latency::of(hundred), Some(Latency { average: 50.5, p95: 95.0 }));
    }
}
