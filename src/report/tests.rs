//! One small report, built by hand, in every format.

use super::*;
use crate::attribution::{
    AttributionCounts, CallTree, Context, ContextId, DeviceTime, FoundBy, Kernel, KernelId, Known, Launch, LaunchId,
    Lookup, NodeId, Replay, Stage, Step, StepId, Stream, StreamId, Timeline,
};
use crate::engine::similarity::Similarity;
use crate::engine::{Action, Confidence, Finding, Half, Occurrence, State, classify, exposure, overlaps};
use crate::kernel_name::{self, KernelName};
use crate::rules::{
    Category, Family, FamilyKind, Gates, Independence, ModelWords, Origin, Per, RuleSet, SourcePath, Status, Toggle,
    parse_expr,
};
use crate::trace::GpuKind;
use crate::units::{Maybe, Nanos};

const GEMM: u32 = 0;
const NORM: u32 = 1;
const ROPE: u32 = 2;
const FILL: u32 = 3;

fn rules() -> RuleSet {
    RuleSet {
        version: "2026.11.0".to_owned(),
        digest: "0123456789abcdef".to_owned(),
        report: serde_yaml::from_str(include_str!("../../rules/report.yaml")).expect("rules/report.yaml"),
        fitness: serde_yaml::from_str(include_str!("../../rules/fitness.yaml")).expect("rules/fitness.yaml"),
        families: vec![family("sglang/norm-rope", "Fused norm + RoPE"), family("sglang/rope", "RoPE")],
        ..RuleSet::default()
    }
}

fn family(id: &str, title: &str) -> Family {
    Family {
        id: id.to_owned(),
        aliases: Vec::new(),
        title: title.to_owned(),
        rationale: "One kernel does both.".to_owned(),
        kind: FamilyKind::Fuse,
        origin: Origin::Mainline,
        pr: Vec::new(),
        status: Status::Stable,
        replaced_by: None,
        sources: vec![SourcePath {
            path: "python/x/fused.py".to_owned(),
            at: None,
            since: None,
            until: None,
            vendor: None,
        }],
        checked: None,
        since: None,
        since_on: std::collections::BTreeMap::new(),
        until: None,
        when: Gates::default(),
        called_for: Vec::new(),
        fused: None,
        split: None,
        after: None,
        before: None,
        overlap: None,
        independent: Independence::default(),
        per: Per::Layer,
        priority: 0,
        subsumes: Vec::new(),
        excludes: Vec::new(),
        toggles: vec![Toggle {
            name: "--enable-norm-rope".to_owned(),
            value: String::new(),
            place: "server_args".to_owned(),
            since: None,
            until: None,
            default: None,
            vendor: None,
            models: ModelWords::default(),
        }],
        tests: Vec::new(),
        file: String::new(),
    }
}

/// One decode step of two layers (gemm, norm, rope) with 4 us of GPU waiting in it, and one fill before the step.
fn timeline() -> Timeline {
    let mut timeline = Timeline { path: "t/decode.trace.json".to_owned(), ..Timeline::default() };
    let texts = ["nvjet_tst_64x64", "rms_norm|kernel", "rotary_embedding_kernel", "FillFunctor<float>"];
    for text in texts {
        let raw = timeline.strings.intern(text);
        timeline.kernels.push(Kernel {
            raw,
            kind: GpuKind::Kernel,
            name: KernelName::parse(text, &kernel_name::Settings::default()),
        });
    }
    let op = timeline.strings.intern("aten::mm");
    timeline.ops = CallTree { nodes: vec![(None, op)] };
    let frame = timeline.strings.intern("/srv/x/models/qwen3.py(167): forward");
    timeline.frames = CallTree { nodes: vec![(None, frame)] };
    let site = timeline.strings.intern("models/qwen3.py:167 forward");
    let module = timeline.strings.intern("Qwen3Model.Qwen3DecoderLayer.Qwen3Attention");
    let known = Context {
        op: Lookup::At(NodeId(0)),
        frame: Lookup::At(NodeId(0)),
        dims: None,
        op_found_by: FoundBy::Position,
        frame_found_by: FoundBy::Position,
        site: Some(site),
        module: Some(module),
    };
    let unknown = Context {
        op: Lookup::Nowhere,
        frame: Lookup::Unknown,
        dims: None,
        op_found_by: FoundBy::None,
        frame_found_by: FoundBy::None,
        site: None,
        module: None,
    };
    timeline.contexts = vec![known, unknown];
    let step = timeline.strings.intern("step[DECODE bs=2]");
    timeline.steps.push(Step {
        name: step,
        stage: Stage::Decode,
        start: Nanos(0),
        end: Nanos(1000),
        tokens: Some(2),
        requests: Some(2),
        whole: true,
    });
    timeline.streams.push(Stream { device: "0".to_owned(), number: 7 });
    launch(&mut timeline, FILL, -500_000, 10, None);
    for layer in 0..2 {
        let start = layer * 50_000;
        launch(&mut timeline, GEMM, start, 40_000, Some(start - 1000));
        launch(&mut timeline, NORM, start + 40_000, 5_500, Some(start - 1000));
        launch(&mut timeline, ROPE, start + 45_500, 2_500, Some(start - 1000));
    }
    timeline.replays.push(Replay { kernels: 6, joined: 6 });
    timeline.devices = vec![DeviceTime { device: "0".to_owned(), total: Nanos(96_010), launches: 7, taken: true }];
    timeline.counts = AttributionCounts { launches: 7, by_position: 6, without_launch: 1, ..Default::default() };
    let fact = |value: &str| Some(Known { value: value.to_owned(), source: "trace frames".to_owned() });
    timeline.run.framework = fact("sglang");
    timeline.run.framework_version = fact("0.5.11");
    timeline.run.model = fact("Qwen3-8B");
    timeline.run.hardware = fact("NVIDIA H100 80GB HBM3");
    timeline.run.tp = Some(Known { value: 2, source: "--tp".to_owned() });
    timeline.run.rank = Some(Known { value: 0, source: "distributedInfo".to_owned() });
    timeline.run.world_size = Some(Known { value: 2, source: "distributedInfo".to_owned() });
    timeline.run.server_args_source = Some("t/server_args.json".to_owned());
    for (key, json) in [("api_key", "\"secret\""), ("attention_backend", "\"fa3\""), ("enable_norm_rope", "false")] {
        timeline.run.server_args.insert(key.to_owned(), json.to_owned());
    }
    timeline
}

fn launch(timeline: &mut Timeline, kernel: u32, start: i64, dur: i64, called: Option<i64>) {
    timeline.launches.push(Launch {
        kernel: KernelId(kernel),
        stream: StreamId(0),
        start: Nanos(start),
        dur: Nanos(dur),
        called: called.map(Nanos),
        context: ContextId(u32::from(kernel == FILL)),
        step: called.map(|_| StepId(0)),
        stage: if called.is_some() { Stage::Decode } else { Stage::All },
        replay: called.map(|_| 0),
        correlation: Maybe::NONE,
        grid: None,
        bytes: Maybe::NONE,
        instance: None,
    });
}

fn occurrence(launches: [u32; 2]) -> Occurrence {
    Occurrence {
        launches: launches.map(LaunchId).to_vec(),
        transparent: Vec::new(),
        context: Vec::new(),
        unknown: false,
        inferred: false,
    }
}

fn findings() -> Vec<Finding> {
    let split = Half {
        occurrences: vec![occurrence([2, 3]), occurrence([5, 6])],
        time: Nanos(16_000),
        transparent: Nanos(1_200),
    };
    let row = Finding {
        family: 0,
        stage: Stage::Decode,
        state: State::Split,
        confidence: Confidence::Candidate,
        reasons: vec!["needs TP 1: this run has TP 2".to_owned()],
        fused: Half::default(),
        split,
        could_save: Nanos(6_200),
        launches_saved: 2,
        action: Action::TurnOn,
        advice: "enable_norm_rope is false: set it to true".to_owned(),
        covered_by: None,
        overlaps_with: Vec::new(),
    };
    let covered = Finding { family: 1, covered_by: Some(0), ..row.clone() };
    vec![covered, row]
}

fn report_of(timeline: &Timeline, findings: &[Finding], options: &Options) -> Report {
    let mut rules = rules();
    rules.categories = [("gemm", "nvjet"), ("norm", "rms"), ("rope", "rotary"), ("memory", "fill")]
        .map(|(name, word)| Category {
            name: name.to_owned(),
            expr: parse_expr(&format!("name(\"{word}\")")).expect("a predicate"),
            compute: true,
        })
        .to_vec();
    rules.overlap = serde_yaml::from_str(include_str!("../../rules/overlap.yaml")).expect("rules/overlap.yaml");
    let classes = classify(&rules, timeline);
    let graph = crate::graph::build(timeline);
    let exposure = exposure(timeline, &classes, Nanos(2));
    let overlaps = overlaps(&rules, timeline, &graph, &classes, &exposure);
    let similarity = Similarity::default();
    let analysis = Analysis {
        timeline,
        classes: &classes,
        findings,
        exposure: &exposure,
        overlaps: &overlaps,
        given_up: &[],
        similarity: &similarity,
    };
    build(&[analysis], &rules, options)
}

fn report() -> Report {
    let info = |path: &str, role: &str, taken: bool, reason: &str| TraceInfo {
        path: path.to_owned(),
        role: role.to_owned(),
        stage: Some("decode".to_owned()),
        rank: Some(i64::from(!taken)),
        host: None,
        date: None,
        device: taken.then(|| "0".to_owned()),
        taken,
        reason: reason.to_owned(),
        warnings: Vec::new(),
    };
    let traces = vec![
        info("t/decode.trace.json", "trace", true, "lowest rank"),
        info("t/decode-1.trace.json", "trace", false, "rank 0 is analysed"),
    ];
    report_of(&timeline(), &findings(), &Options { traces, ..Options::default() })
}

#[test]
fn text_is_a_pleasure_at_100_columns() {
    insta::assert_snapshot!(text::render(&report(), text::Style::default()));
}

#[test]
fn a_narrow_terminal_says_which_columns_it_leaves_out() {
    insta::assert_snapshot!(text::render(&report(), text::Style { width: 58, color: false }));
}

#[test]
fn markdown_has_a_section_a_stage() {
    insta::assert_snapshot!(markdown::render(&report()));
}

#[test]
fn json_is_the_contract() {
    insta::assert_snapshot!(json::render(&report()));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in 40..200 {
        let text = text::render(&report(), text::Style { width: columns, color: false });
        for line in text.lines() {
            assert!(layout::width(line) <= columns, "{columns}: {line}");
        }
    }
}

#[test]
fn colour_adds_no_word_and_takes_none() {
    let plain = text::render(&report(), text::Style::default());
    let mut colored = text::render(&report(), text::Style { color: true, ..text::Style::default() });
    for code in ["\u{1b}[1m", "\u{1b}[2m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[1;33m", "\u{1b}[0m"] {
        colored = colored.replace(code, "");
    }
    let trimmed: Vec<&str> = colored.lines().map(str::trim_end).collect();
    assert_eq!(trimmed, plain.lines().collect::<Vec<_>>());
}

#[test]
fn secrets_among_the_server_arguments_stay_out() {
    let text = json::render(&report());
    assert!(text.contains("attention_backend") && !text.contains("api_key") && !text.contains("secret"));
}

#[test]
fn rows_under_the_bar_are_hidden_and_counted() {
    let report = report_of(&timeline(), &[], &Options { min_share: Some(10.0), ..Options::default() });
    let decode = &report.stages[0];
    assert_eq!((decode.kernels.total, decode.kernels.shown), (3, 2));
    assert_eq!(decode.kernels.hidden_pct, Some(5.2083));
    assert_eq!(report.hidden_rows.kernels, 2, "the fill outside the step, too");
}

#[test]
fn the_summary_says_what_is_proven_before_a_guess_that_would_save_more() {
    let mut found = findings();
    found[0] =
        Finding { covered_by: None, confidence: Confidence::Confirmed, could_save: Nanos(100), ..found[0].clone() };
    let proven = &rules().families[1].title;
    let summary = report_of(&timeline(), &found, &Options::default()).summary;
    assert!(summary.contains(&format!("First: {proven} is split")), "{summary}");
}

#[test]
fn what_the_advice_gives_as_reason_is_not_said_twice() {
    let mut findings = findings();
    for finding in &mut findings {
        finding.advice = "needs TP 1: this run has TP 2; needs a GPU of amd: this is nvidia".to_owned();
        finding.reasons.push("the family is on trial".to_owned());
    }
    let report = report_of(&timeline(), &findings, &Options::default());
    let said: Vec<&String> = fuse::because(report.fuse.iter().find(|row| row.shown).expect("a row")).collect();
    assert_eq!(said, ["the family is on trial"]);
}

#[test]
fn the_limit_counts_rows_over_the_bar() {
    let report = report_of(
        &timeline(),
        &[],
        &Options { limits: Limits { kernels: Some(1), ..Limits::default() }, ..Options::default() },
    );
    let shown: Vec<&str> = report.kernels.iter().filter(|row| row.shown).map(|row| row.name.as_str()).collect();
    assert_eq!(shown, ["nvjet_tst_64x64"]);
}

#[test]
fn a_step_spans_its_own_launches_and_not_the_lead_in() {
    let report = report();
    let step = &report.gpu.steps[0];
    let us = (step.span_us, step.busy_us, step.idle_us, step.host_bound_us, step.launches);
    assert_eq!(us, (Some(98.0), Some(96.0), Some(2.0), Some(1.0), 6));
    assert_eq!(step.launch_bound, Some(false));
}

#[test]
fn graph_launches_without_kernels_leave_idle_unknown_and_say_why() {
    let mut timeline = timeline();
    timeline.replays.push(Replay { kernels: 0, joined: 0 });
    let report = report_of(&timeline, &[], &Options::default());
    assert_eq!((report.gpu.steps[0].idle_us, report.gpu.steps[0].launch_bound), (None, None));
    assert!(report.fitness.iter().any(|fitness| fitness.code == "graph-kernels-missing"));
}

#[test]
fn a_trace_without_gpu_events_says_why_in_every_table() {
    let mut timeline = Timeline::default();
    timeline.skipped.ignored.insert("cuda_profiler_range".to_owned(), 77);
    let report = report_of(&timeline, &[], &Options::default());
    let codes: Vec<&str> = report.fitness.iter().map(|fitness| fitness.code.as_str()).collect();
    assert_eq!(codes, ["profiler-ranges"]);
    let text = text::render(&report, text::Style::default());
    assert_eq!(text.matches("77 CUPTI profiler ranges").count(), 3, "{text}");
}

#[test]
fn ids_depend_on_the_name_alone() {
    let ids: Vec<String> = report().kernels.into_iter().map(|row| row.id).collect();
    assert_eq!(
        ids,
        [
            "kernel/decode/b9b9fd365151",
            "kernel/decode/fd5dd788ebd4",
            "kernel/decode/224acfc7180b",
            "kernel/all/0c5fc08e4e02"
        ]
    );
}
