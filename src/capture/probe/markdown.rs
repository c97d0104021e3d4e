//! The outcome of a probe as GitHub-flavoured markdown.

use super::Probe;
use crate::report::cells;
use crate::report::markdown::{line, or_dash, text};

/// The outcome as markdown.
pub fn render(probe: &Probe) -> String {
    let mut out = String::from("# Probe\n\n");
    for (key, value) in facts(probe) {
        line(&mut out, format_args!("- {key}: {}", text(&value)));
    }
    line(&mut out, format_args!("\nSummary: {}", text(&summary(probe))));
    if !probe.samples.is_empty() {
        line(&mut out, format_args!("\n| Request | Prompt | Answer | Thinking | ms |"));
        line(&mut out, format_args!("|---:|---|---|---|---:|"));
        for sample in &probe.samples {
            line(
                &mut out,
                format_args!(
                    "| {} | {} | {} | {} | {} |",
                    sample.request,
                    text(&sample.prompt),
                    or_dash(text(&one_line(&sample.answer))),
                    or_dash(text(&one_line(sample.thinking.as_deref().unwrap_or_default()))),
                    sample.latency_ms,
                ),
            );
        }
    }
    out
}

/// Words without line breaks.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Key and value, in order.
pub(super) fn facts(probe: &Probe) -> Vec<(&'static str, String)> {
    let version = probe.framework_version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
    let title = probe.framework_title.as_deref().unwrap_or("no server that is known here");
    let mut facts = vec![
        ("Server", cells::clean(&format!("{title}{version} at {}{}", probe.url, probe.route))),
        ("Model", cells::clean(probe.model.as_deref().unwrap_or("not named"))),
        (
            "Requests",
            format!("{} of {} answered, up to {} tokens each", probe.answered, probe.requests, probe.max_tokens),
        ),
    ];
    if let Some(latency) = &probe.latency_ms {
        facts.push(("Latency", format!("{} ms on average, p95 {} ms", latency.average, latency.p95)));
    }
    let errors = probe.errors.iter().map(|one| format!("request {}: {}", one.request, cells::clean(&one.reason)));
    facts.extend(errors.chain(probe.remarks.iter().cloned()).map(|text| ("Warning", text)));
    facts
}

/// One sentence.
pub(super) fn summary(probe: &Probe) -> String {
    let failed = probe.errors.len() as u64;
    match (probe.success, probe.only_thinking) {
        (true, 0) => "every request was answered with words".to_owned(),
        (true, n) => format!("every request was answered, {n} of {} with thinking only", probe.requests),
        (false, _) if failed > 0 => format!("{} failed", cells::plural(failed, "request")),
        (false, _) => "some answers are empty".to_owned(),
    }
}
