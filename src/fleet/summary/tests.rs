//! Small fleets whose figures are worked out by hand.

use serde_json::{Value, json};

use super::*;
use crate::rules::{self, Sources};

fn settings() -> FleetFile {
    rules::load_settings(&Sources::embedded()).expect("the rules").fleet
}

/// Rows of a fleet.
#[derive(Default)]
struct Rows {
    runs: Vec<Value>,
    others: Vec<(&'static str, Value)>,
}

impl Rows {
    /// A trace of `server`, all of one model, hardware and size.
    fn trace(&mut self, server: &str, rank: i64, gpu_us: f64, more: &Value) -> String {
        let trace = format!("{server}/{rank}");
        let mut row = json!({
            "trace": trace, "run": server, "host": server, "server": server, "rank": rank, "date": "2026-11-24",
            "model": "m", "tp": 4, "framework": "f", "framework_version": "1", "hardware": "h", "rules_digest": "d",
            "rules_version": "v", "gpu_us": gpu_us, "unfit": false, "server_args": "{}",
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            row[key] = value.clone();
        }
        self.runs.push(row);
        trace
    }

    fn finding(&mut self, trace: &str, family: &str, state: &str, saves: f64, more: &Value) {
        let mut row = json!({
            "trace": trace, "stage": "decode", "family": family, "title": family, "state": state,
            "confidence": "Confirmed", "could_save_us": saves, "at_stake_us": saves, "covered_by": null, "toggles": "",
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            row[key] = value.clone();
        }
        self.others.push(("findings", row));
    }

    fn kernel(&mut self, trace: &str, category: &str, time_us: f64) {
        let row = json!({ "trace": trace, "stage": "decode", "category": category, "time_us": time_us });
        self.others.push(("kernels", row));
    }

    fn step(&mut self, trace: &str, busy_us: f64, exposed_us: f64, tokens: i64) {
        let row = json!({
            "trace": trace, "stage": "decode", "busy_us": busy_us, "exposed_communication_us": exposed_us,
            "tokens": tokens, "requests": null,
        });
        self.others.push(("steps", row));
    }

    fn facts(&self) -> Facts {
        let lines = |rows: &mut dyn Iterator<Item = &Value>| rows.map(|row| format!("{row}\n")).collect::<String>();
        let mut facts = Facts::of_runs(lines(&mut self.runs.iter()).as_bytes()).expect("rows");
        for table in ["kernels", "steps", "findings", "overlap"] {
            let of = lines(&mut self.others.iter().filter(|(own, _)| *own == table).map(|(_, row)| row));
            let more = facts.of_lines(table, of.as_bytes()).expect("rows");
            facts.add(more);
        }
        facts
    }
}

/// Four servers in pairs of versions: `a` and `b` have the path split, `c` has it, `d` knows nothing of it.
fn four() -> Rows {
    let mut rows = Rows::default();
    for (server, version, on) in [("a", "1", false), ("b", "1", false), ("c", "2", true), ("d", "2", true)] {
        let args = json!({ "fusion": on, "seed": server }).to_string();
        for rank in 0..2 {
            let more = json!({ "framework_version": version, "server_args": args });
            let trace = rows.trace(server, rank, 1000.0, &more);
            match server {
                "a" | "b" => {
                    rows.finding(&trace, "x/path", "split", 30.0, &json!({ "toggles": "--fusion" }));
                    // The same launches: counted above.
                    let shared = json!({ "at_stake_us": 0.0, "confidence": "Candidate" });
                    rows.finding(&trace, "x/inner", "partly", 20.0, &shared);
                    let covered = json!({ "at_stake_us": 0.0, "covered_by": "fuse/x/path/decode" });
                    rows.finding(&trace, "x/covered", "split", 20.0, &covered);
                }
                "c" => rows.finding(&trace, "x/path", "in-use", 0.0, &Value::Null),
                _ => {}
            }
        }
    }
    rows
}

#[test]
fn families_stand_by_servers_and_time_with_the_versions_and_settings_behind_them() {
    let summary = summarise("dir", &four().facts(), None, &settings());
    let [path, inner] = &summary.families[..] else { panic!("{:?}", summary.families) };
    assert_eq!((path.family.as_str(), path.servers, path.found, path.in_use, path.traces), ("x/path", 2, 3, 1, 4));
    // Of 8 traces of 1000 µs, 4 times 30 µs.
    assert_eq!((path.at_stake_us, path.at_stake_pct, path.confirmed), (120.0, 1.5, 2));
    let [version] = &path.versions[..] else { panic!("{:?}", path.versions) };
    assert_eq!((version.version.as_deref(), version.servers, version.of), (Some("1"), 2, 2));
    assert_eq!(path.toggles, [NameCount { name: "--fusion".to_owned(), servers: 2 }]);
    let setting = |argument: &str, affected: &str, in_use: &str| Setting {
        argument: argument.to_owned(),
        affected: affected.to_owned(),
        in_use: in_use.to_owned(),
    };
    // The seeds differ among those affected, so they are no reason.
    assert_eq!(path.settings, [setting("fusion", "false", "true")]);
    let worst: Vec<(&str, f64)> = path.worst.iter().map(|one| (one.server.as_str(), one.at_stake_us)).collect();
    assert_eq!(worst, [("a", 60.0), ("b", 60.0)]);
    assert_eq!((inner.family.as_str(), inner.servers, inner.confirmed), ("x/inner", 2, 0));
    assert_eq!((inner.at_stake_us, inner.could_save_us), (0.0, 80.0));
    let all: f64 = summary.families.iter().map(|family| family.at_stake_us).sum();
    assert!((all - 120.0).abs() < 1e-9, "each launch counts once: {all}");
}

#[test]
fn the_order_of_lines_and_blocks_never_shows() {
    let mut rows = four();
    let whole = json(&summarise("dir", &rows.facts(), None, &settings()));
    rows.others.reverse();
    let facts = Facts::of_runs(rows.runs.iter().map(|row| format!("{row}\n")).collect::<String>().as_bytes());
    let mut facts = facts.expect("rows");
    for (table, row) in &rows.others {
        let one = facts.of_lines(table, row.to_string().as_bytes()).expect("a row");
        facts.add(one);
    }
    assert!(json(&summarise("dir", &facts, None, &settings())) == whole);
}

#[test]
fn a_category_that_a_trace_lacks_counts_as_nothing_of_it() {
    let mut rows = Rows::default();
    for (server, norm) in [("a", 0.0), ("b", 10.0), ("c", 20.0), ("d", 30.0)] {
        let trace = rows.trace(server, 0, 100.0, &Value::Null);
        rows.kernel(&trace, "gemm", 60.0 - norm);
        rows.kernel(&trace, "gemm", 40.0);
        if norm > 0.0 {
            rows.kernel(&trace, "norm", norm);
        }
    }
    let spread = &summarise("dir", &rows.facts(), None, &settings()).spread;
    let [only] = &spread[..] else { panic!("{spread:?}") };
    assert_eq!((only.traces, only.time_us), (4, 400.0));
    let shares: Vec<(&str, f64, f64, f64)> =
        only.categories.iter().map(|own| (own.category.as_str(), own.p10_pct, own.p50_pct, own.p90_pct)).collect();
    assert_eq!(shares, [("gemm", 70.0, 80.0, 100.0), ("norm", 0.0, 10.0, 30.0)]);
}

/// Servers with one rank each, whose own work takes so long.
fn servers(own: &[(&str, f64)]) -> Rows {
    let mut rows = Rows::default();
    for (server, own) in own {
        let trace = rows.trace(server, 0, 1000.0, &Value::Null);
        for _ in 0..3 {
            // What waits for others is not its own.
            rows.step(&trace, own + 500.0, 500.0, 64);
        }
        rows.kernel(&trace, "gemm", (own - 50.0) * 3.0);
        rows.kernel(&trace, "norm", 50.0 * 3.0);
    }
    rows
}

fn slow(rows: &Rows) -> Vec<Straggler> {
    summarise("dir", &rows.facts(), None, &settings()).stragglers
}

#[test]
fn a_server_over_the_median_of_its_like_stands_out_with_the_category_behind_it() {
    let found = slow(&servers(&[("a", 100.0), ("b", 102.0), ("c", 98.0), ("d", 120.0)]));
    let [one] = &found[..] else { panic!("{found:?}") };
    assert_eq!((one.server.as_str(), one.rank, one.own_us, one.usual_us), ("d", None, 120.0, 100.0));
    assert_eq!((one.over_pct, one.of, one.traces), (20.0, 4, 1));
    assert_eq!((one.category.as_deref(), one.category_over_us), (Some("gemm"), Some(20.0)));
    assert_eq!(slow(&servers(&[("a", 100.0), ("b", 102.0), ("c", 98.0), ("d", 109.0)])), [], "kernels vary");
    assert_eq!(slow(&servers(&[("a", 100.0), ("d", 200.0)])), [], "two have no middle");
}

#[test]
fn other_work_is_not_slower_work() {
    for (key, value) in [("model", json!("other")), ("hardware", json!("other")), ("framework_version", json!("2"))] {
        let mut rows = servers(&[("a", 100.0), ("b", 100.0), ("c", 100.0), ("d", 200.0)]);
        rows.runs[3][key] = value;
        assert_eq!(slow(&rows), [], "{key}");
    }
    let mut rows = servers(&[("a", 100.0), ("b", 100.0), ("c", 100.0), ("d", 200.0)]);
    for (_, row) in rows.others.iter_mut().filter(|(table, row)| *table == "steps" && row["trace"] == "d/0") {
        row["tokens"] = json!(128);
    }
    assert_eq!(slow(&rows), [], "twice the tokens");
}

#[test]
fn a_rank_stands_out_of_its_run_and_not_its_server_with_it() {
    let mut rows = Rows::default();
    for server in ["a", "b", "c"] {
        for rank in 0..4 {
            let trace = rows.trace(server, rank, 1000.0, &Value::Null);
            let own = if (server, rank) == ("b", 2) { 130.0 } else { 100.0 };
            rows.step(&trace, own, 0.0, 64);
        }
    }
    let found = slow(&rows);
    let [one] = &found[..] else { panic!("{found:?}") };
    assert_eq!((one.server.as_str(), one.rank, one.over_pct, one.of), ("b", Some(2), 30.0, 4));
}

#[test]
fn what_is_new_or_gone_is_told_against_a_baseline() {
    let before = four();
    let mut now = four();
    // The path is on everywhere; something else is missing on `c`; `d` is another machine now.
    for (_, row) in now.others.iter_mut().filter(|(_, row)| row["family"] == "x/path") {
        row["state"] = json!("in-use");
        row["at_stake_us"] = json!(0.0);
    }
    now.finding("c/0", "x/other", "split", 50.0, &Value::Null);
    for row in now.runs.iter_mut().filter(|row| row["server"] == "d") {
        row["server"] = json!("e");
    }
    let summary = summarise("now", &now.facts(), Some(("before", &before.facts())), &settings());
    let changes = summary.changes.expect("a baseline");
    assert_eq!((changes.servers_new, changes.servers_gone), (1, 1));
    let told: Vec<(&str, &str, u64, u64, u64, u64)> = (changes.families.iter())
        .map(|one| (one.family.as_str(), one.change, one.before, one.now, one.appeared, one.mended))
        .collect();
    assert_eq!(told, [("x/other", "new", 0, 1, 1, 0), ("x/path", "gone", 2, 0, 0, 2)]);
    let path = &changes.families[1];
    assert_eq!((path.before_pct, path.now_pct), (1.5, 0.0));
    let same = summarise("now", &before.facts(), Some(("before", &before.facts())), &settings());
    let changes = same.changes.expect("a baseline");
    assert_eq!((changes.families, changes.categories, changes.servers_new), (Vec::new(), Vec::new(), 0));
}

#[test]
fn a_share_that_moved_and_who_became_slow_are_told() {
    let before = servers(&[("a", 100.0), ("b", 100.0), ("c", 100.0), ("d", 120.0)]);
    let now = servers(&[("a", 100.0), ("b", 125.0), ("c", 100.0), ("d", 100.0)]);
    let summary = summarise("now", &now.facts(), Some(("before", &before.facts())), &settings());
    let changes = summary.changes.expect("a baseline");
    let one = |server: &str| [Slow { server: server.to_owned(), rank: None, stage: "decode".to_owned() }];
    assert_eq!((&changes.stragglers_new[..], &changes.stragglers_gone[..]), (&one("b")[..], &one("d")[..]));
    assert_eq!(changes.categories, [], "the median server is as it was");
    let slower = servers(&[("a", 200.0), ("b", 200.0), ("c", 200.0), ("d", 200.0)]);
    let summary = summarise("now", &slower.facts(), Some(("before", &before.facts())), &settings());
    let moved = summary.changes.expect("a baseline").categories;
    let shares: Vec<(&str, f64, f64)> =
        moved.iter().map(|one| (one.category.as_str(), one.before_pct, one.now_pct)).collect();
    assert_eq!(shares, [("gemm", 50.0, 75.0), ("norm", 50.0, 25.0)]);
}

#[test]
fn a_line_that_is_no_row_is_named() {
    let facts = four().facts();
    for (lines, says) in [
        ("{\"trace\": \"a/0\"}", "line 1: missing field `stage`"),
        ("\n\nnothing", "line 3: expected ident"),
        (
            "{\"trace\":\"z\",\"stage\":\"decode\",\"category\":\"c\",\"time_us\":1.0}",
            "line 1: z is not in the table runs",
        ),
    ] {
        let error = facts.of_lines("kernels", lines.as_bytes()).expect_err("no row").to_string();
        assert!(error.starts_with(says), "{error}");
    }
    let twice = format!("{0}\n{0}\n", four().runs[0]);
    assert_eq!(Facts::of_runs(twice.as_bytes()).expect_err("twice").to_string(), "line 2: a/0 stands twice");
}

#[test]
fn nothing_at_all_is_a_document_too() {
    let (facts, settings) = (Facts::of_runs(b"").expect("nothing"), settings());
    let summary = summarise("dir", &facts, Some(("before", &facts)), &settings);
    for text in [
        text::render(&summary, &settings, 20, crate::report::text::Style::default()),
        markdown::render(&summary, &settings, 20),
        html::render(&summary, &settings),
    ] {
        assert!(text.contains("0 traces of 0 servers"), "{text}");
    }
}
