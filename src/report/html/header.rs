//! What stands above the tables: the summary first, then what limits it, then what was read.

use maud::{Markup, html};

use super::{mark, stages};
use crate::report::{Report, StageInfo, cells};

/// What the trace is of, in the title bar.
pub(super) fn title(report: &Report) -> String {
    format!("{} – llm-prof", subject(report))
}

/// `qwen3 on SGLang 0.5.9`.
fn subject(report: &Report) -> String {
    let framework = report.framework_title.as_deref().or(report.framework.as_deref());
    let version = report.framework_version.as_deref().map_or_else(String::new, |version| format!(" {version}"));
    let framework = framework.map(|title| format!("{title}{version}"));
    cells::clean(&match (&report.model, framework) {
        (Some(model), Some(framework)) => format!("{model} on {framework}"),
        (Some(one), None) => one.clone(),
        (None, Some(one)) => format!("{one}, unknown model"),
        (None, None) => "Trace of an unknown framework".to_owned(),
    })
}

pub(super) fn markup(report: &Report) -> Markup {
    let facts = [
        report.hardware.clone(),
        report.tp.map(|tp| format!("TP {tp}")),
        Some(
            if report.mode == "single-trace" { "one trace" } else { "formal trace with its mapping trace" }.to_owned(),
        ),
        report.traces.iter().find(|info| info.taken).map(|info| info.path.clone()),
    ];
    let todo = todo(report);
    html! {
        h1 { (subject(report)) }
        p.about { @for fact in facts.iter().flatten() { span { (cells::clean(fact)) } } }
        p.lead { (cells::clean(&report.summary)) }
        @if cells::fitness(report).next().is_some() {
            ul.plain aria-label="What limits this report" {
                @for fitness in cells::fitness(report) {
                    li {
                        (mark(&fitness.level, if fitness.level == "unfit" { "bad" } else { "warn" }))
                        (cells::clean(&fitness.finding)) " " span.soft { (cells::clean(&fitness.fix)) }
                        " " code.soft { (cells::clean(&fitness.code)) }
                    }
                }
            }
        }
        ul.cards aria-label="Stages" { @for stage in stages(report) { li { (card(report, stage)) } } }
        @if !todo.is_empty() {
            h3 { "What to look at first" }
            ul.plain { @for line in todo { li { (line) } } }
        }
        details {
            summary { "What was read" }
            dl { @for (key, value) in cells::header(report) { dt { (key) } dd { (value) } } }
        }
    }
}

/// Time of a step, or of all, large; the rest of the stage's line below.
fn card(report: &Report, stage: &StageInfo) -> Markup {
    let (time, of) = match stage.time_per_step_us {
        Some(us) if stage.steps > 1 => (us, "a step"),
        _ => (stage.time_us, "GPU kernel time"),
    };
    html! {
        h3 { (stage.title) }
        p { b { (cells::time(time)) } " " span.soft { (of) } }
        p.soft { (cells::sentence(&cells::clean(&cells::stage_line(report, stage)))) "." }
    }
}

/// Rows that ask for something, in the order of the tables.
fn todo(report: &Report) -> Vec<Markup> {
    let asks = |action: &str| !matches!(action, "none" | "off-by-design");
    let fuse = report.fuse.iter().filter(|row| row.shown && asks(&row.action)).map(|row| {
        let save = row.could_save_us.map(|us| format!(" – could save about {}", cells::time(us)));
        html! {
            (mark(&row.state, super::findings::state_tone(&row.state)))
            a href={ "#" (row.id) } { (cells::clean(&row.title)) } " " span.soft { "in " (row.stage) (save.unwrap_or_default()) }
        }
    });
    let overlap = report.overlap.iter().filter(|row| row.shown && matches!(&*row.priority, "P1" | "P2")).map(|row| {
        let name = super::kernels::short(&[&row.parts]).concat();
        html! {
            (mark(&row.priority, super::findings::priority_tone(&row.priority)))
            a href={ "#" (row.id) } { (row.title.as_deref().map_or(name, cells::clean)) }
            " " span.soft { "in " (row.stage) " – " (cells::time(row.exclusive_us)) " exposed" }
        }
    });
    fuse.chain(overlap).collect()
}

pub(super) fn footer(report: &Report) -> Markup {
    html! {
        p {
            "llm-prof " (report.tool.version) ", rules " (cells::clean(&report.rules.version)) " ("
            code { (cells::clean(&report.rules.digest)) } "), " (report.rules.families) " families. \
             Shares are of the summed GPU kernel time of the stage. “Could save” is an estimate: the time of each \
             occurrence less its longest kernel; rows that share launches do not add up."
        }
    }
}
