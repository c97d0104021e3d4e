//! Attribution over real traces: set `LLM_PROF_REAL_TRACES` to a folder that has them. Without it these tests pass and
//! say that they looked at nothing. Each test holds what was read from the traces by hand.

use std::path::{Path, PathBuf};

use llm_prof::attribution::{self, Given, Lookup, Settings, Stage, Timeline};
use llm_prof::kernel_name;
use llm_prof::rules::schema::{
    attribution as schema, frameworks, hardware, names, sites, stages, trace as trace_schema,
};
use llm_prof::trace::{self, Trace};

struct Rules {
    trace: trace::Settings,
    names: kernel_name::Settings,
    attribution: Settings,
}

fn yaml<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").join(name);
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn rules() -> Rules {
    let mut attribution = Settings::default();
    yaml::<schema::AttributionFile>("attribution.yaml").fill(&mut attribution);
    yaml::<stages::StagesFile>("stages.yaml").fill(&mut attribution).unwrap();
    yaml::<sites::SitesFile>("sites.yaml").fill(&mut attribution).unwrap();
    yaml::<frameworks::FrameworksFile>("frameworks.yaml").fill(&mut attribution);
    yaml::<hardware::HardwareFile>("hardware.yaml").fill(&mut attribution);
    Rules {
        trace: yaml::<trace_schema::TraceFile>("trace.yaml").settings().unwrap(),
        names: yaml::<names::Names>("names.yaml").into(),
        attribution,
    }
}

/// A trace of the folder; none, with a note, when there is no folder or no such file.
fn read(rules: &Rules, name: &str) -> Option<Trace> {
    let folder = PathBuf::from(std::env::var_os("LLM_PROF_REAL_TRACES").unwrap_or_default());
    let path = folder.join(format!("{name}.trace.json.gz"));
    if !path.exists() {
        println!("no {name} in LLM_PROF_REAL_TRACES: nothing looked at");
        return None;
    }
    Some(trace::read(&path, &rules.trace).unwrap())
}

fn timeline(name: &str, captures: &[&str]) -> Option<Timeline> {
    let rules = rules();
    let trace = read(&rules, name)?;
    let captures: Vec<Trace> = captures.iter().filter_map(|c| read(&rules, c)).collect();
    let started = std::time::Instant::now();
    let timeline = attribution::attribute(trace, &captures, &rules.attribution, &rules.names, &Given::default());
    println!(
        "{name}: {:?}, {} contexts, {} op nodes, {} frame nodes, {:?}",
        started.elapsed(),
        timeline.contexts.len(),
        timeline.ops.nodes.len(),
        timeline.frames.nodes.len(),
        timeline.counts
    );
    println!("{:?}", timeline.run);
    for step in &timeline.steps {
        println!("{} {:?}", timeline.strings.get(step.name), step);
    }
    Some(timeline)
}

/// Launches and nanoseconds by site of the kernels whose name holds `part`, most launches first.
fn sites(timeline: &Timeline, part: &str) -> Vec<(String, u64)> {
    let mut counts: Vec<(String, u64)> = Vec::new();
    for id in timeline.launch_ids() {
        if timeline.strings.get(timeline.kernel(id).raw).contains(part) {
            let site = timeline.context(id).site.map_or("-", |s| timeline.strings.get(s)).to_owned();
            match counts.iter_mut().find(|(s, _)| *s == site) {
                Some((_, n)) => *n += 1,
                None => counts.push((site, 1)),
            }
        }
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

fn stages(timeline: &Timeline) -> Vec<(Stage, u64, i64)> {
    let mut counts: Vec<(Stage, u64, i64)> = Vec::new();
    for launch in &timeline.launches {
        match counts.iter_mut().find(|c| c.0 == launch.stage) {
            Some(c) => (c.1, c.2) = (c.1 + 1, c.2 + launch.dur.0),
            None => counts.push((launch.stage, 1, launch.dur.0)),
        }
    }
    counts.sort_unstable();
    counts
}

#[test]
fn debug_all() {
    for (name, captures) in [
        ("sglang-qwen3-8b-mi300x-mixed", &[][..]),
        ("sglang-qwen3-8b-mi300x-decode-graph", &["sglang-qwen3-8b-mi300x-decode-graph-capture"][..]),
        ("sglang-qwen3-8b-mi300x-decode-graph-capture", &[]),
        ("vllm-gpt-oss-b200-eager", &[]),
        ("transformers-qwen1.5-0.5b-h100-eager", &[]),
        ("training-v100-large", &[]),
        ("xdit-flux1-mi300x-large", &["xdit-flux1-mi300x-large-capture"]),
        ("xdit-flux1-mi300x-large-capture", &[]),
        ("kineto-2020-list-form", &[]),
        ("mi210-gpu-only", &[]),
        ("mtia-no-cuda", &[]),
        ("no-kernels-a100", &[]),
        ("cuda-event-sync", &[]),
    ] {
        println!("=== {name}");
        let Some(t) = timeline(name, captures) else { continue };
        println!("stages {:?}", stages(&t));
        println!("replays {:?}", t.replays);
        println!("devices {:?}", t.devices);
        println!("warnings {:?}", t.warnings);
        let mut seen: Vec<(String, String, String, String, u64)> = Vec::new();
        for id in t.launch_ids() {
            let c = t.context(id);
            let name: String = t.kernel(id).name.identifier.chars().take(50).collect();
            let op = match c.op {
                Lookup::At(n) => t.strings.get(t.ops.name(n)).to_owned(),
                o => format!("{o:?}"),
            };
            let site =
                c.site.map_or(format!("{:?}", c.frame).chars().take(7).collect(), |s| t.strings.get(s).to_owned());
            let module = c.module.map_or("", |s| t.strings.get(s)).to_owned();
            match seen.iter_mut().find(|s| s.0 == name && s.1 == op && s.2 == site && s.3 == module) {
                Some(s) => s.4 += 1,
                None => seen.push((name, op, site, module, 1)),
            }
        }
        seen.sort_by(|a, b| b.4.cmp(&a.4));
        for s in seen.iter().take(60) {
            println!("{:5} {} | {} | {} | {}", s.4, s.0, s.1, s.2, s.3);
        }
    }
}
