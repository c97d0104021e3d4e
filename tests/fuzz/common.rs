//! What the targets share: the rules, the way from a trace to its report, and what must hold on that way whatever the
//! input is.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::OnceLock;

use llm_prof::attribution::{self, Given};
use llm_prof::engine::Engine;
use llm_prof::graph;
use llm_prof::report::{self, Analysis, Options, Report};
use llm_prof::rules::{self, RuleSet, Sources};
use llm_prof::trace::{Limits, Settings, Trace};

/// The rules in the source folder.
pub fn rules() -> &'static RuleSet {
    static RULES: OnceLock<RuleSet> = OnceLock::new();
    RULES.get_or_init(|| rules::load(&Sources::embedded()).expect("the rules of the checkout load"))
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(rules()))
}

/// The reader with nothing but its blocks and its learning set.
pub fn settings(block_bytes: usize, learn: bool) -> Settings {
    Settings {
        block_bytes,
        learn,
        limits: Limits { bytes: Some(64 << 20), ..rules().trace.limits },
        ..rules().trace.clone()
    }
}

/// Two traces that must not differ; what is shown of them begins a little before they do.
pub fn same(one: &impl Debug, other: &impl Debug, why: &str) {
    let (one, other) = (format!("{one:?}").into_bytes(), format!("{other:?}").into_bytes());
    if let Some(at) = (0..one.len().max(other.len())).find(|at| one.get(*at) != other.get(*at)) {
        let part = |text: &[u8]| {
            let part = text.get(at.saturating_sub(200)..text.len().min(at + 200));
            String::from_utf8_lossy(part.unwrap_or_default()).into_owned()
        };
        panic!("{why}\none:   {}\nother: {}", part(&one), part(&other));
    }
}

/// Rows and skipped events; what is missing to the number of events is metadata that was kept.
pub fn accounted(trace: &Trace) -> u64 {
    let frames: usize = trace.frames.iter().map(|lane| lane.len).sum();
    let rows = trace.gpu.len() + trace.runtime.len() + trace.ops.len() + trace.annotations.len() + trace.syncs.len();
    let skipped = &trace.skipped;
    let left = skipped.ignored.values().chain(skipped.unknown.values()).sum::<u64>();
    let broken: u64 = skipped.broken.values().map(|of| of.count).sum();
    (rows + frames) as u64 + left + broken
}

/// A trace on its whole way, in every format; the figures of the report are checked.
pub fn report(trace: Trace) -> Report {
    assert!(accounted(&trace) <= trace.events, "{} of {} events", accounted(&trace), trace.events);
    let rules = rules();
    let timeline = attribution::attribute(trace, &[], &rules.attribution, &rules.names, &Given::default());
    let graph = graph::build(&timeline);
    let classes = engine().classify(rules, &timeline);
    let judgement = engine().judge(rules, &timeline, &graph, &classes);
    let analysis = Analysis::new(&timeline, &classes, &judgement);
    let options = Options { timeline: true, typical_steps: true, ..Options::default() };
    let report = report::build(&[analysis], rules, &options);
    check(&report);
    let json = report::json::render(&report);
    let again = report::json::read(&json, rules).expect("a report can be read back");
    assert!(report::json::render(&again) == json, "a report is read back to the byte");
    for text in [
        report::text::render(&report, report::text::Style { width: 80, color: true }),
        report::markdown::render(&report),
        report::csv::render(&report),
        report::html::render(&report),
    ] {
        assert!(!text.is_empty());
    }
    report
}

/// Sums of a report.
fn check(report: &Report) {
    let launches = report.gpu.launches;
    let by = &report.attribution;
    assert_eq!(by.launches, launches);
    assert_eq!(by.by_id + by.by_time + by.by_position + by.by_mapping + by.without_op, launches);
    assert!(by.without_launch <= launches);
    assert_eq!(report.stages.iter().map(|stage| stage.launches).sum::<u64>(), launches);
    let mut of_stages: BTreeMap<&str, (u64, f64, f64)> = BTreeMap::new();
    for row in &report.kernels {
        let of = of_stages.entry(&row.stage).or_default();
        *of = (of.0 + row.launches, of.1 + row.time_us, of.2 + row.share_pct);
        assert!(row.time_us >= 0.0);
        for part in [row.exclusive_us, row.hidden_us, row.hidden_by_compute_us].into_iter().flatten() {
            assert!((0.0..=near(row.time_us)).contains(&part), "{part} of {}", row.time_us);
        }
    }
    for stage in &report.stages {
        let (launches, time, share) = of_stages.get(stage.stage.as_str()).copied().unwrap_or_default();
        assert_eq!(launches, stage.launches, "kernel rows of {}", stage.stage);
        assert!(time <= near(stage.time_us) && stage.time_us <= near(time), "{time} of {}", stage.time_us);
        assert!(share <= 100.1, "{share} % of {}", stage.stage);
        for row in report.fuse.iter().filter(|row| row.stage == stage.stage) {
            assert!(row.time_us <= near(stage.time_us), "{}: {} of {}", row.family, row.time_us, stage.time_us);
        }
        for row in report.overlap.iter().filter(|row| row.stage == stage.stage) {
            assert!(row.exclusive_us + row.hidden_us <= near(row.time_us), "{}", row.kernel);
        }
    }
}

/// A sum of many parts, each of them rounded.
fn near(us: f64) -> f64 {
    us * (1.0 + 1e-9) + 1.0
}
