//! Whether a trace holds what was asked for: GPU kernels, steps, tokens and requests of each.

use std::path::Path;

use super::plan::{Lengths, Part};
use crate::attribution::{self, Given, Stage};
use crate::rules::RuleSet;
use crate::trace;

/// What a trace holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    /// GPU events.
    pub(super) kernels: usize,
    /// Steps of the stage; none: the trace does not mark steps.
    pub(super) steps: Option<u64>,
    /// Steps of another stage.
    pub(super) other_steps: u64,
    /// Tokens of each step, where the trace says.
    pub(super) tokens: Vec<i64>,
    /// Most requests in a step, where the trace says.
    pub(super) most_requests: Option<i64>,
    /// Whether stacks were recorded, where the trace says.
    pub(super) with_stack: Option<bool>,
}

/// Reads a trace of one part; the error is in words.
pub(super) fn look(path: &Path, part: Part, rules: &RuleSet) -> Result<Held, String> {
    let trace = trace::read(path, &rules.trace).map_err(|error| error.to_string())?;
    let stage = match part {
        Part::Prefill => Some(Stage::Prefill),
        Part::Decode => Some(Stage::Decode),
        Part::Legacy => None,
    };
    let given = Given { stage_hint: stage, ..Given::default() };
    let timeline = attribution::attribute(trace, &[], &rules.attribution, &rules.names, &given);
    // A step without requests is one that waits for work.
    let forwards = timeline.steps.iter().filter(|step| !matches!(step.stage, Stage::All | Stage::Capture));
    let (own, other): (Vec<_>, Vec<_>) = forwards.partition(|step| match stage {
        Some(Stage::Prefill) => matches!(step.stage, Stage::Prefill | Stage::Mixed),
        Some(stage) => step.stage == stage,
        None => true,
    });
    let marked = !(own.is_empty() && other.is_empty());
    Ok(Held {
        kernels: timeline.launches.len(),
        steps: marked.then_some(own.len() as u64),
        other_steps: other.len() as u64,
        tokens: own.iter().filter_map(|step| step.tokens).collect(),
        most_requests: own.iter().filter_map(|step| step.requests).max(),
        with_stack: timeline.run.with_stack,
    })
}

/// How prompts show in the steps of a prefill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Prompted {
    /// One step each.
    Whole,
    /// Several steps each; these are the first one's.
    Chunks(Vec<i64>),
    /// Fewer tokens than were sent.
    Fewer(i64),
    /// More tokens than were sent.
    More(i64),
}

/// How prompts of `lengths` show in steps of `tokens`.
pub(super) fn prompted(tokens: &[i64], lengths: Lengths) -> Prompted {
    let input = lengths.input as i64;
    let mut chunks: Vec<Vec<i64>> = vec![Vec::new()];
    for tokens in tokens {
        let open: i64 = chunks.last().map_or(0, |chunk| chunk.iter().sum());
        if open >= input {
            chunks.push(Vec::new());
        }
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(*tokens);
        }
    }
    if let Some(more) = chunks.iter().map(|chunk| chunk.iter().sum::<i64>()).find(|sum| *sum > input) {
        // Prompts that came short do not add up to whole ones.
        let short = tokens.iter().copied().find(|tokens| *tokens < input);
        return short.map_or(Prompted::More(more), Prompted::Fewer);
    }
    let whole: Vec<&Vec<i64>> = chunks.iter().filter(|chunk| chunk.iter().sum::<i64>() == input).collect();
    match whole.iter().find(|chunk| chunk.len() > 1) {
        Some(chunk) => Prompted::Chunks((*chunk).clone()),
        None if whole.is_empty() && !tokens.is_empty() => Prompted::Fewer(tokens[0]),
        None => Prompted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tokens: &[i64]) -> Prompted {
        prompted(tokens, Lengths { input: 4090, output: 1 })
    }

    #[test]
    fn prompts_of_one_step_each_are_as_asked() {
        assert_eq!(of(&[4090, 4090, 4090]), Prompted::Whole);
        assert_eq!(of(&[]), Prompted::Whole, "old releases do not say");
    }

    #[test]
    fn chunks_add_up_to_a_prompt_and_the_last_may_be_open() {
        assert_eq!(of(&[2048, 2042, 2048, 2042, 2048]), Prompted::Chunks(vec![2048, 2042]));
    }

    #[test]
    fn what_the_cache_took_is_missing_from_every_prompt() {
        assert_eq!(of(&[1018, 1018, 1018, 1018, 1018]), Prompted::Fewer(1018));
        assert_eq!(of(&[10, 10]), Prompted::Fewer(10));
    }

    #[test]
    fn a_step_of_more_tokens_holds_somebody_else_too() {
        assert_eq!(of(&[4090, 5000]), Prompted::More(5000));
    }
}
