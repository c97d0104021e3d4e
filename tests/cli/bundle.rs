//! `llm-prof bundle`: many runs in one document.

use serde_json::Value;

use super::finished::{FUSED, Folder, SPLIT, TRTLLM, report};
use super::{DECODE, PREFILL, run};

const VLLM: &str = "tests/fixtures/vllm-nvidia-tp2-prefill.trace.json.gz";

/// A folder of analyses: two models, one of them served by three frameworks.
fn root() -> Folder {
    let folder = Folder::new();
    folder.save("llama/analysis_trtllm.json", &report(TRTLLM));
    folder.save("llama/analysis_sglang.json", &report(FUSED));
    folder.save("llama/analysis_vllm.json", &report(VLLM));
    folder.save("org/qwen3/analysis_sglang.json", &report(DECODE));
    folder.write("llama/notes.txt", "no analysis");
    folder
}

fn path(folder: &Folder) -> String {
    folder.path().to_string_lossy().into_owned()
}

#[test]
fn runs_stand_by_model_and_then_by_framework() {
    let folder = root();
    let bundle = run(&["bundle", "--analysis-root", &path(&folder), "-f", "json"]).report();
    let models: Vec<(&str, Vec<&str>)> = (bundle["models"].as_array().expect("models").iter())
        .map(|model| {
            let runs = model["runs"].as_array().expect("runs");
            let frameworks = runs.iter().map(|run| run["framework"].as_str().expect("a framework")).collect();
            (model["id"].as_str().expect("an id"), frameworks)
        })
        .collect();
    assert_eq!(models, [("llama", vec!["sglang", "vllm", "trtllm"]), ("org/qwen3", vec!["sglang"])]);
    let patterns = bundle["models"][0]["compared"]["patterns"].as_array().expect("patterns");
    let row = patterns.iter().find(|row| row["pattern"] == "allreduce-rmsnorm" && row["stage"] == "decode");
    let states: Vec<&Value> = row.expect("a pattern")["states"].as_array().expect("states").iter().collect();
    let state = |n: usize| states[n]["state"].as_str();
    assert_eq!([state(0), state(1), state(2)], [Some("in-use"), None, Some("split")]);
}

#[test]
fn a_comparison_stands_on_top_and_the_three_tables_of_each_run_below() {
    let folder = root();
    let document = run(&["bundle", "--analysis-root", &path(&folder), "--title", "Of *November*"]).out;
    let headings: Vec<&str> = document.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(
        headings[..8],
        [
            "# Of \\*November\\*",
            "## Contents",
            "## llama",
            "### Compared",
            "#### extend/prefill",
            "#### decode",
            "#### Fuse patterns",
            "### SGLang"
        ]
    );
    for table in ["#### Kernel table", "#### Overlap-opportunity table", "#### Fuse-pattern table"] {
        assert_eq!(headings.iter().filter(|heading| **heading == table).count(), 4, "{table}");
    }
    assert!(!document.contains("# Triage"), "a report's own title has no place here");
}

#[test]
fn links_lead_to_one_place_each() {
    let folder = root();
    folder.save("Llama/analysis_sglang.json", &report(SPLIT));
    folder.save("llama/analysis_sglang2.json", &report(SPLIT));
    let document = run(&["bundle", "--analysis-root", &path(&folder)]).out;
    let between = |line: &str, from: &str, to: &str| -> Option<String> {
        let rest = &line[line.find(from)? + from.len()..];
        Some(rest[..rest.find(to)?].to_owned())
    };
    let anchors: Vec<String> = document.lines().filter_map(|line| between(line, "<a id=\"", "\"")).collect();
    let links: Vec<String> = document.lines().filter_map(|line| between(line, "](#", ")")).collect();
    let mut once = anchors.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), anchors.len(), "{anchors:?}");
    assert_eq!(links, anchors);
    assert_eq!(anchors[..5], ["llama", "llama-sglang", "llama-2", "llama-2-sglang", "llama-2-sglang-2"]);
    // Two runs of one framework are told apart by their files.
    assert!(document.contains("/llama/analysis_sglang2.json\n") || document.contains("analysis_sglang2"), "{document}");
}

#[test]
fn ids_of_a_page_are_unique_and_its_links_lead_somewhere() {
    let folder = root();
    let page = run(&["bundle", "--analysis-root", &path(&folder), "-f", "html"]).out;
    let attributes = |name: &str| -> Vec<&str> {
        page.match_indices(name).map(|(at, _)| page[at + name.len()..].split('"').next().expect("a value")).collect()
    };
    let ids = attributes(" id=\"");
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len());
    for link in attributes(" href=\"#") {
        assert!(ids.contains(&link), "{link} leads nowhere");
    }
    assert!(ids.contains(&"llama-sglang-fuse/sglang/rope-kv-store/decode"), "rows can be linked to");
}

#[test]
fn the_same_runs_give_the_same_bytes_in_any_order() {
    for format in ["markdown", "json", "html", "text"] {
        let (one, other) =
            (run(&["bundle", FUSED, VLLM, DECODE, "-f", format]), run(&["bundle", DECODE, FUSED, VLLM, "-f", format]));
        assert_eq!((one.code, &one.out), (0, &other.out), "{format}: {}", one.err);
    }
}

#[test]
fn a_name_that_a_trace_gives_cannot_break_the_document() {
    let folder = Folder::new();
    let mut evil = report(DECODE);
    evil["model"] = "a|b](x) <script>alert(1)</script>\n# c".into();
    let saved = folder.save("evil.json", &evil);
    let markdown = run(&["bundle", &saved]).out;
    assert!(!markdown.contains("<script") && !markdown.lines().any(|line| line == "# c"), "{markdown}");
    assert!(markdown.contains("- [a\\|b\\](x) &lt;script&gt;"), "{markdown}");
    let page = run(&["bundle", &saved, "-f", "html"]).out;
    assert!(!page.contains("<script>alert"), "{page}");
}

#[test]
fn a_model_may_be_given_and_contents_left_out() {
    let document = run(&["bundle", &format!("Qwen/Qwen3-8B={DECODE}"), PREFILL, "--include-toc=false"]).out;
    let headings: Vec<&str> = document.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(headings, ["## qwen3", "## qwen3"], "shown as the reports name it");
    assert!(document.contains("Given as `Qwen/Qwen3-8B`.") && !document.contains("Contents"), "{document}");
}

#[test]
fn the_name_of_a_file_tells_a_framework_that_the_report_does_not() {
    let folder = Folder::new();
    let mut unknown = report(DECODE);
    unknown["framework"] = Value::Null;
    folder.save("m/analysis_tensorrt-llm.json", &unknown);
    let bundle = run(&["bundle", "--analysis-root", &path(&folder), "-f", "json"]).report();
    let first = &bundle["models"][0]["runs"][0];
    assert_eq!((&first["framework"], &first["title"]), (&"trtllm".into(), &"TensorRT-LLM".into()));
}

#[test]
fn what_is_missing_is_named_all_at_once() {
    let done = run(&["bundle", "no-a.json", DECODE, "no-b.json"]);
    assert_eq!(done.code, 3);
    assert!(done.err.contains("no-a.json, no-b.json: there is no such file or folder"), "{}", done.err);
    let empty = Folder::new();
    let done = run(&["bundle", "--analysis-root", &path(&empty)]);
    assert!(done.code == 3 && done.err.contains("no MODEL/analysis_FRAMEWORK.json below it"), "{}", done.err);
    assert_eq!(run(&["bundle"]).code, 2);
}
