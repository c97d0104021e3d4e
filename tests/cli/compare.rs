//! `llm-prof compare` on fixtures, and on reports that were changed in one way.

use serde_json::Value;

use super::finished::{FUSED, Folder, NO_GPU, SPLIT, TRTLLM, family, repeat, report, rows, slow};
use super::{DECODE, PREFILL, run, run_in};

fn compared(before: &str, after: &str) -> Value {
    run(&["compare", before, after, "-f", "json"]).report()
}

fn verdict(comparison: &Value) -> &str {
    comparison["stages"][0]["time"]["verdict"].as_str().expect("a verdict")
}

/// Change and family of the rows that tables show, in order.
fn shown(comparison: &Value) -> Vec<(&str, &str)> {
    (comparison["families"].as_array().expect("families").iter())
        .filter(|row| row["shown"] == true)
        .map(|row| (row["change"].as_str().expect("a change"), row["family"].as_str().expect("a family")))
        .collect()
}

/// How the kernel of the first row of `after` was paired, and the verdict on it.
fn kernel<'v>(comparison: &'v Value, name: &str) -> (Option<&'v str>, &'v str) {
    let kernels = comparison["stages"][0]["kernels"].as_array().expect("kernels");
    let named = |side: &Value| side.as_array().expect("a side").iter().any(|one| one["name"] == name);
    let found = kernels.iter().find(|row| named(&row["before"]) || named(&row["after"])).expect("the kernel");
    (found["paired_by"].as_str(), found["time"]["verdict"].as_str().expect("a verdict"))
}

#[test]
fn a_run_beside_itself_differs_in_nothing() {
    let comparison = compared(DECODE, DECODE);
    assert_eq!((verdict(&comparison), shown(&comparison)), ("same", vec![]));
    let kernels = comparison["stages"][0]["kernels"].as_array().expect("kernels");
    assert!(kernels.iter().all(|row| row["paired_by"] == "name" && row["time"]["verdict"] == "same"));
    assert_eq!(comparison["differences"], serde_json::json!([]));
}

#[test]
fn a_trace_and_its_report_are_one_run() {
    let folder = Folder::new();
    let saved = folder.save("a.json", &report(DECODE));
    let other_order: serde_json::Map<String, Value> =
        report(DECODE).as_object().expect("an object").clone().into_iter().rev().collect();
    let turned = folder.save("b.json", &Value::Object(other_order));
    let strip = |mut value: Value| {
        (value["before"]["path"], value["after"]["path"]) = (Value::Null, Value::Null);
        value
    };
    let of_traces = strip(compared(DECODE, DECODE));
    assert_eq!(strip(compared(&saved, DECODE)), of_traces);
    assert_eq!(strip(compared(&turned, &saved)), of_traces);
}

#[test]
fn families_that_split_come_first_and_loudest() {
    let folder = Folder::new();
    let before = report(DECODE);
    let after = folder.changed("after.json", &before, |report| {
        for (id, state) in [("sglang/activation-and-mul", "split"), ("sglang/qk-norm-rope", "in-use")] {
            family(report, id)["state"] = state.into();
        }
        rows(report, "fuse").retain(|row| row["family"] != "sglang/residual-rmsnorm");
        let mut new = family(report, "sglang/rope-kv-store").clone();
        new["family"] = "sglang/mrope".into();
        rows(report, "fuse").push(new);
    });
    let comparison = compared(&folder.save("before.json", &before), &after);
    assert_eq!(
        shown(&comparison),
        [
            ("regressed", "sglang/activation-and-mul"),
            ("appeared-split", "sglang/mrope"),
            ("vanished", "sglang/residual-rmsnorm"),
            ("newly-fused", "sglang/qk-norm-rope"),
        ]
    );
    let summary = comparison["summary"].as_str().expect("a summary");
    assert!(summary.starts_with("sglang/activation-and-mul in decode: fused → split."), "{summary}");
}

#[test]
fn a_condition_that_became_unmet_is_named() {
    let folder = Folder::new();
    let before = report(DECODE);
    let after = folder.changed("after.json", &before, |report| {
        let row = family(report, "sglang/activation-and-mul");
        row["state"] = "off-by-design".into();
        row["reasons"] = serde_json::json!(["needs TP ≥ 2: TP 1 (--tp)"]);
        row["advice"] = "".into();
    });
    let comparison = compared(&folder.save("before.json", &before), &after);
    assert_eq!(shown(&comparison), [("now-off-by-design", "sglang/activation-and-mul")]);
    assert_eq!(comparison["families"][0]["text"], "needs TP ≥ 2: TP 1 (--tp)");
}

#[test]
fn a_fixture_fused_and_the_same_split() {
    let comparison = compared(FUSED, SPLIT);
    let flips: Vec<(&str, &str)> = shown(&comparison).into_iter().take(2).collect();
    assert_eq!(flips, [("regressed", "sglang/allreduce-rmsnorm-flashinfer"), ("regressed", "sglang/rope-kv-store")]);
}

#[test]
fn what_counts_is_time_a_step_and_not_in_all() {
    let folder = Folder::new();
    let before = report(DECODE);
    let longer = folder.changed("longer.json", &before, |report| repeat(report, 3));
    let comparison = compared(&folder.save("before.json", &before), &longer);
    assert_eq!(verdict(&comparison), "same");
    assert_eq!(comparison["stages"][0]["unit"], "us_per_step");
    assert_eq!(comparison["stages"][0]["launches"]["delta"], 0.0);
    let kernels = comparison["stages"][0]["kernels"].as_array().expect("kernels");
    assert!(kernels.iter().all(|row| row["time"]["verdict"] == "same"), "{kernels:#?}");
}

#[test]
fn a_little_is_no_difference_and_much_is_one() {
    let folder = Folder::new();
    let one = report(DECODE);
    let several = {
        let mut several = one.clone();
        repeat(&mut several, 5);
        several
    };
    let told = |base: &Value, factor: f64| {
        let after = folder.changed("after.json", base, |report| slow(report, factor));
        verdict(&compared(&folder.save("before.json", base), &after)).to_owned()
    };
    // One step: 10 %. Several: 3 %. Half a per cent of the stage is nothing at all.
    let seen: Vec<String> = [1.004, 1.01, 1.09, 1.2, 0.8].map(|factor| told(&one, factor)).to_vec();
    assert_eq!(seen, ["same", "noise", "noise", "slower", "faster"]);
    let seen: Vec<String> = [1.004, 1.02, 1.05, 0.9].map(|factor| told(&several, factor)).to_vec();
    assert_eq!(seen, ["same", "noise", "slower", "faster"]);
    // Steps that differ by a third hide ten per cent, and not a half.
    let mut uneven = several;
    for (n, step) in uneven["gpu"]["steps"].as_array_mut().expect("steps").iter_mut().enumerate() {
        step["busy_us"] = (step["busy_us"].as_f64().expect("a time") * (1.0 + 0.2 * n as f64)).into();
    }
    assert_eq!([1.1, 1.5].map(|factor| told(&uneven, factor)), ["noise", "slower"]);
}

#[test]
fn kernels_are_paired_by_what_they_are_and_never_by_their_number() {
    let folder = Folder::new();
    let before = report(DECODE);
    let turned = folder.changed("turned.json", &before, |report| rows(report, "kernels").reverse());
    let (saved, plain) = (folder.save("before.json", &before), compared(DECODE, DECODE));
    assert_eq!(compared(&saved, &turned)["stages"], plain["stages"]);

    // Other template arguments, other tile sizes, another kernel at the same place, and a kernel of nowhere.
    let name = |report: &Value, part: &str| {
        let rows = report["kernels"].as_array().expect("kernels");
        let found = rows.iter().map(|row| row["name"].as_str().expect("a name")).find(|name| name.contains(part));
        found.unwrap_or_else(|| panic!("{part}")).to_owned()
    };
    let (args, tiles) = (name(&before, "rotary_embedding_kernel<"), name(&before, "MT256x32x64"));
    let (place, nowhere) = (name(&before, "store_kvcache"), name(&before, "paged_attention_ll4mi_reduce_kernel"));
    let (other_args, other_tiles) = (args.replacen("true", "false", 1), tiles.replace("MT256x32x64", "MT128x96x128"));
    let replaced = [
        (&args, other_args.as_str(), true),
        (&tiles, other_tiles.as_str(), true),
        (&place, "our_cache_writer", true),
        (&nowhere, "our_reducer", false),
    ];
    let after = folder.changed("after.json", &before, |report| {
        for row in rows(report, "kernels") {
            let own = row["name"].as_str().expect("a name").to_owned();
            if let Some((_, new, placed)) = replaced.iter().find(|(old, ..)| **old == own) {
                row["name"] = (*new).into();
                row["id"] = format!("kernel/decode/{}", new.len()).into();
                if !placed {
                    row["sites"] = serde_json::json!([]);
                }
            }
        }
    });
    let comparison = compared(&saved, &after);
    let seen = [&other_args, &other_tiles].map(|name| kernel(&comparison, name).0);
    assert_eq!(seen, [Some("identifier"), Some("shape")]);
    assert_eq!(kernel(&comparison, "our_cache_writer"), (Some("place"), "same"));
    assert_eq!(kernel(&comparison, "our_reducer"), (None, "appeared"));
    assert_eq!(kernel(&comparison, &nowhere), (None, "vanished"));
}

#[test]
fn without_steps_shares_are_compared_and_that_is_said() {
    let folder = Folder::new();
    let stepless = folder.changed("stepless.json", &report(DECODE), |report| {
        for stage in rows(report, "stages") {
            (stage["steps"], stage["time_per_step_us"]) = (0.into(), Value::Null);
        }
        slow(report, 3.0);
    });
    let comparison = compared(DECODE, &stepless);
    assert_eq!(comparison["stages"][0]["unit"], "share_pct");
    assert_eq!(comparison["stages"][0]["time"]["verdict"], Value::Null);
    let kernels = comparison["stages"][0]["kernels"].as_array().expect("kernels");
    assert!(kernels.iter().all(|row| row["time"]["verdict"] == "same"));
    assert!(run(&["compare", DECODE, &stepless]).out.contains("shares of the stage are compared, not times"));
}

#[test]
fn across_frameworks_families_of_one_pattern_stand_in_one_row() {
    let comparison = compared(FUSED, TRTLLM);
    assert_eq!(comparison["aligned_by"], "pattern");
    let rows = comparison["families"].as_array().expect("families");
    let of = |pattern: &str| rows.iter().find(|row| row["family"] == pattern).expect("the pattern");
    let row = of("allreduce-rmsnorm");
    assert_eq!(
        (&row["before"]["rows"][0], &row["after"]["rows"][0], &row["change"]),
        (
            &"fuse/sglang/allreduce-rmsnorm-flashinfer/decode".into(),
            &"fuse/trtllm/allreduce-rmsnorm/decode".into(),
            &"regressed".into()
        )
    );
    // Ids of unlike last parts, tied in rules/compare.yaml.
    assert_eq!(of("rope-kv")["change"], "same");
    assert_eq!(comparison["stages"][0]["modules"], serde_json::json!([]));
    let text = run(&["compare", FUSED, TRTLLM]).out;
    assert!(text.contains("only after") && !text.contains("vanished in"), "{text}");
}

#[test]
fn every_listed_pattern_names_families_that_there_are() {
    let sources =
        llm_prof::rules::Sources::dirs(Some(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")), &[]);
    let rules = llm_prof::rules::load(&sources).expect("the rules of this repository");
    let known = |id: &str| rules.families.iter().any(|family| family.id == id);
    let unknown: Vec<&String> = rules.compare.patterns.values().flatten().filter(|id| !known(id)).collect();
    assert_eq!(unknown, Vec::<&String>::new());
    let codes: Vec<&str> = rules.fitness.fitness.iter().map(|rule| rule.code.as_str()).collect();
    for code in rules.compare.absence_unproven.iter().chain(&rules.compare.bends_figures) {
        assert!(codes.contains(&code.as_str()), "{code} is no code of rules/fitness.yaml");
    }
}

#[test]
fn what_is_not_alike_is_said_and_what_makes_times_incomparable_first() {
    let folder = Folder::new();
    let before = report(DECODE);
    let after = folder.changed("after.json", &before, |report| {
        report["mode"] = "mapping-formal".into();
        (report["hardware"], report["tp"], report["model"]) = ("NVIDIA H200".into(), 4.into(), "llama".into());
        for step in report["gpu"]["steps"].as_array_mut().expect("steps") {
            step["tokens"] = 7.into();
        }
        report["rules"]["digest"] = "0123456789abcdef".into();
    });
    let comparison = compared(&folder.save("before.json", &before), &after);
    let seen: Vec<(&str, bool)> = (comparison["differences"].as_array().expect("differences").iter())
        .map(|one| (one["what"].as_str().expect("what"), one["gates"].as_bool().expect("gates")))
        .collect();
    assert_eq!(
        seen,
        [
            ("model", true),
            ("hardware", true),
            ("TP", true),
            ("tokens of a decode step", true),
            ("mode", false),
            ("rules", false),
        ]
    );
    let summary = comparison["summary"].as_str().expect("a summary");
    assert!(summary.ends_with("Read times with care: model, hardware, TP, tokens of a decode step are not alike."));
}

#[test]
fn captures_that_were_asked_for_other_work_are_told_apart() {
    let folder = Folder::new();
    let write = |name: &str, warm_up: u64, input: u64| {
        let asked =
            serde_json::json!({ "asked": { "warmup_steps": warm_up, "num_steps": 5, "prefill_input_len": input } });
        folder.save(&format!("{name}/capture.json"), &asked);
        std::fs::create_dir_all(folder.path().join(name).join("prefill")).expect("a folder");
        let trace = folder.path().join(name).join("prefill/a.trace.json.gz");
        std::fs::copy(PREFILL, &trace).expect("a copy");
        trace.to_string_lossy().into_owned()
    };
    let (before, after) = (write("a", 10, 4090), write("b", 0, 1024));
    let comparison = compared(&before, &after);
    let seen: Vec<&str> = (comparison["differences"].as_array().expect("differences").iter())
        .map(|one| one["text"].as_str().expect("a text"))
        .collect();
    assert_eq!(
        seen,
        [
            "prompt tokens of the prefill: 4090 before, 1024 after; times compare other work",
            "warm-up steps: 10 before, 0 after",
        ]
    );
}

#[test]
fn a_figure_that_is_bent_is_said_once_for_both() {
    let folder = Folder::new();
    let bent = folder.changed("bent.json", &report(DECODE), |report| {
        let fitness =
            serde_json::json!({ "code": "warm-up-inside", "level": "limits", "finding": "Slow.", "fix": "Wait." });
        rows(report, "fitness").push(fitness);
    });
    let texts = |before: &str, after: &str| -> Vec<String> {
        let comparison = compared(before, after);
        let list = comparison["differences"].as_array().expect("differences").clone();
        list.iter().map(|one| one["text"].as_str().expect("a text").to_owned()).collect()
    };
    assert_eq!(texts(&bent, &bent), ["both: Slow. Wait."]);
    assert_eq!(texts(DECODE, &bent), ["after: Slow. Wait."]);
}

#[test]
fn nothing_to_compare_ends_with_5() {
    for (before, after, words) in [
        (DECODE, PREFILL, "the runs have no stage in common"),
        (DECODE, NO_GPU, "there is nothing to compare: No GPU event."),
    ] {
        let done = run(&["compare", before, after]);
        assert_eq!((done.code, done.out.as_str()), (5, ""), "{}", done.err);
        assert!(done.err.contains(words), "{}", done.err);
    }
}

#[test]
fn a_report_that_is_none_is_shown_at_its_place() {
    let folder = Folder::new();
    let good = report(DECODE);
    let newer = folder.changed("newer.json", &good, |report| report["schema"] = "llm-prof.triage/2".into());
    let foreign = folder.changed("foreign.json", &good, |report| report["schema"] = "llm-prof.doctor/1".into());
    let broken = folder.changed("broken.json", &good, |report| report["kernels"] = "many".into());
    let cut = folder.write("cut.json", "{\"schema\": \"llm-prof.triage/1\", \"tool\": {");
    for (path, words) in [
        (&newer, ["error[E030]", "\"schema\" is \"llm-prof.triage/2\"", "of another version of llm-prof"]),
        (&foreign, ["error[E030]", "not a report", "not what `triage --format json` writes"]),
        (&broken, ["error[E031]", "invalid type: string \"many\"", "triage the trace again"]),
        (&cut, ["error[E031]", "EOF while parsing", "cut.json:1:"]),
    ] {
        let done = run(&["compare", DECODE, path]);
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{path}: {}", done.err);
        for word in words {
            assert!(done.err.contains(word), "{path}: {word} is missing: {}", done.err);
        }
    }
    let done = run(&["compare", DECODE, "tests/fixtures/not-a-trace.json"]);
    assert_eq!(done.code, 3, "{}", done.err);
}

#[test]
fn a_threshold_makes_it_a_gate() {
    let folder = Folder::new();
    let before = report(DECODE);
    let slower = folder.changed("slower.json", &before, |report| slow(report, 1.2));
    let done = run(&["compare", DECODE, &slower, "--threshold", "10"]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(done.err.contains("failed: decode: "), "{}", done.err);
    assert_eq!(run(&["compare", DECODE, &slower, "--threshold", "30"]).code, 0);
    let other = folder.changed("other.json", &before, |report| report["hardware"] = "NVIDIA H200".into());
    let done = run(&["compare", DECODE, &other, "--threshold", "10"]);
    assert_eq!(done.code, 5, "{}", done.err);
    assert_eq!(run(&["compare", DECODE, &slower]).code, 0, "findings alone are no failure");
}

#[test]
fn every_format_says_the_same() {
    let text = run_in(&["compare", FUSED, SPLIT, "-f", "text"], |streams| {
        streams.out_is_terminal = true;
        streams.width = Some(80);
        streams.env.insert("NO_COLOR".to_owned(), "1".to_owned());
    });
    let markdown = run(&["compare", FUSED, SPLIT]);
    let page = run(&["compare", FUSED, SPLIT, "-f", "html"]);
    for part in ["sglang/rope-kv-store", "fused → split", "532 µs", "628 µs", "split"] {
        for (done, format) in [(&text, "text"), (&markdown, "markdown"), (&page, "html")] {
            assert!(done.out.contains(part), "{part} is missing in {format}: {}", done.out);
        }
    }
    assert!(text.out.lines().all(|line| line.chars().count() <= 80), "{}", text.out);
    let first =
        |document: &str| document.find("sglang/rope-kv-store").zip(document.find("gemm")).is_some_and(|(a, b)| a < b);
    assert!(first(&markdown.out) && first(&text.out), "families come first");
    assert_eq!(
        run(&["compare", FUSED, SPLIT, "-j", "1", "-f", "json"]).out,
        run(&["compare", FUSED, SPLIT, "-j", "3", "-f", "json"]).out
    );
}

#[test]
fn rows_of_a_comparison_have_ids_of_their_own() {
    let comparison = compared(FUSED, SPLIT);
    let mut ids: Vec<&str> = (comparison["families"].as_array().expect("families").iter())
        .chain(comparison["stages"][0]["kernels"].as_array().expect("kernels"))
        .map(|row| row["id"].as_str().expect("an id"))
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
    assert!(ids.contains(&"compare/fuse/sglang/rope-kv-store/decode"), "{ids:?}");
}
