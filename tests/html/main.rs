//! The HTML page in a real browser: it shows the figures of the JSON report, sorts, filters, opens and zooms by mouse and by
//! keyboard, asks the network for nothing, and no name of a trace becomes part of it. Without a Chromium each test says
//! that it is skipped. `LLM_PROF_SCREENSHOTS` names a folder for pictures of all pages.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use llm_prof::cli::Streams;
use llm_prof::units::Nanos;
use serde_json::{Value, json};

mod browser;
mod hostile;
#[path = "../common/hostile.rs"]
mod hostile_trace;
mod keyboard;
mod timeline;
#[path = "../common/traces.rs"]
mod traces;

use browser::Browser;

const WIDE: (u32, u32) = (1280, 900);
const NARROW: (u32, u32) = (390, 844);

/// Several stages, streams and findings of all kinds.
const RICH: &str = "tests/fixtures/vllm-nvidia-tp2-moe-mixed.trace.json.gz";
const PREFILL: &str = "tests/fixtures/sglang-amd-prefill.trace.json.gz";
const RANKS: &str = "tests/fixtures/sglang-nvidia-tp4";

/// A page and the JSON of the same run.
struct Made {
    page: PathBuf,
    json: Value,
    _folder: tempfile::TempDir,
}

fn make(trace: &str, more: &[&str]) -> Made {
    let folder = tempfile::tempdir().expect("a folder");
    let [page, json] = ["report.html", "report.json"].map(|name| folder.path().join(name));
    let outputs = [&page, &json].map(|path| path.to_str().expect("UTF-8"));
    let args = [&["llm-prof", "triage", "-q", "--isolated", trace, "-o", outputs[0], "-o", outputs[1]], more].concat();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    llm_prof::cli::run(args.into_iter().map(OsString::from), &mut Streams::buffers(&mut out, &mut err));
    let text = std::fs::read_to_string(&json).unwrap_or_else(|_| panic!("{trace}: {}", String::from_utf8_lossy(&err)));
    Made { page, json: serde_json::from_str(&text).expect("JSON"), _folder: folder }
}

/// A browser with a page of a trace open in it; none where there is no browser.
fn opened(trace: &str, more: &[&str]) -> Option<(RefCell<Browser>, Made)> {
    let browser = Browser::start()?;
    let made = make(trace, more);
    browser.borrow_mut().open(&made.page, WIDE, false);
    Some((browser, made))
}

/// Traces of all kinds of reports, and a folder of ranks.
fn fixtures() -> Vec<PathBuf> {
    [vec![PathBuf::from(RANKS)], traces::all()].concat()
}

fn flags(trace: &Path) -> &'static [&'static str] {
    if trace == Path::new(RANKS) { &["--rank", "all"] } else { &[] }
}

/// Text and value of a cell.
type Cell = (String, String);

/// Rows of a table: id, whether it is hidden at first, its cells.
fn rows(browser: &mut Browser, table: &str) -> Vec<(String, bool, Vec<Cell>)> {
    let ask = format!(
        "[...document.querySelectorAll('#{table} > .scroll > table > tbody')].map(row => [row.id, \
         row.hasAttribute('data-hidden'), [...row.rows[0].cells].map(cell => \
         [cell.textContent, cell.dataset.value ?? cell.textContent])])"
    );
    serde_json::from_value(browser.value(&ask)).expect("rows")
}

/// Ids of the rows that can be seen, from top to bottom.
fn seen(browser: &mut Browser, table: &str) -> Vec<String> {
    let ask = format!(
        "[...document.querySelectorAll('#{table} > .scroll > table > tbody')].filter(row => row.offsetHeight > 0)\
         .map(row => row.id)"
    );
    serde_json::from_value(browser.value(&ask)).expect("ids")
}

fn stage(id: &str) -> &str {
    if id == "prefill" { "extend/prefill" } else { id }
}

/// What a cell must hold: the text of a word, or a figure with how it is shown.
enum Want<'a> {
    Word(&'a str),
    Time(&'a Value),
    Estimate(&'a Value),
    Share(&'a Value),
    Count(&'a Value),
    /// Anything; it is looked at elsewhere.
    Any,
}

fn check((text, value): &(String, String), want: &Want, place: &str) {
    let plain = |text: &str| text.replace('\u{202f}', "");
    let figure = |want: &Value, shown: &dyn Fn(f64) -> String| match want.as_f64() {
        Some(number) => {
            assert_eq!(value.parse(), Ok(number), "{place}");
            assert_eq!(plain(text), shown(number), "{place}");
        }
        None => assert_eq!((text.as_str(), value.as_str()), ("–", ""), "{place}"),
    };
    let human = |us: f64| Nanos((us * 1000.0).round() as i64).human();
    match want {
        Want::Word(word) => assert_eq!((text.as_str(), value.as_str()), (*word, *word), "{place}"),
        Want::Time(want) => figure(want, &human),
        Want::Estimate(want) => figure(want, &|us| format!("~{}", human(us))),
        Want::Share(want) => figure(want, &|pct| format!("{pct:.1} %")),
        Want::Count(want) => figure(want, &|n| format!("{n:.0}")),
        Want::Any => {}
    }
}

fn word<'a>(row: &'a Value, key: &str) -> Want<'a> {
    Want::Word(row[key].as_str().expect("a word"))
}

/// Every row and every cell of a table against its JSON.
fn compare(browser: &mut Browser, json: &Value, (table, key): (&str, &str), wants: fn(&Value) -> Vec<Want>) {
    let (there, all) = (rows(browser, table), json[key].as_array().expect("rows"));
    assert_eq!(there.len(), all.len(), "rows of {table}");
    for ((id, hidden, cells), row) in there.iter().zip(all) {
        assert_eq!((id.as_str(), !*hidden), (row["id"].as_str().expect("an id"), row["shown"] == true));
        let wants = wants(row);
        assert_eq!(cells.len(), wants.len() + 2, "cells of {id}");
        check(&cells[1], &Want::Word(stage(row["stage"].as_str().expect("a stage"))), id);
        for (n, (cell, want)) in cells[2..].iter().zip(&wants).enumerate() {
            check(cell, want, &format!("{id}, column {}", n + 3));
        }
    }
}

#[test]
fn every_cell_of_the_tables_is_the_figure_of_json() {
    let Some(browser) = Browser::start() else { return };
    let mut figures = 0;
    for trace in fixtures() {
        let made = make(&trace.to_string_lossy(), flags(&trace));
        let browser = &mut browser.borrow_mut();
        browser.open(&made.page, WIDE, false);
        compare(browser, &made.json, ("kernel-table", "kernels"), |row| {
            let [time, share, launches] = [&row["time_us"], &row["share_pct"], &row["launches"]];
            vec![
                word(row, "category"),
                Want::Time(time),
                Want::Share(share),
                Want::Count(launches),
                Want::Any,
                Want::Any,
            ]
        });
        compare(browser, &made.json, ("fuse-table", "fuse"), |row| {
            vec![
                word(row, "state"),
                word(row, "confidence"),
                Want::Time(&row["time_us"]),
                Want::Share(&row["share_pct"]),
                Want::Count(&row["occurrences"]),
                Want::Estimate(&row["could_save_us"]),
                word(row, "action"),
            ]
        });
        compare(browser, &made.json, ("overlap-table", "overlap"), |row| {
            let [time, share] = [&row["time_us"], &row["share_pct"]];
            let [alone, hidden, saved] = [&row["exclusive_us"], &row["hidden_us"], &row["could_save_us"]];
            let words = ["priority", "verdict", "category"].map(|key| word(row, key));
            let figures = [Want::Time(time), Want::Share(share), Want::Time(alone), Want::Time(hidden)];
            words.into_iter().chain(figures).chain([word(row, "risk"), Want::Estimate(saved)]).collect()
        });
        let steps = rows(browser, "step-table");
        let all = made.json["gpu"]["steps"].as_array().expect("steps");
        assert_eq!(steps.len(), all.len(), "steps of {}", trace.display());
        for ((id, _, cells), step) in steps.iter().zip(all) {
            for (at, key) in [(2, "span_us"), (3, "busy_us"), (4, "idle_us"), (5, "host_bound_us")] {
                check(&cells[at], &Want::Time(&step[key]), id);
            }
            check(&cells[7], &Want::Count(&step["launches"]), id);
        }
        let summary = browser.text("document.querySelector('.lead').textContent");
        assert_eq!(Some(summary.as_str()), made.json["summary"].as_str());
        figures += all.len() + made.json["kernels"].as_array().map_or(0, Vec::len);
    }
    assert!(figures > 300, "only {figures} rows were compared");
}

#[test]
fn no_page_complains_or_asks_the_network_in_light_and_dark_wide_and_narrow() {
    let Some(browser) = Browser::start() else { return };
    let folder = std::env::var_os("LLM_PROF_SCREENSHOTS").map(PathBuf::from);
    for trace in fixtures() {
        let made = make(&trace.to_string_lossy(), flags(&trace));
        let browser = &mut browser.borrow_mut();
        let (mut pictures, mut fastest) = (Vec::new(), f64::MAX);
        for (size, dark) in [(WIDE, false), (WIDE, true), (NARROW, false), (NARROW, true)] {
            let before = browser.worked();
            browser.open(&made.page, size, dark);
            let after = browser.worked();
            // A page may get a process of its own, which has done nothing before; no page takes less than a millisecond.
            let took = if after - before < 0.001 { after } else { after - before };
            assert!(took > 0.001, "{took} s: nothing was measured");
            fastest = fastest.min(took);
            let place = format!("{} {size:?} dark {dark}", trace.display());
            assert_eq!(browser.complaints(), Vec::<String>::new(), "{place}");
            let beyond = browser.number("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert!(beyond <= 0.0, "{place}: the page scrolls sideways by {beyond} px");
            assert_eq!(browser.value(CONTRAST), json!([]), "{place}: text too faint to read");
            assert_eq!(browser.value(CLIPPED), json!([]), "{place}: evidence is cut off");
            let picture = browser.picture();
            if let Some(folder) = &folder {
                let name = trace.to_string_lossy().replace(['/', '\\'], "_");
                let scheme = if dark { "dark" } else { "light" };
                std::fs::write(folder.join(format!("{name}.{}.{scheme}.png", size.0)), &picture)
                    .expect("the folder is there");
            }
            pictures.push(picture);
        }
        assert_ne!(pictures[0], pictures[1], "{}: dark looks like light", trace.display());
        assert!(fastest < 1.0, "{}: {fastest} s of work until it is there", trace.display());
    }
}

/// Rows whose evidence is wider than what can be seen of it.
const CLIPPED: &str = "(() => {
  const buttons = [...document.querySelectorAll('tbody th button')];
  buttons.forEach(button => button.click());
  const wide = [...document.querySelectorAll('.evidence')].filter(one => one.scrollWidth > one.clientWidth + 1);
  const ids = wide.map(one => one.closest('tbody').id);
  buttons.forEach(button => button.click());
  return ids;
})()";

/// Texts whose contrast to what is behind them is under 4.5.
const CONTRAST: &str = "(() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = one => {
    for (; one; one = one.parentElement) {
      const back = parts(getComputedStyle(one).backgroundColor);
      if (back.length === 3 || back[3] > 0) return back;
    }
    return [255, 255, 255];
  };
  const seen = new Set();
  for (const one of document.querySelectorAll('body *')) {
    const own = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || one.closest('script, style, svg, .unseen, noscript, option') || !one.offsetHeight) continue;
    const [text, back] = [light(parts(getComputedStyle(one).color)), light(behind(one))];
    const ratio = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
    if (ratio < 4.5) seen.add(`${one.localName}.${one.className} ${ratio.toFixed(2)}`);
  }
  return [...seen];
})()";

#[test]
fn any_column_sorts_both_ways_and_says_so() {
    let Some((browser, _made)) = opened(RICH, &[]) else { return };
    let browser = &mut browser.borrow_mut();
    for table in ["kernel-table", "fuse-table"] {
        let heads = format!("#{table} > .scroll > table > thead th");
        let columns = browser.number(&format!("document.querySelectorAll('{heads}').length")) as usize;
        for column in 0..columns {
            let head = format!("{heads}:nth-child({})", column + 1);
            for _ in 0..2 {
                browser.click(&format!("{head} button"));
                let way = browser.text(&format!("document.querySelector('{head}').getAttribute('aria-sort')"));
                let number = browser.value(&format!("document.querySelector('{head}').hasAttribute('data-number')"));
                let cells: Vec<String> =
                    rows(browser, table).into_iter().map(|(_, _, cells)| cells[column].1.clone()).collect();
                let known: Vec<&String> = cells.iter().filter(|cell| !cell.is_empty()).collect();
                assert!(
                    cells.iter().rev().take(cells.len() - known.len()).all(String::is_empty),
                    "unknown ones come last"
                );
                if number == true {
                    let mut figures: Vec<f64> = known.iter().map(|cell| cell.parse().expect("a figure")).collect();
                    if way == "descending" {
                        figures.reverse();
                    }
                    assert!(figures.is_sorted(), "{head} {way}: {figures:?}");
                }
            }
            let other = browser.number(&format!("document.querySelectorAll('#{table} [aria-sort]').length"));
            assert!((other - 1.0).abs() < 0.1, "one column is sorted at a time");
        }
    }
}

#[test]
fn filters_leave_what_was_asked_for_and_count_it() {
    let Some((browser, made)) = opened(RICH, &[]) else { return };
    let browser = &mut browser.borrow_mut();
    let kernels = made.json["kernels"].as_array().expect("rows");
    let ids = |keep: &dyn Fn(&Value) -> bool| -> Vec<String> {
        kernels.iter().filter(|row| keep(row)).map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
    };
    let count = "document.querySelector('#kernel-table output').textContent";
    assert_eq!(seen(browser, "kernel-table"), ids(&|row| row["shown"] == true));
    let category = kernels[0]["category"].as_str().expect("a word");
    let choose = |selector: &str, value: &str| {
        format!(
            "(() => {{ const one = document.querySelector({selector:?}); one.value = {value:?}; \
             one.dispatchEvent(new Event('input', {{ bubbles: true }})); return one.value; }})()"
        )
    };
    assert_eq!(browser.text(&choose("#kernel-table select[data-column='2']", category)), category);
    let wanted = ids(&|row| row["shown"] == true && row["category"] == category);
    assert_eq!(seen(browser, "kernel-table"), wanted);
    let shown = ids(&|row| row["shown"] == true).len();
    assert_eq!(browser.text(count), format!("{} of {shown} rows", wanted.len()));
    browser.click("#kernel-table input[type=checkbox]");
    assert_eq!(seen(browser, "kernel-table"), ids(&|row| row["category"] == category), "and those under the bar");
    browser.value(&choose("#kernel-table select[data-column='2']", ""));
    // Words are found in what a row opens, too.
    let name = kernels[1]["name"].as_str().expect("a name").to_lowercase();
    browser.value(&choose("#kernel-table input[type=search]", &name));
    assert!(seen(browser, "kernel-table").contains(&kernels[1]["id"].as_str().expect("an id").to_owned()));
    browser.value(&choose("#kernel-table input[type=search]", "no such kernel"));
    assert_eq!(seen(browser, "kernel-table"), Vec::<String>::new());
    assert_eq!(browser.text(count), format!("0 of {} rows", kernels.len()));
}

#[test]
fn a_row_opens_its_evidence() {
    let Some((browser, made)) = opened(PREFILL, &[]) else { return };
    let browser = &mut browser.borrow_mut();
    let fuse = made.json["fuse"].as_array().expect("rows");
    for row in fuse.iter().filter(|row| row["shown"] == true) {
        let id = row["id"].as_str().expect("an id");
        let one = format!("document.getElementById({id:?})");
        assert_eq!(browser.value(&format!("{one}.rows[1].offsetHeight")), json!(0), "closed at first");
        browser.value(&format!("{one}.querySelector('th button').click()"));
        assert!(browser.number(&format!("{one}.rows[1].offsetHeight")) > 50.0, "open after a click");
        let evidence = browser.text(&format!("{one}.rows[1].textContent"));
        for example in row["examples"].as_array().expect("a list") {
            let launches = example["launches"].as_array().expect("a list");
            let boxes =
                format!("[...{one}.querySelectorAll('svg.lanes')].map(svg => svg.querySelectorAll('rect').length)");
            assert!(browser.value(&boxes).as_array().expect("a list").contains(&json!(launches.len())), "{id}");
            assert!(!launches.is_empty());
        }
        assert!(!row["examples"].as_array().expect("a list").is_empty(), "{id} has an occurrence to show");
        let rule = &row["rule"];
        for clause in rule["clauses"].as_array().expect("a list") {
            assert!(evidence.contains(clause["text"].as_str().expect("a text")), "{id} shows its rule");
        }
        for gate in rule["gates"].as_array().expect("a list") {
            assert!(evidence.contains(gate["wants"].as_str().expect("a text")), "{id} shows its conditions");
        }
        for kind in ["locations", "toggles"] {
            for place in row[kind].as_array().expect("a list") {
                let text = place["location"].as_str().or(place["spelling"].as_str()).expect("a text");
                assert!(row["action"] == "none" && kind == "toggles" || evidence.contains(text), "{id}: {text}");
            }
        }
    }
    // A link from elsewhere opens it, even where a filter hides it.
    let covered =
        fuse.iter().find(|row| row["shown"] == false).and_then(|row| row["id"].as_str()).expect("a covered row");
    browser.value(&format!("location.hash = encodeURIComponent({covered:?})"));
    browser.value("new Promise(done => setTimeout(done, 50))");
    assert!(browser.number(&format!("document.getElementById({covered:?}).rows[1].offsetHeight")) > 50.0);
}

#[test]
fn a_flag_is_copied_from_a_page_that_is_a_file() {
    let Some((browser, made)) = opened(RICH, &[]) else { return };
    let browser = &mut browser.borrow_mut();
    let row = made.json["fuse"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["shown"] == true && row["toggles"][0].is_object());
    let row = row.expect("a row with a flag");
    let id = row["id"].as_str().expect("an id");
    browser.value(&format!("document.getElementById({id:?}).querySelector('th button').click()"));
    browser.click(&format!("[id={id:?}] button[data-copy]"));
    browser.value("new Promise(done => setTimeout(done, 200))");
    let button = format!("document.querySelector('[id={id:?}] button[data-copy]')");
    assert_eq!(browser.text(&format!("{button}.textContent")), "copied");
    browser
        .call("Browser.grantPermissions", &json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] }));
    let copied = browser.text("navigator.clipboard.readText()");
    assert!(copied.starts_with(row["toggles"][0]["spelling"].as_str().expect("a flag")), "{copied}");
    // Where the browser keeps its clipboard from files, the old way does.
    browser.value("navigator.clipboard.writeText('before').then(() => { navigator.clipboard.writeText = () => Promise.reject(); })");
    browser.click(&format!("[id={id:?}] button[data-copy]"));
    browser.value("new Promise(done => setTimeout(done, 200))");
    assert_eq!(browser.text("navigator.clipboard.readText()"), copied);
}

#[test]
fn without_script_all_is_there_to_read() {
    let Some(browser) = Browser::start() else { return };
    let made = make(PREFILL, &[]);
    let browser = &mut browser.borrow_mut();
    browser.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.open_without_script(&made.page);
    let tree = browser.call("Accessibility.getFullAXTree", &json!({}));
    let names: Vec<&str> =
        tree["nodes"].as_array().expect("nodes").iter().filter_map(|node| node["name"]["value"].as_str()).collect();
    let has = |text: &str| names.iter().any(|name| name.contains(text));
    let row = &made.json["fuse"][0];
    assert!(
        has(row["title"].as_str().expect("a title")) && has(row["rule"]["rationale"].as_str().expect("a sentence"))
    );
    let roles = tree["nodes"].as_array().expect("nodes").iter().filter_map(|node| node["role"]["value"].as_str());
    assert_eq!(roles.filter(|role| *role == "button").count(), 0, "no button is there that does nothing");
}

#[test]
fn a_run_of_many_ranks_compares_them() {
    let Some((browser, made)) = opened(RANKS, &["--rank", "all"]) else { return };
    let browser = &mut browser.borrow_mut();
    for stage in made.json["ranks"]["stages"].as_array().expect("stages") {
        let table = rows(browser, &format!("ranks-{}", stage["stage"].as_str().expect("an id")));
        let all = stage["ranks"].as_array().expect("ranks");
        assert_eq!(table.len(), all.len());
        for ((id, _, cells), rank) in table.iter().zip(all) {
            let time = if stage["per_step"] == true { &rank["time_per_step_us"] } else { &rank["time_us"] };
            check(&cells[1], &Want::Time(time), id);
        }
    }
    let collectives = made.json["ranks"]["collectives"].as_array().expect("a list").len();
    assert_eq!(rows(browser, "collectives").len(), collectives);
}
