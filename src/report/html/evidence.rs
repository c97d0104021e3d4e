//! What a row opens, as far as the tables of findings share it.

use maud::{Markup, html};

use super::{kernels, mark, picture};
use crate::report::{Location, OccurrenceInfo, Report, RuleInfo, RulesInfo, ToggleInfo, cells};

/// What to type, each with a button that copies it.
pub(super) fn toggles(toggles: &[ToggleInfo]) -> Markup {
    html! {
        @for text in cells::toggles(toggles) {
            div.type { code { (text) } button.action type="button" data-copy=(text) aria-label={ "copy " (text) } { "copy" } }
        }
    }
}

/// A sentence in which what stands in backticks is code.
pub(super) fn sentence(text: &str) -> Markup {
    let text = cells::sentence(&cells::clean(text));
    html! {
        p { @for (n, part) in text.split('`').enumerate() { @if n % 2 == 1 { code { (part) } } @else { (part) } } "." }
    }
}

/// Another row, by its family.
pub(super) fn link(row: &str) -> Markup {
    html! { a href={ "#" (row) } { (cells::clean(cells::family_of(Some(row)))) } }
}

/// A button that shows the occurrences of a row in the typical step, when there are some.
pub(super) fn to_timeline(report: &Report, row: &str, stage: &str) -> Markup {
    let steps = report.typical_steps.iter().flatten();
    let there = steps.filter(|step| step.stage == stage).any(|step| step.findings.iter().any(|of| of.row == row));
    html! {
        @if there { button.action type="button" data-mark=(row) data-stage=(stage) { "show in the timeline" } }
    }
}

/// Where it runs.
pub(super) fn places(places: &[Location]) -> Markup {
    html! {
        @if !places.is_empty() {
            div { h4 { "Where it runs" }
                ul { @for place in places {
                    li { code { (cells::clean(&place.location)) } (cells::found(&place.found_by)) }
                } }
            }
        }
    }
}

/// One occurrence: a picture, and the same as a table.
pub(super) fn occurrence(info: &OccurrenceInfo) -> Markup {
    let names = kernels::short(&info.launches.iter().map(|launch| &launch.parts).collect::<Vec<_>>());
    let several = info.launches.iter().any(|launch| launch.stream != info.launches[0].stream);
    let step = info.step.map_or_else(String::new, |step| format!(" in step {step}"));
    html! {
        div.wide {
            h4 { "One occurrence, " (info.form) (step) ": " (cells::time(info.dur_us)) " from first to last, the median" }
            (picture::lanes(info))
            div.scroll.bare {
                table {
                    thead { tr {
                        th scope="col" data-number { "No." } th scope="col" { "Kernel" } th scope="col" { "Role" }
                        @if several { th scope="col" data-number { "Stream" } }
                        th scope="col" data-number { "Begins" } th scope="col" data-number { "Takes" }
                    } }
                    tbody { @for (n, (launch, name)) in info.launches.iter().zip(names).enumerate() { tr {
                        td data-number { (n + 1) }
                        td { code title=(cells::clean(&launch.kernel)) { (name) } span.small { (launch.category) } }
                        td { span class={ "role " (launch.role) } {} (role(&launch.role)) }
                        @if several { td data-number { (launch.stream) } }
                        td data-number { (cells::time(launch.start_us)) }
                        td data-number { (cells::time(launch.dur_us)) }
                    } } }
                }
            }
        }
    }
}

/// A role in words.
fn role(role: &str) -> &str {
    match role {
        "counted" => "counted",
        "transparent" => "between, time apart",
        "context" => "must stand there, not counted",
        "partner" => "partner",
        _ => "runs near",
    }
}

/// The rule, and how its conditions were decided.
pub(super) fn rule(family: &str, rule: &RuleInfo, rules: &RulesInfo) -> Markup {
    let versions = match (&rule.since, &rule.until) {
        (Some(since), Some(until)) => format!("from {since}, before {until}"),
        (Some(since), None) => format!("from {since}"),
        (None, Some(until)) => format!("before {until}"),
        (None, None) => String::new(),
    };
    let checked = [&rule.checked_version, &rule.checked].into_iter().flatten().map(|text| cells::clean(text));
    let checked = checked.collect::<Vec<_>>().join(", ");
    html! {
        div.wide { h4 { "Rule" }
            p { (cells::clean(&rule.rationale)) }
            dl {
                dt { "Family" }
                dd { code { (cells::clean(family)) } ", " (rule.status) ", rules " (cells::clean(&rules.version)) }
                @if !versions.is_empty() { dt { "Versions" } dd { (cells::clean(&versions)) } }
                @if !checked.is_empty() { dt { "Checked against" } dd { (checked) } }
                @for clause in &rule.clauses { dt { (clause.key) } dd { code { (cells::clean(&clause.text)) } } }
                @if let Some(per) = &rule.per { dt { "per" } dd { (per) } }
                dt { "Conditions" }
                dd {
                    @if rule.gates.is_empty() { "none" }
                    @for gate in &rule.gates {
                        div { (mark(&gate.answer, answer_tone(&gate.answer))) " " (cells::clean(&gate.wants)) ": "
                              span.soft { (cells::clean(&gate.found)) } }
                    }
                }
            }
        }
    }
}

fn answer_tone(answer: &str) -> &'static str {
    match answer {
        "yes" => "good",
        "no" => "bad",
        _ => "warn",
    }
}
