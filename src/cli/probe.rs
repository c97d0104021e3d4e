//! `llm-prof probe`: whether a server answers sense.

use super::args::{self, Format};
use super::capture::{failure, servers};
use super::failure::{Failure, code};
use super::session::framework;
use super::streams::Streams;
use super::{loading, output};
use crate::capture::probe::{self, Ask};

/// Asks, prints; 1 when an answer failed or was empty.
pub(super) fn run(args: &args::Probe, streams: &mut Streams) -> Result<(), Failure> {
    let servers = servers(&args.knowledge, streams)?;
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    let ask = Ask {
        url: args.url.clone().or_else(|| args.old_url.clone()).unwrap_or_default(),
        key: args.api_key.clone(),
        framework: framework(&args.framework, &rules)?,
        model: args.model.clone(),
        requests: args.requests,
        max_tokens: args.max_tokens,
        timeout: args.timeout,
        prompt: args.prompt.clone(),
    };
    let found = probe::run(&ask, &servers).map_err(|problem| failure(&problem))?;
    let document = &args.document;
    output::documents(document.format, &document.output, &args.terminal, streams, |format, style| match format {
        Format::Text => Some(probe::text::render(&found, style)),
        Format::Markdown => Some(probe::markdown::render(&found)),
        Format::Json => Some(probe::json(&found)),
        Format::Html | Format::Csv => None,
    })?;
    if found.success { Ok(()) } else { Err(Failure::Code(code::FAILED)) }
}
