//! `--rank all`: every rank of a run beside the others.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

mod common;

const TP4: &str = "sglang-nvidia-tp4";

fn triage(paths: &[PathBuf], more: &[&str]) -> common::Done {
    let paths = paths.iter().map(|path| path.as_os_str().to_owned());
    let args = ["triage", "--rank", "all", "--min-share", "0"].iter().chain(more).map(Into::into).chain(paths);
    common::llm_prof(&args.collect::<Vec<_>>())
}

fn report(paths: &[PathBuf], more: &[&str]) -> Value {
    let done = triage(paths, &[&["--format", "json"], more].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    done.report()
}

fn singles() -> Vec<PathBuf> {
    (0..4).map(|rank| common::fixture(&format!("{TP4}/1767225600-TP-{rank}-DECODE.trace.json.gz"))).collect()
}

fn merged() -> Vec<PathBuf> {
    vec![common::fixture(&format!("{TP4}/merged-1767225600-DECODE.trace.json.gz"))]
}

fn texts(list: &Value, key: &str) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|row| row[key].as_str().unwrap_or("null").to_owned()).collect()
}

/// The time that a figure of the report has, in nanoseconds.
fn ns(value: &Value) -> i64 {
    (value.as_f64().expect("a number") * 1000.0).round() as i64
}

#[test]
fn a_folder_gives_every_rank_and_its_tables_are_those_of_the_lowest() {
    let folder = common::fixture(TP4);
    let all =
        common::llm_prof(&["triage", "--format", "json", "--rank", "all", folder.to_str().expect("UTF-8")]).report();
    assert_eq!(all["ranks"]["read"], serde_json::json!(["0", "1", "2", "3"]));
    assert_eq!(all["ranks"]["tables_of"], "0");
    let one = common::triage(&folder).report();
    for table in ["kernels", "fuse", "overlap", "stages", "steps", "gpu"] {
        assert_eq!(all[table], one[table], "{table}");
    }
    assert!(one["ranks"].is_null(), "one rank is compared with nothing");
    let codes = texts(&one["fitness"], "code");
    assert!(codes.contains(&"one-rank".to_owned()), "{codes:?}");
    let codes = texts(&all["fitness"], "code");
    assert!(!codes.contains(&"one-rank".to_owned()), "{codes:?}");
}

#[test]
fn a_merged_file_says_what_the_files_of_its_ranks_say() {
    let plain = |mut report: Value| {
        // Paths, labels of devices, and what only the header of a single file tells.
        for key in ["traces", "fitness"] {
            report[key] = Value::Null;
        }
        report["ranks"]["world_size"] = Value::Null;
        let text = report.to_string();
        (0..4).fold(text, |text, rank| text.replace(&format!("[TP0{rank}] "), ""))
    };
    // The labels of a merged file tell the size of the group.
    let tp = ["--tp", "4"];
    assert_eq!(plain(report(&merged(), &tp)), plain(report(&singles(), &tp)));
}

#[test]
fn the_slow_rank_is_named_with_what_it_is_slow_in() {
    let report = report(&singles(), &[]);
    let slow = report["ranks"]["stragglers"].as_array().expect("a list");
    assert_eq!(slow.len(), 1, "{slow:?}");
    let slow = &slow[0];
    assert_eq!((&slow["rank"], &slow["category"]), (&"2".into(), &"gemm".into()));
    // Two layers a step, 30 microseconds each over 100.
    assert_eq!([ns(&slow["over_us"]), ns(&slow["median_us"]), ns(&slow["kernel_over_us"])], [60_000, 200_000, 60_000]);
    assert_eq!(slow["over_pct"], 30.0);
    assert_eq!(slow["launches"], slow["median_launches"]);
    assert!(report["summary"].as_str().is_some_and(|line| line.contains("rank 2")), "{}", report["summary"]);
}

#[test]
fn waiting_for_the_last_rank_is_told_from_the_transfer() {
    let report = report(&singles(), &[]);
    assert_eq!(report["ranks"]["clock"]["comparable"], true);
    let rows = report["ranks"]["collectives"].as_array().expect("a list");
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!((&row["tied"], &row["alone"], &row["tied_by"]), (&6.into(), &0.into(), &"time".into()));
    assert_eq!(ns(&row["transfer_us"]), 20_000);
    // Before the first all-reduce the ranks begin up to 1.4 microseconds apart.
    let spread = ns(&row["spread_us"]);
    assert!((30_000..31_500).contains(&spread), "{spread}");
    assert_eq!((&row["late"], &row["late_rank"], &row["group"]), (&6.into(), &"2".into(), &"3".into()));
    let ranks = report["ranks"]["stages"][0]["ranks"].as_array().expect("a list");
    assert_eq!(ranks[2]["waiting_us"], 0.0, "who is waited for waits for nobody");
    assert!(ns(&ranks[0]["waiting_us"]) > 6 * 29_000);
}

/// The singles with the devices of two hosts, and clocks that are an hour apart.
fn two_hosts(folder: &Path) -> Vec<PathBuf> {
    let paths = singles();
    let mut out = Vec::new();
    for (rank, path) in paths.iter().enumerate() {
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(fs::File::open(path).expect("a fixture"))
            .read_to_string(&mut text)
            .expect("JSON");
        if rank >= 2 {
            let mut trace: Value = serde_json::from_str(&text).expect("JSON");
            for event in trace["traceEvents"].as_array_mut().expect("events") {
                event["ts"] = (event["ts"].as_f64().expect("a time") + 3.6e9).into();
                if event["cat"] == "kernel" {
                    event["pid"] = (rank - 2).into();
                }
            }
            text = trace.to_string();
        }
        let path = folder.join(format!("1-TP-{rank}-DECODE.trace.json"));
        fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())).expect("room");
        out.push(path);
    }
    out
}

#[test]
fn where_clocks_may_differ_waiting_is_only_possible() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = two_hosts(folder.path());
    let report = report(&paths, &[]);
    assert_eq!(report["ranks"]["clock"]["comparable"], false);
    let row = &report["ranks"]["collectives"][0];
    assert_eq!((&row["tied"], &row["tied_by"], &row["late_rank"]), (&6.into(), &"order".into(), &"2".into()));
    let spread = ns(&row["spread_us"]);
    assert!((30_000..31_500).contains(&spread), "lengths tell the same: {spread}");
    let text = triage(&paths, &["--format", "text"]).out;
    assert!(text.contains("possible waiting") && text.contains("equal device numbers"), "{text}");
}

#[test]
fn neither_threads_nor_memory_show() {
    let one = report(&singles(), &["--threads", "1"]);
    for more in [["--threads", "8"], ["--max-memory", "1"], ["--max-memory", "64G"]] {
        assert_eq!(report(&singles(), &more), one, "{more:?}");
    }
}

#[test]
fn text_and_markdown_say_it_in_a_section() {
    let markdown = triage(&singles(), &["--format", "markdown"]).out;
    let text = triage(&singles(), &["--format", "text"]).out;
    for (name, out) in [("markdown", &markdown), ("text", &text)] {
        for words in
            ["every table is of rank 0", "rank 2: gemm", "the same work takes longer", "rank 2 is last in 6 of 6"]
        {
            let one_line = out.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(one_line.contains(words), "{name} does not say {words:?}:\n{out}");
        }
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn only_triage_of_one_run_compares_ranks() {
    for args in [["doctor", "--rank"], ["explain", "any/x"]] {
        let mut args: Vec<&str> = args.to_vec();
        args.extend(if args[0] == "doctor" { vec!["all"] } else { vec!["--rank", "all"] });
        let path = singles()[0].to_str().expect("UTF-8").to_owned();
        args.push(&path);
        let done = common::llm_prof(&args);
        assert_eq!(done.code, 2, "{args:?}: {}", done.err);
    }
    let done = common::llm_prof(&["triage", "--rank", "some", "x.json"]);
    assert!(done.code == 2 && done.err.contains("a number, or all"), "{}", done.err);
}

#[test]
fn a_damaged_rank_is_named_and_the_others_are_reported() {
    // No trace at all, and one that ends before its first event.
    let nothing = [b"\x1f\x8b\x08\x00".as_slice(), b"{\"traceEvents\": [{\"ph\": \"X\", \"cat\": \"ker"];
    for (damaged, content) in [(0, nothing[0]), (2, nothing[0]), (0, nothing[1]), (2, nothing[1])] {
        let folder = tempfile::tempdir().expect("a folder");
        for path in singles() {
            let bytes = fs::read(&path).expect("a fixture");
            let name = path.file_name().expect("a file");
            let is_damaged = name.to_string_lossy().contains(&format!("TP-{damaged}"));
            fs::write(folder.path().join(name), if is_damaged { content } else { &bytes }).expect("room");
        }
        let done = triage(&[folder.path().to_owned()], &["--format", "json"]);
        assert_eq!(done.code, 3, "{}", done.err);
        let named =
            |line: &str| line.contains(&format!("TP-{damaged}")) && line.contains("the other ranks are reported");
        let by_reading = done.err.lines().any(named);
        let report = done.report();
        let left = report["traces"]
            .as_array()
            .expect("traces")
            .iter()
            .find(|info| info["path"].as_str().is_some_and(|path| path.contains(&format!("TP-{damaged}"))));
        assert!(by_reading, "{damaged} {content:?}: {}", done.err);
        assert_eq!(left.expect("it is listed")["taken"], false);
        let whole: Vec<String> = (0..4).filter(|rank| *rank != damaged).map(|rank| rank.to_string()).collect();
        assert_eq!(report["ranks"]["read"], serde_json::json!(whole));
        assert_eq!(report["ranks"]["tables_of"], whole[0]);
        assert!(!report["kernels"].as_array().expect("rows").is_empty());
    }
}
