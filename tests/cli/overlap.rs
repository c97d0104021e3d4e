//! Exposure, gaps, launch-bound steps, overlap rows, waiting and the timeline, on traces whose times are whole microseconds:
//! every figure here is computed by hand from `tests/fixtures/generate/all/overlap.rs`.

use serde_json::{Value, json};

use super::run;

fn path(name: &str) -> String {
    format!("tests/fixtures/overlap/{name}.trace.json.gz")
}

fn report_of(name: &str, args: &[&str]) -> Value {
    let path = path(name);
    run(&[&["triage", "-f", "json", path.as_str()], args].concat()).report()
}

fn rows(report: &Value, table: &str) -> Vec<Value> {
    report[table].as_array().expect("rows").clone()
}

/// Exclusive, hidden and hidden-by-compute nanoseconds of the kernels of a category.
fn exposure(report: &Value, category: &str) -> [i64; 3] {
    let of = |key: &str| -> i64 {
        let rows = rows(report, "kernels");
        let own = rows.iter().filter(|row| row["category"] == category);
        own.filter_map(|row| row[key].as_f64()).map(|us| (us * 1000.0).round() as i64).sum()
    };
    [of("exclusive_us"), of("hidden_us"), of("hidden_by_compute_us")]
}

/// Some fields of a JSON object.
fn fields(value: &Value, keys: &[&str]) -> Vec<Value> {
    keys.iter().map(|key| value[key].clone()).collect()
}

/// The row of the overlap table with this family, or with a kernel of this category.
fn overlap(report: &Value, family_or_category: &str) -> Value {
    let is = |row: &&Value| {
        row["family"] == family_or_category || row["family"].is_null() && row["category"] == family_or_category
    };
    rows(report, "overlap").iter().find(is).cloned().unwrap_or_else(|| panic!("no row: {}", report["overlap"]))
}

#[test]
fn what_runs_beside_another_stream_is_hidden_and_the_rest_exposed() {
    let report = report_of("three-streams", &[]);
    // Routed experts: 100 us a layer, 80 of them under the shared experts, which lie under them all the time.
    assert_eq!(exposure(&report, "moe"), [60_000, 240_000, 240_000]);
    assert_eq!(exposure(&report, "activation"), [0, 30_000, 30_000]);
    // All-reduce: 50 us a layer, the last 25 of them under a GEMM.
    assert_eq!(exposure(&report, "communication"), [75_000, 75_000, 75_000]);
    // Shared experts 70 and that GEMM 25 of 40 us are hidden, the latter by no compute; the gate is not.
    assert_eq!(exposure(&report, "gemm"), [75_000, 285_000, 210_000]);
    assert_eq!(exposure(&report, "norm"), [30_000, 0, 0]);
}

#[test]
fn a_step_tells_span_busy_idle_and_exposed_communication() {
    let report = report_of("three-streams", &[]);
    let step = &report["gpu"]["steps"][0];
    // Three layers 220 us apart, the last of 205; idle are 10 us inside each and 15 between two.
    let keys = ["span_us", "busy_us", "idle_us", "launches", "communication_us", "exposed_communication_us"];
    assert_eq!(fields(step, &keys), [json!(645.0), json!(585.0), json!(60.0), json!(27), json!(150.0), json!(75.0)]);
    assert_eq!(fields(step, &["host_bound_us", "launch_bound"]), [json!(0.0), json!(false)]);
}

#[test]
fn without_recorded_waits_nothing_is_first_priority() {
    let row = overlap(&report_of("three-streams", &[]), "communication");
    let keys = ["priority", "verdict", "risk", "could_save_us"];
    assert_eq!(fields(&row, &keys), [json!("P2"), json!("headroom"), json!("unclear"), Value::Null]);
    assert!(row["reasons"][0].as_str().expect("a reason").contains("50 % of it has nothing beside it"), "{row}");
    assert_eq!(row["partner"], "nvjet_tst_192x8_64x8_2x1_v_bz_TNT", "the GEMM beside which it runs in part");
}

#[test]
fn waits_that_leave_no_way_between_the_two_are_a_reason() {
    let row = overlap(&report_of("three-streams-waits", &[]), "communication");
    // 25 us are exposed in each layer; of the GEMM beside them 15 us still have nothing beside.
    let keys = ["priority", "risk", "exclusive_us", "could_save_us"];
    assert_eq!(fields(&row, &keys), [json!("P1"), json!("low"), json!(75.0), json!(45.0)]);
    assert!(row["reasons"][1].as_str().expect("a reason").contains("no way leads"), "{row}");
}

#[test]
fn no_first_priority_without_a_reason_and_no_plain_compute_in_any_of_them() {
    for name in [
        "experts-in-turn",
        "three-streams",
        "three-streams-waits",
        "qk-norms",
        "single-batch-overlap",
        "single-batch-overlap-off",
        "programmatic-launch",
        "merged-tp4",
        "launch-bound",
    ] {
        for row in rows(&report_of(name, &["--min-share", "0"]), "overlap") {
            assert!(row["priority"] != "P1" || row["risk"] == "low", "{name}: {row}");
            assert!(!row["reasons"].as_array().expect("reasons").is_empty(), "{name}: {row}");
            let compute = ["gemm", "moe", "attention"].iter().any(|category| row["category"] == *category);
            assert!(!compute || row["family"].is_string(), "{name}: {row}");
        }
    }
}

#[test]
fn shared_experts_beside_routed_ones_have_nothing_to_gain_and_in_turn_they_have() {
    let keys = ["priority", "verdict", "time_us", "exclusive_us", "hidden_us", "could_save_us"];
    let row = overlap(&report_of("three-streams", &[]), "sglang/shared-routed-experts");
    assert_eq!(
        fields(&row, &keys),
        [json!("P4"), json!("overlapped"), json!(210.0), json!(0.0), json!(210.0), Value::Null]
    );
    // 40 + 30 us of GEMMs in each of three layers, each shorter than the 100 us they could run beside.
    let report = report_of("experts-in-turn", &[]);
    let row = overlap(&report, "sglang/shared-routed-experts");
    assert_eq!(
        fields(&row, &keys),
        [json!("P1"), json!("headroom"), json!(210.0), json!(210.0), json!(0.0), json!(210.0)]
    );
    let summary = report["summary"].as_str().expect("a summary");
    assert!(summary.contains("could save about 210 µs (an estimate)"), "{summary}");
    assert!(summary.ends_with("Overlap was read from one trace."), "{summary}");
}

#[test]
fn norms_of_one_class_are_two_modules() {
    let row = overlap(&report_of("qk-norms", &[]), "sglang/qk-norm-streams");
    // Q 5 us, K 3 us, three layers.
    let keys = ["priority", "time_us", "could_save_us"];
    assert_eq!(fields(&row, &keys), [json!("P1"), json!(15.0), json!(9.0)]);
}

#[test]
fn a_combine_under_the_down_gemm_is_overlap_and_after_it_the_switch_is_named() {
    let keys = ["priority", "verdict", "risk", "exclusive_us", "hidden_by_compute_us"];
    let on = overlap(&report_of("single-batch-overlap", &[]), "sglang/single-batch-overlap");
    // 60 us a layer, 50 of them under the GEMM.
    assert_eq!(fields(&on, &keys), [json!("P4"), json!("overlapped"), json!("low"), json!(30.0), json!(150.0)]);
    let off = overlap(&report_of("single-batch-overlap-off", &[]), "sglang/single-batch-overlap");
    // The family says that they can be made independent; nothing in the trace bears it out.
    assert_eq!(fields(&off, &keys), [json!("P2"), json!("headroom"), json!("unclear"), json!(180.0), json!(0.0)]);
    assert_eq!(off["toggles"][0]["spelling"], "--enable-single-batch-overlap");
}

#[test]
fn overlap_within_a_stream_is_said_and_hides_nothing() {
    let report = report_of("programmatic-launch", &[]);
    // 1 and 2 us in each of three layers.
    assert_eq!(report["gpu"]["same_stream"], json!({"pairs": 6, "us": 9.0}));
    assert_eq!(exposure(&report, "moe"), [420_000, 0, 0]);
    let step = &report["gpu"]["steps"][0];
    assert_eq!(fields(step, &["span_us", "busy_us"]), [json!(437.0), json!(411.0)]);
    assert!(rows(&report, "overlap").is_empty(), "one stream, compute alone: {}", report["overlap"]);
    let note = report["overlap_note"].as_str().expect("a note");
    assert!(note.contains("6 kernels began before") && note.contains("9.00 µs"), "{note}");
    let other = report_of("three-streams", &[]);
    assert!(!other["overlap_note"].as_str().expect("a note").contains("began before"));
}

#[test]
fn time_above_the_fastest_of_a_message_size_is_possible_waiting() {
    let waiting = |rank: &str| {
        let report = report_of("merged-tp4", &["--rank", rank]);
        assert_eq!(report["tp"], 4);
        fields(&overlap(&report, "communication"), &["waiting_us", "waiting_by", "time_us", "risk"])
    };
    // Rank 0: 20, 35, 20 of one size and 90 of another; rank 1: 30, 20, 45 and 95; rank 2 waits for no one.
    assert_eq!(waiting("0"), [json!(15.0), json!("shapes"), json!(165.0), json!("unclear")]);
    assert_eq!(waiting("1"), [json!(35.0), json!("shapes"), json!(190.0), json!("unclear")]);
    assert_eq!(waiting("2"), [json!(0.0), json!("shapes"), json!(150.0), json!("unclear")]);
}

#[test]
fn a_gap_tells_where_the_host_was_or_that_the_next_kernel_was_queued() {
    let report = report_of("launch-bound", &[]);
    let step = &report["gpu"]["steps"][0];
    // The kernel 400 ms before the step is no part of its span.
    let keys = ["span_us", "busy_us", "idle_us", "host_bound_us", "launches", "launch_bound", "gaps_total"];
    assert_eq!(
        fields(step, &keys),
        [json!(170.0), json!(45.0), json!(125.0), json!(100.0), json!(4), json!(true), json!(2)]
    );
    let keys = ["start_us", "dur_us", "cause", "host_us", "host_frame", "host_op"];
    assert_eq!(
        fields(&step["gaps"][0], &keys),
        [
            json!(30.0),
            json!(105.0),
            json!("host"),
            json!(100.0),
            json!("python/sglang/srt/layers/sampler.py:88 forward"),
            json!("aten::item"),
        ]
    );
    assert_eq!(step["gaps"][0]["ended_by"]["op"], "aten::argmax");
    assert_eq!(
        fields(&step["gaps"][1], &keys),
        [json!(140.0), json!(20.0), json!("queued"), json!(0.0), Value::Null, Value::Null]
    );
    let text = run(&["triage", &path("launch-bound")]).out;
    assert!(text.contains("while it was in python/sglang/srt/layers/sampler.py:88 forward (aten::item)"), "{text}");
}

#[test]
fn a_launch_bound_step_is_the_first_thing_said_with_the_switch_of_the_version() {
    let summary = |args: &[&str]| report_of("launch-bound", args)["summary"].as_str().expect("a summary").to_owned();
    let old = summary(&["--framework-version", "0.5.20"]);
    let begin = "The step is launch-bound: the GPU waits for the host for 59 % of 170 µs, in a step of 4 launches; start \
                 the server without --disable-cuda-graph";
    assert!(old.starts_with(begin), "{old}");
    let new = summary(&["--framework-version", "0.5.23"]);
    assert!(new.contains("launches; set cuda_graph_backend_decode to full"), "{new}");
    assert!(!report_of("three-streams", &[])["summary"].as_str().expect("a summary").contains("launch-bound"));
}

#[test]
fn a_timeline_has_the_layer_of_median_length_with_what_hides_what() {
    let report = report_of("three-streams", &["--timeline"]);
    let line = &report["timelines"][0];
    let keys = ["stage", "step", "module", "n", "of", "windows", "dur_us", "idle_us"];
    assert_eq!(
        fields(line, &keys),
        [
            json!("decode"),
            json!(0),
            json!("DeepseekV2DecoderLayer"),
            json!(2),
            json!(3),
            json!(3),
            json!(205.0),
            json!(10.0)
        ]
    );
    let launches = rows(line, "launches");
    assert_eq!(launches.len(), 9);
    let routed = launches.iter().find(|launch| launch["kernel"] == "fused_moe_kernel").expect("the experts");
    assert_eq!(fields(routed, &["start_us", "dur_us", "hidden_us"]), [json!(20.0), json!(100.0), json!(80.0)]);
    let beside: Vec<f64> = rows(routed, "beside").iter().filter_map(|other| other["us"].as_f64()).collect();
    assert_eq!(beside, [40.0, 30.0, 10.0]);
    assert_eq!(report_of("three-streams", &[])["timelines"], Value::Null, "only when asked for");
}

#[test]
fn a_timeline_fits_80_and_100_columns_and_markdown() {
    for name in ["three-streams", "programmatic-launch"] {
        let path = path(name);
        let section = |text: &str, begin: &str, end: &str| {
            let from = text.find(begin).unwrap_or_else(|| panic!("{begin} is missing: {text}"));
            let to = text[from..].find(end).expect("the next section") + from;
            text[from..to].trim_end().to_owned()
        };
        let terminal = |width: usize| {
            let done = super::run_in(&["triage", "--timeline", &path], |streams| {
                streams.out_is_terminal = true;
                streams.width = Some(width);
                streams.env.insert("NO_COLOR".to_owned(), "1".to_owned());
            });
            let drawn = section(&done.out, "TIMELINE", "FUSE-PATTERN");
            assert!(drawn.lines().all(|line| line.chars().count() <= width), "{width}: {drawn}");
            drawn
        };
        insta::assert_snapshot!(format!("{name}_at_80_columns"), terminal(80));
        insta::assert_snapshot!(format!("{name}_at_100_columns"), terminal(100));
        terminal(40);
        let markdown = run(&["triage", "--timeline", "-f", "markdown", &path]).out;
        insta::assert_snapshot!(format!("{name}_in_markdown"), section(&markdown, "## Timeline", "## Fuse"));
    }
}

#[test]
fn a_stage_in_which_nothing_recurs_has_no_timeline_and_says_so() {
    let done = run(&["triage", "--timeline", "-f", "markdown", &path("launch-bound")]);
    assert!(done.out.contains("No stretch of launches recurs"), "{}", done.out);
    assert_eq!(report_of("launch-bound", &["--timeline"])["timelines"], json!([]));
}

#[test]
fn a_switch_of_another_vendor_stands_in_no_row() {
    let report = run(&["triage", "-f", "json", "tests/fixtures/two-streams.trace.json.gz"]).report();
    assert!(report["hardware"].as_str().is_some_and(|name| name.starts_with("NVIDIA")), "{}", report["hardware"]);
    // The family's only switch is for AMD.
    let row = overlap(&report, "sglang/shared-routed-experts");
    assert_eq!(row["toggles"], json!([]));
    let page = run(&["rules", "show", "sglang/shared-routed-experts"]).out;
    assert!(page.contains("SGLANG_ROCM_USE_MULTI_STREAM"), "{page}");
}
