//! A typical step of each stage: what the script draws, and what is said of it.

use maud::{Markup, html};
use serde::Serialize;

use super::{data, kernels, stage_title};
use crate::report::{Report, StepTimeline, cells};

/// A step as the script reads it: launches in columns.
#[derive(Serialize)]
struct Drawn<'a> {
    stage: &'a str,
    dur: f64,
    streams: &'a [i64],
    /// Short name, whole name, category of each kernel.
    kernels: Vec<(String, String, usize)>,
    categories: Vec<String>,
    kernel: Vec<usize>,
    lane: Vec<usize>,
    start: Vec<f64>,
    length: Vec<f64>,
    rows: Vec<Marked<'a>>,
}

/// A row of a table with its occurrences.
#[derive(Serialize)]
struct Marked<'a> {
    id: &'a str,
    label: String,
    occurrences: &'a [Vec<usize>],
}

/// None without a step.
pub(super) fn section(report: &Report) -> Option<Markup> {
    let steps = report.typical_steps.as_ref().filter(|steps| !steps.is_empty())?;
    let drawn: Vec<Drawn> = steps.iter().map(|step| drawn(report, step)).collect();
    Some(html! {
        p.soft {
            "A typical step of each stage. Drag or scroll sideways to move; with the pointer on it, Ctrl and the wheel \
             zoom (the wheel alone once it has the focus). Keys: ← → go from launch to launch, ↑ ↓ from stream to \
             stream, + − zoom, Shift with ← → moves, 0 shows all, Enter opens the first finding of the launch."
        }
        noscript { p { "The picture needs the script of this page." } }
        @for (step, drawn) in steps.iter().zip(&drawn) { (figure(report, step, drawn)) }
        (data("steps-data", &drawn))
    })
}

fn figure(report: &Report, step: &StepTimeline, drawn: &Drawn) -> Markup {
    let title = stage_title(report, &step.stage);
    let what = match step.step {
        Some(n) if step.steps > 1 => format!("step {n}, the median of {}", cells::plural(step.steps, "step")),
        Some(n) => format!("step {n}"),
        None => "all that ran, as nothing tells steps".to_owned(),
    };
    let cut = step.launches_total - step.launches.len() as u64;
    let cut = if cut > 0 { format!(", the last {} not drawn", cells::plural(cut, "launch")) } else { String::new() };
    html! {
        figure.timeline data-stage=(step.stage) {
            figcaption {
                b { (title) } ": " (what) ", " (cells::plural(step.launches_total, "launch")) " on "
                (cells::plural(step.streams.len() as u64, "stream")) ", " (cells::time(step.dur_us)) (cut)
            }
            div.tools.scripted {
                label { span { "Mark" }
                    select {
                        option value="" { "all findings" }
                        @for row in &drawn.rows { option value=(row.id) { (row.label) } }
                        option value="-" { "none" }
                    }
                }
                div.buttons role="group" aria-label={ "View of " (title) } {
                    button.action type="button" data-do="left" aria-label="move left" { "←" }
                    button.action type="button" data-do="right" aria-label="move right" { "→" }
                    button.action type="button" data-do="in" aria-label="zoom in" { "+" }
                    button.action type="button" data-do="out" aria-label="zoom out" { "−" }
                    button.action type="button" data-do="all" { "all" }
                }
                output.count {}
            }
            div.stage {
                canvas tabindex="0" role="application" aria-roledescription="timeline"
                    aria-label={ "Timeline of " (title) ": arrow keys go from launch to launch" } {}
                div.tip hidden[true] {}
            }
            ul.legend aria-label="Categories" {
                @for (n, category) in drawn.categories.iter().enumerate() { li { i class={ "k" (n.min(9)) } {} (category) } }
            }
        }
    }
}

fn drawn<'a>(report: &'a Report, step: &'a StepTimeline) -> Drawn<'a> {
    let short = kernels::short(&step.kernels.iter().map(|kernel| &kernel.parts).collect::<Vec<_>>());
    let categories = categories(step);
    let of = |name: &str| categories.iter().position(|category| *category == name).unwrap_or(0);
    let (kernels, launches) = (step.kernels.iter().zip(short), &step.launches);
    Drawn {
        stage: &step.stage,
        dur: step.dur_us,
        streams: &step.streams,
        kernels: kernels.map(|(one, short)| (short, cells::clean(&one.name), of(&one.category))).collect(),
        kernel: launches.iter().map(|launch| launch.kernel).collect(),
        lane: launches.iter().map(|launch| launch.lane).collect(),
        start: launches.iter().map(|launch| launch.start_us).collect(),
        length: launches.iter().map(|launch| launch.dur_us).collect(),
        rows: (step.findings.iter())
            .map(|finding| Marked {
                id: &finding.row,
                label: label(report, &finding.row),
                occurrences: &finding.occurrences,
            })
            .collect(),
        categories: categories.into_iter().map(cells::clean).collect(),
    }
}

/// Categories of a step, the largest time first, which is the order of their colours.
fn categories(step: &StepTimeline) -> Vec<&str> {
    let mut sums: Vec<(&str, f64)> = Vec::new();
    for launch in &step.launches {
        let category = step.kernels[launch.kernel].category.as_str();
        match sums.iter_mut().find(|(name, _)| *name == category) {
            Some((_, sum)) => *sum += launch.dur_us,
            None => sums.push((category, launch.dur_us)),
        }
    }
    sums.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    sums.into_iter().map(|(name, _)| name).collect()
}

/// A row in a few words.
fn label(report: &Report, id: &str) -> String {
    if let Some(row) = report.fuse.iter().find(|row| row.id == id) {
        return format!("{}: {}", row.state, cells::clean(&row.title));
    }
    let Some(row) = report.overlap.iter().find(|row| row.id == id) else { return cells::clean(id) };
    let name = row.title.as_deref().map_or_else(|| kernels::short(&[&row.parts]).concat(), cells::clean);
    format!("{} {}: {name}", row.priority, row.verdict)
}
