//! `llm-prof explain`: why a row is there, or none; what a family or the code of a mistake means.

use super::args::Explain;
use super::failure::Failure;
use super::rules::{named, page};
use super::streams::Streams;
use super::{loading, output, pairs};
use crate::attribution::Timeline;
use crate::diagnostic::Code;
use crate::engine::similarity::{self, Similarity};
use crate::engine::{self, Classes};
use crate::graph;
use crate::plain;
use crate::report::{self, Analysis, KernelRow, Options};
use crate::rules::RuleSet;

/// Explains one thing, a row or a family on each trace.
pub(super) fn run(args: &Explain, streams: &mut Streams) -> Result<(), Failure> {
    if let Some(code) = Code::from_id(&args.what) {
        let text = format!("{} {}\n\n{}\n", code.id(), code.name(), code.explanation());
        return output::print(&text, streams);
    }
    let rules = loading::rules(&args.knowledge, &args.terminal, streams)?;
    let what = Subject::of(&args.what, &rules)?;
    if args.paths.is_empty() {
        let Subject::Family(family) = what else {
            return Err(Failure::usage(format!("{}: of which trace? Give its path, too", args.what)));
        };
        return output::print(&page(&rules.families[family], 1), streams);
    }
    let (session, _) = pairs::joined(&args.paths, &args.pair, &args.input, &args.terminal, &rules, streams)?;
    let mut texts = Vec::new();
    for timeline in &session.timelines {
        let classes = engine::classify(&rules, timeline);
        let text = match &what {
            Subject::Family(family) => {
                let graph = graph::build(timeline);
                let explanation = engine::explain::explain(&rules, timeline, &graph, &classes, *family);
                Some(explanation.text(&rules, timeline))
            }
            Subject::Kernel(id) => kernel(id, &rules, timeline, &classes),
            Subject::Overlap(id) => overlap(id, &rules, timeline, &classes),
            Subject::Note => {
                let graph = graph::build(timeline);
                let search = engine::search(&rules, timeline, &graph, &classes);
                let similarity = similarity::similar(&rules, timeline, &graph, &classes, &search);
                Some(similarity.explain(&rules, timeline))
            }
        };
        let several = session.timelines.len() > 1;
        texts.extend(
            text.map(|text| if several { format!("{}\n\n{text}", plain::clean(&timeline.path)) } else { text }),
        );
    }
    if texts.is_empty() {
        return Err(Failure::usage(format!(
            "{}: no such row in this trace; `llm-prof triage --format json` gives every row's id",
            args.what
        )));
    }
    output::print(&texts.concat(), streams)
}

/// What is to be explained.
enum Subject {
    /// Index of the family.
    Family(usize),
    /// Id of a row of the kernel table.
    Kernel(String),
    /// Id of a row of the overlap table that no family speaks for.
    Overlap(String),
    /// The similarity note.
    Note,
}

impl Subject {
    /// A family's id, or a row's: `fuse/<family>/<stage>`, `overlap/<family>/<stage>`, `kernel/<stage>/<hash>`,
    /// `overlap/<verdict>/<stage>/<hash>`.
    fn of(what: &str, rules: &RuleSet) -> Result<Self, Failure> {
        if what == "note" {
            return Ok(Self::Note);
        }
        if what.starts_with("kernel/") {
            return Ok(Self::Kernel(what.to_owned()));
        }
        let row = ["fuse/", "overlap/"].iter().find_map(|table| what.strip_prefix(table));
        let of_row = row.and_then(|rest| rest.rsplit_once('/')).map(|(family, _)| family);
        if let Some(family) = of_row.and_then(|id| engine::explain::family_of(rules, id)) {
            return Ok(Self::Family(family));
        }
        if what.starts_with("overlap/") && what.split('/').count() == 4 {
            return Ok(Self::Overlap(what.to_owned()));
        }
        named(of_row.unwrap_or(what), rules).map(Self::Family)
    }
}

/// A row of the overlap table: what it rests on, and the figures.
fn overlap(id: &str, rules: &RuleSet, timeline: &Timeline, classes: &Classes) -> Option<String> {
    let graph = graph::build(timeline);
    let exposure = engine::exposure(timeline, classes, rules.overlap.same_stream_min());
    let overlaps = engine::overlaps(rules, timeline, &graph, classes, &exposure);
    let similarity = Similarity::default();
    let analysis = Analysis {
        timeline,
        classes,
        findings: &[],
        exposure: &exposure,
        overlaps: &overlaps,
        given_up: &[],
        similarity: &similarity,
    };
    let report = report::build(&[analysis], rules, &Options::default());
    let row = report.overlap.iter().find(|row| row.id == id)?;
    let mut out = format!("{}\n\n", plain::clean(&row.kernel));
    let mut line = |what: &str, text: &str| plain::line(&mut out, format_args!("{what:<11} {text}"));
    line("verdict", &format!("{}, {}", row.verdict, row.priority));
    let risks = &row.risk_instances;
    let instances = format!("{} low, {} unclear, {} high", risks.low, risks.unclear, risks.high);
    line("risk", &format!("{} ({instances})", row.risk));
    line("category", &row.category);
    line("stage", &format!("{}: {} launches, {} % of its GPU time", row.stage, row.launches, row.share_pct));
    line("alone", &format!("{} us of {} us, hidden {} us", row.exclusive_us, row.time_us, row.hidden_us));
    line("partner", row.partner.as_deref().unwrap_or("none"));
    line("site", row.scope.as_deref().unwrap_or("unknown"));
    if let Some(waiting) = row.waiting_us {
        line("waiting", &format!("{waiting} us above the fastest of the same size"));
    }
    if let Some(saved) = row.could_save_us {
        line("could save", &format!("{saved} us, an estimate"));
    }
    for reason in &row.reasons {
        line("because", reason);
    }
    line("do", &row.recommendation);
    Some(out)
}

/// A row of the kernel table: what the rules see of the kernel, and what they make of it.
fn kernel(id: &str, rules: &RuleSet, timeline: &Timeline, classes: &Classes) -> Option<String> {
    let exposure = engine::exposure(timeline, classes, rules.overlap.same_stream_min());
    let similarity = Similarity::default();
    let analysis = Analysis {
        timeline,
        classes,
        findings: &[],
        exposure: &exposure,
        overlaps: &[],
        given_up: &[],
        similarity: &similarity,
    };
    let report = report::build(&[analysis], rules, &Options::default());
    let row: &KernelRow = report.kernels.iter().find(|row| row.id == id)?;
    let launch = timeline.launch_ids().find(|launch| timeline.strings.get(timeline.kernel(*launch).raw) == row.name)?;
    let mut out = format!("{}\n\n", plain::clean(&row.name));
    let mut line = |what: &str, text: &str| plain::line(&mut out, format_args!("{what:<11} {text}"));
    line("identifier", &row.identifier);
    line("words", &row.parts.words.join(" "));
    if let Some(launcher) = &row.parts.launcher {
        line("launcher", launcher);
    }
    if let Some(ops) = &row.parts.inductor {
        line("inductor", &ops.join(" "));
    }
    for (n, argument) in row.parts.template_args.iter().enumerate() {
        line(&format!("targ {n}"), argument);
    }
    line("category", &row.category);
    let terms = engine::terms_of(rules, timeline, classes, launch);
    line("terms", &if terms.is_empty() { "none knows it".to_owned() } else { terms.join(", ") });
    let families: Vec<&str> =
        (engine::knowing(rules, &row.name).into_iter()).map(|family| rules.families[family].id.as_str()).collect();
    line("families", &if families.is_empty() { "none looks for it".to_owned() } else { families.join(", ") });
    line("stage", &format!("{}: {} launches, {} % of its GPU time", row.stage, row.launches, row.share_pct));
    for op in &row.ops {
        line("op", op);
    }
    for site in &row.sites {
        let place: Vec<&str> = [&site.location, &site.module].into_iter().filter_map(|part| part.as_deref()).collect();
        let place = if place.is_empty() { "unknown".to_owned() } else { place.join(", in ") };
        line("site", &format!("{place} ({} %, found by {})", site.share_pct, site.found_by));
    }
    Some(out)
}
