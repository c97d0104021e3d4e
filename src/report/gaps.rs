//! Gaps of a step: what ran before, what ended them, what the host was in meanwhile.

use std::cmp::Reverse;

use super::{GapEdge, GapInfo, Report, StepInfo, cells};
use crate::attribution::{LaunchId, Lookup, Timeline};
use crate::kernel_name;
use crate::rules::schema::overlap::of_us;
use crate::rules::schema::report::GapSettings;
use crate::trace::StringId;
use crate::units::Nanos;

/// A time in which nothing of the step ran.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// Its begin.
    pub(super) start: Nanos,
    /// Its length.
    pub(super) dur: Nanos,
    /// The part before the call of what ends it; none: no call is known.
    pub(super) host: Option<Nanos>,
    /// What ran before it.
    pub(super) after: LaunchId,
    /// What ends it.
    pub(super) ended_by: LaunchId,
}

/// How many are over the bar, and the longest of them; `first` is the begin of the step on the GPU.
pub(super) fn longest(
    timeline: &Timeline,
    first: Nanos,
    mut gaps: Vec<Gap>,
    settings: &GapSettings,
) -> (u64, Vec<GapInfo>) {
    gaps.retain(|gap| gap.dur >= of_us(settings.min_us));
    gaps.sort_by_key(|gap| (Reverse(gap.dur), gap.start));
    let total = gaps.len() as u64;
    (total, gaps.iter().take(settings.most).map(|gap| info(timeline, first, gap)).collect())
}

fn info(timeline: &Timeline, first: Nanos, gap: &Gap) -> GapInfo {
    let late = gap.host.is_some_and(|host| host > Nanos::ZERO);
    let host = timeline.host_before(gap.ended_by).filter(|_| late);
    let text = |id: Option<StringId>| id.map(|id| timeline.strings.get(id).to_owned());
    GapInfo {
        start_us: (gap.start - first).as_us(),
        dur_us: gap.dur.as_us(),
        cause: match gap.host {
            None => "unknown",
            Some(_) if late => "host",
            Some(_) => "queued",
        }
        .into(),
        host_us: gap.host.map(Nanos::as_us),
        after: edge(timeline, gap.after),
        ended_by: edge(timeline, gap.ended_by),
        host_frame: text(host.and_then(|host| host.frame)),
        host_op: text(host.and_then(|host| host.op)),
        host_call: text(host.and_then(|host| host.call)),
    }
}

fn edge(timeline: &Timeline, id: LaunchId) -> GapEdge {
    let (kernel, context) = (timeline.kernel(id), timeline.context(id));
    let op = match context.op {
        Lookup::At(node) => Some(timeline.strings.get(timeline.ops.name(node)).to_owned()),
        _ => None,
    };
    GapEdge {
        kernel: timeline.strings.get(kernel.raw).to_owned(),
        parts: kernel.name.clone(),
        op,
        location: context.site.map(|site| timeline.strings.get(site).to_owned()),
    }
}

/// The longest gap of all steps, in one line.
pub(super) fn line(report: &Report) -> Option<String> {
    let mut longest: Option<(&StepInfo, &GapInfo)> = None;
    for step in &report.gpu.steps {
        if let Some(gap) = step.gaps.first().filter(|gap| longest.is_none_or(|(_, most)| gap.dur_us > most.dur_us)) {
            longest = Some((step, gap));
        }
    }
    let (step, gap) = longest?;
    let names = kernel_name::shorten(&[&gap.after.parts, &gap.ended_by.parts], 40);
    let cause = match &*gap.cause {
        "host" => format!("the host had launched nothing{}", host(gap)),
        "queued" => "the next kernel was queued and waited".to_owned(),
        _ => "no launch call tells why".to_owned(),
    };
    // Once is enough where the host was at the place of the launch all the time.
    let place = gap.ended_by.location.as_ref().or(gap.ended_by.op.as_ref());
    let place = place.filter(|place| gap.host_frame.as_ref() != Some(place));
    let place = place.map_or_else(String::new, |place| format!(", launched at {}", cells::clean(place)));
    let all: u64 = report.gpu.steps.iter().map(|step| step.gaps_total).sum();
    let of = if all > 1 { format!("longest of {}: ", cells::count(all)) } else { String::new() };
    let (before, after) = (cells::clean(&names[0]), cells::clean(&names[1]));
    Some(format!("{of}{} in step {} between {before} and {after}{place}: {cause}", cells::time(gap.dur_us), step.n))
}

/// Where the host was instead.
fn host(gap: &GapInfo) -> String {
    let inner: Vec<&String> = [&gap.host_op, &gap.host_call].into_iter().flatten().collect();
    let inner = inner.into_iter().map(|name| cells::clean(name)).collect::<Vec<_>>().join(", ");
    match (&gap.host_frame, inner.as_str()) {
        (None, "") => String::new(),
        (None, inner) => format!(" while it was in {inner}"),
        (Some(frame), "") => format!(" while it was in {}", cells::clean(frame)),
        (Some(frame), inner) => format!(" while it was in {} ({inner})", cells::clean(frame)),
    }
}
