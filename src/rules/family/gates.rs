//! What a family asks of a run.

use serde_yaml::Spanned;

use super::super::place::span_of;
use super::super::schema::gates::{CallerEntry, LimitEntry, TokenEntry, When};
use super::super::{Caller, Gates, MessageLimit, Range, TokenLimit};
use super::Reader;
use crate::attribution::Stage;
use crate::diagnostic::{Code, Diagnostic};

impl Reader<'_> {
    pub(super) fn caller(&mut self, caller: &CallerEntry) -> Caller {
        let (since, until) = self.versions(caller.since.as_ref(), caller.until.as_ref());
        Caller {
            files: caller.files.iter().map(|file| file.value.clone()).collect(),
            models: (&caller.models).into(),
            since,
            until,
            vendor: caller.vendor.clone(),
        }
    }

    pub(super) fn gates(&mut self, when: &When) -> Gates {
        Gates {
            frameworks: when.frameworks.iter().map(|s| s.value.clone()).collect(),
            models: (&when.models).into(),
            stages: when.stages.iter().filter_map(|s| self.stage(s)).collect(),
            vendor: when.vendor.clone(),
            arch: when.arch.clone(),
            tensor_parallel: self.range(when.tensor_parallel.as_ref(), 1),
            dtype: when.dtype.clone(),
            tokens: self.range(when.tokens.as_ref(), 1),
            token_limits: when.token_limits.iter().filter_map(|limit| self.token_limit(limit)).collect(),
            message_bytes: self.range(when.message_bytes.as_ref(), 0),
            message_limits: when.message_limits.iter().filter_map(|limit| self.limit(limit)).collect(),
            needs: when.needs.0.clone(),
        }
    }

    fn token_limit(&mut self, limit: &TokenEntry) -> Option<TokenLimit> {
        let (since, until) = self.versions(limit.since.as_ref(), limit.until.as_ref());
        let tokens = self.range(Some(&limit.tokens), 1)?;
        Some(TokenLimit { arch: limit.arch.clone(), tokens, since, until })
    }

    fn limit(&mut self, limit: &LimitEntry) -> Option<MessageLimit> {
        let tensor_parallel = self.range(limit.tensor_parallel.as_ref(), 1);
        let bytes = if limit.bytes.value == "none" { None } else { Some(self.range(Some(&limit.bytes), 0)?) };
        Some(MessageLimit { arch: limit.arch.clone(), tensor_parallel, bytes, raised_by: limit.raised_by.clone() })
    }

    pub(super) fn stage(&mut self, stage: &Spanned<String>) -> Option<Stage> {
        let known = Stage::from_id(&stage.value);
        if known.is_none() {
            let words = [Stage::Prefill, Stage::Decode, Stage::Mixed, Stage::Capture].map(Stage::id);
            self.found.push(
                Diagnostic::new(Code::UnknownWord, format!("there is no stage `{}`", stage.value))
                    .at(self.file, span_of(self.file, stage), "not a stage")
                    .near(&stage.value, words, format!("stages are {}", words.join(", "))),
            );
        }
        known
    }

    /// A range of numbers that are never below `least`.
    pub(super) fn range(&mut self, text: Option<&Spanned<String>>, least: i64) -> Option<Range> {
        let text = text?;
        match range(&text.value, least) {
            Ok(range) => Some(range),
            Err(label) => {
                let title = format!("`{}` is no range that can be met", text.value);
                self.error(Code::BadRange, title, span_of(self.file, text), label).help =
                    Some("write 4, 2.., ..128 or 1..8; both ends count".to_owned());
                None
            }
        }
    }
}

/// `4`, `2..`, `..128`, `1..8`; both ends count.
fn range(text: &str, least: i64) -> Result<Range, &'static str> {
    let number = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse::<i64>().map(Some).map_err(|_| "expected whole numbers"),
    };
    let (min, max) = text.split_once("..").unwrap_or((text, text));
    let range = Range { min: number(min)?, max: number(max)? };
    match (range.min, range.max) {
        (None, None) => Err("no bound at all"),
        (Some(min), Some(max)) if max < min => Err("the upper bound is below the lower one"),
        (_, Some(max)) if max < least => Err("no run has so few"),
        _ => Ok(range),
    }
}
