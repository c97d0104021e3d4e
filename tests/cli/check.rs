//! `llm-prof check`: what passes, what fails, and each way in which a gate cannot look.

use serde_json::{Value, json};

use super::finished::{FUSED, Folder, NO_GPU, SPLIT, family, report, rows, slow};
use super::{DECODE, PREFILL, run, run_in};

const FUSED_FAMILY: &str = "sglang/activation-and-mul";
const SPLIT_FAMILY: &str = "sglang/qk-norm-rope";
/// Looked for, and neither of its forms is in the trace.
const ABSENT: &str = "sglang/diffusion-group-norm-silu";

/// What is done to a report.
type Change = fn(&mut Value);

/// Exit code, and the outcome of each gate.
fn check(args: &[&str]) -> (u8, Vec<(String, String)>) {
    let done = run(&[&["check", "-f", "json"], args].concat());
    let gates = done.report()["gates"].as_array().expect("gates").clone();
    let text = |gate: &Value, key: &str| gate[key].as_str().expect("a text").to_owned();
    (done.code, gates.iter().map(|gate| (text(gate, "id"), text(gate, "outcome"))).collect())
}

fn one(args: &[&str]) -> (u8, String) {
    let (code, mut gates) = check(args);
    assert_eq!(gates.len(), 1, "{gates:?}");
    (code, gates.remove(0).1)
}

#[test]
fn a_required_family_must_run_fused_and_nowhere_split() {
    assert_eq!(one(&[DECODE, "--require", FUSED_FAMILY]), (0, "passed".to_owned()));
    assert_eq!(one(&[DECODE, "--require", SPLIT_FAMILY]), (1, "failed".to_owned()));
    assert_eq!(one(&[DECODE, "--require", ABSENT]), (1, "failed".to_owned()), "absent, and nothing hid it");
    let folder = Folder::new();
    let partly = folder.changed("partly.json", &report(DECODE), |report| {
        let row = family(report, FUSED_FAMILY);
        row["state"] = "partly".into();
        row["split"] = json!({ "n": 2, "us": row["time_us"].as_f64().expect("a time") / 2.0 });
    });
    assert_eq!(one(&[&partly, "--require", FUSED_FAMILY]), (1, "failed".to_owned()));
    let under = [&partly, "--require", FUSED_FAMILY, "--min-share", "5"];
    assert_eq!(one(&under), (0, "passed".to_owned()), "a split half under the bar does not count");
}

#[test]
fn a_forbidden_form_must_not_run() {
    assert_eq!(one(&[DECODE, "--forbid", SPLIT_FAMILY]), (1, "failed".to_owned()));
    assert_eq!(one(&[DECODE, "--forbid", FUSED_FAMILY]), (0, "passed".to_owned()));
    assert_eq!(one(&[DECODE, "--forbid", ABSENT]), (0, "passed".to_owned()), "absent, and nothing hid it");
    assert_eq!(one(&[DECODE, "--forbid", &format!("{FUSED_FAMILY}=in-use")]), (1, "failed".to_owned()));
    assert_eq!(one(&[DECODE, "--forbid", &format!("{SPLIT_FAMILY}=in-use")]), (0, "passed".to_owned()));
    let folder = Folder::new();
    let by_design = folder.changed("by-design.json", &report(DECODE), |report| {
        family(report, SPLIT_FAMILY)["state"] = "off-by-design".into();
    });
    assert_eq!(one(&[&by_design, "--forbid", SPLIT_FAMILY]), (0, "passed".to_owned()), "a named condition is unmet");
}

#[test]
fn a_category_must_keep_within_its_budget() {
    assert_eq!(one(&[DECODE, "--budget", "gemm=90"]), (0, "passed".to_owned()));
    assert_eq!(one(&[DECODE, "--budget", "gemm=10%"]), (1, "failed".to_owned()));
    assert_eq!(
        one(&[DECODE, "--budget", "communication=0"]),
        (0, "passed".to_owned()),
        "none of it, and nothing hid it"
    );
    let gate = run(&["check", DECODE, "--budget", "gemm=10", "-f", "json"]).report()["gates"][0].clone();
    let text = gate["text"].as_str().expect("a text");
    assert!(text.contains(" of decode, over 10.0 %: Cijk_"), "{text}");
    assert_eq!(gate["rows"].as_array().map(Vec::len), Some(3), "the largest kernels");
}

#[test]
fn a_run_must_not_be_slower_than_its_baseline() {
    let folder = Folder::new();
    let before = report(DECODE);
    let base = folder.save("base.json", &before);
    let at = |factor: f64| folder.changed("now.json", &before, |report| slow(report, factor));
    assert_eq!(one(&[&at(1.04), "--baseline", &base]), (0, "passed".to_owned()), "5 % unless something else is said");
    assert_eq!(one(&[&at(1.04), "--baseline", &base, "--threshold", "5"]), (0, "passed".to_owned()));
    assert_eq!(check(&[&at(1.04), "--baseline", &base, "--threshold", "3"]).0, 1);
    assert_eq!(one(&[&at(0.5), "--baseline", &base]), (0, "passed".to_owned()));
    // The trace itself is as good a baseline as its report.
    assert_eq!(one(&[&at(1.0), "--baseline", DECODE]), (0, "passed".to_owned()));
}

#[test]
fn a_category_that_grew_and_a_family_that_split_are_gates_of_their_own() {
    let folder = Folder::new();
    let before = report(DECODE);
    let base = folder.save("base.json", &before);
    let now = folder.changed("now.json", &before, |report| {
        let one = &mut report["stages"][0]["categories"][0];
        one["time_us"] = (one["time_us"].as_f64().expect("a time") * 1.5).into();
        family(report, FUSED_FAMILY)["state"] = "split".into();
    });
    let (code, gates) = check(&[&now, "--baseline", &base]);
    let seen: Vec<(&str, &str)> = gates.iter().map(|(id, outcome)| (id.as_str(), outcome.as_str())).collect();
    assert_eq!(
        (code, seen),
        (
            1,
            vec![
                ("baseline/decode", "passed"),
                ("baseline/decode/gemm", "failed"),
                ("baseline/decode/sglang/activation-and-mul", "failed"),
            ]
        )
    );
}

/// A way to change a report, and gates on it that then cannot look.
type Blind<'a> = (&'a str, fn(&mut Value), &'a [&'a str]);

fn fitness(report: &mut Value, code: &str, finding: &str) {
    let entry = json!({ "code": code, "level": "limits", "finding": finding, "fix": "Record again." });
    rows(report, "fitness").push(entry);
}

/// What a report lacks never lets a gate pass: each of these passed before the change, or would by what is left.
#[test]
fn no_gate_passes_because_it_could_not_look() {
    const ALL: &[&str] = &["--require", FUSED_FAMILY, "--forbid", ABSENT, "--budget", "communication=5"];
    const OF_ABSENT: &[&str] = &["--forbid", ABSENT];
    let ways: [Blind; 12] = [
        ("graphs without their kernels", |r| fitness(r, "graph-kernels-missing", "3 of 3."), ALL),
        ("a file that is cut off", |r| fitness(r, "cut-off", "cut."), ALL),
        ("broken events", |r| fitness(r, "broken-events", "broken."), ALL),
        ("no GPU event", |r| r["gpu"]["launches"] = 0.into(), ALL),
        (
            "an unfit trace",
            |r| {
                fitness(r, "no-gpu-events", "No GPU event.");
                rows(r, "fitness").last_mut().expect("a row")["level"] = "unfit".into();
            },
            ALL,
        ),
        (
            "a framework that is unknown",
            |r| r["framework"] = Value::Null,
            &["--require", FUSED_FAMILY, "--forbid", ABSENT],
        ),
        ("another framework", |r| r["framework"] = "vllm".into(), &["--require", FUSED_FAMILY, "--forbid", ABSENT]),
        ("other rules", |r| r["rules"]["digest"] = "0123456789abcdef".into(), OF_ABSENT),
        ("fewer families looked for", |r| r["rules"]["families"] = 1.into(), OF_ABSENT),
        (
            "an op that is unknown",
            |r| {
                fitness(
                    r,
                    "families-could-not-look",
                    "2 families cannot look: sglang/x, sglang/diffusion-group-norm-silu.",
                );
            },
            OF_ABSENT,
        ),
        (
            "a Candidate in use",
            |r| {
                family(r, FUSED_FAMILY)["confidence"] = "Candidate".into();
                family(r, FUSED_FAMILY)["reasons"] = json!(["needs TP ≥ 2: unknown, pass --tp"]);
            },
            &["--require", FUSED_FAMILY, "--forbid", "sglang/activation-and-mul=in-use"],
        ),
        (
            "a Candidate split",
            |r| {
                family(r, SPLIT_FAMILY)["confidence"] = "Candidate".into();
            },
            &["--require", SPLIT_FAMILY, "--forbid", SPLIT_FAMILY],
        ),
    ];
    let folder = Folder::new();
    let good = report(DECODE);
    for (way, change, args) in ways {
        let path = folder.changed("changed.json", &good, change);
        let (code, gates) = check(&[&[path.as_str()], args].concat());
        assert!(gates.iter().all(|(_, outcome)| outcome == "unknown"), "{way}: {gates:?}");
        assert_eq!(code, 5, "{way}");
    }
    // Nor what was asked for and is not there.
    for args in [
        &[DECODE, "--stage", "prefill", "--budget", "gemm=99"][..],
        &[DECODE, "--stage", "prefill", "--require", FUSED_FAMILY],
        &[DECODE, "--stage", "prefill", "--forbid", ABSENT],
        &[DECODE, "--exclude", "sglang/*", "--require", FUSED_FAMILY],
        &[DECODE, "--exclude", "sglang/diffusion-group*", "--forbid", ABSENT],
        &[DECODE, "--include", "any/*", "--forbid", ABSENT],
        &[NO_GPU, "--budget", "gemm=99"],
        &[NO_GPU, "--require", FUSED_FAMILY],
        &[NO_GPU, "--forbid", ABSENT],
        // Families without the form that is asked about.
        &[DECODE, "--require", "any/eager-rmsnorm"],
        &[DECODE, "--forbid", "any/eager-rmsnorm=in-use"],
        &[DECODE, "--forbid", "sglang/shared-routed-experts"],
    ] {
        let (code, outcome) = one(args);
        assert_eq!((code, outcome.as_str()), (5, "unknown"), "{args:?}");
    }
}

#[test]
fn no_baseline_passes_because_it_could_not_be_compared() {
    let folder = Folder::new();
    let good = report(DECODE);
    let base = folder.save("base.json", &good);
    let ways: [(&str, Change); 6] = [
        ("other hardware", |r| r["hardware"] = "NVIDIA H200".into()),
        ("another model", |r| r["model"] = "llama".into()),
        ("another TP", |r| r["tp"] = 8.into()),
        ("steps of other tokens", |r| r["gpu"]["steps"][0]["tokens"] = 7.into()),
        ("no steps", |r| {
            (r["stages"][0]["steps"], r["stages"][0]["time_per_step_us"]) = (0.into(), Value::Null);
        }),
        ("a file that is cut off", |r| fitness(r, "cut-off", "cut.")),
    ];
    for (way, change) in ways {
        let other = folder.changed("other.json", &good, change);
        for (now, before) in [(&base, &other), (&other, &base)] {
            let (code, gates) = check(&[now, "--baseline", before, "--threshold", "50"]);
            assert_eq!(code, 5, "{way}: {gates:?}");
            assert!(gates.iter().all(|(_, outcome)| outcome == "unknown"), "{way}: {gates:?}");
        }
    }
    // A stage that one of them lacks, either way, and a baseline with nothing in it.
    let both = folder.changed("both.json", &good, |r| {
        let mut prefill = r["stages"][0].clone();
        prefill["stage"] = "prefill".into();
        rows(r, "stages").push(prefill);
    });
    for (now, before) in [(&both, &base), (&base, &both)] {
        let (code, gates) = check(&[now, "--baseline", before]);
        assert_eq!((code, gates[0].1.as_str(), gates[1].1.as_str()), (5, "passed", "unknown"), "{gates:?}");
    }
    assert_eq!(one(&[DECODE, "--baseline", NO_GPU]), (5, "unknown".to_owned()));
    assert_eq!(check(&[DECODE, "--baseline", PREFILL]).0, 5);
    // A family that is probably no longer fused.
    let unsure = folder.changed("unsure.json", &good, |r| {
        let row = family(r, FUSED_FAMILY);
        (row["state"], row["confidence"]) = ("split".into(), "Candidate".into());
    });
    let (code, gates) = check(&[&unsure, "--baseline", &base]);
    assert_eq!((code, gates[1].1.as_str()), (5, "unknown"), "{gates:?}");
}

#[test]
fn a_failure_is_certain_and_an_unknown_is_none() {
    let (code, gates) = check(&[DECODE, "--require", SPLIT_FAMILY, "--require", "vllm/rope-kv", "--forbid", ABSENT]);
    let outcomes: Vec<&str> = gates.iter().map(|(_, outcome)| outcome.as_str()).collect();
    assert_eq!((code, outcomes), (1, vec!["failed", "unknown", "passed"]));
}

#[test]
fn unknown_ids_are_errors_that_say_what_was_meant() {
    for (args, words) in [
        (&["--require", "sglang/qk-norm-rop"][..], "did you mean sglang/qk-norm-rope?"),
        (&["--forbid", "sglang/qk-norm-rop"], "did you mean sglang/qk-norm-rope?"),
        (&["--forbid", "sglang/qk-norm-rope=fused"], "expected =split or =in-use"),
        (&["--budget", "comunication=5"], "did you mean communication?"),
        (&["--budget", "communication"], "expected CATEGORY=PCT"),
        (&["--budget", "communication=much"], "expected a number from 0 to 100"),
        (&["--budget", "gemm=99", "--threshold", "5"], "of which baseline?"),
        (&[], "nothing to check"),
        (&["--budget", "gemm=99", "-f", "csv"], "there is no csv of this document"),
        (&["--budget", "gemm=99", "-o", "x.csv"], "there is no csv of this document"),
    ] {
        let done = run(&[&["check", DECODE], args].concat());
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{args:?}: {}", done.err);
        assert!(done.err.contains(words), "{args:?}: {}", done.err);
    }
    assert_eq!(run(&["check", DECODE, "--baseline", "nowhere.json"]).code, 3);
}

#[test]
fn a_failed_gate_says_why_and_what_to_do() {
    let done = run(&["check", SPLIT, "--require", "sglang/rope-kv-store", "-f", "text"]);
    for part in [
        "failed          --require sglang/rope-kv-store",
        "split in decode: 4 times, 18.0 µs (3.4 % of its GPU time)",
        "sglang::store_kvcache_kernel x4",
        "do: no file of sglang calls it for llama",
        "Summary:   1 gate: 1 failed.",
    ] {
        assert!(done.out.contains(part), "{part} is missing: {}", done.out);
    }
    let gate = run(&["check", SPLIT, "--require", "sglang/rope-kv-store", "-f", "json"]).report()["gates"][0].clone();
    assert_eq!(gate["rows"], json!(["fuse/sglang/rope-kv-store/decode"]));
    assert_eq!(gate["id"], "require/sglang/rope-kv-store");
}

#[test]
fn the_configuration_of_a_project_asks_for_the_same() {
    let folder = Folder::new();
    let base = folder.save("reports/base.json", &report(DECODE));
    let config = folder.write(
        "llm-prof.toml",
        "[check]\nrequire = [\"sglang/activation-and-mul\"]\nforbid = \"sglang/qk-norm-rope\"\n\
         budget = [\"gemm=90\", \"norm=1\"]\nbaseline = \"reports/base.json\"\nthreshold = 5\n",
    );
    let (_, of_flags) = check(&[
        DECODE,
        "--require",
        FUSED_FAMILY,
        "--forbid",
        SPLIT_FAMILY,
        "--budget",
        "gemm=90,norm=1",
        "--baseline",
        &base,
        "--threshold",
        "5",
    ]);
    let (code, of_file) = check(&[DECODE, "--config", &config]);
    assert_eq!((code, of_file.len()), (1, 5), "{of_file:?}");
    assert_eq!(of_file, of_flags);
    let wrong = folder.write("wrong.toml", "[check]\nrequired = [\"x\"]\n");
    let done = run(&["check", DECODE, "--config", &wrong]);
    assert!(done.code == 2 && done.err.contains("did you mean `check.require`?"), "{}", done.err);
}

#[test]
fn a_workflow_gets_annotations_and_a_summary_of_its_job() {
    let folder = Folder::new();
    let summary = folder.write("summary.md", "# Before\n");
    let args = ["check", SPLIT, "--require", "sglang/rope-kv-store,vllm/rope-kv", "--forbid", "sglang/qk-norm"];
    let in_workflow = |on: &str| {
        run_in(&args, |streams| {
            streams.env.insert("GITHUB_ACTIONS".to_owned(), on.to_owned());
            streams.env.insert("GITHUB_STEP_SUMMARY".to_owned(), summary.clone());
        })
    };
    let done = in_workflow("true");
    let lines: Vec<&str> = done.err.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(lines.len(), 2, "one a gate that did not pass: {}", done.err);
    assert!(
        lines[0].starts_with(
            "::error title=llm-prof check failed%3A --require sglang/rope-kv-store::split in decode: 4 times"
        ),
        "{}",
        lines[0]
    );
    assert!(
        lines[0].contains("(3.4 %25 of its GPU time)") && lines[0].contains("%0Ano file of sglang calls it"),
        "{}",
        lines[0]
    );
    let text = std::fs::read_to_string(&summary).expect("a file");
    assert!(text.starts_with("# Before\n# Check\n") && text.contains("| could not look |"), "{text}");
    assert_eq!(run(&args).err, "", "no workflow, no annotation");
    assert!(!in_workflow("").err.contains("::error"));
    let compared = run_in(&["compare", FUSED, SPLIT], |streams| {
        streams.env.insert("GITHUB_ACTIONS".to_owned(), "true".to_owned());
        streams.env.insert("GITHUB_STEP_SUMMARY".to_owned(), summary.clone());
    });
    assert_eq!(compared.code, 0, "{}", compared.err);
    assert!(std::fs::read_to_string(&summary).expect("a file").contains("\n# Comparison\n"));
}

#[test]
fn every_format_says_the_same() {
    let args = ["check", SPLIT, "--require", "sglang/rope-kv-store", "--forbid", "sglang/qk-norm"];
    for format in ["text", "markdown", "html"] {
        let done = run(&[&args[..], &["-f", format]].concat());
        for part in
            ["sglang/rope-kv-store", "split in decode: 4 times", "failed", "passed", "2 gates: 1 failed, 1 passed."]
        {
            assert!(done.out.contains(part), "{format}: {part} is missing: {}", done.out);
        }
        assert_eq!(done.code, 1);
    }
}
